"""Commands that are killed in the midst of a preparation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def killed_after(blocks: int, folder: Path, command: Sequence[str]) -> list[str]:
    """Returns a command in a process that kills itself as it writes the block after so many finished ones.

    Args:
        blocks: The finished blocks.
        folder: Where they lie.
        command: ``python -m twinns_qgis ...``.
    """
    script = f"""
import os, pathlib, signal, sys
from twinns_qgis.jobs.command_line import main
from twinns_qgis.rasters import block_store

check = block_store.check_tiles

def check_or_die(path):
    if len(list(pathlib.Path({str(folder)!r}).rglob("*.json"))) == {blocks}:
        os.kill(os.getpid(), signal.SIGKILL)
    check(path)

block_store.check_tiles = check_or_die
sys.exit(main({command[3:]!r}))
"""
    return [sys.executable, "-c", script]
