"""The pixel grid and extents."""

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine, from_origin
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent, Grid

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 30, 20)


def test_bounds_and_crop_follow_the_transform():
    assert GRID.bounds == (500000, 5599800, 500300, 5600000)
    part = GRID.crop(Window(3, 2, 5, 4))
    assert part.bounds == (500030, 5599940, 500080, 5599980)


def test_grids_differ_by_half_a_pixel_but_not_by_rounding():
    moved = Grid(GRID.crs, GRID.transform @ Affine.translation(0.5, 0), 30, 20)
    rounded = Grid(GRID.crs, GRID.transform @ Affine.translation(1e-6, 0), 30, 20)
    assert not GRID.same_as(moved)
    assert GRID.same_as(rounded)


def test_blocks_cover_every_pixel_once():
    count = np.zeros((GRID.height, GRID.width), int)
    for window in GRID.blocks(7):
        count[window.toslices()] += 1
    assert (count == 1).all()


def test_an_extent_on_pixel_edges_gains_no_pixels():
    extent = Extent.parse("500010,500050,5599900,5599960")
    assert GRID.window_of(extent) == Window(1, 4, 4, 6)


def test_an_extent_within_pixels_takes_all_that_it_touches():
    assert GRID.window_of(Extent.parse("500011,500049,5599905,5599955")) == Window(1, 4, 4, 6)


def test_an_extent_is_cut_to_the_grid():
    assert GRID.window_of(Extent.parse("0,500020,0,6000000")) == Window(0, 0, 2, 20)


def test_an_extent_is_transformed_from_its_crs():
    left, bottom, right, top = transform_bounds(GRID.crs, "EPSG:4326", 500100, 5599900, 500200, 5599950)
    window = GRID.window_of(Extent.parse(f"{left},{right},{bottom},{top} [EPSG:4326]"))
    assert window.col_off in (9, 10)
    assert window.width in (10, 11, 12)


def test_an_extent_elsewhere_is_refused_with_both_places():
    with pytest.raises(InputError, match=r"1,2,1,2 does not overlap the raster, which spans 500000, 5599800"):
        GRID.window_of(Extent.parse("1,2,1,2"))


def test_an_extent_that_the_crs_has_no_place_for_is_refused():
    with pytest.raises(InputError, match=r"92,94,-1,1 \[EPSG:4326\] does not overlap the raster"):
        GRID.window_of(Extent.parse("92,94,-1,1 [EPSG:4326]"))


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "-inf,inf,-inf,inf", "1,2,nan,4", "1,2,3,4 [EPSG:none]", "2,1,3,4", "1,2,4,3"]
)
def test_what_is_no_extent_is_refused(text):
    with pytest.raises(InputError, match="extent"):
        Extent.parse(text)


def test_an_extent_reads_back_what_it_writes():
    text = "500010,500050.5,5599900,5599960 [EPSG:32631]"
    assert str(Extent.parse(text)) == text


def test_rotated_rasters_and_those_without_crs_are_refused(tmp_path):
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1, "dtype": "uint8"}
    for name, crs, transform, words in (
        ("nowhere.tif", None, GRID.transform, "no coordinate reference system"),
        ("rotated.tif", GRID.crs, GRID.transform @ Affine.rotation(10), "not north-up"),
        ("upside.tif", GRID.crs, Affine(10, 0, 0, 0, 10, 0), "not north-up"),
    ):
        with rasterio.open(tmp_path / name, "w", crs=crs, transform=transform, **profile) as dataset:
            dataset.write(np.zeros((1, 2, 2), "uint8"))
        with rasterio.open(tmp_path / name) as dataset, pytest.raises(InputError, match=f"{name}.*{words}"):
            Grid.of(dataset)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4807", "EPSG:4047", "EPSG:4258"])  # degrees, grads, a sphere
def test_areas_in_degrees_are_those_on_the_ellipsoid(crs):
    crs = CRS.from_user_input(crs)
    grid = Grid(crs, from_origin(3, 52, 0.25, 0.25), 4, 8)
    geod = pyproj.CRS.from_user_input(crs).get_geod()
    to_degrees = crs.units_factor[1] * 180 / np.pi
    for row, area in enumerate(grid.pixel_areas()):
        top, bottom = ((52 - 0.25 * edge) * to_degrees for edge in (row, row + 1))
        along = np.linspace(0, 0.25 * to_degrees, 200)  # parallels are no geodesics
        ring = [*zip(along, np.full(200, bottom), strict=True), *zip(along[::-1], np.full(200, top), strict=True)]
        expected, _ = geod.polygon_area_perimeter(*zip(*ring, strict=True))
        assert area == pytest.approx(abs(expected), rel=1e-5)


def test_the_globe_has_its_area():
    grid = Grid(CRS.from_epsg(4326), from_origin(-180, 90, 1, 1), 360, 180)
    assert grid.pixel_areas().sum() * 360 == pytest.approx(510_065_621.724e6, rel=1e-9)  # of WGS 84


def test_areas_in_a_projection_are_those_of_its_units():
    assert set(Grid(CRS.from_epsg(32631), from_origin(0, 0, 10, 20), 2, 3).pixel_areas()) == {200.0}
    feet = Grid(CRS.from_epsg(2263), from_origin(0, 0, 1, 1), 1, 1).pixel_areas()
    assert feet[0] == pytest.approx((1200 / 3937) ** 2)
