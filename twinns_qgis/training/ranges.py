"""The range of each variable over all dates and all valid pixels of a series (METHOD section 1, scaling)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import physical_variables
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.store import SampleStore, read_samples
from twinns_qgis.series.series import Series

_SAMPLE = 1 << 20
"""Values of a variable that percentiles are taken of, about, drawn at random: the rank of a percentile is then known to
0.01 %, and a series of any size takes no more memory."""
_LOW, _HIGH = 1, 99
"""The percentiles of the robust scaling."""


class RangeFinder:
    """Finds the range of each variable of a series, block by block.

    Args:
        name: The sensor.
        series: Its series.
        scaling: ``range`` for the smallest and largest value, ``percentiles`` for the 1st and 99th percentile.
    """

    def __init__(self, name: str, series: Series, scaling: str = "range") -> None:
        self._series = series
        self._sensor = Sensor.of(name, series)
        count = len(self._sensor.variables)
        self._minimum = np.full(count, np.inf)
        self._maximum = np.full(count, -np.inf)
        self._robust = scaling == "percentiles"
        self._share = min(1.0, _SAMPLE / (series.grid.width * series.grid.height * series.steps))
        self._random = np.random.default_rng(0)
        self._sample: list[NDArray[np.float32]] = []

    def visit(self, values: NDArray[Any]) -> None:
        """Widens the ranges to the raw values of a block, shape (height, width, T, B)."""
        valid = values[~self._series.missing(values).any(axis=-1)]
        if len(valid):
            sensor = self._sensor
            variables = ops.convert_to_numpy(physical_variables(valid, sensor.bands, sensor.scale, sensor.offset))
            self._minimum = np.minimum(self._minimum, variables.min(axis=0))
            self._maximum = np.maximum(self._maximum, variables.max(axis=0))
            if self._robust:
                self._sample.append(self._draw(variables))

    def _draw(self, variables: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the share of the values, shape (values, V), that percentiles are taken of."""
        if self._share == 1:
            return variables
        # At random: every n-th value would be of a few dates only wherever n and the number of dates share a factor.
        return variables[self._random.integers(len(variables), size=math.ceil(len(variables) * self._share))]

    def sensor(self) -> Sensor:
        """Returns the sensor with the ranges found.

        Raises:
            InputError: The series holds no valid value.
        """
        if not np.isfinite(self._minimum).all():
            if not self._series.dates:
                raise InputError(
                    "Nowhere on the series do all static rasters have a value.", "Give STATIC rasters that cover it."
                )
            raise InputError(
                f"{self._series.path} holds no valid value: all of it is no data.", "Prepare the series once more."
            )
        lowest, highest = (tuple(end.tolist()) for end in (self._minimum, self._maximum))
        if not self._robust:
            return replace(self._sensor, minimum=lowest, maximum=highest)
        low, high = (tuple(end.tolist()) for end in np.percentile(np.concatenate(self._sample), (_LOW, _HIGH), axis=0))
        return replace(self._sensor, minimum=low, maximum=high, clip=True, lowest=lowest, highest=highest)


def read_samples_and_ranges(
    series: Mapping[str, Series], pixels: LabelledPixels, scaling: str, reporter: Reporter
) -> tuple[dict[str, SampleStore], tuple[Sensor, ...]]:
    """Reads each series once: the values round the labelled pixels, and the ranges of the variables.

    Args:
        series: The series, by sensor.
        pixels: The labelled pixels.
        scaling: ``range`` or ``percentiles``; see `RangeFinder`.
        reporter: Receives the progress.

    Returns:
        The store of each sensor, and the sensors with their ranges.

    Raises:
        InputError: A series can't be read, or holds no valid value.
        Cancelled: The user stopped it.
    """
    stores, sensors = {}, []
    for number, (name, one) in enumerate(series.items()):
        ranges = RangeFinder(name, one, scaling)
        part = reporter.part(number / len(series), (number + 1) / len(series))
        stores[name] = read_samples(one, pixels, part, ranges.visit)
        sensors.append(ranges.sensor())
    return stores, tuple(sensors)
