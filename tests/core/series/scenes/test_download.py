"""Downloads from a scene list: what they hold, that they go on, and that the series from them is the same."""

import hashlib
import json
import signal
import subprocess
import sys
from datetime import date

import numpy as np
import pytest
import rasterio
from cloud_optimised import write_cog
from file_server import answer
from rasterio.windows import from_bounds

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.area import Area
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.scenes.download import download_scenes, parse_layers
from twinns_qgis.series.sentinel1.db_range import parse_db_range
from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1
from twinns_qgis.series.sentinel2.cloud_mask import Clouds
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2

SIDE = 640
DAYS = (date(2021, 6, 1), date(2021, 6, 11), date(2022, 6, 1))
EXTENT = "501000,501600,5598000,5598600 [EPSG:32631]"
ELSEWHERE = "503000,503600,5596000,5596600 [EPSG:32631]"
BANDS = {"B02": ("blue", 10), "B08": ("nir", 10), "B11": ("swir16", 20), "SCL": ("scl", 20)}


@pytest.fixture
def archive(tmp_path):
    """Three dates of Sentinel-2 and one of Sentinel-1 as archives have them; returns the folder."""
    random, folder = np.random.default_rng(0), tmp_path / "archive"
    for day in DAYS:
        name = f"S2A_31UES_{day:%Y%m%d}_0_L2A"
        (folder / name).mkdir(parents=True)
        assets = {}
        for band, (key, resolution) in BANDS.items():
            side = SIDE * 10 // resolution
            scene = random.choice([4, 9], (side, side), p=[0.998, 0.002])
            values = scene if band == "SCL" else random.integers(0, 4000, (side, side))
            write_cog(
                folder / name / f"{band}.tif", values.astype("uint8" if band == "SCL" else "uint16"), resolution,
                nodata=0,
            )  # fmt: skip
            assets[key] = {"href": f"{band}.tif", "type": "image/tiff", "title": band}
        properties = {"datetime": f"{day}T10:50:31Z", "platform": "sentinel-2a", "s2:processing_baseline": "04.00"}
        write_item(folder, name, properties, assets)
    radar = "S1A_IW_GRDH_1SDV_20210601T055000_rtc"
    (folder / radar).mkdir()
    for band in ("vv", "vh"):
        write_cog(folder / radar / f"iw-{band}.rtc.tiff", random.gamma(4, 0.02, (SIDE, SIDE)).astype("float32"))
    assets = {band: {"href": f"iw-{band}.rtc.tiff"} for band in ("vv", "vh")}
    write_item(folder, radar, {"datetime": "2021-06-01T05:50:00Z", "platform": "sentinel-1a"}, assets)
    return folder


def write_item(folder, name, properties, assets):
    item = {"type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "links": [],
            "properties": properties, "assets": assets}  # fmt: skip
    (folder / name / "item.json").write_text(json.dumps(item))


@pytest.fixture
def download(tmp_path, scene_list, listener):
    """Returns a function that downloads scenes to a folder, and returns that."""

    def run(scenes=None, *, extent=EXTENT, folder="downloads", **options):
        path = tmp_path / folder
        download_scenes(
            path, scenes or scene_list(), listener, extent=Extent.parse(extent) if extent else None, **options
        )
        return path

    return run


@pytest.fixture
def prepare(tmp_path, listener):
    """Returns a function that prepares a series of Sentinel-2, and returns its bytes."""

    def run(name, extent=EXTENT, dilation=0, **inputs):
        prepare_sentinel2(
            Outputs(tmp_path / name), Inputs(**inputs), Period(None, None), area=Area(Extent.parse(extent)),
            clouds=Clouds(dilation=dilation), machine=Machine(64), reporter=listener,
        )  # fmt: skip
        return (tmp_path / name).read_bytes()

    return run


