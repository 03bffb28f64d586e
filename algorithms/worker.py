"""The client of the worker: runs one job in a process of its own, and speaks with it in JSON lines."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Mapping
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt.QtCore import QProcess, QProcessEnvironment, QTemporaryDir

from .diagnosis import why_no_result
from .environment import Interpreter, how_to_get_an_environment, place, qgis_folders, worker_environment
from .translation import tr

_POLL_MS = 100
_CANCEL_SECONDS = 1.5
"""A cancelled worker has so long to end, or to say that it is saving, and then so long again."""
_SAVING_SECONDS = 60.0
"""It may be saving for so long."""
_END_SECONDS = 5.0
"""A worker that has said its last line has so long to end."""
_KILL_MS = 2000
_TEXT_SECONDS, _TEXT_SHARE, _TEXT_AT_LATEST = 5.0, 0.05, 120.0
"""QGIS adds each text of the progress to its log. One comes so many seconds after another if it tells of another step,
or of so large a share of the work more, and after so many at the latest."""
_DIGIT = re.compile(r"\d")
"""What the texts of one step of the work have in common ends with it."""
_STDERR_BYTES = 4000
_PART_BYTES = 16384
_CONTENT: dict[Any, set[str]] = {
    "progress": {"fraction", "message"},
    "info": {"message"},
    "saving": {"message"},
    "warning": {"message"},
    "result": {"outputs"},
    "error": {"kind", "message", "hint"},
}
"""The protocol's types of message, and what each holds."""


