"""Which part of a raster an area needs: as much as the series' own grid does, whatever its CRS."""

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import transform

from twinns_qgis.rasters.grid import Extent, Grid
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.series.area import Area
from twinns_qgis.series.scenes.windows import windows_of

UTM31, UTM32 = CRS.from_epsg(32631), CRS.from_epsg(32632)
WEST = Grid(UTM31, from_origin(6e5, 5.6e6, 10, 10), 10980, 10980)
EAST = Grid(UTM32, from_origin(2.4e5, 5.6e6, 10, 10), 10980, 10980)
DEGREES = Grid(CRS.from_epsg(4326), from_origin(4.0, 51.0, 0.0002, 0.0002), 15000, 10000)


def holds(window, other):
    (top, bottom), (left, right) = window.toranges()
    (first, last), (west, east) = other.toranges()
    return top <= first and last <= bottom and left <= west and east <= right


@pytest.mark.parametrize(
    "area",
    ["5.55,5.69,50.0,50.09 [EPSG:4326]", "682000,692000,5541000,5551000 [EPSG:32631]"],
)
@pytest.mark.parametrize("first", [WEST, EAST])
def test_windows_hold_all_that_series_in_any_of_the_zones_read(area, first):
    extent, grids = Extent.parse(area), [WEST, EAST, WEST.every(2), EAST.every(2)]
    windows = windows_of(extent, 0, grids)
    series = Area(extent).grid([first, *grids])
    for grid, window in zip(grids, windows, strict=True):
        assert holds(window, source_window(grid, series, Resampling.cubic))
        assert window.width < 2.2 * 10_000 / grid.resolution[0]


def test_the_default_margin_serves_series_of_coarser_pixels():
    extent, grids = Extent.parse("682000,692000,5541000,5551000 [EPSG:32631]"), [WEST, WEST.every(2)]
    series = Area(extent, resolution=60).grid(grids)
    for grid, window in zip(grids, windows_of(extent, 200, grids), strict=True):
        assert holds(window, source_window(grid, series, Resampling.cubic))


def test_rasters_in_degrees_cover_a_series_in_metres():
    extent = Extent.parse("5.55,5.69,50.0,50.09 [EPSG:4326]")
    (window,) = windows_of(extent, 0, [DEGREES])
    xs, ys = transform(CRS.from_epsg(4326), UTM31, [5.55, 5.69, 5.55, 5.69], [50.0, 50.0, 50.09, 50.09])
    left, bottom, right, top = min(xs), min(ys), max(xs), max(ys)
    series = Grid(UTM31, from_origin(left, top, 10, 10), int((right - left) / 10), int((top - bottom) / 10))
    assert holds(window, source_window(DEGREES, series, Resampling.cubic))


def test_a_margin_is_as_wide_as_it_says():
    extent = Extent.parse("682000,692000,5541000,5551000 [EPSG:32631]")
    (none,), (wide,) = (windows_of(extent, margin, [WEST]) for margin in (0, 500))
    assert (none.col_off - wide.col_off, none.row_off - wide.row_off) == (48, 48)  # of 50, two were there
    assert wide.width - none.width == 96
    (none,), (wide,) = (
        windows_of(Extent.parse("5.5,5.7,50,50.1 [EPSG:4326]"), margin, [DEGREES]) for margin in (0, 1000)
    )
    metres = np.array([wide.width - none.width, wide.height - none.height]) / 2 * 0.0002 * 111_320
    np.testing.assert_allclose(metres * [np.cos(np.radians(50)), 1], 1000, rtol=0.03)


def test_a_window_ends_with_its_raster_and_rasters_elsewhere_have_none():
    far = Grid(CRS.from_epsg(32655), from_origin(6e5, 5.6e6, 10, 10), 10980, 10980)
    inside, outside = windows_of(Extent.parse("590000,601000,5599000,5610000 [EPSG:32631]"), 0, [WEST, far])
    assert (inside.col_off, inside.row_off) == (0, 0)
    assert outside is None


def test_an_area_without_a_crs_is_in_that_of_the_first_raster():
    plain = windows_of(Extent.parse("682000,692000,5541000,5551000"), 0, [WEST, EAST])
    assert plain == windows_of(Extent.parse("682000,692000,5541000,5551000 [EPSG:32631]"), 0, [WEST, EAST])