def rasters(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.tif*"))


def tell(folder, key, scene="S2A_31UES_20210601_0_L2A"):
    """What the item of a download tells of an asset, and the asset's file."""
    asset = json.loads((folder / scene / f"{scene}.json").read_text())["assets"][key]
    return asset, folder / scene / asset["href"]


@pytest.mark.parametrize("extent", [EXTENT, "3.0145,3.0215,50.5338,50.5382 [EPSG:4326]"])
@pytest.mark.parametrize("dilation", [0, 200])
def test_a_series_from_downloads_is_that_from_the_list(scene_list, server, prepare, download, extent, dilation):
    expected = prepare("expected.tif", extent, dilation, scenes=scene_list())
    folder, asked = download(extent=extent), len(server.requests)
    assert prepare("out.tif", extent, dilation, folder=folder) == expected
    assert len(server.requests) == asked


@pytest.mark.parametrize("extent", [EXTENT, None])
def test_files_beside_the_list_are_copied_from_there(archive, prepare, download, extent):
    items = [json.loads(path.read_text()) for path in sorted(archive.glob("S2*/item.json"))]
    for item in items:
        for asset in item["assets"].values():
            asset["href"] = f"./{item['id']}/{asset['href']}"
    (archive / "list.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    folder = download(archive / "list.geojson", extent=extent)
    assert len(rasters(folder)) == 12
    assert prepare("a.tif", folder=folder) == prepare("b.tif", folder=archive)


def test_radar_from_downloads_is_that_from_the_list(tmp_path, scene_list, prepare, download, listener):
    prepare("reference.tif", scenes=scene_list())
    for name, inputs in (("a.tif", Inputs(scenes=scene_list())), ("b.tif", Inputs(folder=download()))):
        prepare_sentinel1(
            tmp_path / name, inputs, Period(None, None), reference=tmp_path / "reference.tif", units="auto",
            orbit="any", speckle=0, db_range=parse_db_range("VV=-25:5,VH=-32:-2"), machine=Machine(64),
            reporter=listener,
        )  # fmt: skip
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_a_window_holds_the_pixels_of_its_file_on_the_same_grid(archive, download):
    folder = download(margin=0)
    for key, band in (("blue", "B02"), ("swir16", "B11"), ("scl", "SCL")):
        asset, path = tell(folder, key)
        with rasterio.open(path) as part, rasterio.open(archive / path.parent.name / f"{band}.tif") as whole:
            window = from_bounds(*part.bounds, whole.transform)
            np.testing.assert_array_equal(part.read(), whole.read(window=window))
            assert (part.crs, part.nodata, part.dtypes, part.res) == (whole.crs, 0, whole.dtypes, whole.res)
            assert part.bounds.left < 501000 < 501600 < part.bounds.right
            assert part.width < whole.width / 4
            assert part.profile["compress"] == "deflate"
            assert part.profile["tiled"]
        assert asset["proj:shape"] == [part.height, part.width]


def test_only_tiles_of_the_area_are_read_and_only_from_the_server_that_was_told(archive, server, download, listener):
    folder = download()
    whole = sum(path.stat().st_size for path in archive.rglob("*.tif*"))
    assert server.sent < whole / 2
    assert any(server.host in message for message in listener.messages)
    assert len(rasters(folder)) == len(rasters(archive)) == 14


def test_an_item_lies_beside_its_files_and_tells_their_checksums(scene_list, server, download):
    def change(items):
        items[1]["links"] = [{"rel": "self", "href": f"{server.url}/a.json"}, {"rel": "parent", "href": "../b.json"}]
        items[1]["assets"]["blue"] |= {"raster:bands": [{"offset": -0.1}], "alternate": {"s3": {"href": "s3://a/b"}}}
        items[1]["assets"]["thumbnail"] = {"href": f"{server.url}/a.png"}

    folder = download(scene_list(change))
    asset, path = tell(folder, "blue")
    assert path.name == "B02.tif"
    assert asset["file:size"] == path.stat().st_size
    assert asset["file:checksum"] == "1220" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert (asset["title"], asset["raster:bands"]) == ("B02", [{"offset": -0.1}])
    item = json.loads((path.parent / f"{path.parent.name}.json").read_text())
    assert "alternate" not in asset
    assert set(item["assets"]) == {"blue", "nir", "swir16", "scl"}
    assert item["links"] == [{"rel": "derived_from", "href": f"{server.url}/a.json"}]
    assert item["properties"]["s2:processing_baseline"] == "04.00"
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".tif", ".tiff"}


def test_a_second_call_reads_nothing_over_the_network(server, download, listener):
    folder = download()
    before, asked = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}, len(server.requests)
    download()
    assert len(server.requests) == asked
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path != folder} == {
        path: when for path, when in before.items() if path != folder
    }
    assert any("14 of 14 files are there" in message for message in listener.messages)


@pytest.mark.parametrize("harm", ["cut short", "a byte differs", "gone"])
def test_what_is_damaged_is_fetched_once_more_and_nothing_else(server, download, harm):
    folder = download()
    _, path = tell(folder, "nir")
    good = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(good[:-500] if harm == "cut short" else good[:-1] + bytes([good[-1] ^ 1]))
    server.requests.clear()
    download()
    assert path.read_bytes() == good
    assert {request for request, _ in server.requests} <= {f"/{path.parent.name}/B08.tif"}


