"""The multitemporal speckle filter."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.sentinel1.speckle import filter_speckle, margin_of

HALF_A_STEP = 15 / 254 + 1e-6
"""What rounding to the 8 bits' values may change, in decibels."""


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


@pytest.fixture
def noisy(tmp_path, write_raster):
    """Writes three dates of power with holes, 20 m, that reach beyond a reference of 70 x 90 pixels of 10 m."""
    random = np.random.default_rng(0)
    write_raster(tmp_path / "wide.tif", np.zeros((1, 70, 90), "uint8"))
    for day in (1, 13, 25):
        values = random.uniform(-24, 4, (1, 40, 50)).astype("float32")
        values[random.random(values.shape) < 0.2] = np.nan
        write_raster(tmp_path / "in" / f"s1_vv_201803{day:02}.tif", values, resolution=20, origin=(499947, 5600053))
    return tmp_path / "wide.tif"


@pytest.mark.parametrize("speckle", [3, 7])
def test_filtered_speckle_depends_neither_on_blocks_nor_on_the_reference_ending(
    prepare_radar, noisy, tmp_path, write_raster, speckle
):
    write_raster(tmp_path / "part.tif", np.zeros((1, 30, 33), "uint8"), origin=(500200, 5599900))
    whole = prepare_radar("whole.tif", reference=noisy, memory=512, speckle=speckle)
    blocks = prepare_radar("blocks.tif", reference=noisy, memory=1, speckle=speckle)
    part = prepare_radar("part_out.tif", reference=tmp_path / "part.tif", speckle=speckle)
    np.testing.assert_array_equal(whole.read(), blocks.read())
    np.testing.assert_array_equal(whole.read()[10:40, 20:53], part.read())
    assert (whole.read() != prepare_radar("unfiltered.tif", reference=noisy).read()).mean() > 0.5


def test_speckle_is_filtered_in_power_before_decibels_fill_gaps(prepare_radar, radar_image, decibels):
    pixels = np.full((2, 16, 16), -10.0)
    pixels[0, ::2], pixels[1, 5, 5] = -16, np.nan
    radar_image("S1_20180301.tif", pixels[0])
    radar_image("S1_20180313.tif", pixels[1])
    power = 10 ** (pixels / 10)
    means = np.nanmean(power[:, 4:7, 4:7], axis=(1, 2))  # of a window round row 5, column 5, where one date is missing
    expected = means[0] * (power[0, 5, 5] / means[0])
    filtered = decibels(prepare_radar(speckle=3))[5, 5, :, 0]
    np.testing.assert_allclose(filtered, 10 * np.log10([expected, expected]), atol=HALF_A_STEP)
    means = np.nanmean(power[:, 8:11, 8:11], axis=(1, 2))
    expected = means * np.mean(power[:, 9, 9] / means)
    filtered = decibels(prepare_radar(speckle=3))[9, 9, :, 0]
    np.testing.assert_allclose(filtered, 10 * np.log10(expected), atol=HALF_A_STEP)


def test_a_window_that_has_no_middle_is_refused(prepare_radar, radar_image):
    radar_image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match=r"SPECKLE is 4 pixels.*odd number"):
        prepare_radar(speckle=4)
