"""The algorithm of any job: it shows what the job declares, hands it to the worker, and gives back what that made."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

from ..twinns_qgis.jobs.parameters import Declaration, FileOutput, RasterOutput
from .authentication import AUTHENTICATION, TOKENS, with_authentication
from .checks import Checks
from .declared import DeclaredAlgorithm
from .environment import check_interpreter, chosen_interpreter
from .layers import Copies
from .results import Result, load_instead, show_footprints, show_result
from .series import view_of
from .set_up_link import can_compute
from .translation import tr
from .values import Values
from .worker import Worker


class JobAlgorithm(DeclaredAlgorithm):
    """An algorithm that hands a job to the worker; its parameters are those of the job, in upper case.

    Args:
        declaration: What the job is called and can be asked for.
    """

    def __init__(self, declaration: type[Declaration]) -> None:
        super().__init__(declaration)
        self._inputs: dict[str, Any] = {}
        self._refusal = ""
        self._stands_for: dict[str, str] = {}
        self._secrets: dict[str, str] = {}

    def canExecute(self) -> tuple[bool, str]:
        return can_compute()

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        try:
            self._check_layers(Values(self, parameters, context))
        except QgsProcessingException as refusal:
            return False, str(refusal)
        good, why_not = super().checkParameterValues(parameters, context)
        if good:
            why_not = Checks(self, self._declaration.parameters(), parameters, context).fault()
        return not why_not, why_not

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Reads the inputs, in the thread that owns the layers."""
        copies = Copies()
        # They go with all that Processing keeps for the run. A bare method would be held weakly.
        context.temporaryLayerStore().destroyed.connect(partial(copies.remove))
        values = Values(self, parameters, context, copies)
        try:
            self._check_layers(values)
            self._inputs = self._read(values, outputs=False)
            self._stands_for = values.stands_for
            if self._declaration.servers and (identifier := parameters.get(AUTHENTICATION)):
                self._secrets = {TOKENS: with_authentication(str(identifier), os.environ.get(TOKENS, ""))}
        except QgsProcessingException as refusal:
            # Raised here, it would end in the log alone: scripts would only hear that there were errors. The text alone
            # is kept: with its traceback the exception would keep the run's context until after QGIS has ended.
            self._refusal = str(refusal)
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        if self._refusal:
            raise QgsProcessingException(self._refusal)
        executable, why_not = check_interpreter()
        interpreter = chosen_interpreter()
        if not executable or interpreter is None:
            raise QgsProcessingException(why_not)
        outputs = self._read(Values(self, parameters, context), outputs=True)
        found = Worker(interpreter, feedback, self._secrets).run(
            self.name(), {**self._inputs, **outputs}, stands_for=self._stands_for
        )
        call = self.asPythonCommand(parameters, context)
        for order, (name, parameter) in enumerate(self._declaration.parameters().items()):
            if not outputs.get(name) or name not in found:
                continue
            shown = view_of(found[name]) if isinstance(parameter, RasterOutput) else found[name]
            load_instead(outputs[name], shown, context)
            if isinstance(parameter, RasterOutput):
                show_result(shown, Result(self.name(), order, self._made(), call), context)
            elif isinstance(parameter, FileOutput) and parameter.extension == "geojson":
                show_footprints(shown, name.upper(), tr(parameter.label), context)
        return {name.upper(): value for name, value in found.items()}

    def _made(self) -> str:
        """Returns what the algorithm made, and with which model, in a sentence."""
        model = self._inputs.get("model")
        return f"{self.displayName()}, {tr('with')} {model}" if model else self.displayName()

    def _check_layers(self, values: Values) -> None:
        for name, parameter in self._declaration.parameters().items():
            values.check_layers(name, parameter)

    def _read(self, values: Values, *, outputs: bool) -> dict[str, Any]:
        parameters = self._declaration.parameters().items()
        return {name: values.read(name, parameter) for name, parameter in parameters if parameter.output == outputs}
