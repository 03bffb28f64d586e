"""The range of each variable over all dates and all valid pixels of a series (METHOD section 1, scaling)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import physical_variables
from twinns_qgis.series.series import Series


class RangeFinder:
    """Goes through a series block by block and remembers the smallest and largest values of its variables."""

    def __init__(self, name: str, series: Series) -> None:
        self._series = series
        self._sensor = Sensor.of(name, series)
        count = len(self._sensor.variables)
        self._minimum = np.full(count, np.inf)
        self._maximum = np.full(count, -np.inf)

    def visit(self, values: NDArray[Any]) -> None:
        """Takes the raw values of a block, shape (height, width, T, B), into account."""
        valid = values[~self._series.missing(values).any(axis=-1)]
        if len(valid):
            sensor = self._sensor
            variables = ops.convert_to_numpy(physical_variables(valid, sensor.bands, sensor.scale, sensor.offset))
            self._minimum = np.minimum(self._minimum, variables.min(axis=0))
            self._maximum = np.maximum(self._maximum, variables.max(axis=0))

    def sensor(self) -> Sensor:
        """Returns the sensor with the ranges found.

        Raises:
            InputError: The series holds no valid value.
        """
        if not np.isfinite(self._minimum).all():
            raise InputError(
                f"{self._series.path} holds no valid value: all of it is no data.", "Prepare the series once more."
            )
        return replace(self._sensor, minimum=tuple(self._minimum.tolist()), maximum=tuple(self._maximum.tolist()))
