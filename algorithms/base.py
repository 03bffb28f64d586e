"""What the algorithms share: from parameters to a job, and from its outputs back."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtGui import QIcon

from .environment import PLUGIN_FOLDER, check_interpreter, chosen_interpreter
from .values import Values
from .worker import Worker


class JobAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that hands a job to the worker.

    A subclass names the job and declares `definitions`. A parameter is the job's field of the same name in lower case;
    its type says how its value is read (`Values`).
    """

    JOB: str
    """The job's id, and the algorithm's name."""

    def __init__(self) -> None:
        super().__init__()
        self._inputs: dict[str, Any] | QgsProcessingException = {}

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        """Returns the parameters, in the order of the dialog."""
        raise NotImplementedError

    def read_inputs(self, values: Values) -> dict[str, Any]:
        """Returns the job's inputs by field."""
        return {
            definition.name().lower(): values.read(definition)
            for definition in self.parameterDefinitions()
            if not definition.isDestination()
        }

    def createInstance(self) -> JobAlgorithm:
        return type(self)()

    def name(self) -> str:
        return self.JOB

    def icon(self) -> QIcon:
        return QIcon(str(PLUGIN_FOLDER / "icon.svg"))

    def svgIconPath(self) -> str:
        return str(PLUGIN_FOLDER / "icon.svg")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        for definition in self.definitions():
            self.addParameter(definition)

    def canExecute(self) -> tuple[bool, str]:
        return check_interpreter()

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        good, why_not = super().checkParameterValues(parameters, context)
        for definition in self.destinationParameterDefinitions() if good else []:
            value = parameters.get(definition.name())
            # Not in our context: QGIS 3.22 would note there that it has a layer to load.
            supported, why_not = self.provider().isSupportedOutputValue(value, definition, QgsProcessingContext())
            if value and not supported:
                return False, why_not
        return good, why_not

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Reads the inputs, in the thread that owns the layers."""
        try:
            self._inputs = self.read_inputs(Values(self, parameters, context, feedback))
        except QgsProcessingException as refusal:
            # Raised here, it would end in the log alone: scripts would only hear that there were errors.
            self._inputs = refusal
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        if isinstance(self._inputs, QgsProcessingException):
            raise self._inputs
        executable, why_not = check_interpreter()
        if not executable:
            raise QgsProcessingException(why_not)
        values = Values(self, parameters, context, feedback)
        outputs = {item.name().lower(): values.read(item) for item in self.destinationParameterDefinitions()}
        found = Worker(chosen_interpreter(), feedback).run(self.JOB, {**self._inputs, **outputs})
        results = {name.upper(): value for name, value in found.items()}
        self.style_outputs(results, context)
        return results

    def style_outputs(self, results: dict[str, Any], context: QgsProcessingContext) -> None:
        """Says how the outputs look once QGIS has loaded them; by default as any other layer."""
