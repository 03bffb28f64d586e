"""Units of backscatter, and decibels in 8 bits."""

import numpy as np
import pytest

from twinns_qgis.series.sentinel1.backscatter import DbRange, to_db, to_power


def test_all_units_are_one_power():
    power = np.array([1e-4, 0.01, 0.5, 1, 30], "float32")
    np.testing.assert_allclose(to_power(power, "power"), power)
    np.testing.assert_allclose(to_power(np.sqrt(power), "amplitude"), power, rtol=1e-6)
    np.testing.assert_allclose(to_power(10 * np.log10(power), "dB"), power, rtol=1e-5)
    np.testing.assert_allclose(to_power(10 ** ((10 * np.log10(power) + 83) / 20), "DN"), power, rtol=1e-5)
    np.testing.assert_allclose(to_db(power), 10 * np.log10(power))


def test_decibels_become_power_to_the_precision_of_their_type():
    backscatter = np.linspace(-60, 40, 10001, dtype="float32")
    np.testing.assert_allclose(to_power(backscatter, "dB"), 10 ** (backscatter.astype(float) / 10), rtol=2e-6)


@pytest.mark.parametrize("units", ["dB", "power", "amplitude", "DN"])
def test_the_values_given_are_left_as_they_were(units):
    values = np.array([-3, 0, 2, np.nan], "float32")
    to_power(values, units)
    np.testing.assert_array_equal(values, [-3, 0, 2, np.nan])


@pytest.mark.parametrize("units", ["power", "amplitude", "DN"])
def test_what_is_not_positive_is_missing(units):
    assert np.isnan(to_power(np.array([0, -1, np.nan, np.inf], "float32"), units)).all()


def test_decibels_of_nothing_are_missing():
    assert np.isnan(to_power(np.array([np.nan, -np.inf, np.inf, 1e6], "float32"), "dB")).all()


def test_eight_bits_give_decibels_back_to_half_a_step():
    db = DbRange(-25, 5)
    backscatter = np.linspace(-25, 5, 1000, dtype="float32")
    values = db.encode(backscatter)
    assert (values[0], values[-1]) == (1, 255)
    assert np.abs(values * db.scale + db.offset - backscatter).max() <= db.scale / 2 + 1e-5


def test_values_outside_are_cut_and_counted_and_missing_ones_are_zero():
    db = DbRange(-25, 5)
    backscatter = np.array([-40, 20, np.nan, -10], "float32")
    assert db.encode(backscatter).tolist()[:3] == [1, 255, 0]
    assert db.clipped(backscatter) == 2
