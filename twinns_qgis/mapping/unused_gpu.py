"""Why a GPU that is there does not compute."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess  # nosec B404, runs one known program
import sys
from functools import lru_cache

import keras

from twinns_qgis.networks.backend import gpu_available

_TIMEOUT = 10
"""Seconds that the driver has to answer."""


def unused_gpu(device: str) -> str | None:
    """Returns in words that there is a GPU which is not used, and why; None if there is none, or it is used.

    Args:
        device: Where to compute: ``auto``, ``cpu`` or ``gpu``; who chose ``cpu`` knows.
    """
    if device == "cpu" or gpu_available() or not (found := _gpus()):
        return None
    backend = keras.backend.backend()
    return f"{found} is there but not used, as {backend} can't: {_reason(backend)}"


def _reason(backend: str) -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return "the environment variable CUDA_VISIBLE_DEVICES hides it."
    if backend == "tensorflow" and sys.platform == "win32":
        return "TensorFlow has no GPU on Windows. Use PyTorch: install torch, and set KERAS_BACKEND=torch."
    if backend == "tensorflow" and importlib.util.find_spec("nvidia") is None:
        return "its CUDA libraries are not installed. Install 'tensorflow[and-cuda]' into the compute environment."
    return f"the driver and {backend} do not go together. Update the driver, or install the {backend} made for it."


@lru_cache
def _gpus() -> str:
    """Returns the names of NVIDIA's GPUs as their driver tells them; nothing if there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        command = [program, "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)  # nosec B603
    except (OSError, subprocess.SubprocessError):
        return ""
    return ", ".join(done.stdout.split("\n")).strip(", ")
