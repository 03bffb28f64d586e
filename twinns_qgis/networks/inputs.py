"""A network's inputs: the raw values of each sensor's series, and the scaled variables made from them."""

from __future__ import annotations

import keras

from twinns_qgis.networks.indices import Tensor
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import ScaledVariables


def raw_input(sensor: Sensor) -> Tensor:
    """Returns an input of raw values, of shape (N, H, W, T, B)."""
    shape = (None, None, len(sensor.dates), len(sensor.bands))
    return keras.Input(shape, dtype=sensor.dtype, name=sensor.name)


def scaled_variables(sensor: Sensor, raw: Tensor) -> Tensor:
    """Returns the scaled variables of raw values, of shape (N, H, W, T, V)."""
    layer = ScaledVariables(
        sensor.bands,
        sensor.scale,
        sensor.offset,
        sensor.nodata,
        sensor.minimum,
        sensor.maximum,
        sensor.clip,
        name=f"{sensor.name}_variables",
        dtype="float32",  # raw values have more digits than bfloat16; what is scaled may be rounded
    )
    return layer(raw)
