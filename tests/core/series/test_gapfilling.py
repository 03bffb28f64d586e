"""Linear interpolation in time, against numpy.interp pixel by pixel."""

from datetime import date, timedelta

import numpy as np
import pytest

from twinns_qgis.series.gapfilling import fill_gaps

DAYS = [0, 3, 10, 11, 30, 47, 200]
DATES = [date(2018, 1, 1) + timedelta(day) for day in DAYS]


@pytest.fixture
def values():
    random = np.random.default_rng(0)
    values = random.uniform(-100, 10000, (len(DAYS), 12, 13)).astype("float32")
    values[random.random(values.shape) < 0.5] = np.nan
    values[:, 0, 0] = np.nan
    return values


@pytest.mark.parametrize("targets", [DAYS, [-20, 0, 5, 10, 12, 100, 199, 200, 300], [7]])
def test_gaps_are_filled_linearly_in_time(values, targets):
    filled = fill_gaps(values, DATES, [DATES[0] + timedelta(day) for day in targets])
    assert filled.shape == (len(targets), 12, 13)
    for row, column in np.ndindex(12, 13):
        pixel = values[:, row, column].astype(float)
        valid = ~np.isnan(pixel)
        if valid.any():
            expected = np.interp(targets, np.array(DAYS)[valid], pixel[valid])
            np.testing.assert_allclose(filled[:, row, column], expected, rtol=1e-6, atol=1e-3)


def test_valid_values_stay_as_they_are(values):
    filled = fill_gaps(values, DATES, DATES)
    valid = ~np.isnan(values)
    np.testing.assert_array_equal(filled[valid], values[valid])


def test_a_pixel_that_is_never_valid_stays_missing(values):
    filled = fill_gaps(values, DATES, DATES)
    assert np.isnan(filled[:, 0, 0]).all()
    never = np.isnan(values).all(axis=0)
    assert (np.isnan(filled) == never).all()
