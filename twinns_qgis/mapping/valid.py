"""Which pixels of a block have a value, and which have one beyond the range of the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.series.series import Series

if TYPE_CHECKING:
    from twinns_qgis.networks.sensor import Sensor

# Importing the sensor's module would import Keras, and on a worker of a cluster the device must be chosen before.

_ROUNDING = 1e-6
"""Of a band's range: values of decimals may differ from the training's by rounding."""


def compare_with_training(
    sensor: Sensor, series: Series, values: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns which pixels of a block have a value, and which have one beyond the range of the training.

    It looks at the raw values plane by plane, so that it takes no memory.

    Args:
        sensor: What the model knows of the sensor.
        series: Its series.
        values: Raw values of shape (height, width, T, B).

    Returns:
        Which pixels have a value at all, and which have one beyond the range of training, each of shape (height,
        width).
    """
    some, beyond = (np.zeros(values.shape[:2], bool) for _ in range(2))
    lowest, highest = raw_range(sensor)
    for date in range(values.shape[2]):
        for band in range(values.shape[3]):
            plane = values[:, :, date, band]
            known = ~series.missing(plane)
            some |= known
            beyond |= known & ((plane < lowest[band]) | (plane > highest[band]))
    return some, beyond


def raw_range(sensor: Sensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the lowest and highest raw value of each band in training, each of shape (B,)."""
    count = len(sensor.bands)
    seen = (sensor.lowest or sensor.minimum, sensor.highest or sensor.maximum)
    ends = [(np.array(end[:count]) - sensor.offset) / sensor.scale for end in seen]
    lowest, highest = np.minimum(*ends), np.maximum(*ends)
    # Whole numbers lie half a number off the limit, whatever the rounding.
    slack = _ROUNDING * (highest - lowest) if sensor.dtype.startswith("float") else 0.5
    return lowest - slack, highest + slack
