"""The worker: runs one job for QGIS and speaks in JSON lines.

The first line on standard input is the job, ``{"job": "mapcover", "parameters": {...}}``; beside these it may hold
``"stands_for": {...}``, what people are to read instead of a parameter that names a temporary file. A later line
``{"type": "cancel"}``, or the end of standard input (QGIS is gone), stops it: within a second, even in the midst of a
long step, but for what it needs to keep what it has: meanwhile it says ``saving`` twice a second, for a minute at most.
On standard output go lines of type ``progress``, ``info`` and ``warning``, and at the end exactly one ``result`` or
``error``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from twinns_qgis.errors import Cancelled, InputError, TwinnsError
from twinns_qgis.files import discard_partial_files
from twinns_qgis.jobs.catalogue import JOBS
from twinns_qgis.reporter import Reporter

_PATIENCE = 1.0
"""Seconds that a cancelled job has to stop by itself."""
_SAYS_EVERY = 0.5
"""Seconds from one line of type ``saving`` to the next."""
_SAVING = 60.0
"""Seconds that it may take: a disk that no longer answers must not keep the process for good."""


def run_worker() -> int:
    """Runs the job on standard input; returns the exit status: 0 after a result, 1 after an error."""
    protocol = _take_standard_output()
    reporter = _ProtocolReporter(protocol)
    try:
        request = _read_request(sys.stdin.readline())
        threading.Thread(target=reporter.listen, args=(sys.stdin,), daemon=True).start()
        job = JOBS[request["job"]].from_values(request["parameters"], request.get("stands_for"))
        reporter.instead_of = {str(getattr(job, name)): text for name, text in job.stands_for.items()}
        outputs = job.run(reporter)
    except TwinnsError as error:
        reporter.finish("error", kind=error.kind, message=error.message, hint=error.hint)
        return 1
    except MemoryError as error:
        hint = "Lower MEMORY, where the algorithm has it, or close other programs."
        reporter.finish("error", kind="memory", message=f"Memory ran out. {error}".strip(), hint=hint)
        return 1
    except ImportError as error:
        traceback.print_exc()
        version = ".".join(str(number) for number in sys.version_info[:3])
        message = f"Python {version} at {sys.executable} lacks what TWINNS needs: {error}."
        hint = "Install the packages of requirements.txt into it, or use another Python, 3.10 to 3.13."
        reporter.finish("error", kind="environment", message=message, hint=hint)
        return 1
    except Exception as error:  # the last line of defence: QGIS must hear of every failure
        traceback.print_exc()
        hint = "This is a defect of TWINNS: please report it with the log."
        reporter.finish("error", kind="internal", message=f"{type(error).__name__}: {error}", hint=hint)
        return 1
    reporter.finish("result", outputs=outputs)
    return 0


def _take_standard_output() -> TextIO:
    """Keeps the real standard output for the protocol, and points everybody else's at standard error.

    The descriptor itself is moved: libraries print from native code too.
    """
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return protocol


def _read_request(line: str) -> dict[str, Any]:
    try:
        request = json.loads(line)
        job, parameters = request["job"], request["parameters"]
        if job not in JOBS or not isinstance(parameters, dict):
            raise ValueError(job)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The worker got no job that it knows: {line[:200]!r}.",
            "Use a plugin and a compute environment of the same version.",
        ) from error
    return request


class _ProtocolReporter(Reporter):
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = threading.RLock()
        self._end = threading.RLock()
        """Whoever holds it ends the job: a job that stops meanwhile by itself waits for what is being saved."""
        self._cancelled = threading.Event()
        self._finished = threading.Event()
        self._last_resort: list[Callable[[], str]] = []
        self.instead_of: dict[str, str] = {}
        """What people are to read instead of the names of temporary files."""

    def send(self, type: str, **values: Any) -> None:
        """Writes a line of the protocol; after the last one, nothing."""
        for name in {"message", "hint"} & values.keys():
            for temporary, text in self.instead_of.items():
                values[name] = values[name].replace(temporary, text)
        line = json.dumps({"type": type, **values}, ensure_ascii=False, allow_nan=False)
        with self._line:
            if not self._finished.is_set():
                self._stream.write(line + "\n")
                self._stream.flush()

    def finish(self, type: str, **values: Any) -> None:
        """Writes the last line of the protocol, the result or the error, unless it is written already."""
        with self._end, self._line:
            self.send(type, **values)
            self._finished.set()

    def progress(self, fraction: float, message: str = "") -> None:
        self.send("progress", fraction=round(fraction, 4), message=message)

    def info(self, message: str) -> None:
        self.send("info", message=message)

    def warning(self, message: str) -> None:
        self.send("warning", message=message)

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @contextmanager
    def last_resort(self, action: Callable[[], str]) -> Iterator[None]:
        self._last_resort.append(action)
        try:
            yield
        finally:
            with self._end:
                self._last_resort.remove(action)

    def listen(self, stream: TextIO) -> None:
        """Waits for a cancel line, or for the end of the stream, and sees to it that the process ends."""
        for line in stream:
            if '"cancel"' in line:
                break
        self._cancelled.set()
        threading.Thread(target=self._say_that_it_saves, daemon=True).start()
        if self._finished.wait(_PATIENCE):
            return
        with self._end:
            if self._finished.is_set():
                return
            done = [_carry_out(action) for action in tuple(self._last_resort)]
            discard_partial_files()
            with suppress(OSError):  # QGIS may be gone, and the pipe with it
                self.finish("error", kind=Cancelled.kind, message=" ".join(["Cancelled.", *done]), hint="")
            os._exit(1)

    def _say_that_it_saves(self) -> None:
        """Tells the client again and again that a cancelled job is still keeping what it has, so that it waits."""
        end = time.monotonic() + _SAVING
        while not self._finished.wait(_SAYS_EVERY):
            with suppress(OSError):
                self.send("saving", message="Keeping what is finished")
            if time.monotonic() > end:
                discard_partial_files()
                os._exit(1)


def _carry_out(action: Callable[[], str]) -> str:
    """Returns what a last resort says that it did, or why it failed: the process has to end all the same."""
    try:
        return action()
    except TwinnsError as error:
        return f"{error.message} {error.hint}"
    except Exception as error:
        traceback.print_exc()
        return f"What was to be kept could not be: {type(error).__name__}: {error}"