class Worker:
    """One run of the worker; the process ends with `run`, however that ends.

    Args:
        interpreter: The Python to run it with.
        feedback: Hears of progress and messages, and knows whether the user cancelled.
        variables: Environment variables of this run alone, which may be secret.
    """

    def __init__(
        self, interpreter: Interpreter, feedback: QgsProcessingFeedback, variables: Mapping[str, str] | None = None
    ) -> None:
        self._interpreter = interpreter
        self._variables = variables or {}
        self._feedback = feedback
        self._process = QProcess()
        self._last: dict[str, Any] | None = None
        self._spoke = False
        self._saving = False
        self._unread = b""
        self._stderr = b""
        self._shown = -math.inf, 0.0, ""

    def run(
        self, job: str, parameters: Mapping[str, Any], stands_for: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Runs a job and returns its outputs.

        Args:
            job: The job's id.
            parameters: Its parameters, as JSON has them; paths are absolute.
            stands_for: What people are to read instead of a parameter that names a temporary file.

        Raises:
            QgsProcessingException: There is no result, for whatever reason: the message says which.
        """
        folder = QTemporaryDir()  # of our own: Python 3.10 also searches the working folder for modules
        with place().in_use(self._interpreter.path):
            try:
                self._start(folder.path())
                self._send({"job": job, "parameters": parameters, "stands_for": stands_for or {}})
                self._listen()
            finally:
                self._end()
                folder.remove()
        return self._outputs()

    def _start(self, folder: str) -> None:
        # Starting QGIS as if it were a Python opens a second QGIS.
        if os.path.basename(os.path.realpath(self._interpreter.path)).lower().startswith("qgis"):  # noqa: PTH119
            raise QgsProcessingException(
                tr("{} is QGIS itself, not a Python.").format(self._interpreter) + "\n" + how_to_get_an_environment()
            )
        self._process.setProcessEnvironment(
            _as_process_environment(
                worker_environment({**os.environ, **self._variables}, qgis_folders(), self._interpreter.keras)
            )
        )
        self._process.setWorkingDirectory(folder)
        self._process.start(str(self._interpreter.path), ["-m", "twinns_qgis", "worker"])
        if not self._process.waitForStarted():
            raise QgsProcessingException(
                tr("The interpreter {} can't be started: {}.").format(self._interpreter, self._process.errorString())
                + "\n"
                + how_to_get_an_environment()
            )

    def _send(self, message: Mapping[str, Any]) -> None:
        self._process.write(json.dumps(message).encode() + b"\n")
        self._process.waitForBytesWritten(_POLL_MS)

    def _listen(self) -> None:
        """Forwards what the worker says until it ends, or its time is up."""
        deadline = math.inf
        cancelled = 0.0
        while self._process.state() != QProcess.ProcessState.NotRunning and time.monotonic() < deadline:
            if not self._process.bytesAvailable():
                self._process.waitForReadyRead(_POLL_MS)
            self._read()
            if self._feedback.isCanceled() and not cancelled:
                cancelled = time.monotonic()
                self._send({"type": "cancel"})
                deadline = min(deadline, cancelled + _CANCEL_SECONDS)
            if cancelled and self._saving:
                self._saving = False
                deadline = min(cancelled + _SAVING_SECONDS, time.monotonic() + _CANCEL_SECONDS)
            if self._last is not None and deadline == math.inf:
                deadline = time.monotonic() + _END_SECONDS
        while self._process.state() == QProcess.ProcessState.NotRunning and self._process.bytesAvailable():
            self._read()

    def _end(self) -> None:
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(_KILL_MS)

    def _read(self) -> None:
        """Reads a part of what has come: a flood must not keep the loop from seeing that the user cancelled."""
        self._stderr = (self._stderr + self._process.readAllStandardError().data())[-_STDERR_BYTES:]
        *lines, self._unread = (self._unread + bytes(self._process.read(_PART_BYTES) or b"")).split(b"\n")
        for line in lines:
            self._hear(line.decode(errors="replace").strip())

    def _hear(self, line: str) -> None:
        message = _parse(line)
        if message is None:
            if line:
                self._feedback.pushDebugInfo(line)
            return
        self._spoke = True
        kind = message["type"]
        if kind == "progress":
            self._show_progress(message)
        elif kind == "saving":
            self._saving = True
            self._show_progress({"fraction": None, **message})
        elif kind == "info":
            self._feedback.pushInfo(message["message"])
        elif kind == "warning":
            self._feedback.pushWarning(message["message"])
        elif self._last is None:
            self._last = message

    def _show_progress(self, message: Mapping[str, Any]) -> None:
        if message["fraction"] is not None:
            self._feedback.setProgress(100 * message["fraction"])
        if message["message"] and self._is_due(message["message"]):
            self._feedback.setProgressText(message["message"])

    def _is_due(self, text: str) -> bool:
        """Whether QGIS shows a text of the progress."""
        when, share, step = self._shown
        seconds, progress = time.monotonic() - when, self._feedback.progress() / 100
        own = _DIGIT.split(text, maxsplit=1)[0]
        further = own != step or progress >= share + _TEXT_SHARE or seconds >= _TEXT_AT_LATEST
        due = further and seconds >= _TEXT_SECONDS
        if due:
            self._shown = time.monotonic(), progress, own
        return due

    def _outputs(self) -> dict[str, Any]:
        if self._last is None:
            if self._feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled. The worker did not stop by itself, and was ended."))
            raise QgsProcessingException(
                why_no_result(self._process, self._interpreter, self._spoke, self._stderr_tail())
            )
        if self._last["type"] == "result":
            return self._last["outputs"]
        if self._last["kind"] in ("internal", "environment"):
            self._feedback.pushDebugInfo(self._stderr_tail())
        hint = how_to_get_an_environment() if self._last["kind"] == "environment" else self._last["hint"]
        raise QgsProcessingException("\n".join(filter(None, [self._last["message"], hint])))

    def _stderr_tail(self) -> str:
        return self._stderr.decode(errors="replace").strip()


def _parse(line: str) -> dict[str, Any] | None:
    """Returns the message in a line, None if there is none: libraries print lines of their own."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("type") not in _CONTENT:
        return None
    return message if _CONTENT[message["type"]] <= message.keys() else None


def _as_process_environment(variables: Mapping[str, str]) -> QProcessEnvironment:
    environment = QProcessEnvironment()
    for name, value in variables.items():
        environment.insert(name, value)
    return environment
