"""The provider: the algorithms, the graphical models that come with them, and their setting."""

from __future__ import annotations

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from ..twinns_qgis.jobs.declarations import DECLARATIONS
from ..twinns_qgis.jobs.parameters import Choice
from .algorithm import JobAlgorithm
from .compute import CheckCompute, SetupCompute
from .definitions import show_choices
from .environment import PLUGIN_FOLDER, SETTING, SETTINGS_GROUP
from .help_panel import help_of_model, manual_page
from .set_up_link import can_compute
from .translation import tr

_MODELS = {
    "landcover": "Land cover map, from folders to map",
    "landcoverforest": "Land cover map by a random forest, for a first look",
    "landcoverfrommodel": "Land cover map by a trained model",
}
"""The graphical models, and what the toolbox calls them."""
_CHOICES = {
    name.upper(): parameter
    for declaration in DECLARATIONS
    for name, parameter in declaration.parameters().items()
    if isinstance(parameter, Choice)
}
"""Parameters of one name have the same choices in all jobs."""


class ShippedModel(QgsProcessingModelAlgorithm):
    """A graphical model of the provider."""

    def createInstance(self) -> ShippedModel:
        model = ShippedModel()
        model.loadVariant(self.toVariant())
        for definition in model.parameterDefinitions():
            if definition.name() in _CHOICES:
                show_choices(definition, _CHOICES[definition.name()])
        return model

    def displayName(self) -> str:
        # QGIS itself would show the name, which is made for scripts.
        return tr(_MODELS[self.name()]) if self.name() in _MODELS else self.name()

    def shortHelpString(self) -> str:
        return help_of_model(self, _CHOICES)

    def helpUrl(self) -> str:
        return manual_page("qgis.md#the-algorithms")

    def canExecute(self) -> tuple[bool, str]:
        complete, what_is_missing = super().canExecute()
        return can_compute() if complete else (False, what_is_missing)


class TwinnsProvider(QgsProcessingProvider):
    """TWINNS in the Processing toolbox."""

    def id(self) -> str:
        return "twinns"

    def name(self) -> str:
        return "TWINNS"

    def longName(self) -> str:
        return tr("TWINNS, land cover from Sentinel-1 and Sentinel-2 time series")

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return str(PLUGIN_FOLDER / "icon.svg")

    def load(self) -> bool:
        ProcessingConfig.settingIcons[SETTINGS_GROUP] = self.icon()
        ProcessingConfig.addSetting(
            Setting(
                SETTINGS_GROUP,
                SETTING,
                tr("Python of the compute environment; empty: the one in your profile"),
                "",
                valuetype=Setting.FILE,
            )
        )
        ProcessingConfig.readSettings()
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        ProcessingConfig.removeSetting(SETTING)

    def loadAlgorithms(self) -> None:
        for declaration in DECLARATIONS:
            self.addAlgorithm(JobAlgorithm(declaration))
        self.addAlgorithm(SetupCompute())
        self.addAlgorithm(CheckCompute())
        for name in _MODELS:
            model = ShippedModel()
            if model.fromFile(str(PLUGIN_FOLDER / "models" / f"{name}.model3")):
                self.addAlgorithm(model)

    def defaultRasterFileExtension(self) -> str:
        return "tif"

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        return ["tif", "tiff"]

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        return "gpkg"

    def supportedOutputVectorLayerExtensions(self) -> list[str]:
        return ["gpkg"]

    def supportsNonFileBasedOutput(self) -> bool:
        return False
