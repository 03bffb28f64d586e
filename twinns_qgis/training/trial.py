"""``python -m twinns_qgis.training.trial``: shows that a Python has what TWINNS needs, and that it computes.

It loads the libraries with native code, times a product of matrices on each device, and takes one step of a training
on invented values. On the last line of standard output it tells what it found, as JSON.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import platform
import sys
import time
from datetime import date
from typing import Any

import numpy as np

from twinns_qgis.networks.backend import Tensor, gpus, use_device

_NATIVE = ("pyogrio", "rasterio", "geopandas", "sklearn.ensemble", "scipy.ndimage", "matplotlib", "tifffile")
_SIZE = 2048
"""Rows and columns of the matrices."""
_PIXELS = 8


def try_out() -> dict[str, Any]:
    """Returns the versions, the devices with the speed of each in GFLOP/s, and the loss of a step of a training."""
    for name in _NATIVE:
        importlib.import_module(name)
    use_device("auto")
    import keras

    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "backend": keras.backend.backend(),
        "versions": versions(),
        "speeds": {name: speed(name) for name in ("cpu:0", *gpus())},
        "loss": step(),
    }


def versions() -> dict[str, str]:
    """Returns the version of every package that is installed, by its name in small letters."""
    found = {}
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"]
        if name:
            found[name.lower().replace("_", "-")] = package.version
    return dict(sorted(found.items()))


def speed(device: str) -> float:
    """Returns how many thousand millions of operations a second a product of two matrices reaches on a device."""
    import keras

    with keras.device(device):
        matrix = keras.ops.convert_to_tensor(np.random.default_rng(0).random((_SIZE, _SIZE), np.float32))
        _product(matrix)
        started = time.perf_counter()
        _product(matrix)
    return round(2 * _SIZE**3 / 1e9 / (time.perf_counter() - started), 1)


def _product(matrix: Tensor) -> None:
    import keras

    # Devices compute while the program goes on: only who reads the result has waited for it.
    keras.ops.convert_to_numpy(keras.ops.matmul(matrix, matrix)[0, 0])


def step() -> float:
    """Returns the loss of one step of the training of a small TWINNS on invented values."""
    import keras

    from twinns_qgis.networks.architectures import architectures
    from twinns_qgis.networks.sensor import Sensor
    from twinns_qgis.training.fit import Fitting, compile_network

    dates = tuple(date(2016, month, 1) for month in (3, 6, 9))
    sensors = (
        Sensor("sentinel1", dates, ("VV", "VH"), (0.1,) * 2, (-25.1,) * 2, 0.0, "uint8", (-25.0,) * 2, (0.0,) * 2),
        Sensor("sentinel2", dates, ("B2",), (1e-4,), (0.0,), -32768.0, "int16", (0.0,), (0.7,)),
    )
    keras.utils.set_random_seed(0)
    network = architectures()["TWINNS"].build(sensors, 2, "small")
    compile_network(network, Fitting(epochs=1, batch_size=_PIXELS, learning_rate=1e-3, seed=0))
    random = np.random.default_rng(0)
    values = {
        sensor.name: random.integers(1, 255, (_PIXELS, 5, 5, len(dates), len(sensor.bands))).astype(sensor.dtype)
        for sensor in sensors
    }
    labels = random.integers(0, 2, (_PIXELS, 1, 1))
    found = network.train_on_batch(values, dict.fromkeys(network.output_names, labels), return_dict=True)
    return float(found["loss"])


if __name__ == "__main__":
    print(json.dumps(try_out()))
