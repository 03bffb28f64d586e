"""What a map is computed on: the GPU that counts, its memory, and why one is not used."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess  # nosec B404, runs one known program
import sys
from dataclasses import dataclass

import keras

from twinns_qgis.networks.backend import gpu_available

_TIMEOUT = 10
"""Seconds that the driver has to answer."""


@dataclass(frozen=True)
class Gpu:
    """A GPU that NVIDIA's driver knows.

    Args:
        uuid: Its identifier, ``GPU-...``.
        name: Its name.
        free: Its free memory in MB; None if that is not known.
    """

    uuid: str
    name: str
    free: int | None


def visible_gpus() -> list[Gpu]:
    """Returns the GPUs that this process may use, in its order; nothing if there is no driver, or no answer.

    CUDA_VISIBLE_DEVICES chooses them by their numbers or identifiers, of which a part is enough; what stands behind one
    that is not there does not count (NVIDIA, CUDA C++ Programming Guide, CUDA Environment Variables). A part of a GPU
    (MIG) is one whose memory is not known here.
    """
    gpus = _all_gpus()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return gpus
    visible: list[Gpu] = []
    for word in filter(None, (word.strip() for word in chosen.split(","))):
        if word.isdecimal():
            found = gpus[int(word) : int(word) + 1]
        elif word.startswith("MIG-"):
            found = [Gpu(word, word, None)]
        else:
            found = [gpu for gpu in gpus if word.startswith("GPU-") and gpu.uuid.startswith(word)]
        if len(found) != 1:
            break
        visible += found
    return visible


def free_memory() -> int | None:
    """Returns the free memory in MB of the GPU that mapping computes on, the first visible one; None if not known."""
    visible = visible_gpus()
    return visible[0].free if visible else None


def unused_gpu(device: str) -> str | None:
    """Returns a message that a GPU is there but not used, and why; None if there is none, or it is used.

    Args:
        device: Where to compute: ``auto``, ``cpu`` or ``gpu``; who chose ``cpu`` knows.
    """
    if device == "cpu" or gpu_available() or not (found := _all_gpus()):
        return None
    backend = keras.backend.backend()
    return f"{', '.join(gpu.name for gpu in found)} is there but not used, as {backend} can't: {_reason(backend)}"


def _reason(backend: str) -> str:
    if not visible_gpus():
        return "the environment variable CUDA_VISIBLE_DEVICES hides it."
    if backend == "tensorflow" and sys.platform == "win32":
        return "TensorFlow has no GPU on Windows. Use PyTorch: run setupcompute with BACKEND torch and INDEX."
    if backend == "tensorflow" and importlib.util.find_spec("nvidia") is None:
        return "its CUDA libraries are not installed. Run setupcompute with BACKEND tensorflow-gpu."
    return f"the driver and {backend} do not go together. Update the driver, or install the {backend} made for it."


def _all_gpus() -> list[Gpu]:
    """Asks the driver for its GPUs."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        command = [program, "--query-gpu=uuid,name,memory.free", "--format=csv,noheader,nounits"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)  # nosec B603
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    return [Gpu(row[0], row[1], int(row[2]) if row[2].isdecimal() else None) for row in rows if len(row) == 3]
