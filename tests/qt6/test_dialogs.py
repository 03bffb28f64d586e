"""The modules, the parameters and the widgets of the plugin on PyQt6."""

import importlib
import types
from pathlib import Path

import pytest
from PyQt6.QtCore import QDateTime, QUrl
from PyQt6.QtGui import QDesktopServices, QImage, QPainter
from PyQt6.QtWidgets import QComboBox, QWidget

ROOT = Path(__file__).resolve().parents[2]
MODULES = ["plugin", *(f"algorithms.{path.stem}" for path in (ROOT / "algorithms").glob("[a-z]*.py"))]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_imported(module):
    importlib.import_module(f"twinns.{module}")


def test_every_algorithm_has_its_texts_and_icon(algorithms):
    assert {one.name() for one in algorithms} >= {"trainmodel", "mapcover", "setupcompute"}
    for algorithm in algorithms:
        created = algorithm.createInstance()
        texts = (created.name(), created.displayName(), created.group(), created.groupId(), created.shortDescription())
        assert all(texts), created.name()
        assert created.shortHelpString()
        assert created.helpUrl()
        assert created.tags()
        image = QImage(32, 32, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        created.icon().paint(painter, image.rect())
        painter.end()
        assert image.pixelColor(16, 24).alpha(), created.name()


def test_every_parameter_is_declared_to_qgis(definitions):
    for name, definition in definitions.items():
        assert definition.name() == name[1]
        assert definition.description()
        assert definition.help()
    optional = type(definitions["trainmodel", "SEED"].flags())
    assert optional.FlagOptional in definitions["trainmodel", "SENTINEL1"].flags()
    assert optional.FlagAdvanced in definitions["trainmodel", "SEED"].flags()


def test_the_boxes_of_choices_hold_every_choice(definitions):
    choices = {name: one for name, one in definitions.items() if "class" in one.metadata().get("widget_wrapper", {})}
    assert ("trainmodel", "METHOD") in choices
    for name, definition in choices.items():
        described = dict(definition.metadata()["widget_wrapper"])
        module, _, made = described.pop("class").rpartition(".")
        wrapper = getattr(importlib.import_module(module), made)(definition, QWidget(), 0, 0, **described)
        assert isinstance(wrapper.widget, QComboBox)
        assert wrapper.value() == (definition.defaultValue() or definition.options()[0]), name
        changed = []
        wrapper.widgetValueHasChanged.connect(changed.append)
        for word in reversed(definition.options()):
            wrapper.setValue(word)
            assert (wrapper.value(), wrapper.widget.currentText()) == (word, described["labels"][word])
        assert len(changed) >= len(definition.options()) - 1


def test_the_model_designer_gets_a_box_of_qgis(definitions):
    module = importlib.import_module("twinns.algorithms.choice_widget")
    dialog = type("ModelerParametersDialog", (QWidget,), {"model": None, "childId": "", "context": None})()
    assert not isinstance(module.ChoiceWidget(definitions["trainmodel", "METHOD"], dialog), module.ChoiceWidget)


def test_the_plugin_starts_and_follows_its_link(monkeypatch):
    opened = []
    processing = importlib.import_module("processing")
    monkeypatch.setattr(processing, "execAlgorithmDialog", opened.append, raising=False)
    canvas = importlib.import_module("qgis.gui").QgsMapCanvas()
    window = types.SimpleNamespace(mapCanvas=lambda: canvas)
    monkeypatch.setattr(importlib.import_module("qgis.utils"), "iface", window)
    plugin = importlib.import_module("twinns").classFactory(None)
    plugin.initGui()
    assert QDesktopServices.openUrl(QUrl("twinns:setupcompute"))
    assert opened == ["twinns:setupcompute"]
    plugin.unload()
    assert not QDesktopServices.openUrl(QUrl("twinns:setupcompute"))
    assert opened == ["twinns:setupcompute"]


def test_days_become_moments():
    year = importlib.import_module("twinns.algorithms.year")
    assert year._start("2018-05-07") == QDateTime.fromString("2018-05-07T00:00:00", "yyyy-MM-ddTHH:mm:ss")
