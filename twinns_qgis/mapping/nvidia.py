"""What NVIDIA's driver tells of its GPUs."""

from __future__ import annotations

import shutil
import subprocess  # nosec B404, runs one known program

_TIMEOUT = 10
"""Seconds that the driver has to answer."""


def query(field: str) -> list[str]:
    """Asks for a field of each GPU, such as ``name``; returns nothing if there is no driver, or no answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        command = [program, f"--query-gpu={field}", "--format=csv,noheader,nounits"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)  # nosec B603
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def free_memory() -> int | None:
    """Returns the free memory in MB of the first GPU, which mapping computes on; None if that is not known."""
    free = query("memory.free")
    return int(free[0]) if free and free[0].isdigit() else None
