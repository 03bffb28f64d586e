"""Where scenes are wanted."""

import geopandas
import pyproj
import pytest
import shapely

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.series.scenes.place import MOST_VERTICES, Place

UTM = "EPSG:32631"
LAMBERT = "EPSG:3035"


def square(west=3.0, south=50.0, side=1.0):
    return shapely.box(west, south, west + side, south + side)


def test_a_rectangle_is_asked_for_by_its_bounds():
    place = Place.of_extent(Extent.parse("500000,510000,5560000,5570000 [EPSG:32631]"))
    corners = [(x, y) for x in (500000, 510000) for y in (5560000, 5570000)]
    to_degrees = pyproj.Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)
    longitudes, latitudes = zip(*(to_degrees.transform(*corner) for corner in corners), strict=True)
    expected = min(longitudes), min(latitudes), max(longitudes), max(latitudes)
    assert place.query["bbox"] == pytest.approx(expected, abs=1e-4)
    assert place.area.bounds == place.query["bbox"]


@pytest.mark.parametrize("crs", [UTM, LAMBERT, "EPSG:3857"])
def test_polygons_are_turned_to_degrees(crs):
    place = Place.of_polygons(geopandas.GeoSeries([square(side=0.1)], crs=4326).to_crs(crs), "fields")
    assert place.query["intersects"]["type"] == "Polygon"
    assert place.area.bounds == pytest.approx((3.0, 50.0, 3.1, 50.1), abs=1e-6)


@pytest.mark.parametrize("kind", ["circle", "grains"])
def test_polygons_with_many_vertices_are_asked_for_by_what_holds_them(kind):
    circle = shapely.Point(3, 50).buffer(1, quad_segs=MOST_VERTICES)
    grains = [shapely.Point(3 + x / 100, 50 + x % 7 / 100).buffer(0.001) for x in range(100)]
    shapes = [circle] if kind == "circle" else grains
    place = Place.of_polygons(geopandas.GeoSeries(shapes, crs=4326), "fields")
    asked = shapely.geometry.shape(place.query["intersects"])
    assert shapely.get_num_coordinates(asked) <= MOST_VERTICES
    assert asked.covers(place.area.buffer(-1e-9))
    assert shapely.get_num_coordinates(place.area) > MOST_VERTICES


def test_items_count_by_their_footprint_else_by_their_bounds():
    place = Place.of_polygons(geopandas.GeoSeries([square()], crs=4326), "fields")
    triangle = {"type": "Polygon", "coordinates": [[[4.2, 50], [3, 51.2], [4.2, 51.2], [4.2, 50]]]}
    corner = {"type": "Polygon", "coordinates": [[[4.2, 50.9], [3.9, 51.2], [4.2, 51.2], [4.2, 50.9]]]}
    assert place.touches({"geometry": triangle, "bbox": [60, 0, 61, 1]})
    assert not place.touches({"geometry": corner, "bbox": [3.9, 50.9, 4.2, 51.2]})
    for bounds, expected in (([3.5, 50.5, 5, 51], True), ([3.5, 50.5, 0, 5, 51, 9], True), ([5, 50, 6, 51], False)):
        assert place.touches({"geometry": None, "bbox": bounds}) == expected
    for broken in ({}, {"geometry": {"type": "Polygon"}}, {"geometry": 7, "bbox": ["a"]}):
        assert place.touches(broken)


def test_polygons_in_the_wrong_crs_are_refused():
    for crs in (4326, UTM):
        with pytest.raises(InputError, match="fields lie nowhere on Earth"):
            Place.of_polygons(geopandas.GeoSeries([shapely.box(5e9, 5e9, 6e9, 6e9)], crs=crs), "fields")
