"""The parameters of jobs as QGIS has them: in dialogs, in models and in runs."""

import html
import json
import re
from pathlib import Path

import pytest
from processing.gui import ParametersPanel
from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingParameterEnum
from qgis.PyQt.QtCore import QTranslator

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("landcover", "landcoverforest", "landcoverfrommodel")


@pytest.fixture
def declarations(provider):
    from twinns.twinns_qgis.jobs.declarations import DECLARATIONS

    return {declaration.id(): declaration for declaration in DECLARATIONS}


@pytest.fixture
def given(tmp_path, make_series, make_model):
    """A value for each required parameter, by its kind, and a series where one is needed: all can be read."""
    series = make_series()
    polygons = tmp_path / "fields.geojson"
    square = {"type": "Polygon", "coordinates": [[[3, 50], [3.1, 50], [3.1, 50.1], [3, 50]]]}
    feature = {"type": "Feature", "geometry": square, "properties": {"class": "wheat"}}
    polygons.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    model = make_model(sentinel2=["B4"])
    values = {
        "Raster": series, "Polygons": str(polygons), "Field": "class", "Day": "2021-06-01",
        "Extent": "3,4,50,51 [EPSG:4326]", "twinns": model, "geojson": str(polygons),
    }  # fmt: skip

    def make(declaration):
        parameters = declaration.parameters()
        required = {
            name.upper(): "TEMPORARY_OUTPUT"
            if parameter.output
            else values[getattr(parameter, "extension", "") or type(parameter).__name__]
            for name, parameter in parameters.items()
            if parameter.required
        }
        needed = {"sentinel2": series, "layers": [series]}
        return {**required, **{name.upper(): value for name, value in needed.items() if name in parameters}}

    return make


def test_every_job_is_an_algorithm_in_the_order_of_the_work(provider, declarations):
    others = {*MODELS, "setupcompute", "checkcompute"}
    assert {item.name() for item in provider.algorithms()} == {*declarations, *others}


def test_an_algorithm_has_the_parameters_of_its_job(provider, declarations):
    for name, declaration in declarations.items():
        definitions = provider.algorithm(name).parameterDefinitions()
        if declaration.servers:
            assert definitions.pop().name() == "AUTHENTICATION"
        assert [item.name().lower() for item in definitions] == list(declaration.parameters())
        for definition, parameter in zip(definitions, declaration.parameters().values(), strict=True):
            default = list(parameter.default) if parameter.several and parameter.default else parameter.default
            assert definition.description() == parameter.label
            assert definition.help() == parameter.help
            assert bool(definition.flags() & definition.Flag.FlagAdvanced) == parameter.advanced
            optional = bool(definition.flags() & definition.Flag.FlagOptional)
            if parameter.required or parameter.default in (None, (), ""):
                assert optional != parameter.required
            else:
                assert definition.defaultValue() == default
                assert type(definition.defaultValue()) is type(default)


def test_every_choice_of_every_parameter_reaches_the_worker(provider, declarations, run, echo, given):
    """A comma in a choice made QGIS refuse it."""
    tried = 0
    for name, declaration in declarations.items():
        for parameter, declared in declaration.parameters().items():
            for word in getattr(declared, "choices", ()):
                value = [word] if declared.several else word
                run(name, {**given(declaration), parameter.upper(): value})
                assert json.loads(echo.read_text())["parameters"][parameter] == value
                tried += 1
    assert tried > 40


def test_every_default_is_accepted(declarations, run, echo, given):
    for name, declaration in declarations.items():
        run(name, given(declaration))
        found = json.loads(echo.read_text())["parameters"]
        for parameter, declared in declaration.parameters().items():
            if parameter.upper() not in given(declaration):
                default = declared.default
                assert found[parameter] in (
                    default,
                    list(default) if isinstance(default, tuple) else default,
                    default or None,
                )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"TRAIN_SHARE": 0}, "'TRAIN_SHARE' is 0.0.*more than 0, below 1"),
        ({"TRAIN_SHARE": 1}, "'TRAIN_SHARE' is 1.0.*more than 0, below 1"),
        ({"DROPOUT": 1}, "'DROPOUT' is 1.0.*0 or more, below 1"),
        ({"EPOCHS": 0}, "EPOCHS"),
        ({"METHOD": "forest"}, "METHOD"),
    ],
)
def test_limits_hold_in_qgis_too(provider, context, declarations, given, change, words):
    parameters = {**given(declarations["trainmodel"]), **change}
    good, why_not = provider.algorithm("trainmodel").create().checkParameterValues(parameters, context)
    assert not good
    assert re.search(words, why_not)


