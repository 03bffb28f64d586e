"""What a sensor knows of missing values."""

import math
from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import scaled_variables


def radar(nodata, dtype):
    return Sensor(
        "sentinel1", (date(2018, 1, 1),) * 2, ("VV",), (1.0,), (0.0,), nodata, dtype, minimum=(-5.0,), maximum=(5.0,)
    )


@pytest.mark.parametrize(("nodata", "dtype"), [(0.0, "uint8"), (-9.0, "float32"), (None, "float32")])
def test_the_missing_value_is_one_that_the_network_turns_to_zero(nodata, dtype):
    sensor = radar(nodata, dtype)
    raw = np.array([[[[[sensor.missing], [5]]]]], dtype)
    np.testing.assert_array_equal(np.array(scaled_variables(sensor, raw)).ravel(), [0, 1])


def test_whole_numbers_without_no_data_have_no_missing_value():
    with pytest.raises(InputError, match=r"sentinel1 series has no value for missing pixels.*DATE_DROPOUT 0"):
        radar(None, "uint8").missing  # noqa: B018


def test_not_a_number_is_missing_where_nothing_is_declared():
    assert math.isnan(radar(None, "float32").missing)
