"""What findscenes finds in the demo site's archive, on disk and on a web server."""

import json

import pytest
from file_server import serving

from twinns_qgis.demo import create_demo_site
from twinns_qgis.errors import InputError
from twinns_qgis.jobs.find_scenes import FindScenes
from twinns_qgis.jobs.prepare_sentinel1 import PrepareSentinel1
from twinns_qgis.jobs.prepare_sentinel2 import PrepareSentinel2
from twinns_qgis.reporter import Reporter

EXTENT = "3.56,3.61,50.88,50.92 [EPSG:4326]"
OPTICAL, RADAR = "sentinel-2-l2a", "sentinel-1-rtc"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder of a demo site, ``site``, and its archive, ``archive``."""
    folder = tmp_path_factory.mktemp("demo")
    create_demo_site(folder / "site", size=64, archive=folder / "archive", reporter=Reporter())
    return folder


@pytest.fixture(scope="module")
def series(demo, tmp_path_factory):
    """The series of both sensors, by collection, prepared from the folders of the archive."""
    folder = tmp_path_factory.mktemp("series")
    paths = {name: folder / f"{name}.tif" for name in (OPTICAL, RADAR)}
    PrepareSentinel2(folder=demo / "archive" / OPTICAL, output=paths[OPTICAL]).run(Reporter())
    PrepareSentinel1(folder=demo / "archive" / RADAR, reference=paths[OPTICAL], output=paths[RADAR]).run(Reporter())
    return paths


def found(folder, api, **parameters):
    """The list of scenes of a year."""
    year = {"start": "2018-01-01", "end": "2018-12-31", "extent": None if "polygons" in parameters else EXTENT}
    values = {"api": str(api), "output": folder / "scenes.geojson", **year, **parameters}
    FindScenes.from_values(values).run(Reporter())
    return folder / "scenes.geojson"


def assert_same_series(folder, series, api):
    """Asserts that both sensors' scene lists give the series that their folders give."""
    scenes = found(folder, api, collections=OPTICAL)
    PrepareSentinel2(scenes=scenes, output=folder / "optical.tif").run(Reporter())
    assert (folder / "optical.tif").read_bytes() == series[OPTICAL].read_bytes()
    scenes = found(folder, api, collections=RADAR)
    PrepareSentinel1(scenes=scenes, reference=folder / "optical.tif", output=folder / "radar.tif").run(Reporter())
    assert (folder / "radar.tif").read_bytes() == series[RADAR].read_bytes()


def test_a_catalogue_on_a_web_server_gives_the_series_of_its_folders(demo, series, tmp_path):
    with serving(demo / "archive") as server:
        assert_same_series(tmp_path, series, f"{server.url}/catalog.json")


def test_radar_has_no_tile_though_its_names_look_like_it(demo, tmp_path):
    scenes = json.loads(found(tmp_path, demo / "archive", collections=RADAR).read_text())["features"]
    assert "_1SDV_" in scenes[0]["id"]
    assert {scene["properties"]["tile"] for scene in scenes} == {""}


def test_polygons_stand_for_an_area(demo, tmp_path):
    polygons = f"{demo / 'site' / 'polygons.gpkg'}|layername=polygons"
    scenes = json.loads(found(tmp_path, demo / "archive", polygons=polygons, max_cloud=30).read_text())["features"]
    clouds = [scene["properties"]["cloud"] for scene in scenes]
    assert 0 < len(clouds) < 24
    assert max(clouds) <= 30


def test_an_area_or_polygons_are_needed_and_not_both(demo, tmp_path):
    with pytest.raises(InputError, match="Neither an area nor polygons"):
        found(tmp_path, demo / "archive", extent=None)
    with pytest.raises(InputError, match="Both an area and polygons"):
        found(tmp_path, demo / "archive", polygons="a.gpkg", extent=EXTENT)