def test_seeds_beyond_the_whole_numbers_of_qgis_arrive(declarations, run, echo, given):
    run("trainmodel", {**given(declarations["trainmodel"]), "SEED": 4294967295})
    assert json.loads(echo.read_text())["parameters"]["seed"] == 4294967295


def boxes(panel, algorithm):
    """The boxes of a dialog's choices, by parameter."""
    definitions = algorithm.parameterDefinitions()
    return {
        item.name(): panel.wrappers[item.name()] for item in definitions if isinstance(item, QgsProcessingParameterEnum)
    }


def test_dialogs_show_what_choices_mean_and_give_their_words(provider, declarations, worker, context, monkeypatch):
    worker("finish()")
    monkeypatch.setattr(ParametersPanel, "iface", None)  # that of pytest-qgis has no browser
    for name, declaration in declarations.items():
        algorithm = provider.algorithm(name).create()
        dialog = AlgorithmDialog(algorithm, False, None)
        for parameter, box in boxes(dialog.mainWidget(), algorithm).items():
            declared = declaration.parameters()[parameter.lower()]
            if declared.several:  # QGIS's own box, of the words themselves
                assert box.parameterValue() == list(declared.default)
                continue
            assert box.parameterValue() == declared.default
            for place, (word, label) in enumerate(declared.choices.items()):
                box.widget.setCurrentIndex(place)
                assert (box.widget.currentText(), box.parameterValue()) == (label, word)
                box.setParameterValue(word, context)
                assert box.parameterValue() == word
        dialog.close()


def test_the_shipped_model_shows_what_choices_mean(provider, worker, monkeypatch):
    worker("finish()")
    monkeypatch.setattr(ParametersPanel, "iface", None)
    algorithm = provider.algorithm("landcover").create()
    dialog = AlgorithmDialog(algorithm, False, None)
    shown = boxes(dialog.mainWidget(), algorithm)
    assert {name: box.widget.currentText() for name, box in shown.items()} == {
        "SIZE": "Automatic: paper on a GPU, else compact",
        "SPARSE_CLASSES": "Stop, and list them",
        "UNITS": "Automatic: found out from the images",
    }
    dialog.close()


@pytest.mark.parametrize("model", MODELS)
def test_shipped_models_have_the_parameters_of_their_algorithms(provider, model):
    """Else `make reference` was not run."""
    inputs = {item.name(): item for item in provider.algorithm(model).parameterDefinitions()}
    steps = {"UNITS": "preparesentinel1", "START": "preparesentinel2", "STEP": "preparesentinel2", "MODEL": "mapcover"}
    steps.update(dict.fromkeys(("POLYGONS", "CLASS_FIELD", "SPARSE_CLASSES", "SIZE", "EPOCHS"), "trainmodel"))
    for name, step in ((name, step) for name, step in steps.items() if name in inputs):
        definition = provider.algorithm(step).parameterDefinition(name)
        assert inputs[name].help() == definition.help()
        assert inputs[name].defaultValue() == definition.defaultValue()
        if isinstance(definition, QgsProcessingParameterEnum):
            assert inputs[name].options() == definition.options()


def test_a_batch_has_boxes_too(provider, worker):
    worker("finish()")
    dialog = BatchAlgorithmDialog(provider.algorithm("trainmodel").create())
    shown = [one for row in dialog.mainWidget().wrappers for one in row if type(one).__name__ == "ChoiceWidget"]
    assert {one.parameterValue() for one in shown} >= {"TWINNS", "auto"}
    dialog.close()


def test_in_the_model_designer_a_choice_can_come_from_an_input(provider, worker):
    worker("finish()")
    algorithm = QgsApplication.processingRegistry().algorithmById("twinns:trainmodel")
    dialog = ModelerParametersDialog(algorithm, provider.algorithm("landcover").create(), "trainmodel")
    sources = dialog.createAlgorithm().parameterSources()
    assert sources["SIZE"][0].parameterName() == "SIZE"
    assert sources["METHOD"][0].staticValue() == "TWINNS"
    dialog.close()


