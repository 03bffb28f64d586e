"""The pixels of a mask, against matplotlib's test of points in polygons."""

import geopandas
import numpy as np
import pytest
from matplotlib.path import Path as Outline
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window
from shapely.geometry import GeometryCollection, Point, Polygon, box

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.region import Region
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 70, 50)
CORNERS = [(500033, 5599980), (500644, 5599902), (500411, 5599533), (500102, 5599711)]


@pytest.fixture
def write(tmp_path):
    def write(*shapes, crs="EPSG:32631"):
        path = tmp_path / "mask.gpkg"
        geopandas.GeoDataFrame(geometry=list(shapes), crs="EPSG:32631").to_crs(crs).to_file(path)
        return str(path)

    return write


def inside(corners):
    columns, rows = np.meshgrid(500005 + 10 * np.arange(70), 5599995 - 10 * np.arange(50))
    return Outline(corners).contains_points(np.column_stack([columns.ravel(), rows.ravel()])).reshape(50, 70)


def test_pixels_count_whose_centre_lies_in_a_polygon(write):
    region = Region.read(write(Polygon(CORNERS)), GRID, Reporter())
    np.testing.assert_array_equal(region.holds(GRID), inside(CORNERS))


def test_a_polygon_that_crosses_itself_is_what_it_surrounds(write):
    crossed = [CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3]]
    region = Region.read(write(Polygon(crossed)), GRID, Reporter())
    np.testing.assert_array_equal(region.holds(GRID), inside(crossed))


@pytest.mark.parametrize("side", [1, 8, 64])
def test_pixels_are_computed_in_the_parts_that_it_touches(write, side):
    region = Region.read(write(Polygon(CORNERS)), GRID, Reporter())
    rows, columns = np.nonzero(inside(CORNERS))
    parts = {*zip(rows // side, columns // side, strict=True)}
    assert region.pixels(GRID, side) == pytest.approx(min(len(parts) * side**2, 50 * 70), rel=0.15)


def test_a_block_sees_its_part_of_the_polygons(write):
    region = Region.read(write(Polygon(CORNERS)), GRID, Reporter())
    window = Window(13, 7, 20, 30)
    np.testing.assert_array_equal(region.holds(GRID.crop(window)), inside(CORNERS)[window.toslices()])
    assert not region.holds(GRID.crop(Window(0, 45, 5, 5))).any()


def test_polygons_in_another_crs_are_transformed(write):
    region = Region.read(write(Polygon(CORNERS), crs="EPSG:4326"), GRID, Reporter())
    assert (region.holds(GRID) != inside(CORNERS)).mean() < 0.001


def test_the_order_of_polygons_and_those_elsewhere_make_no_other_region(write):
    near, far = [box(500100, 5599800, 500200, 5599900), Polygon(CORNERS)], box(0, 0, 10, 10)
    assert Region.read(write(*near), GRID, Reporter()) == Region.read(write(far, *near[::-1]), GRID, Reporter())


def test_polygons_elsewhere_are_refused_with_both_places(write):
    with pytest.raises(
        InputError, match=r"MASK, .*mask.gpkg, does not touch the map: it spans 0, 0, 10, 10, the map 5"
    ):
        Region.read(write(box(0, 0, 10, 10)), GRID, Reporter())


def test_a_layer_without_polygons_is_refused(write):
    with pytest.raises(InputError, match="holds no polygons"):
        Region.read(write(Point(500100, 5599900)), GRID, Reporter())


def test_the_polygons_of_a_clip_count_and_what_is_none_is_told(write, listener):
    clipped = GeometryCollection([Polygon(CORNERS), Point(500100, 5599900)])
    region = Region.read(write(clipped, Point(500100, 5599900)), GRID, listener)
    np.testing.assert_array_equal(region.holds(GRID), inside(CORNERS))
    assert listener.warnings == ["1 features of MASK have no polygon that can be read."]
