"""Which pixels polygons label."""

import geopandas
import numpy as np
import pytest
import shapely
from rasterio.crs import CRS
from rasterio.transform import from_origin
from shapely.geometry import Point, Polygon, box

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples import pixels as pixels_module
from twinns_qgis.samples.pixels import label_pixels
from twinns_qgis.samples.polygons import read_polygons

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 40, 30)
SHAPES = [box(500011, 5599851, 500096, 5599922), box(500203, 5599757, 500398, 5599996)]


@pytest.fixture
def polygons(tmp_path):
    def polygons(shapes=SHAPES, crs="EPSG:32631"):
        frame = geopandas.GeoDataFrame({"c": ["a", "b"]}, geometry=shapes, crs="EPSG:32631").to_crs(crs)
        frame.to_file(tmp_path / "p.gpkg")
        return read_polygons(str(tmp_path / "p.gpkg"), "c")

    return polygons


def centres_inside(shapes):
    """Which pixel centres lie in which polygon, by geometry alone."""
    return {
        (row, column): index
        for row in range(GRID.height)
        for column in range(GRID.width)
        for index, shape in enumerate(shapes)
        if shape.contains(Point(500005 + 10 * column, 5599995 - 10 * row))
    }


def found(pixels):
    return {(row, column): item for row, column, item in zip(pixels.rows, pixels.columns, pixels.objects, strict=True)}


def test_pixels_are_labelled_whose_centre_lies_in_a_polygon(polygons):
    assert found(label_pixels(polygons(), GRID)) == centres_inside(SHAPES)


def test_a_polygon_that_crosses_itself_labels_what_it_surrounds(polygons):
    corners = [(500011, 5599811), (500096, 5599991), (500096, 5599811), (500011, 5599991)]
    surrounded = shapely.make_valid(Polygon(corners))
    assert surrounded.area > 0
    assert found(label_pixels(polygons([Polygon(corners), SHAPES[1]]), GRID)) == centres_inside([surrounded, SHAPES[1]])


def test_polygons_in_another_crs_label_the_same_pixels(polygons):
    assert found(label_pixels(polygons(crs="EPSG:4326"), GRID)) == centres_inside(SHAPES)


def test_division_into_blocks_does_not_matter(polygons, monkeypatch):
    monkeypatch.setattr(pixels_module, "_BLOCK", 7)
    assert found(label_pixels(polygons(), GRID)) == centres_inside(SHAPES)


def test_polygons_outside_the_raster_are_refused(polygons):
    with pytest.raises(InputError, match=r"No polygon of .* holds the centre of a pixel.*check both CRS"):
        label_pixels(polygons([box(0, 0, 9, 9), box(20, 0, 29, 9)]), GRID)


def test_select_keeps_pixels_in_order(polygons):
    pixels = label_pixels(polygons(), GRID)
    second = pixels.select(pixels.objects == 1)
    assert len(second) == sum(index == 1 for index in centres_inside(SHAPES).values())
    assert (np.diff(second.rows) >= 0).all()
