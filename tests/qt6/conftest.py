"""The plugin in a Python whose Qt is that of QGIS 4.

tests/qgis/test_qt6.py runs these tests, in a process of their own.
"""

import importlib.util
import os
import sys
import types
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QApplication
from stand_ins import install

ROOT = Path(__file__).resolve().parents[2]

install(Path(os.environ["TWINNS_DECLARATIONS"]))
# The folder is the plugin, whatever its name.
spec = importlib.util.spec_from_file_location("twinns", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
sys.modules["twinns"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["twinns"])


class Setting:
    FILE = "file"

    def __init__(self, group, name, description, default, valuetype):
        self.name = name


class ProcessingConfig:
    """Processing's own class, as far as the plugin uses it."""

    RESULTS_GROUP_NAME = "RESULTS_GROUP_NAME"
    settingIcons = {}  # noqa: N815, RUF012
    settings = {}  # noqa: RUF012

    @classmethod
    def addSetting(cls, setting):
        cls.settings[setting.name] = setting

    @classmethod
    def removeSetting(cls, name):
        del cls.settings[name]

    @staticmethod
    def readSettings():
        pass

    @staticmethod
    def getSetting(name):
        return ""


def _processing():
    """Makes the modules of Processing that the plugin imports; they are in Python, and QGIS 3's are not for Qt 6."""
    from qgis.gui import QgsAbstractProcessingParameterWidgetWrapper, QgsProcessingGui

    kinds = QgsProcessingGui.WidgetType

    class WidgetWrapper(QgsAbstractProcessingParameterWidgetWrapper):
        def __init__(self, param, dialog, row=0, col=0, **kwargs):
            super().__init__(param, kinds.Standard)
            self._parameterDefinition = param
            self.widget = self.createWidget(**kwargs)
            if param.defaultValue() is not None:
                self.setValue(param.defaultValue())

        def parameterDefinition(self):
            return self._parameterDefinition

    modules = {name: types.ModuleType(name) for name in ("processing", "processing.core", "processing.gui")}
    wrappers = types.ModuleType("processing.gui.wrappers")
    wrappers.DIALOG_MODELER = kinds.Modeler
    wrappers.WidgetWrapper = WidgetWrapper
    wrappers.dialogTypes = {"ModelerParametersDialog": kinds.Modeler}
    config = types.ModuleType("processing.core.ProcessingConfig")
    config.ProcessingConfig, config.Setting = ProcessingConfig, Setting
    return {**modules, wrappers.__name__: wrappers, config.__name__: config}


sys.modules |= _processing()


@pytest.fixture(scope="session", autouse=True)
def application():
    return QApplication([])


@pytest.fixture
def algorithms():
    """All algorithms of the provider but the graphical models, as dialogs get them."""
    provider = importlib.import_module("twinns.algorithms.provider")
    added = []
    made = provider.TwinnsProvider()
    made.addAlgorithm = added.append
    made.loadAlgorithms()
    return added


@pytest.fixture
def definitions(algorithms):
    """The parameters of all algorithms, by the names of both."""
    found = {}
    for algorithm in algorithms:
        added = []
        algorithm.addParameter = added.append
        algorithm.initAlgorithm()
        found |= {(algorithm.name(), definition.name()): definition for definition in added}
    return found
