"""Static catalogues, written by pystac, on disk and on a web server; and such as lead elsewhere."""

import json
import shutil
from datetime import date, datetime

import pystac
import pytest
import shapely
from file_server import serving
from scenes import AREA, SCENES

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.scenes.archives import parse_archive, parse_collections
from twinns_qgis.series.scenes.place import Place
from twinns_qgis.series.scenes.search import Wanted, find_scenes


def item(number, day, baseline, cloud, west, orbit):
    square = shapely.box(west, 50, west + 1, 51)
    made = pystac.Item(
        f"S2A_31UES_{day.replace('-', '')}_{number}_L2A", shapely.geometry.mapping(square), list(square.bounds),
        datetime.fromisoformat(day), {
            "eo:cloud_cover": cloud, "s2:processing_baseline": baseline, "platform": "sentinel-2a",
            "sat:orbit_state": "descending", "sat:relative_orbit": orbit,
        },
    )  # fmt: skip
    made.add_asset("B02", pystac.Asset("./B02.tif"))
    return made


@pytest.fixture
def catalogue(tmp_path):
    """A catalogue with a catalogue of years above its collections; returns its folder."""
    collections = []
    for name, scenes in (("sentinel-2-l2a", SCENES), ("landsat", SCENES[:1])):
        items = [item(number, *scene) for number, scene in enumerate(scenes)]
        collections.append(pystac.Collection(name, name, pystac.Extent.from_items(items)))
        collections[-1].add_items(items)
    years = pystac.Catalog("years", "years")
    years.add_children(collections)
    root = pystac.Catalog("root", "root")
    root.add_child(years)
    root.normalize_hrefs(str(tmp_path / "archive"))
    root.save(pystac.CatalogType.SELF_CONTAINED)
    return tmp_path / "archive"


@pytest.fixture
def find(tmp_path, listener):
    """Returns a function that searches an archive, and returns the list."""

    def search(address, collections="sentinel-2", **changes):
        archive = parse_archive(str(address))
        period = Period(date(2021, 1, 1), date(2021, 12, 31))
        parts = {"collections": parse_collections(collections, archive), "place": AREA, "period": period, **changes}
        find_scenes(tmp_path / "scenes.geojson", archive, Wanted(**parts), listener)
        return json.loads((tmp_path / "scenes.geojson").read_text())

    return search


def days(content):
    return [scene["properties"]["date"] for scene in content["features"]]


@pytest.mark.parametrize("given", ["", "catalog.json"])
def test_a_catalogue_on_disk_is_filtered_as_an_api_does(catalogue, find, given):
    content = find(catalogue / given)
    assert days(content) == ["2021-06-01", "2021-06-11", "2021-07-01"]
    assert content["twinns:api"] == str(catalogue / "catalog.json")
    first = content["features"][0]
    assert first["properties"]["baseline"] == "05.00"
    (path,) = catalogue.rglob(f"{first['id']}.json")
    assert first["assets"]["B02"]["href"] == path.with_name("B02.tif").relative_to(catalogue).as_posix()
    assert days(find(catalogue / given, most_clouds=50, orbit=Orbit(relative=51))) == ["2021-06-01"]
    east = Place.of_extent(Extent.parse("9.2,9.3,50.2,50.3 [EPSG:4326]"))
    assert days(find(catalogue / given, place=east)) == ["2021-07-11"]


def test_a_collection_alone_is_searched_too(catalogue, find):
    assert len(days(find(catalogue / "years" / "sentinel-2-l2a" / "collection.json"))) == 3


def test_a_catalogue_on_a_server_is_searched_there(catalogue, find):
    with serving(catalogue) as server:
        content = find(f"{server.url}/catalog.json")
        assert days(content) == ["2021-06-01", "2021-06-11", "2021-07-01"]
        first = content["features"][0]
        expected = f"{server.url}/years/sentinel-2-l2a/{first['id']}/B02.tif"
        assert first["assets"]["B02"]["href"] == expected
        assert not any("landsat/" in path and "collection.json" not in path for path, _ in server.requests)


def test_a_missing_collection_is_told_with_those_that_are_there(catalogue, find):
    with pytest.raises(InputError, match="has no collection s2; it has landsat, sentinel-2-l2a"):
        find(catalogue, "s2")


@pytest.mark.parametrize("content", ["", "[]", "{}", "<html>", '{"type": "Catalog"}', "[" * 100_000])
def test_what_is_no_catalogue_is_told(tmp_path, find, content):
    (tmp_path / "catalog.json").write_text(content)
    with pytest.raises(InputError, match="can't be searched"):
        find(tmp_path)


def test_an_item_is_no_catalogue(catalogue, find):
    path = next(catalogue.rglob("S2A*.json"))
    with pytest.raises(InputError, match="is no STAC catalogue or collection, but Item"):
        find(path)


def test_what_is_no_path_of_a_catalogue_is_told(tmp_path, find):
    (tmp_path / "a.tif").touch()
    for path in (tmp_path, tmp_path / "a.tif"):
        with pytest.raises(InputError, match="is no STAC catalogue"):
            find(path)
    with pytest.raises(InputError, match="the path of a STAC catalogue"):
        find(tmp_path / "none" / "catalog.json")


def test_catalogues_that_lead_round_in_circles_end(catalogue, find):
    change(catalogue / "years" / "catalog.json", lambda content: content["links"].append(
        {"rel": "child", "href": "../catalog.json"}))  # fmt: skip
    assert len(days(find(catalogue))) == 3


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "href", ["file:///etc/passwd", "/etc/passwd", "../../secret.json", "http://127.0.0.1:9/a.json", "link/secret.json"]
)
def test_links_out_of_a_catalogue_s_folder_are_refused(catalogue, find, tmp_path, href):
    shutil.copy(next(catalogue.rglob("S2A*.json")), tmp_path / "secret.json")
    collection = catalogue / "years" / "sentinel-2-l2a"
    (collection / "link").symlink_to(tmp_path)
    href = href.replace("../../", "../../../")
    change(collection / "collection.json", lambda content: content["links"].append({"rel": "item", "href": href}))
    with pytest.raises(InputError, match="outside of its folder and is not read"):
        find(catalogue)


def test_links_from_a_server_to_disk_or_elsewhere_are_refused(catalogue, find, tmp_path):
    for href in ("file:///etc/passwd", "http://localhost:1/a.json"):
        change(catalogue / "catalog.json", lambda content, href=href: content["links"].insert(
            0, {"rel": "child", "href": href}))  # fmt: skip
        with serving(catalogue) as server, pytest.raises(InputError, match=r"which is not (read|contacted)"):
            find(f"{server.url}/catalog.json")


def test_files_outside_of_the_folder_are_not_in_the_list(catalogue, find):
    for path in catalogue.rglob("S2A*.json"):
        change(path, lambda content: content["assets"].update(
            {"B03": {"href": "/etc/passwd"}, "B04": {"href": "file:///etc/passwd"},
             "B05": {"href": "../" * 9 + "x.tif"}, "B08": {"href": "https://example.org/B08.tif"}}))  # fmt: skip
    assets = find(catalogue)["features"][0]["assets"]
    assert sorted(assets) == ["B02", "B08"]
    assert assets["B08"]["href"] == "https://example.org/B08.tif"
