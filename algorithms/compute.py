"""The algorithms that set the compute environment up and examine it: they need nothing but QGIS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

from ..twinns_qgis.compute import declarations
from ..twinns_qgis.compute.installation import Installation, Request
from ..twinns_qgis.compute.installers import Source
from ..twinns_qgis.compute.network import without_secrets
from ..twinns_qgis.compute.report import examine
from ..twinns_qgis.errors import TwinnsError
from ..twinns_qgis.reporter import Reporter
from .declared import DeclaredAlgorithm
from .environment import (
    PLUGIN_FOLDER,
    check_interpreter,
    chosen_interpreter,
    place,
    qgis_folders,
    qgis_proxy,
    surroundings,
    worker_environment,
)
from .metadata import metadata
from .translation import tr
from .values import Values


class _ComputeAlgorithm(DeclaredAlgorithm):
    """What both share: they run without a compute environment, and give a report."""

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        values = Values(self, parameters, context)
        read = {name: values.read(name, kind) for name, kind in self._declaration.parameters().items()}
        try:
            report = self._run(read, _Listener(feedback))
            if not read["report"]:
                return {}
            Path(read["report"]).write_text(report, encoding="utf-8")
        except TwinnsError as error:
            message = "\n".join(filter(None, [error.message, error.hint]))
            raise QgsProcessingException(without_secrets(message)) from error
        except OSError as error:
            raise QgsProcessingException(
                without_secrets(f"{error.filename or ''}: {error.strerror or error}")
            ) from error
        return {"REPORT": read["report"]}

    def _run(self, values: dict[str, Any], reporter: Reporter) -> str:
        """Does the work; returns the report."""
        raise NotImplementedError


class SetupCompute(_ComputeAlgorithm):
    """Makes the compute environment."""

    def __init__(self) -> None:
        super().__init__(declarations.SetupCompute)

    def createInstance(self) -> SetupCompute:
        return SetupCompute()

    def _run(self, values: dict[str, Any], reporter: Reporter) -> str:
        source = Source(Path(values["wheels"]) if values["wheels"] else None, values["index"] or "")
        interpreter = Path(values["interpreter"]) if values["interpreter"] else None
        told = Installation(place(), surroundings(), reporter).run(Request(values["backend"], interpreter, source))
        if not told:
            return tr("The compute environment was removed.") + "\n"
        reporter.progress(1.0, tr("The compute environment is ready"))
        reporter.info(
            tr("The compute environment is ready: Python {}, Keras on {}, {}.").format(
                told["python"],
                told["backend"],
                ", ".join(f"{name} {speed} GFLOP/s" for name, speed in told["speeds"].items()),
            )
        )
        chosen, current = chosen_interpreter(), place().current()
        used = chosen is not None and current is not None and str(chosen.path) == current.python
        if chosen is not None and not used:
            reporter.warning(tr("It is not used, as there is {}.").format(chosen))
        return _examine(reporter, told if used else None)


class CheckCompute(_ComputeAlgorithm):
    """Examines the compute environment."""

    def __init__(self) -> None:
        super().__init__(declarations.CheckCompute)

    def createInstance(self) -> CheckCompute:
        return CheckCompute()

    def _run(self, values: dict[str, Any], reporter: Reporter) -> str:
        report = _examine(reporter)
        reporter.info(report)
        return report


class _Listener(Reporter):
    """Tells Processing what happens."""

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self._feedback = feedback

    def progress(self, fraction: float, message: str = "") -> None:
        self._feedback.setProgress(100 * fraction)
        if message:
            self._feedback.setProgressText(without_secrets(message))

    def info(self, message: str) -> None:
        self._feedback.pushInfo(without_secrets(message))

    def warning(self, message: str) -> None:
        self._feedback.pushWarning(without_secrets(message))

    @property
    def cancelled(self) -> bool:
        return self._feedback.isCanceled()


def _examine(reporter: Reporter, told: dict[str, Any] | None = None) -> str:
    executable, why_not = check_interpreter()
    interpreter = chosen_interpreter()
    current = place().current()
    proxy = qgis_proxy()
    facts = {
        "TWINNS": metadata()["version"],
        "QGIS": Qgis.version(),
        "Plugin": str(PLUGIN_FOLDER),
        "Proxy in QGIS": f"{proxy.kind}, with user and password" if proxy.user else proxy.kind,
        "Environment in the profile": f"{current.backend}, {current.python}" if current else "none",
    }
    return examine(
        interpreter.path if interpreter else None,
        worker_environment(os.environ, qgis_folders(), interpreter.keras if interpreter else ""),
        origin=interpreter.origin if interpreter else "none",
        folder=place().folder,
        facts=facts,
        wrong=[] if executable else [why_not],
        told=told,
        between=reporter.check_cancelled,
    )
