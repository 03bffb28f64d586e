"""Pixels without a value, and values that the training did not see."""

from dataclasses import replace

import numpy as np
import pytest

from twinns_qgis.mapping.valid import compare_with_training, raw_range
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.series.series import Series


@pytest.fixture
def of_training(make_series):
    """Returns a function that gives raw values of training, as a sensor and its series."""

    def make(values):
        series = Series.open(make_series("training.tif", values))
        physical = values * np.float32(series.scale) + np.float32(series.offset)
        low, high = (end(physical, axis=(0, 1, 2)).astype(float).tolist() for end in (np.min, np.max))
        return replace(Sensor.of("sentinel", series), minimum=tuple(low), maximum=tuple(high)), series

    return make


@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_exactly_the_values_beyond_the_range_of_training_are_found(of_training, dtype):
    values = np.random.default_rng(0).integers(3, 200, (9, 9, 3, 2)).astype(dtype)
    sensor, series = of_training(values)
    assert not compare_with_training(sensor, series, values)[1].any()
    others = np.random.default_rng(1).integers(1, 255, (9, 9, 3, 2)).astype(dtype)
    low, high = values.min(axis=(0, 1, 2)), values.max(axis=(0, 1, 2))
    np.testing.assert_array_equal(
        compare_with_training(sensor, series, others)[1], ((others < low) | (others > high)).any(axis=(2, 3))
    )


def test_missing_values_are_not_beyond_and_pixels_need_one_that_is_known(of_training):
    values = np.full((5, 5, 2, 2), 100, "uint8")
    sensor, series = of_training(values)
    values[0, 0] = 0
    values[1, 1, 0] = 0
    some, beyond = compare_with_training(sensor, series, values)
    assert np.argwhere(~some).tolist() == [[0, 0]]
    assert not beyond.any()


def test_decimals_may_differ_by_rounding():
    sensor = Sensor("sentinel1", (), ("VV",), (1.0,), (0.0,), None, "float32", (-25.0,), (-5.0,))
    low, high = raw_range(sensor)
    assert low[0] == pytest.approx(-25, abs=1e-4)
    assert low[0] < -25 < -5 < high[0]


def test_a_falling_scale_turns_the_range_round():
    sensor = Sensor("sentinel1", (), ("VV",), (-0.5,), (1.0,), 0, "uint8", (-9.0,), (0.0,))
    assert [end.tolist() for end in raw_range(sensor)] == [[1.5], [20.5]]


def test_values_beyond_percentiles_are_not_beyond_what_was_seen():
    sensor = Sensor(
        "sentinel1",
        (),
        ("VV",),
        (0.5,),
        (0.0,),
        0,
        "uint8",
        (10.0,),
        (20.0,),
        clip=True,
        lowest=(1.0,),
        highest=(99.0,),
    )
    assert [end.tolist() for end in raw_range(sensor)] == [[1.5], [198.5]]
