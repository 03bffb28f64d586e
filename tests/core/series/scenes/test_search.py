"""Scene lists from a STAC API: a real one on loopback, and such as send one elsewhere."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path

import pytest
from file_server import answer, serving

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.scenes.archives import Known
from twinns_qgis.series.scenes.search import Wanted, find_scenes

SERVER = Path(sys.executable).with_name("rustac")
AREA = Extent.parse("3.2,3.3,50.2,50.3 [EPSG:4326]")
SCENES = (
    ("2021-06-01", "03.00", 10.0, 3, 51),
    ("2021-06-01", "05.00", 10.0, 3, 51),
    ("2021-06-11", "05.00", 80.0, 3, 51),
    ("2021-07-01", "05.00", 20.0, 3, 8),
    ("2021-07-11", "05.00", 20.0, 9, 51),
    ("2022-07-01", "05.00", 20.0, 3, 51),
)


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
    if not SERVER.is_file():
        pytest.skip("rustac is not installed, which serves the API")
    path = tmp_path_factory.mktemp("api") / "items.json"
    items = [item(number, *scene) for number, scene in enumerate(SCENES)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen([SERVER, "serve", "--addr", address, path], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{address}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()


def wanted(**changes):
    return Wanted(
        **{"collections": ["s2"], "extent": AREA, "period": Period(date(2021, 1, 1), date(2021, 12, 31)), **changes}
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
    utm = Extent.parse("520000,530000,5560000,5570000 [EPSG:32631]")
    assert find_scenes(output, Known(api), wanted(extent=utm), listener) == 3


def test_nothing_found_says_what_to_change_and_leaves_no_list(tmp_path, api, listener):
    output = tmp_path / "scenes.geojson"
    with pytest.raises(InputError, match="has no scene"):
        find_scenes(output, Known(api), wanted(extent=Extent.parse("60,61,50,51 [EPSG:4326]")), listener)
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
