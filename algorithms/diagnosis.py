"""Why a worker ended without a result."""

from __future__ import annotations

import signal

from qgis.PyQt.QtCore import QProcess, QProcessEnvironment

from .environment import Interpreter, how_to_get_an_environment
from .translation import tr

_OLDEST, _NEWEST = (3, 10), (3, 13)
_PROBE_MS = 5000
_KILLED = 9
_TAIL_LINES = 12


def why_no_result(process: QProcess, interpreter: Interpreter, spoke: bool, stderr: str) -> str:
    """Says why a worker that has ended gave no result, and what to do.

    Args:
        process: The worker, ended.
        interpreter: Its interpreter.
        spoke: Whether it said anything in the protocol.
        stderr: The end of what it wrote to standard error.
    """
    number = _signal(process)
    if number == _KILLED:
        return tr(
            "The worker was killed (signal 9): the computer's memory probably ran out.\n"
            "Lower the parameters that need memory (MEMORY, BATCH_SIZE, SIZE, the extent), or close other programs."
        )
    if not spoke and number is None:
        version = _version(interpreter, process.processEnvironment())
        if version is None:
            return tr("{} is not a working Python.").format(interpreter) + "\n" + how_to_get_an_environment()
        if not _OLDEST <= version <= _NEWEST:
            found = tr("{} is Python {}.{}, Python 3.10 to 3.13 is needed.").format(interpreter, *version)
            return found + "\n" + how_to_get_an_environment()
    tail = "\n".join(stderr.splitlines()[-_TAIL_LINES:])
    return "\n".join(filter(None, [_ending(process, number), tr("Its last words:") if tail else "", tail]))


def _signal(process: QProcess) -> int | None:
    """Returns the signal that ended the process, or the child of a shell script that was named as the interpreter."""
    if process.exitStatus() == QProcess.ExitStatus.CrashExit:
        return process.exitCode()
    return process.exitCode() - 128 if process.exitCode() == 128 + _KILLED else None


def _ending(process: QProcess, number: int | None) -> str:
    if number is None:
        return tr("The worker ended without a result (exit status {}).").format(process.exitCode())
    names = {item.value: item.name for item in signal.Signals}
    # On Windows a crash has a status code, of which only the hexadecimal form is known to anybody.
    name = names.get(number, f"0x{number & 0xFFFFFFFF:08X}")
    hint = ""
    if name == "SIGILL":
        hint = " " + tr("Its libraries probably need a newer processor, with AVX.")
    return tr("The worker crashed ({}).").format(name) + hint


def _version(interpreter: Interpreter, environment: QProcessEnvironment) -> tuple[int, int] | None:
    """Returns the interpreter's version, None if it does not answer as a Python does."""
    probe = QProcess()
    probe.setProcessEnvironment(environment)
    code = "import sys; print('%d %d' % sys.version_info[:2])"
    probe.start(str(interpreter.path), ["-E", "-c", code])
    if not probe.waitForFinished(_PROBE_MS):
        probe.kill()
        probe.waitForFinished(_PROBE_MS)
        return None
    words = probe.readAllStandardOutput().data().decode(errors="replace").split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return None
    return int(words[0]), int(words[1])