def test_another_area_is_fetched_and_a_part_of_the_first_is_not(server, download):
    folder = download()
    asked = len(server.requests)
    download(extent="501200,501400,5598200,5598400 [EPSG:32631]")
    assert len(server.requests) == asked
    download(extent=ELSEWHERE, bands="B2")
    assert len(server.requests) > asked
    for key in ("blue", "scl"):  # all bands of a scene show one area
        with rasterio.open(tell(folder, key)[1]) as part:
            assert part.bounds.left < 503000 < 503600 < part.bounds.right


def test_bands_choose_what_is_fetched_and_later_calls_add(download):
    folder = download(bands="blue, VV")
    assert rasters(folder) == [
        "S1A_IW_GRDH_1SDV_20210601T055000_rtc/iw-vv.rtc.tiff",
        *(f"S2A_31UES_{day:%Y%m%d}_0_L2A/B02.tif" for day in DAYS),
    ]
    download(bands="SCL")
    assert len(rasters(folder)) == 7
    assert parse_layers("B8A, scl,vh") == {"B8A", "SCL", "VH"}


def test_without_an_area_files_are_those_of_the_archive_byte_by_byte(archive, prepare, download):
    folder = download(extent=None)
    for path in archive.rglob("*.tif*"):
        assert (folder / path.relative_to(archive)).read_bytes() == path.read_bytes()
    assert prepare("a.tif", folder=folder) == prepare("b.tif", folder=archive)


@pytest.mark.parametrize("told", [{"file:size": 5}, {"file:checksum": "1220" + 64 * "0"}])
def test_a_whole_file_that_is_not_the_one_of_its_item_is_refused(scene_list, download, told):
    with pytest.raises(InputError, match=r"B02.tif is not the file of which its item tells size and checksum"):
        download(scene_list(lambda items: items[1]["assets"]["blue"].update(told)), extent=None)


def test_a_whole_file_that_is_the_one_of_its_item_is_taken(archive, scene_list, download):
    content = (archive / "S2A_31UES_20210601_0_L2A/B02.tif").read_bytes()
    told = {"file:size": len(content), "file:checksum": "d50110" + hashlib.md5(content).hexdigest()}
    download(scene_list(lambda items: items[1]["assets"]["blue"].update(told)), extent=None)


def test_a_scene_whose_file_is_gone_is_named_and_the_others_are_kept(archive, prepare, scene_list, download, listener):
    (archive / "S2A_31UES_20210611_0_L2A/B08.tif").unlink()
    with pytest.raises(InputError, match=r"1 of 4 scenes could not be had.*\n- S2A_31UES_20210611_0_L2A: .*B08.tif"):
        download()
    folder = archive.parent / "downloads"
    assert len(list(folder.glob("*/*.json"))) == 3
    assert len([path for path in rasters(folder) if "20210611" not in path]) == 10
    assert not list(folder.glob("*20210611*/*.tif"))


def test_an_archive_that_fails_for_good_is_not_asked_for_all_scenes(archive, server, scene_list, download):
    server.before = lambda request: answer(request, 404)

    def change(items):
        items += [{**items[-1], "id": f"S2A_31UES_2021070{day}_0_L2A",
                   "properties": {**items[-1]["properties"], "datetime": f"2021-07-0{day}T10:50:31Z"}}
                  for day in range(1, 9)]  # fmt: skip

    with pytest.raises(InputError, match="5 scenes one after the other could not be had"):
        download(scene_list(change, only="S2"))


def test_a_busy_server_is_asked_again(server, prepare, scene_list, download):
    count = iter(range(10**6))
    server.before = lambda request: next(count) % 4 == 2 and answer(request, 503)
    folder = download()
    server.before = lambda request: False
    assert prepare("a.tif", folder=folder) == prepare("b.tif", scenes=scene_list())


def test_a_cancelled_call_keeps_what_is_fetched(server, download, listener):
    def stop(fraction, message=""):
        listener.stop = message.startswith("6 of 14 files")

    listener.progress = stop
    with pytest.raises(Cancelled):
        download()
    listener.progress, listener.stop = (lambda fraction, message="": None), False
    download()
    told = [message for message in listener.messages if "files are there" in message]
    assert int(told[0].partition(" ")[0]) >= 6