def test_the_help_panel_explains_every_parameter_and_every_choice(provider, declarations):
    for name, declaration in declarations.items():
        panel = provider.algorithm(name).shortHelpString()
        shown = html.unescape(panel)
        assert shown.startswith(declaration.description.split("\n")[0])
        for parameter in declaration.parameters().values():
            choices = getattr(parameter, "choices", {}).values()
            for text in (parameter.label, parameter.help, *choices):
                assert text in shown
        assert "\n\n" not in panel, "QGIS makes a paragraph of each line"
    model = provider.algorithm("landcover").create().shortHelpString()
    for text in declarations["trainmodel"].parameters()["size"].texts:
        assert text in model


def test_help_leads_to_a_page_of_the_manual_that_is_there(provider):
    for algorithm in provider.algorithms():
        site, _, page = algorithm.helpUrl().partition("/docs/")
        assert site == "https://example.org/twinns-qgis"
        path, _, heading = page.partition("#")
        text = (ROOT / "docs" / path).read_text(encoding="utf-8")
        headings = {re.sub(r"[^\w-]", "", line.lstrip("# ").lower().replace(" ", "-")) for line in text.splitlines()}
        assert not heading or heading in headings


def test_a_dialog_that_was_only_opened_gives_the_defaults(provider, declarations, worker, monkeypatch):
    """A maximum that QGIS's boxes can't hold made them show -2,147,483,648."""
    worker("finish()")
    monkeypatch.setattr(ParametersPanel, "iface", None)
    for name, declaration in declarations.items():
        dialog = AlgorithmDialog(provider.algorithm(name).create(), False, None)
        for parameter, declared in declaration.parameters().items():
            if isinstance(declared.default, (int, float)) or "Number" in type(declared).__name__:
                assert dialog.mainWidget().wrappers[parameter.upper()].parameterValue() == declared.default
        dialog.close()


def test_dialogs_show_numbers_as_people_write_them(provider, worker, monkeypatch):
    worker("finish()")
    monkeypatch.setattr(ParametersPanel, "iface", None)
    algorithm = provider.algorithm("trainmodel").create()
    dialog = AlgorithmDialog(algorithm, False, None)
    boxes = {name: dialog.mainWidget().wrappers[name] for name in ("TRAIN_SHARE", "DROPOUT", "LEARNING_RATE", "EPOCHS")}
    texts = {name: box.wrappedWidget().text() for name, box in boxes.items()}
    assert texts == {"TRAIN_SHARE": "0.30", "DROPOUT": "0.40", "LEARNING_RATE": "Not set", "EPOCHS": "Not set"}
    assert boxes["DROPOUT"].parameterValue() == 0.4
    boxes["LEARNING_RATE"].setParameterValue(2e-4, QgsProcessingContext())
    assert boxes["LEARNING_RATE"].wrappedWidget().text() == "0.000200"
    assert boxes["LEARNING_RATE"].parameterValue() == 2e-4
    dialog.close()


class Marks(QTranslator):
    """Translates all texts of the plugin, recognisably."""

    def translate(self, context, text, *others):
        return f"<{text}>" if context == "TWINNS" else None


def test_all_that_users_read_is_translated(provider, declarations):
    marks = Marks()
    QgsApplication.installTranslator(marks)
    try:
        for name, declaration in declarations.items():
            algorithm = provider.algorithm(name).create()
            seen = [algorithm.displayName(), algorithm.group(), algorithm.shortDescription()]
            seen += [",".join(algorithm.tags())]
            outputs = {item.name().lower(): item.description() for item in algorithm.outputDefinitions()}
            seen += [outputs[number] for number in declaration.numbers]
            for item in algorithm.parameterDefinitions():
                seen += [item.description(), item.help()]
                seen += item.metadata().get("widget_wrapper", {}).get("labels", {}).values()
            own = seen_of(declaration)
            if declaration.servers:  # QGIS's own, which no job declares
                own += [text[1:-1] for text in seen[-2:]]
            assert {text[1:-1] for text in seen} | {declaration.description} == set(own)
            assert all(text.startswith("<") for text in seen)
            assert html.unescape(algorithm.shortHelpString()).startswith(f"<{declaration.description[:20]}")
    finally:
        QgsApplication.removeTranslator(marks)


def seen_of(declaration):
    """The texts of a declaration, but for those that only the filters of file dialogs show."""
    kinds = {parameter.kind for parameter in declaration.parameters().values() if hasattr(parameter, "kind")}
    return [text for text in declaration.texts() if text not in kinds]
