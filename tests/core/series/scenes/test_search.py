"""Scene lists from a STAC API: a real one on loopback, and such as send one elsewhere."""

import json
from datetime import date

import geopandas
import pytest
import shapely
from file_server import answer, serving
from scenes import AREA, SCENES
from stac_api import stac_api

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.scenes.archives import Known
from twinns_qgis.series.scenes.place import Place
from twinns_qgis.series.scenes.search import Wanted, find_scenes


def item(number, day, baseline, cloud, west, orbit):
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"S2A_31UES_{day.replace('-', '')}_{number}_L2A",
        "collection": "s2", "bbox": [west, 50, west + 1, 51], "links": [],
        "geometry": {"type": "Polygon", "coordinates": [
            [[west, 50], [west + 1, 50], [west + 1, 51], [west, 51], [west, 50]]
        ]},
        "properties": {
            "datetime": f"{day}T10:50:31Z", "eo:cloud_cover": cloud, "s2:processing_baseline": baseline,
            "platform": "sentinel-2a", "grid:code": "MGRS-31UES", "sat:orbit_state": "descending",
            "sat:relative_orbit": orbit,
        },
        "assets": {"B02": {"href": "https://example.org/B02.tif"}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The address of a real STAC API that holds the scenes."""
    path = tmp_path_factory.mktemp("api") / "items.json"
    items = [item(number, *scene) for number, scene in enumerate(SCENES)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    with stac_api(path) as address:
        yield address


def wanted(**changes):
    return Wanted(
        **{"collections": ["s2"], "place": AREA, "period": Period(date(2021, 1, 1), date(2021, 12, 31)), **changes}
    )


def test_the_scenes_of_an_area_and_a_year_become_a_list(tmp_path, api, listener):
    output = tmp_path / "scenes.geojson"
    assert find_scenes(output, Known(api), wanted(), listener) == 3
    content = json.loads(output.read_text())
    assert content["twinns:api"] == api
    columns = [[scene["properties"][name] for name in ("cloud", "date", "orbit", "tile", "baseline")]
               for scene in content["features"]]  # fmt: skip
    assert columns == [
        [10.0, "2021-06-01", "descending 51", "31UES", "05.00"],
        [80.0, "2021-06-11", "descending 51", "31UES", "05.00"],
        [20.0, "2021-07-01", "descending 8", "31UES", "05.00"],
    ]
    assert all(scene["geometry"]["type"] == "Polygon" for scene in content["features"])
    assert any("on example.org" in message for message in listener.messages)


def test_clouds_and_orbit_choose_among_scenes(tmp_path, api, listener):
    output = tmp_path / "scenes.geojson"
    assert find_scenes(output, Known(api), wanted(most_clouds=50, orbit=Orbit(relative=51)), listener) == 1
    assert json.loads(output.read_text())["features"][0]["properties"]["date"] == "2021-06-01"
    utm = Place.of_extent(Extent.parse("520000,530000,5560000,5570000 [EPSG:32631]"))
    assert find_scenes(output, Known(api), wanted(place=utm), listener) == 3


def test_polygons_choose_the_scenes_that_they_touch(tmp_path, api, listener):
    # Their hull reaches over both columns of scenes, they themselves over the eastern one alone.
    ring = shapely.box(3.9, 49.9, 9.9, 51.1) - shapely.box(4.1, 49.95, 9.05, 51.05)
    west, east = shapely.box(3.2, 50.2, 3.3, 50.3), shapely.box(9.2, 50.2, 9.3, 50.3)
    many = east.buffer(0.05, quad_segs=500)
    days = {}
    for name, shapes in (
        ("west", [west]),
        ("east", [east]),
        ("both", [west, east]),
        ("ring", [ring]),
        ("many", [many]),
    ):
        place = Place.of_polygons(geopandas.GeoSeries(shapes, crs=4326).to_crs(3035), name)
        find_scenes(tmp_path / name, Known(api), wanted(place=place), listener)
        scenes = json.loads((tmp_path / name).read_text())["features"]
        days[name] = [scene["properties"]["date"] for scene in scenes]
    west, east = ["2021-06-01", "2021-06-11", "2021-07-01"], ["2021-07-11"]
    assert days == {"west": west, "east": east, "both": west + east, "ring": west + east, "many": east}


def test_scenes_in_the_gaps_of_polygons_are_dropped(tmp_path, api, listener):
    # So many vertices that the API is asked for their hull, which lies over all scenes.
    corners = [shapely.Point(x, 50.5).buffer(0.1, quad_segs=200) for x in (2.5, 9.5)]
    place = Place.of_polygons(geopandas.GeoSeries(corners, crs=4326), "corners")
    assert shapely.geometry.shape(place.query["intersects"]).intersects(shapely.box(3, 50, 4, 51))
    assert find_scenes(tmp_path / "a", Known(api), wanted(place=place), listener) == 1


def test_nothing_found_says_what_to_change_and_leaves_no_list(tmp_path, api, listener):
    output = tmp_path / "scenes.geojson"
    elsewhere = Place.of_extent(Extent.parse("60,61,50,51 [EPSG:4326]"))
    with pytest.raises(InputError, match="has no scene"):
        find_scenes(output, Known(api), wanted(place=elsewhere), listener)
    with pytest.raises(InputError, match="none of them with at most 5 %"):
        find_scenes(output, Known(api), wanted(most_clouds=5), listener)
    assert not output.exists()


def test_an_api_that_sends_us_elsewhere_is_refused(tmp_path, listener):
    with serving(tmp_path) as server:
        server.before = lambda request: answer(request, 302, Location="http://localhost:1/stac")
        with pytest.raises(InputError, match="sends us to another host, localhost:1"):
            find_scenes(tmp_path / "a.geojson", Known(server.url), wanted(), listener)


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b"[]"])
def test_what_is_no_api_is_told(tmp_path, listener, content):
    with serving(tmp_path) as server:
        server.before = lambda request: answer(request, 200, content)
        with pytest.raises(InputError, match="can't be searched"):
            find_scenes(tmp_path / "a.geojson", Known(server.url), wanted(), listener)