def test_a_killed_call_goes_on_and_leaves_the_bytes_of_an_undisturbed_one(tmp_path, server, scene_list, download):
    scenes, folder = scene_list(), tmp_path / "killed"
    download(scenes)
    call = ["download-scenes", "--scenes", str(scenes), "--extent", EXTENT, "--folder", str(folder)]
    script = f"""
import itertools, os, signal, sys
from twinns_qgis.jobs.command_line import main
from twinns_qgis.series.scenes import kept

write, count = kept._write, itertools.count()

def write_or_die(path, content):
    write(path, content)
    if next(count) == 6:
        os.kill(os.getpid(), signal.SIGKILL)

kept._write = write_or_die
sys.exit(main({call!r}))
"""
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert list(folder.rglob("*.unfinished"))
    done = subprocess.run([sys.executable, "-m", "twinns_qgis", *call], check=True, capture_output=True, text=True)
    assert "files are there, and as they were fetched" in done.stderr
    content = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    undisturbed = tmp_path / "downloads"
    assert content == {path.relative_to(undisturbed): path.read_bytes() for path in undisturbed.rglob("*.*")
                       if path.is_file()}  # fmt: skip


def test_what_is_unfinished_is_no_product(archive, server, prepare, download):
    name = "S2A_31UES_20220601_0_L2A"
    gone, head = f"/{name}/B08.tif", "bytes=0-"
    server.before = lambda request: (
        request.path == gone and not request.headers["Range"].startswith(head) and answer(request, 404)
    )
    scene = archive.parent / "downloads" / name
    with pytest.raises(InputError, match=rf"{name}: .*B08.tif is not on its server"):
        download()
    assert {path.suffix for path in scene.iterdir()} == {".unfinished"}
    prepare("a.tif", folder=scene.parent)
    with rasterio.open(archive.parent / "a.tif") as series:
        assert "20220601" not in series.tags()["PRODUCTS"]


def test_windows_of_jpeg_2000_keep_the_offset_of_the_agency(archive, write_jp2, scene_list, prepare, download):
    """Element 84 says of its GeoTIFFs alone that it took the offset off."""
    name = "S2A_31UES_20220601_0_L2A"
    write_jp2(archive / name / "B02.jp2", np.full((SIDE, SIDE), 1500, "uint16"), 10)

    def change(items):
        (item,) = items
        item["assets"]["blue"]["href"] = item["assets"]["blue"]["href"].replace(".tif", ".jp2")
        item["properties"]["earthsearch:boa_offset_applied"] = True

    scenes = scene_list(change, only="S2A_31UES_2022")
    folder = download(scenes)
    assert tell(folder, "blue", name)[1].name == "B02.tif"
    assert prepare("a.tif", folder=folder) == prepare("b.tif", scenes=scenes)
    with rasterio.open(archive.parent / "a.tif") as series:
        assert set(np.unique(series.read(1))) == {500, -32768}  # of number 1500; under a cloud


def test_a_disk_without_room_is_refused_before_anything_is_fetched(download, monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10_000}))
    with pytest.raises(InputError, match=r"has 10 kB free, and about .* are needed"):
        download()
    assert not list((tmp_path / "downloads").iterdir())


@pytest.mark.parametrize("there", ["B02.tif", "S2A_31UES_20210601_0_L2A.json"])
def test_what_others_put_there_is_not_replaced(tmp_path, download, there):
    path = tmp_path / "downloads/S2A_31UES_20210601_0_L2A" / there
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(InputError, match=f"{there} was not written by downloadscenes"):
        download()
    assert path.read_text() == "precious"


def test_names_of_scenes_lead_nowhere_else(tmp_path, scene_list, download):
    def change(items):
        items[0]["id"] = "../../S2A_31UES_x"

    folder = download(scene_list(change, only="S2A_31UES_2021"))
    assert {path.name for path in folder.iterdir()} == {"S2A_31UES_x", "S2A_31UES_20210611_0_L2A"}


def test_scenes_of_another_list_in_the_folder_are_told(scene_list, download, listener):
    download(scene_list(only="S1"))
    assert not listener.warnings
    download(scene_list(only="S2"))
    assert "1 are not on the list, such as S1A_IW_GRDH_1SDV_20210601T055000_rtc" in listener.warnings[0]


def test_what_is_to_be_fetched_is_told_before(server, download, listener):
    download()
    (told,) = (message for message in listener.messages if "are to be fetched" in message)
    assert told.startswith("14 files are to be fetched, about ")
    kilobytes = float(told.split()[-2]) * {"kB": 1, "MB": 1000}[told.split()[-1].rstrip(".")]
    assert kilobytes == pytest.approx(server.sent / 1000, rel=0.5)  # heads come on top


def test_an_area_without_scenes_is_told(download):
    with pytest.raises(InputError, match="No scene overlaps the extent"):
        download(extent="60,61,50,51 [EPSG:4326]")


def test_bands_that_are_not_there_are_told(download):
    with pytest.raises(InputError, match=r"No scene of .* has B8A"):
        download(bands="B8A")
    with pytest.raises(InputError, match="BANDS names B99"):
        download(bands="B99")
