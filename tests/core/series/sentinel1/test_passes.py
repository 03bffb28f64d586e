"""Images of one pass, and passes of one day."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.product import Orbit, Product
from twinns_qgis.series.sentinel1.passes import by_pass

HALF_A_STEP = 15 / 254 + 1e-6
"""What rounding to the 8 bits' values may change, in decibels."""

UNKNOWN, ASCENDING, DESCENDING = Orbit(), Orbit("ascending", 132), Orbit("descending", 110)


def _product(name, day, orbit=UNKNOWN):
    return Product(name, date(2018, 3, day), {"VV": BandSource(Path(name))}, orbit=orbit)


def _names(passes):
    return {day.day: [[product.name for product in images] for images in of_day] for day, of_day in passes}


def test_images_of_a_day_and_an_orbit_are_of_one_pass(listener):
    products = [_product("b", 1, DESCENDING), _product("a", 1, DESCENDING), _product("c", 13, DESCENDING)]
    assert _names(by_pass(products, listener)) == {1: [["a", "b"]], 13: [["c"]]}
    assert not listener.warnings


def test_of_two_orbits_that_of_more_dates_comes_first_with_a_warning(listener):
    products = [_product("d1", 1, DESCENDING), _product("a1", 1, ASCENDING), _product("d13", 13, DESCENDING)]
    assert _names(by_pass(products, listener)) == {1: [["d1"], ["a1"]], 13: [["d13"]]}
    assert _names(by_pass([*products, _product("a7", 7, ASCENDING)], listener))[1] == [["a1"], ["d1"]]
    assert "At 1 of 2 dates" in listener.warnings[0]
    assert "2018-03-01 (descending 110, then ascending 132)" in listener.warnings[0]


def test_many_frames_of_an_orbit_are_one_date(listener):
    frames = [_product(f"a{number}", 1, ASCENDING) for number in range(5)]
    products = [*frames, _product("d1", 1, DESCENDING), _product("d13", 13, DESCENDING)]
    assert _names(by_pass(products, listener))[1][0] == ["d1"]


def test_where_no_orbit_is_known_the_times_tell_the_passes(listener):
    names = ["S1A_IW_20180301T173012_DVP", "S1A_IW_20180301T055812_DVP", "S1A_IW_20180301T055837_DVP"]
    assert _names(by_pass([_product(name, 1) for name in names], listener)) == {1: [names[1:], names[:1]]}
    assert "2018-03-01 (05:58, then 17:30)" in listener.warnings[0]


def test_without_orbit_and_time_the_images_of_a_day_are_of_one_pass(listener):
    assert _names(by_pass([_product("a_20180301", 1), _product("b_20180301", 1)], listener))[1] == [
        ["a_20180301", "b_20180301"]
    ]
    assert not listener.warnings


def test_frames_of_a_pass_are_averaged_in_power_where_both_are_valid(prepare_radar, radar_image, decibels):
    first, second = np.full((16, 16), -1.0), np.full((16, 16), -20.0)
    first[10:], second[:6] = np.nan, np.nan
    radar_image("s1a_31UES_DES_110_20180301T055812.tif", first)
    radar_image("s1a_31UES_DES_110_20180301T055837.tif", second)
    filled = decibels(prepare_radar())[:, :, 0, 0]
    np.testing.assert_allclose(filled[:6], -1, atol=HALF_A_STEP)
    np.testing.assert_allclose(filled[6:10], 10 * np.log10((10**-0.1 + 0.01) / 2), atol=HALF_A_STEP)
    np.testing.assert_allclose(filled[10:], -20, atol=HALF_A_STEP)


@pytest.mark.parametrize("db_range", ["VV=-25:5,VH=-32:-2", "p0:p100"])
def test_two_orbits_of_a_day_are_not_averaged_but_fill_each_other(prepare_radar, radar_image, decibels, db_range):
    seldom, often = np.full((16, 16), -16.0), np.full((16, 16), -10.0)
    often[:4], seldom[:2] = np.nan, np.nan
    radar_image("s1a_31UES_ASC_132_20180301.tif", seldom)
    radar_image("s1a_31UES_DES_110_20180301.tif", often)
    radar_image("s1a_31UES_DES_110_20180313.tif", -11)
    series = prepare_radar(db_range=db_range)
    filled = decibels(series)[:, :, 0, 0]
    np.testing.assert_allclose(filled[4:], -10, atol=HALF_A_STEP)
    np.testing.assert_allclose(filled[2:4], -16, atol=HALF_A_STEP)
    np.testing.assert_allclose(filled[:2], -11, atol=HALF_A_STEP)
    if db_range == "p0:p100":
        assert series.offset[0] + series.scale[0] == pytest.approx(-16, abs=0.01)


@pytest.mark.parametrize(
    "copy",
    ["s1a_31UES_DES_110_20180301_lee.tif", "filtered/s1a_31UES_DES_110_20180301.tif", "20180301_DES_110_mean.tif"],
)
def test_a_copy_beside_its_image_is_refused_with_both(prepare_radar, radar_image, copy):
    radar_image("s1a_31UES_DES_110_20180301.tif", -10)
    radar_image(copy, -7)
    with pytest.raises(InputError, match=r"both are V[VH] of 2018-03-01, orbit descending 110, and no slices.*LAYERS"):
        prepare_radar()


def test_an_image_of_another_resolution_is_refused(prepare_radar, radar_image):
    radar_image("s1a_31UES_DES_110_20180301T055812.tif", -10)
    radar_image("s1a_31UES_DES_110_20180301T055837.tif", -7, resolution=20)
    with pytest.raises(InputError, match="different resolution"):
        prepare_radar()


@pytest.mark.parametrize("names", [("a_20180301.tif", "b_20180301.tif"), ("vv_20180301_1.tif", "vv_20180301_2.tif")])
def test_slices_without_a_time_lie_side_by_side(prepare_radar, radar_image, decibels, names):
    """Also on one grid, as programs write them that cut to tiles."""
    for name, missing in zip(names, (slice(10, 16), slice(0, 6)), strict=True):
        image = np.full((16, 16), -10.0)
        image[missing] = np.nan
        radar_image(name, image)
    np.testing.assert_allclose(decibels(prepare_radar())[:, :, 0, 0], -10, atol=HALF_A_STEP)


def test_tiles_of_one_acquisition_are_one_date(prepare_radar, radar_image, decibels):
    radar_image("s1a_31UES_DES_110_20180301txxxxxx.tif", -10)
    radar_image("s1a_31UFS_DES_110_20180301txxxxxx.tif", -10, origin=(500120, 5600000))
    assert len(prepare_radar().dates) == 1
