"""From an area and a year to series, over an archive as they are: a STAC API and a file server, both on loopback."""

import json
from datetime import date

import pytest
from file_server import serving
from stac_api import stac_api

from twinns_qgis.demo import create_demo_site
from twinns_qgis.jobs.download_scenes import DownloadScenes
from twinns_qgis.jobs.find_scenes import FindScenes
from twinns_qgis.jobs.prepare_sentinel1 import PrepareSentinel1
from twinns_qgis.jobs.prepare_sentinel2 import PrepareSentinel2
from twinns_qgis.reporter import Reporter

EXTENT = "540100,540500,5639500,5639900 [EPSG:32631]"
PERIOD = {"start": date(2018, 4, 1), "end": date(2018, 7, 31)}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with a simulated site and its archive."""
    folder = tmp_path_factory.mktemp("archive")
    create_demo_site(folder / "site", size=64, archive=folder / "archive", reporter=Reporter())
    return folder


@pytest.fixture
def api(site, tmp_path):
    """The address of a real STAC API, whose items lead to a file server."""
    with serving(site / "archive") as server:
        items = []
        for path in sorted((site / "archive").glob("*/*/*.json")):
            item = json.loads(path.read_text())
            for asset in item["assets"].values():
                place = (path.parent / asset["href"]).relative_to(site / "archive")
                asset["href"] = f"{server.url}/{place.as_posix()}"
            items.append({**item, "links": []})
        (tmp_path / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
        with stac_api(tmp_path / "items.json") as address:
            yield address


@pytest.mark.parametrize("where", ["api", "catalogue"])
def test_an_area_and_a_year_become_the_series_of_the_archives_files(site, api, tmp_path, where):
    lists = {}
    for sensor, collection in ((1, "sentinel-1-rtc"), (2, "sentinel-2-l2a")):
        lists[sensor] = tmp_path / f"{sensor}.geojson"
        FindScenes(
            api=api if where == "api" else str(site / "archive"),
            collections=collection,
            polygons=str(site / "site" / "polygons.gpkg"),
            **PERIOD,
            output=lists[sensor],
        ).run(Reporter())
    expected = _prepare(tmp_path, "files", {sensor: {"folder": site / "archive"} for sensor in lists})
    assert _prepare(tmp_path, "scenes", {sensor: {"scenes": path} for sensor, path in lists.items()}) == expected
    for sensor, path in lists.items():
        DownloadScenes(scenes=path, extent=EXTENT, folder=tmp_path / f"download{sensor}").run(Reporter())
    downloads = {sensor: {"folder": tmp_path / f"download{sensor}"} for sensor in lists}
    assert _prepare(tmp_path, "downloads", downloads) == expected


def _prepare(folder, name, inputs):
    """Returns the bytes of both series."""
    optical, radar = folder / f"{name}2.tif", folder / f"{name}1.tif"
    PrepareSentinel2(**inputs[2], **PERIOD, step=10, extent=EXTENT, output=optical).run(Reporter())
    PrepareSentinel1(**inputs[1], **PERIOD, step=10, reference=optical, output=radar).run(Reporter())
    return [optical.read_bytes(), radar.read_bytes()]
