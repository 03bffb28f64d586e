"""Sensors as networks see them."""

from datetime import date, timedelta

import numpy as np
import pytest

from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.series.series import SENTINEL2_BANDS


def _dates(count):
    return tuple(date(2018, 1, 1) + timedelta(days=5 * number) for number in range(count))


@pytest.fixture
def make_sensors():
    """Returns a function from the numbers of Sentinel-1 and Sentinel-2 dates to both sensors."""

    def make(sentinel1_dates, sentinel2_dates):
        return (
            Sensor(
                "sentinel1", _dates(sentinel1_dates), ("VV", "VH"), (0.1, 0.1), (-25.1, -32.1), 0.0, "uint8",
                (-25.0, -32.0), (0.4, -6.6),
            ),
            Sensor(
                "sentinel2", _dates(sentinel2_dates), SENTINEL2_BANDS, (1e-4,) * 10, (0.0,) * 10, -32768.0, "int16",
                (0.0,) * 10 + (-1.0, -1.0, 0.0, -1.0, -1.0, -1.0), (0.7,) * 10 + (1.0, 1.0, 2.2, 1.0, 1.0, 1.0),
            ),
        )  # fmt: skip

    return make


@pytest.fixture
def make_values():
    """Returns a function from sensors and the size of a block to random raw values."""

    def make(sensors, samples, height, width, seed=0):
        random = np.random.default_rng(seed)
        highest = {"uint8": 255, "int16": 7000}
        return {
            sensor.name: random.integers(
                1, highest[sensor.dtype], (samples, height, width, len(sensor.dates), len(sensor.bands))
            ).astype(sensor.dtype)
            for sensor in sensors
        }

    return make
