"""Why a GPU that is there does not compute."""

from __future__ import annotations

import importlib.util
import os
import sys

import keras

from twinns_qgis.mapping import nvidia
from twinns_qgis.networks.backend import gpu_available


def unused_gpu(device: str) -> str | None:
    """Returns in words that there is a GPU which is not used, and why; None if there is none, or it is used.

    Args:
        device: Where to compute: ``auto``, ``cpu`` or ``gpu``; who chose ``cpu`` knows.
    """
    if device == "cpu" or gpu_available() or not (found := nvidia.query("name")):
        return None
    backend = keras.backend.backend()
    return f"{', '.join(found)} is there but not used, as {backend} can't: {_reason(backend)}"


def _reason(backend: str) -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return "the environment variable CUDA_VISIBLE_DEVICES hides it."
    if backend == "tensorflow" and sys.platform == "win32":
        return "TensorFlow has no GPU on Windows. Use PyTorch: install torch, and set KERAS_BACKEND=torch."
    if backend == "tensorflow" and importlib.util.find_spec("nvidia") is None:
        return "its CUDA libraries are not installed. Install 'tensorflow[and-cuda]' into the compute environment."
    return f"the driver and {backend} do not go together. Update the driver, or install the {backend} made for it."
