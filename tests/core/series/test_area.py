"""The grid of a series: the first product's, or one over several."""

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent, Grid
from twinns_qgis.series.area import Area, parse_crs

UTM31, UTM32 = CRS.from_epsg(32631), CRS.from_epsg(32632)
FIRST = Grid(UTM31, from_origin(500003, 5600007, 10, 10), 100, 80)
EAST = Grid(UTM31, from_origin(500003 + 900, 5600007, 10, 10), 100, 80)


def test_by_default_it_is_the_first_products_grid():
    assert Area().grid([FIRST, EAST]) == FIRST


def test_an_extent_over_two_products_gives_one_grid_on_the_first_ones_pixels():
    grid = Area(Extent((500500, 5599500, 501500, 5600000))).grid([FIRST, EAST])
    assert grid.bounds == (500493, 5599497, 501503, 5600007)
    assert grid.resolution == (10, 10)


def test_an_extent_is_cut_to_where_there_are_products():
    grid = Area(Extent((0, 0, 10_000_000, 10_000_000))).grid([FIRST, EAST])
    assert grid.bounds == (500003, 5599207, 501903, 5600007)


def test_a_resolution_covers_the_first_product_from_its_corner():
    grid = Area(resolution=30).grid([FIRST])
    assert grid.bounds == (500003, 5600007 - 27 * 30, 500003 + 34 * 30, 5600007)
    assert grid.resolution == (30, 30)


def test_another_crs_keeps_the_pixel_size_and_lies_on_its_multiples():
    grid = Area(crs=UTM32).grid([FIRST])
    left, bottom, right, top = transform_bounds(UTM31, UTM32, *FIRST.bounds)
    assert grid.resolution == (10, 10)
    assert all(edge % 10 == 0 for edge in grid.bounds)
    assert grid.bounds[0] <= left < grid.bounds[0] + 10
    assert grid.bounds[1] <= bottom < grid.bounds[1] + 10
    assert grid.bounds[2] - 10 < right <= grid.bounds[2]
    assert grid.bounds[3] - 10 < top <= grid.bounds[3]


def test_degrees_get_pixels_of_about_the_same_size():
    grid = Area(crs=CRS.from_epsg(4326)).grid([FIRST])
    metres_per_degree = 111_320
    assert 6 < grid.resolution[1] * metres_per_degree < 14
    assert np.isclose(grid.resolution[0], grid.resolution[1])


def test_an_extent_elsewhere_is_refused():
    with pytest.raises(InputError, match=r"0,1,0,1 \[EPSG:4326\] does not overlap the products, which span"):
        Area(Extent.parse("0,1,0,1 [EPSG:4326]")).grid([FIRST, EAST])


@pytest.mark.parametrize("resolution", [0, -10, float("nan")])
def test_a_resolution_is_positive(resolution):
    with pytest.raises(InputError, match="RESOLUTION is"):
        Area(resolution=resolution)


def test_an_unknown_crs_is_refused():
    assert parse_crs("EPSG:32631") == UTM31
    with pytest.raises(InputError, match="The CRS 'EPSG:1' is not known"):
        parse_crs("EPSG:1")


@pytest.mark.parametrize("crs", [None, UTM32, CRS.from_epsg(4326)])
@pytest.mark.parametrize("resolution", [1e9, 1e-9])
def test_a_resolution_goes_with_the_area_and_the_products(resolution, crs):
    with pytest.raises(InputError, match=r"RESOLUTION, 1e.09, is (more than the area|less than a hundredth)"):
        Area(resolution=resolution, crs=crs).grid([FIRST])


@pytest.mark.parametrize("text", ["EPSG:4978", "EPSG:5773"])
def test_a_crs_of_heights_or_of_the_earths_centre_is_refused(text):
    with pytest.raises(InputError, match=f"'{text}' is none of maps"):
        parse_crs(text)


def test_a_crs_of_the_other_side_of_the_earth_is_refused():
    away = parse_crs("+proj=ortho +lat_0=-50 +lon_0=-177")
    with pytest.raises(InputError, match=r"outside of what .* can show"):
        Area(crs=away).grid([FIRST])


ACROSS = Grid(CRS.from_epsg(32660), from_origin(700000, 5600040, 10, 10), 10980, 10980)
"""A tile across 180 degrees."""
POLE = Grid(CRS.from_epsg(3413), from_origin(-50000, 50000, 100, 100), 1000, 1000)


@pytest.mark.parametrize(("grid", "crs"), [(ACROSS, 4326), (ACROSS, 3857), (POLE, 4326)])
def test_a_crs_that_cuts_a_product_in_two_is_refused_with_one_that_does_not(grid, crs):
    """The grid was 1 pixel wide."""
    with pytest.raises(InputError, match=rf"cuts the products in two.*such as that of the products, {grid.crs}"):
        Area(crs=CRS.from_epsg(crs)).grid([grid])


@pytest.mark.parametrize("crs", [32660, 32601, 3832])
def test_a_crs_whose_middle_is_near_shows_a_product_across_180_degrees(crs):
    grid = Area(crs=CRS.from_epsg(crs)).grid([ACROSS])
    assert 10_000 < grid.width < 20_000


def test_products_on_both_sides_of_180_degrees_are_one_mosaic_in_the_crs_of_one():
    west = Grid(CRS.from_epsg(32601), from_origin(300000, 5600040, 10, 10), 1098, 1098)
    grid = Area(Extent((700000, 5580000, 750000, 5600000))).grid([ACROSS, west])
    assert grid.bounds == (700000, 5580000, 750000, 5600000)


@pytest.mark.parametrize("crs", [4326, 3857])
def test_products_on_both_sides_of_180_degrees_are_no_mosaic_in_a_crs_that_ends_there(crs):
    """The grid was as wide as the earth."""
    east = Grid(CRS.from_epsg(32660), from_origin(600000, 5600040, 10, 10), 1098, 1098)
    west = Grid(CRS.from_epsg(32601), from_origin(400000, 5600040, 10, 10), 1098, 1098)
    area = Area(Extent((-180, 49, 180, 52), CRS.from_epsg(4326)), crs=CRS.from_epsg(crs))
    with pytest.raises(InputError, match=r"wider than half of the earth.*that of the first product, EPSG:32660"):
        area.grid([east, west])


def test_an_extent_across_180_degrees_is_to_be_given_in_another_crs():
    with pytest.raises(InputError, match=r"reaches across 180 degrees.*CRS of the products"):
        Extent.parse("179,-179,50,50.5 [EPSG:4326]")
