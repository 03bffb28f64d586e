"""The trial of an environment: a real step of a training, as that finds what an import does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .processes import Ended, run


def take_trial(
    python: Path,
    variables: Mapping[str, str],
    *,
    seconds: float,
    between: Callable[[], None],
    folder: Path | None = None,
) -> tuple[Ended, dict[str, Any] | None]:
    """Takes a step of a training in an environment.

    Args:
        python: The environment's interpreter.
        variables: The environment variables that it is to run with.
        seconds: So long may it take.
        between: Is called several times a second, and may raise.
        folder: Its working folder.

    Returns:
        How it ended, and what it told; None if it did not get so far.
    """
    lines: list[str] = []
    command: list[str | Path] = [python, "-m", "twinns_qgis.training.trial"]
    ended = run(command, variables, folder=folder, hear=lines.append, between=between, seconds=seconds)
    return ended, _told(lines)


def crash(status: int) -> str:
    """Returns in words how a program ended."""
    if status < 0:
        return f"it was ended by signal {-status}."
    return f"it ended with status {status}." if status < 256 else f"it crashed with 0x{status & 0xFFFFFFFF:08X}."


def _told(lines: Sequence[str]) -> dict[str, Any] | None:
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and {"loss", "speeds", "versions"} <= found.keys():
            return found
    return None
