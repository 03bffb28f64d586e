"""What all algorithms of the provider share: they show what a declaration says."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingOutputNumber
from qgis.PyQt.QtGui import QIcon

from ..twinns_qgis.jobs.parameters import Declaration, Number
from .authentication import authentication_parameter
from .definitions import definition_of
from .environment import PLUGIN_FOLDER
from .help_panel import help_of_job, manual_page
from .translation import tr
from .values import Values


class DeclaredAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that is called and can be asked for what its declaration says, its parameters in upper case.

    Args:
        declaration: What it is called and can be asked for.
    """

    def __init__(self, declaration: type[Declaration]) -> None:
        super().__init__()
        self._declaration = declaration

    def createInstance(self) -> DeclaredAlgorithm:
        return type(self)(self._declaration)

    def name(self) -> str:
        return self._declaration.id()

    def displayName(self) -> str:
        return tr(self._declaration.label)

    def group(self) -> str:
        return tr(self._declaration.group)

    def groupId(self) -> str:
        return self._declaration.group.lower()

    def tags(self) -> list[str]:
        return tr(self._declaration.tags).split(",")

    def shortDescription(self) -> str:
        return tr(self._declaration.summary)

    def shortHelpString(self) -> str:
        return help_of_job(self._declaration)

    def helpUrl(self) -> str:
        return manual_page(self._declaration.page)

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return str(PLUGIN_FOLDER / "icon.svg")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        for name, parameter in self._declaration.parameters().items():
            self.addParameter(definition_of(name, parameter))
        if self._declaration.servers:
            self.addParameter(authentication_parameter())
        for name, meaning in self._declaration.numbers.items():
            self.addOutput(QgsProcessingOutputNumber(name.upper(), tr(meaning)))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        good, why_not = super().checkParameterValues(parameters, context)
        return (good, why_not) if not good else self._check_limits(parameters, context)

    def _check_limits(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Checks what QGIS's own parameters don't: open limits, and the formats of outputs."""
        values = Values(self, parameters, context)
        for name, parameter in self._declaration.parameters().items():
            if isinstance(parameter, Number) and (expected := parameter.check(value := values.read(name, parameter))):
                return False, tr("The parameter '{}' is {}.").format(name.upper(), value) + " " + expected
        for definition in self.destinationParameterDefinitions():
            value = parameters.get(definition.name())
            # Not in our context: QGIS 3.22 would note there that it has a layer to load.
            supported, why_not = self.provider().isSupportedOutputValue(value, definition, QgsProcessingContext())
            if value and not supported:
                return False, why_not
        return True, ""
