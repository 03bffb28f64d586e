"""Masks, their buffer round clouds, and the share of clouds."""

from datetime import date

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.blocks import Threads
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.product import MaskSource, Product
from twinns_qgis.series.sentinel2.cloud_mask import Clouds, cloud_shares, read_clear

DAY = date(2018, 3, 5)
CLOUD, SHADOW, LAND, NODATA = 9, 3, 4, 0


@pytest.fixture
def make_product(tmp_path, write_raster):
    """Writes a band and masks; returns the product and its grid."""

    def make(scene, band=None, **how):
        scene = np.asarray(scene, "uint8")
        values = np.full(scene.shape, 1000, "int16") if band is None else band
        grid = write_raster(tmp_path / "band.tif", values[None], nodata=-10000)
        write_raster(tmp_path / "scene.tif", scene[None])
        mask = MaskSource(tmp_path / "scene.tif", 1, "SCL", frozenset({LAND}), **how)
        return Product("product", DAY, {"B4": BandSource(tmp_path / "band.tif")}, (mask,)), grid

    return make


def _read(product, grid, buffer=0.0):
    with product.open() as files:
        return read_clear(product, files, grid, buffer)


def test_only_the_values_that_count_as_clear_are_clear(make_product):
    product, grid = make_product([[LAND, CLOUD, NODATA], [SHADOW, LAND, 200]])
    assert _read(product, grid).tolist() == [[True, False, False], [False, True, False]]


def test_outside_the_mask_nothing_is_clear(make_product):
    product, grid = make_product(np.full((4, 4), LAND))
    wide = grid.crop(Window(-1, 0, 6, 4))
    assert _read(product, wide)[0].tolist() == [False, True, True, True, True, False]


@pytest.mark.parametrize(("band", "expected"), [("B4", [True, False]), ("B8", [True, True])])
def test_a_mask_of_one_band_counts_if_the_product_has_that_band(make_product, band, expected):
    product, grid = make_product([[LAND, 1]], bands=frozenset({band}))
    assert _read(product, grid).tolist() == [expected]


def test_a_rim_is_as_wide_as_it_says_round_clouds_alone(make_product):
    scene = np.full((41, 41), LAND)
    scene[20, 20], scene[:, 0] = CLOUD, NODATA
    product, grid = make_product(scene, spreads=frozenset({CLOUD, SHADOW}))
    rows, columns = np.mgrid[:41, :41]
    expected = np.hypot(10 * (rows - 20), 10 * (columns - 20)) > 55
    expected[:, 0] = False
    np.testing.assert_array_equal(_read(product, grid, 55), expected)


def test_a_rim_does_not_depend_on_the_blocks(make_product):
    scene = np.where(np.random.default_rng(0).random((60, 60)) < 0.01, CLOUD, LAND)
    product, grid = make_product(scene, spreads=frozenset({CLOUD}))
    whole = _read(product, grid, 40)
    part = Window(13, 22, 20, 17)
    np.testing.assert_array_equal(_read(product, grid.crop(part), 40), whole[part.toslices()])


def _shares(groups, grid, listener):
    with Threads(listener) as threads:
        return cloud_shares(groups, grid, threads)


def test_the_share_of_clouds_is_that_of_what_the_date_shows(make_product, listener):
    scene, band = np.full((10, 10), LAND), np.full((10, 10), 1000, "int16")
    band[:, 5:] = -10000  # beyond the swath
    scene[:3, :5] = CLOUD
    product, grid = make_product(scene, band)
    assert _shares([(DAY, (product,))], grid, listener) == {DAY: pytest.approx(0.3)}


def test_what_one_of_two_products_shows_is_not_cloudy(tmp_path, write_raster, listener):
    products = []
    for number, columns in enumerate((slice(0, 6), slice(4, 10))):
        scene = np.full((10, 10), LAND, "uint8")
        scene[:, columns] = CLOUD
        grid = write_raster(tmp_path / f"band{number}.tif", np.ones((1, 10, 10), "int16"))
        write_raster(tmp_path / f"scene{number}.tif", scene[None])
        mask = MaskSource(tmp_path / f"scene{number}.tif", 1, "SCL", frozenset({LAND}))
        products.append(Product(str(number), DAY, {"B4": BandSource(tmp_path / f"band{number}.tif")}, (mask,)))
    assert _shares([(DAY, tuple(products))], grid, listener) == {DAY: pytest.approx(0.2)}


def test_large_areas_are_sampled(make_product, listener):
    scene = np.where(np.random.default_rng(0).random((1600, 1600)) < 0.4, CLOUD, LAND)
    product, grid = make_product(scene)
    (share,) = _shares([(DAY, (product,))], grid, listener).values()
    assert abs(share - 0.4) < 0.005
    assert share == pytest.approx((scene[2::4, 2::4] == CLOUD).mean())


def test_a_rim_in_metres_needs_a_crs_in_lengths():
    degrees = Grid(CRS.from_epsg(4326), from_origin(3, 50, 1e-4, 1e-4), 10, 10)
    feet = Grid(CRS.from_epsg(2263), from_origin(0, 0, 30, 30), 10, 10)
    assert Clouds().buffer(degrees) == 0
    assert Clouds(dilation=60).buffer(feet) == pytest.approx(60 / 0.3048, rel=1e-5)
    with pytest.raises(InputError, match=r"EPSG:4326, is in degrees"):
        Clouds(dilation=60).buffer(degrees)


@pytest.mark.parametrize(
    ("given", "message"), [({"most": 101}, "MAX_CLOUD is 101"), ({"dilation": -1}, "DILATION is -1")]
)
def test_impossible_settings_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        Clouds(**given)
