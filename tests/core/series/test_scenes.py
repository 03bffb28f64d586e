"""Series from a scene list, whose files are on a server."""

import json
import re
import signal
import subprocess
import sys
from datetime import date

import numpy as np
import pytest
from cloud_optimised import write_cog
from file_server import answer
from killed import killed_after

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.area import Area
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel1.db_range import parse_db_range
from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2

SIDE = 640
DAYS = (date(2021, 6, 1), date(2021, 6, 11))
WIDE = "500500,505500,5594500,5599500 [EPSG:32631]"
EXTENT = Extent.parse("501000,501600,5598000,5598600 [EPSG:32631]")


@pytest.fixture
def archive(tmp_path):
    """Two dates of Sentinel-2 and of Sentinel-1 as an archive has them; returns the folder."""
    random, folder = np.random.default_rng(0), tmp_path / "archive"
    for day in DAYS:
        optical, radar = f"S2A_31UES_{day:%Y%m%d}_0_L2A", f"S1A_IW_GRDH_1SDV_{day:%Y%m%d}T055000_rtc"
        for name in (optical, radar):
            (folder / name).mkdir(parents=True)
        for band in ("B02", "B08"):
            write_cog(
                folder / optical / f"{band}.tif", random.integers(1, 4000, (SIDE, SIDE)).astype("uint16"), nodata=0
            )
        write_cog(folder / optical / "SCL.tif", random.choice([4, 9], (SIDE // 2, SIDE // 2)).astype("uint8"), 20)
        for band in ("vv", "vh"):
            write_cog(folder / radar / f"{band}.tif", random.gamma(4, 0.02, (SIDE, SIDE)).astype("float32"))
        for name, assets in ((optical, ("B02", "B08", "SCL")), (radar, ("vv", "vh"))):
            item = {
                "type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "links": [],
                "properties": {"datetime": f"{day}T10:50:31Z"},
                "assets": {asset: {"href": f"./{asset}.tif"} for asset in assets},
            }  # fmt: skip
            (folder / name / "item.json").write_text(json.dumps(item))
    return folder


@pytest.fixture
def prepare(tmp_path, listener):
    def run(name, memory=64, **inputs):
        prepare_sentinel2(
            Outputs(tmp_path / name),
            Inputs(**inputs),
            Period(None, None),
            area=Area(EXTENT),
            machine=Machine(memory),
            reporter=listener,
        )
        return (tmp_path / name).read_bytes()

    return run


def test_scenes_on_a_server_give_the_same_series_as_their_files(archive, scene_list, server, prepare, listener):
    assert prepare("remote.tif", scenes=scene_list()) == prepare("local.tif", folder=archive)
    assert any(server.host in message for message in listener.messages)
    assert len(server.requests) == len(set(server.requests))
    whole = sum(path.stat().st_size for path in archive.glob("S2*/*.tif"))
    assert server.sent < whole / 2


def test_a_series_goes_on_through_failures_of_the_server(archive, scene_list, server, prepare):
    count = iter(range(10**6))
    server.before = lambda request: next(count) % 4 == 2 and answer(request, 503)
    assert prepare("remote.tif", scenes=scene_list()) == prepare("local.tif", folder=archive)


def test_a_killed_call_goes_on_with_the_blocks_that_lack(tmp_path, archive, scene_list, server):
    def command(name, *inputs):
        words = "prepare-sentinel2", *inputs, "--extent", WIDE, "--memory", "1", "--output", str(tmp_path / name)
        return [sys.executable, "-m", "twinns_qgis", *words]

    from_server = command("remote.tif", "--scenes", str(scene_list()))
    subprocess.run(command("local.tif", "--folder", str(archive)), check=True)
    killed = subprocess.run(killed_after(2, tmp_path / "remote.tif.blocks", from_server), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "remote.tif").exists()
    done = subprocess.run(from_server, check=True, capture_output=True, text=True)
    assert re.search(r"2 of \d+ blocks are there from a call that was stopped", done.stderr)
    assert (tmp_path / "remote.tif").read_bytes() == (tmp_path / "local.tif").read_bytes()


def test_radar_on_a_server_gives_the_same_series_as_its_files(tmp_path, archive, scene_list, prepare, listener):
    prepare("reference.tif", folder=archive)
    for name, inputs in (("a.tif", Inputs(scenes=scene_list())), ("b.tif", Inputs(folder=archive))):
        prepare_sentinel1(
            tmp_path / name,
            inputs,
            Period(None, None),
            reference=tmp_path / "reference.tif",
            units="auto",
            orbit="any",
            speckle=0,
            db_range=parse_db_range("VV=-25:5,VH=-32:-2"),
            machine=Machine(64),
            reporter=listener,
        )
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


@pytest.mark.parametrize(
    ("href", "message"),
    [
        ("file:///etc/passwd", "gives none|No Sentinel-2 products"),
        ("/vsicurl/http://127.0.0.1:1/x.tif", "No Sentinel-2 products"),
        ("../../archive/secret.tif", "No Sentinel-2 products"),
        ("http://169.254.169.254/latest/B02.tif", "this machine or a service of its network"),
        ("s3://bucket/B02.tif", "in a bucket, of which the server is not known"),
    ],
)
def test_hostile_items_are_refused(scene_list, prepare, server, href, message):
    def change(items):
        for item in items:
            item["assets"] = {"B02": {"href": href}}

    with pytest.raises(InputError, match=message):
        prepare("out.tif", scenes=scene_list(change))
    assert not server.requests


@pytest.fixture
def local_list(tmp_path, archive):
    """Returns a function that writes a list of the scenes of a catalogue on disk; `href` changes paths of bands."""
    (archive / "catalog.json").write_text('{"type": "Catalog"}')

    def write(href=lambda path: path, api=archive / "catalog.json"):
        items = []
        for path in sorted(archive.glob("*/item.json")):
            item = json.loads(path.read_text())
            for asset in item["assets"].values():
                asset["href"] = href(f"{path.parent.name}/{asset['href'][2:]}")
            items.append(item)
        content = {"type": "FeatureCollection", "twinns:api": str(api), "features": items}
        (tmp_path / "lists").mkdir(exist_ok=True)
        (tmp_path / "lists" / "scenes.geojson").write_text(json.dumps(content))
        return tmp_path / "lists" / "scenes.geojson"

    return write


def test_scenes_of_a_catalogue_on_disk_are_read_from_its_folder(archive, local_list, prepare, listener):
    assert prepare("listed.tif", scenes=local_list()) == prepare("local.tif", folder=archive)
    assert f"Files are read from the folder {archive}, and from nowhere else." in listener.messages


def test_files_out_of_a_catalogue_s_folder_are_refused(tmp_path, archive, local_list, prepare):
    (name,) = {path.parent.name for path in archive.glob("S2*0601*/item.json")}
    (archive / name).rename(tmp_path / name)
    (archive / "link").symlink_to(tmp_path / name)
    (archive / "B02.tif").symlink_to(tmp_path / name / "B02.tif")
    for href in (
        f"../{name}/B02.tif", f"link/../../{name}/B02.tif", "link/B02.tif", "B02.tif", str(tmp_path / name / "B02.tif"),
        (tmp_path / name / "B02.tif").as_uri(), "/etc/passwd", "file:///etc/passwd",
    ):  # fmt: skip
        with pytest.raises(InputError, match="No Sentinel-2 products"):
            prepare("out.tif", scenes=local_list(lambda path, href=href: href))


def test_a_list_can_name_no_folder_without_a_catalogue(tmp_path, archive, local_list, prepare):
    (archive / "other.json").write_text('{"type": "Feature"}')
    for api in (archive, archive / "none.json", archive / "other.json", "/", "/etc/passwd"):
        with pytest.raises(InputError, match=r"made from the STAC catalogue .* which is not there"):
            prepare("out.tif", scenes=local_list(api=api))


def test_a_list_without_scenes_is_told(tmp_path, prepare):
    (tmp_path / "list.geojson").write_text("{}")
    with pytest.raises(InputError, match="is no scene list"):
        prepare("out.tif", scenes=tmp_path / "list.geojson")
