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
    def polygons(shapes=SHAPES, crs="EPSG:32631", classes=("a", "b")):
        frame = geopandas.GeoDataFrame({"c": classes}, geometry=shapes, crs="EPSG:32631").to_crs(crs)
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


def labelled(polygons, grid):
    pixels, contested = label_pixels(polygons, grid)
    assert not contested.count
    return pixels


def found(pixels):
    return {(row, column): item for row, column, item in zip(pixels.rows, pixels.columns, pixels.objects, strict=True)}


def test_pixels_are_labelled_whose_centre_lies_in_a_polygon(polygons):
    assert found(labelled(polygons(), GRID)) == centres_inside(SHAPES)


def test_a_polygon_that_crosses_itself_labels_what_it_surrounds(polygons):
    corners = [(500011, 5599811), (500096, 5599991), (500096, 5599811), (500011, 5599991)]
    surrounded = shapely.make_valid(Polygon(corners))
    assert surrounded.area > 0
    assert found(labelled(polygons([Polygon(corners), SHAPES[1]]), GRID)) == centres_inside([surrounded, SHAPES[1]])


def test_polygons_in_another_crs_label_the_same_pixels(polygons):
    assert found(labelled(polygons(crs="EPSG:4326"), GRID)) == centres_inside(SHAPES)


def test_division_into_blocks_does_not_matter(polygons, monkeypatch):
    monkeypatch.setattr(pixels_module, "_BLOCK", 7)
    assert found(labelled(polygons(), GRID)) == centres_inside(SHAPES)


def test_polygons_outside_the_raster_are_refused(polygons):
    with pytest.raises(InputError, match=r"No polygon of .* holds the centre of a pixel.*check both CRS"):
        label_pixels(polygons([box(0, 0, 9, 9), box(20, 0, 29, 9)]), GRID)


def test_select_keeps_pixels_in_order(polygons):
    pixels = labelled(polygons(), GRID)
    second = pixels.select(pixels.objects == 1)
    assert len(second) == sum(index == 1 for index in centres_inside(SHAPES).values())
    assert (np.diff(second.rows) >= 0).all()


def test_pixels_that_two_classes_claim_are_nobody_s(polygons):
    shapes = [box(500000, 5599800, 500100, 5599900), box(500060, 5599800, 500160, 5599900)]
    pixels, contested = label_pixels(polygons(shapes), GRID)
    outside = {place: item for place, item in centres_inside(shapes).items() if not 6 <= place[1] < 10}
    assert found(pixels) == outside
    assert (contested.count, contested.pairs, contested.objects) == (40, {("a", "b"): 40}, set())


def test_pixels_that_one_class_claims_twice_are_its_own(polygons):
    shapes = [
        box(500000, 5599800, 500100, 5599900),
        box(500060, 5599800, 500160, 5599900),
        box(500300, 5599800, 500320, 5599820),
    ]
    assert found(labelled(polygons(shapes, classes=("a", "a", "b")), GRID)) == centres_inside(shapes)


def test_pixels_that_three_classes_claim_count_once_and_by_their_pairs(polygons):
    shapes = [box(500000, 5599800, 500030, 5599830)] * 3 + [box(500100, 5599800, 500120, 5599820)]
    pixels, contested = label_pixels(polygons(shapes, classes=("c", "a", "b", "d")), GRID)
    assert len(pixels) == 4
    assert contested.count == 9
    assert contested.pairs == {("a", "b"): 9, ("a", "c"): 9}
    assert contested.objects == {0, 1, 2}


def test_neighbours_that_share_a_border_contest_nothing(polygons):
    shapes = [box(500001, 5599801, 500077, 5599893), box(500077, 5599801, 500133, 5599893)]
    assert found(labelled(polygons(shapes), GRID)) == centres_inside(shapes)


def test_polygons_that_only_contest_each_other_are_refused(polygons):
    with pytest.raises(InputError, match=r"All 9 pixels .* are claimed by several classes.*overlap"):
        label_pixels(polygons([box(500000, 5599800, 500030, 5599830)] * 2), GRID)


def test_contested_pixels_are_found_in_every_block(polygons, monkeypatch):
    shapes = [box(500000, 5599700, 500400, 5600000), box(500060, 5599700, 500390, 5599900)]
    whole = label_pixels(polygons(shapes), GRID)
    monkeypatch.setattr(pixels_module, "_BLOCK", 7)
    parts = label_pixels(polygons(shapes), GRID)
    assert found(whole[0]) == found(parts[0])
    assert whole[1] == parts[1]


def test_a_point_labels_the_pixel_below_it(polygons):
    points = [Point(500011, 5599989), Point(500399.9, 5599700.1)]
    assert found(labelled(polygons(points), GRID)) == {(1, 1): 0, (29, 39): 1}
