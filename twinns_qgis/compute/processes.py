"""Programs that are run one after the other: heard line by line, and ended with all that they started."""

from __future__ import annotations

import os
import queue
import signal
import subprocess  # nosec B404, runs programs by their paths, never through a shell
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..reporter import Reporter

_WINDOWS = os.name == "nt"
_POLL_SECONDS = 0.1
_TAIL_LINES = 15


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Args:
        status: Its exit status, 0 if all went well.
        text: The last lines that it wrote.
    """

    status: int
    text: str

    @property
    def good(self) -> bool:
        """Whether all went well."""
        return self.status == 0


def run(
    command: Sequence[str | Path],
    variables: Mapping[str, str],
    *,
    folder: Path | None = None,
    hear: Callable[[str], None] = lambda line: None,
    between: Callable[[], None] = lambda: None,
    seconds: float | None = None,
) -> Ended:
    """Runs a program to its end.

    Args:
        command: The program and its arguments.
        variables: Its environment variables.
        folder: Its working folder.
        hear: Is called with each line that it writes, to standard output or error.
        between: Is called several times a second; what it raises ends the program and all that it has started.
        seconds: So long may it take.
    """
    words = [str(word) for word in command]
    try:
        process = subprocess.Popen(  # nosec B603, a list of words without a shell
            words,
            env=dict(variables),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **_a_group_of_its_own(),
        )
    except (OSError, ValueError) as error:  # a null character in a path is a ValueError
        return Ended(127, f"{words[0]}: {error}")
    lines: queue.Queue[str | None] = queue.Queue()
    stream: Any = process.stdout
    reader = threading.Thread(target=_read, args=(stream, lines), daemon=True)
    reader.start()
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    deadline = time.monotonic() + seconds if seconds is not None else None
    try:
        while True:
            between()
            if deadline is not None and time.monotonic() > deadline:
                return Ended(124, f"It took longer than {seconds:.0f} s.")
            try:
                line = lines.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if process.poll() is None:
                    continue
                line = None  # what it has started holds its output open
            if line is None:
                return Ended(process.wait(), "\n".join(tail))
            tail.append(line)
            hear(line)
    finally:
        _end(process)
        reader.join(_POLL_SECONDS)
        if not reader.is_alive():
            stream.close()


class Calls:
    """Calls programs one after the other, and ends them when the user cancels.

    Args:
        variables: Their environment variables, which may be added to.
        folder: Their working folder.
        reporter: Receives what is done meanwhile, and knows whether the user cancelled.
    """

    def __init__(self, variables: Mapping[str, str], folder: Path, reporter: Reporter) -> None:
        self.variables = dict(variables)
        self.reporter = reporter
        self._folder = folder

    def __call__(
        self,
        command: Sequence[str | Path],
        variables: Mapping[str, str] | None = None,
        between: Callable[[], None] | None = None,
    ) -> Ended:
        """Runs a program to its end; see `run`."""
        return run(
            command,
            self.variables if variables is None else variables,
            folder=self._folder,
            between=between or self.reporter.check_cancelled,
        )


def _a_group_of_its_own() -> dict[str, Any]:
    if _WINDOWS:
        return {"creationflags": subprocess.CREATE_NO_WINDOW}  # type: ignore[attr-defined,unused-ignore]
    return {"start_new_session": True}


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a process with its children: those of pip or a launcher would go on writing into the environment."""
    if _WINDOWS:
        if process.poll() is not None:
            return
        killer = str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe")
        subprocess.run(  # nosec B603, a program of Windows
            [killer, "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False
        )
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(stream: Any, lines: queue.Queue[str | None]) -> None:
    for line in stream:
        # Progress bars write carriage returns.
        for part in line.replace("\r", "\n").splitlines():
            if part.strip():
                lines.put(part.rstrip())
    lines.put(None)
