"""The multitemporal speckle filter."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.speckle import filter_speckle, margin_of


def _speckle(dates, size, looks, level=1.0, seed=0):
    """Returns simulated power: multiplicative speckle is gamma distributed."""
    random = np.random.default_rng(seed)
    return (level * random.gamma(looks, 1 / looks, (dates, size, size))).astype("float32")


def _by_the_formula(power, margin, row, column):
    """Returns the T filtered values of a pixel, as the formula is written, leaving out what is missing."""
    window = power[:, row - margin : row + margin + 1, column - margin : column + margin + 1].astype(float)
    means = np.nanmean(window, axis=(1, 2))
    centre = power[:, row, column].astype(float)
    return np.where(np.isnan(centre), np.nan, means * np.nanmean(centre / means))


@pytest.mark.parametrize("margin", [1, 3])
def test_each_pixel_is_as_the_formula_says(margin):
    power = _speckle(5, 20, 3) * np.array([0.01, 0.3, 1, 0.02, 5], "float32")[:, None, None]
    power[np.random.default_rng(1).random(power.shape) < 0.3] = np.nan
    filtered = filter_speckle(power, margin)
    assert filtered.shape == (5, 20 - 2 * margin, 20 - 2 * margin)
    for row, column in np.random.default_rng(2).integers(margin, 20 - margin, (30, 2)):
        expected = _by_the_formula(power, margin, row, column)
        np.testing.assert_allclose(filtered[:, row - margin, column - margin], expected, rtol=1e-5)


@pytest.mark.parametrize(("dates", "margin"), [(5, 2), (12, 3), (30, 3)])
def test_the_number_of_looks_grows_as_theory_says(dates, margin):
    looks, pixels = 4.4, (2 * margin + 1) ** 2
    filtered = filter_speckle(_speckle(dates, 250, looks, 0.05), margin).astype(float)
    expected = looks * pixels * dates / (pixels + dates - 1)
    reached = filtered.mean(axis=(1, 2)) ** 2 / filtered.var(axis=(1, 2))
    np.testing.assert_allclose(reached.mean(), expected, rtol=0.06)
    np.testing.assert_allclose(filtered.mean(), 0.05, rtol=0.005)


def test_what_changes_from_date_to_date_and_what_is_fine_in_space_both_stay():
    scene = np.full((20, 20), 0.05, "float32")
    scene[10] = 0.5  # a hedge, one pixel wide
    levels = np.array([1, 4, 0.25], "float32")
    filtered = filter_speckle(scene * levels[:, None, None], 3)
    np.testing.assert_allclose(filtered, scene[3:-3, 3:-3] * levels[:, None, None], rtol=1e-5)


def test_a_pixel_that_is_never_valid_stays_missing_without_a_warning():
    power = _speckle(3, 9, 4)
    power[:, 4, 4] = np.nan
    power[1] = np.nan
    filtered = filter_speckle(power, 1)
    assert np.isnan(filtered[:, 3, 3]).all()
    assert np.isnan(filtered[1]).all()
    assert np.isnan(filtered).sum() == 49 + 2


@pytest.mark.parametrize(("window", "margin"), [(0, 0), (3, 1), (7, 3), (31, 15)])
def test_a_window_has_a_margin(window, margin):
    assert margin_of(window) == margin


@pytest.mark.parametrize("window", [-3, 1, 2, 8, 33])
def test_a_window_without_a_middle_or_too_wide_is_refused(window):
    with pytest.raises(InputError, match=f"SPECKLE is {window} pixels"):
        margin_of(window)
