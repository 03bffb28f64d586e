"""STAC items beside their assets, written as the large archives have them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.readers.search import Search, Sentinel2Options
from twinns_qgis.series.readers.stac_items import items_of
from twinns_qgis.series.sentinel1.preparation import find_sentinel1
from twinns_qgis.series.sentinel2.finding import find_sentinel2

TELLING = {"scale": 0.0001, "offset": -0.1, "nodata": 0}


@pytest.fixture
def make_item(tmp_path, write_raster):
    """Returns a function that writes an item and its files of 4 x 4 pixels, all of one number."""

    def make(name, assets, *, number=2000, version="1.0.0", in_item=None, suffix=".json", **properties):
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for asset in assets.values():
            href = asset["href"]
            if not href.startswith("http"):
                values = np.full(
                    (asset.pop("count", 1), 4, 4), asset.pop("number", number), asset.pop("dtype", "uint16")
                )
                write_raster(folder / href, values, nodata=asset.pop("told", None))
        item = {
            "type": "Feature", "stac_version": version, "id": name, "geometry": None, "links": [],
            "properties": {"datetime": "2023-06-01T10:50:31.024Z", **properties}, "assets": assets, **(in_item or {}),
        }  # fmt: skip
        path = folder / f"{name}{suffix}"
        path.write_text(json.dumps(item))
        return item

    return make


def reflectance(product):
    """Returns what each band's number comes out as."""
    values = {}
    for name, source in product.bands.items():
        with product.open() as files:
            values[name] = float(source.values(files, files[source.path].window(*files[source.path].bounds))[0, 0])
    return values


ARCHIVES = {
    # Element 84: names of the bands as keys, the offset told though it was taken off, and the originals beside.
    "earth-search": (
        {
            "blue": {"href": "B02.tif", "eo:bands": [{"name": "blue"}], "raster:bands": [TELLING]},
            "blue-jp2": {"href": "https://example.org/B02.jp2", "eo:bands": [{"name": "blue"}]},
            "nir08": {"href": "B8A.tif", "eo:bands": [{"name": "nir08"}], "raster:bands": [TELLING]},
            "rededge2": {"href": "B06.tif", "eo:bands": [{"name": "rededge2", "common_name": "rededge"}]},
            "scl": {"href": "SCL.tif", "raster:bands": [{"nodata": 0}], "number": 4, "dtype": "uint8"},
            "visual": {"href": "TCI.tif", "eo:bands": [{"name": "red"}, {"name": "blue"}], "count": 2},
        },
        {"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": True},
        {"B2": 0.2, "B8A": 0.2, "B6": 0.2},
        "SCL",
    ),
    "its collection 1": (
        {"red": {"href": "B04.tif", "eo:bands": [{"name": "red", "common_name": "red"}], "raster:bands": [TELLING]}},
        {"s2:processing_baseline": "05.00"},
        {"B4": 0.1},
        None,
    ),
    "earth-search v0": (
        {"B05": {"href": "B05.tif", "eo:bands": [{"name": "B05", "common_name": "rededge"}]}},
        {"sentinel:processing_baseline": "04.00", "sentinel:boa_offset_applied": True},
        {"B5": 0.2},
        None,
    ),
    "not taken off": (
        {"B11": {"href": "B11.tif"}},
        {"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": False},
        {"B11": 0.1},
        None,
    ),
    "none to take off": (
        {"B11": {"href": "B11.tif", "raster:bands": [TELLING]}},
        {"s2:processing_baseline": "02.14", "earthsearch:boa_offset_applied": False},
        {"B11": 0.2},
        None,
    ),
    # Planetary Computer: the baseline alone tells it.
    "planetary computer": (
        {
            "B02": {"href": "T31_B02_10m.tif", "eo:bands": [{"name": "B02", "common_name": "blue"}], "gsd": 10.0},
            "SCL": {"href": "T31_SCL_20m.tif", "number": 4, "dtype": "uint8"},
            "preview": {"href": "x.tif", "roles": ["overview"]},
        },
        {"s2:processing_baseline": "05.10"},
        {"B2": 0.1},
        "SCL",
    ),
    # Copernicus Data Space: 1.1, all in the asset, several resolutions.
    "data space": (
        {
            "B02_20m": {"href": "R20m/B02_20m.tif", "bands": [{"name": "B02", "eo:common_name": "blue"}], "gsd": 20,
                        "raster:scale": 0.0001, "raster:offset": -0.1, "nodata": 0, "number": 7},
            "B02_10m": {"href": "R10m/B02_10m.tif", "bands": [{"name": "B02", "eo:common_name": "blue"}], "gsd": 10,
                        "raster:scale": 0.0001, "raster:offset": -0.1, "nodata": 0},
            "B06_20m": {"href": "R20m/B06_20m.tif", "bands": [{"eo:common_name": "rededge075"}], "raster:offset": -0.1},
            "SCL_20m": {"href": "R20m/SCL_20m.tif", "number": 4, "dtype": "uint8"},
        },
        {"processing:version": "05.11"},
        {"B2": 0.1, "B6": 0.1},
        "SCL",
    ),
    "one file of reflectance": (
        {"image": {"href": "all.tif", "bands": [{"name": "B8A"}, {"name": "B12"}], "count": 2, "number": 0.25,
                   "dtype": "float32"}},
        {},
        {"B8A": 0.25, "B12": 0.25},
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("archive", ARCHIVES)
def test_items_of_the_archives_give_reflectance(tmp_path, make_item, find_in, archive):
    assets, properties, expected, mask = json.loads(json.dumps(ARCHIVES[archive]))
    make_item("S2B_31UES_20230601_0_L2A", assets, version="1.1.0" if archive == "data space" else "1.0.0", **properties)
    (product,) = find_in(folder=tmp_path)
    assert reflectance(product) == pytest.approx(expected)
    assert [one.name for one in product.masks] == ([mask] if mask else [])
    assert product.date.isoformat() == "2023-06-01"


OF_HLS = {name: {"href": f"{name}.tif", "number": 2000, "dtype": "int16"} for name in ("B04", "B05", "B06", "B8A")}
LANDSAT_SCALE = [{"nodata": 0, "scale": 2.75e-05, "offset": -0.2}]
OTHER_SENSORS = {
    "HLS.S30.T31UES.2023152T104629.v2.0": (
        "HLSS30_2.0", OF_HLS, {"B4": 0.2, "B5": 0.2, "B6": 0.2, "B8A": 0.2}, "Fmask", "FMASK"
    ),
    "HLS.L30.T31UES.2023152T103629.v2.0": ("hls2-l30", OF_HLS, {"B4": 0.2, "B8A": 0.2, "B11": 0.2}, "Fmask", "FMASK"),
    "LC08_L2SP_199024_20230601_02_T1": (
        "landsat-c2-l2",
        {
            "red": {"href": "SR_B4.tif", "eo:bands": [{"name": "OLI_B4"}], "raster:bands": LANDSAT_SCALE,
                    "number": 20000},
            "nir08": {"href": "SR_B5.tif", "number": 20000},
            "lwir11": {"href": "ST_B10.tif", "number": 20000},
        },
        {"B4": 0.35, "B8": 0.35},
        "qa_pixel",
        "QA_PIXEL",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_SENSORS)
def test_items_of_hls_and_landsat_have_the_bands_of_their_files(tmp_path, make_item, find_in, name):
    collection, assets, expected, mask, kind = OTHER_SENSORS[name]
    assets = {key: dict(asset) for key, asset in assets.items()}
    assets[mask] = {"href": f"{mask}.tif", "number": 0, "dtype": "uint16" if kind == "QA_PIXEL" else "uint8"}
    make_item(name, assets, in_item={"collection": collection})
    (product,) = find_in(folder=tmp_path)
    assert reflectance(product) == pytest.approx(expected)
    assert [one.name for one in product.masks] == [kind]


def test_items_of_landsat_are_not_mixed_with_sentinel_2(tmp_path, make_item, find_in):
    make_item("HLS.L30.T31UES.2023152T103629.v2.0", {"B04": {"href": "B04.tif"}}, in_item={"collection": "hls2-l30"})
    make_item("HLS.S30.T31UES.2023152T104629.v2.0", {"B04": {"href": "B04.tif"}}, in_item={"collection": "hls2-s30"})
    assert [product.name for product in find_in(folder=tmp_path)] == ["HLS.S30.T31UES.2023152T104629.v2.0"]


def test_an_archive_s_own_mix_of_offsets_becomes_one_series(tmp_path, make_item, find_in):
    for day, baseline, applied, number in (
        ("2021-01-26", "02.14", False, 1000), ("2022-02-25", "04.00", True, 1200), ("2022-03-27", "04.00", False, 2400),
    ):  # fmt: skip
        name = f"S2B_31UES_{day.replace('-', '')}_0_L2A"
        told = {"s2:processing_baseline": baseline, "earthsearch:boa_offset_applied": applied}
        make_item(name, {"B02": {"href": "./B02.tif"}}, number=number, datetime=f"{day}T10:50:31Z", **told)
    products = find_in(folder=tmp_path)
    assert [product.date.isoformat() for product in products] == ["2021-01-26", "2022-02-25", "2022-03-27"]
    assert [reflectance(product)["B2"] for product in products] == pytest.approx([0.10, 0.12, 0.14])


def test_an_offset_that_no_item_tells_is_asked_for(tmp_path, make_item, find_in):
    make_item("scene", {"B02": {"href": "B02.tif"}})
    with pytest.raises(InputError, match=r"scene .*tells neither the offset") as raised:
        find_in(folder=tmp_path)
    assert "OFFSET" in raised.value.hint
    assert reflectance(find_in(folder=tmp_path, offset="-1000")[0]) == pytest.approx({"B2": 0.1})
    make_item("scene", {"B02": {"href": "B02.tif"}}, datetime="2021-06-01T10:50:31Z")
    assert reflectance(find_in(folder=tmp_path)[0]) == pytest.approx({"B2": 0.2})


def test_files_are_found_beside_an_item_whose_addresses_are_remote(tmp_path, make_item, find_in, write_raster):
    make_item("a", {"B02": {"href": "https://example.org/1/B02.tif?sig=x"}}, **{"s2:processing_baseline": "02.14"})
    write_raster(tmp_path / "a" / "B02.tif", np.full((1, 4, 4), 900, "uint16"))
    (product,) = find_in(folder=tmp_path)
    assert product.bands["B2"].path == tmp_path / "a" / "B02.tif"


def test_a_collection_of_items_finds_its_files_below(tmp_path, make_item, find_in):
    items = [
        make_item(f"S2A_31UES_2021060{day}_0_L2A", {"B02": {"href": "B02.tif"}}, datetime=f"2021-06-0{day}T10:50:31Z")
        for day in (1, 4)
    ]
    for item in items:
        (tmp_path / item["id"] / f"{item['id']}.json").unlink()
    items[0]["assets"]["B02"]["href"] = (tmp_path / items[0]["id"] / "B02.tif").as_uri()
    (tmp_path / "items.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    products = find_in(folder=tmp_path)
    assert [product.bands["B2"].path.parent.name for product in products] == [item["id"] for item in items]


@pytest.mark.parametrize(
    "href", ["{uri}", "{path}", "../../elsewhere/B02.tif", "/vsizip/{path}", "https://example.org/{path}"]
)
def test_no_file_beyond_the_folder_is_read(tmp_path, make_item, find_in, write_raster, href):
    outside = tmp_path / "elsewhere" / "B02.tif"
    write_raster(outside, np.full((1, 4, 4), 900, "uint16"))
    item = make_item("S2A_31UES_20210601_0_L2A", {})
    item["assets"] = {"B02": {"href": href.format(uri=outside.as_uri(), path=outside)}}
    (tmp_path / item["id"] / f"{item['id']}.json").write_text(json.dumps(item))
    with pytest.raises(InputError, match="STAC items whose files are not there"):
        find_in(folder=tmp_path / item["id"])


def test_the_newest_baseline_counts_and_level_1c_does_not(tmp_path, make_item, find_in, listener):
    for name, baseline in (("S2A_31UES_20230601_0_L2A", "04.00"), ("S2A_31UES_20230601_1_L2A", "05.00")):
        told = {"s2:processing_baseline": baseline, "platform": "sentinel-2a"}
        make_item(name, {"B02": {"href": "B02.tif"}}, **told)
    make_item("S2A_31UES_20230601_0_L1C", {"B02": {"href": "B02.tif"}}, **{"s2:processing_baseline": "04.00"})
    assert [product.name for product in find_in(folder=tmp_path)] == ["S2A_31UES_20230601_1_L2A"]
    assert any("S2A_31UES_20230601_1_L2A is used" in warning for warning in listener.warnings)
    assert any("level 1C" in warning for warning in listener.warnings)


def test_the_item_s_projection_counts_where_a_file_has_none(tmp_path, make_item, find_in):
    make_item("a", {"B02": {"href": "B02.tif"}}, **{"s2:processing_baseline": "02.14", "proj:code": "EPSG:32633"})
    with rasterio.open(
        tmp_path / "a" / "B02.tif",
        "w",
        "GTiff",
        4,
        4,
        1,
        dtype="uint16",
        transform=from_origin(500000, 5600000, 10, 10),
    ) as dataset:
        dataset.write(np.full((1, 4, 4), 900, "uint16"))
    assert find_in(folder=tmp_path)[0].grid.crs.to_epsg() == 32633


@pytest.mark.parametrize("collection", ["sentinel-1-rtc", "s1_rtc", "OPERA_L2_RTC-S1_V1"])
def test_terrain_corrected_radar_is_power_with_its_orbit(tmp_path, make_item, listener, collection):
    file = {"dtype": "float32", "number": 0.1}
    make_item(
        "S1A_IW_GRDH_1SDV_20220315T055000_20220315T055025_042300_0240F0_rtc",
        {
            "vv": {"href": "iw-vv.rtc.tiff", "raster:bands": [{"nodata": -32768}], **file},
            "vh": {"href": "iw-vh.rtc.tiff", "raster:bands": [{"nodata": -32768}], **file},
            "mask": {"href": "mask.tif"},
        },
        in_item={"collection": collection},
        datetime=None,
        start_datetime="2022-03-15T05:50:00Z",
        **{"sat:orbit_state": "descending", "sat:relative_orbit": 110},
    )
    ((product,), _) = find_sentinel1(Inputs(folder=tmp_path), Period(None, None), listener)
    assert {(name, band.units, band.nodata) for name, band in product.bands.items()} == {
        ("VV", "power", -32768), ("VH", "power", -32768),
    }  # fmt: skip
    assert product.orbit == Orbit("descending", 110)
    assert product.date.isoformat() == "2022-03-15"


def test_real_items_tell_their_bands(shared, tmp_path, find_in, write_raster):
    source = shared / "fixtures/safe/stactools-sentinel2_Apache2"
    for path in source.glob("*/expected_output.json"):
        folder = tmp_path / path.parent.name.replace("MSIL2A", "item")
        folder.mkdir()
        item = json.loads(path.read_text())
        shutil.copy(path, folder / "item.json")
        for key, asset in item["assets"].items():
            if Path(asset["href"]).suffix in (".tif", ".jp2") and key not in ("preview",):
                asset["href"] = str(Path(asset["href"]).with_suffix(".tif"))
                write_raster(folder / asset["href"], np.full((1, 2, 2), 3000, "uint16"))
        (folder / "item.json").write_text(json.dumps(item))
    products = find_in(folder=tmp_path)
    assert len(products) == len(list(source.glob("*/expected_output.json")))
    for product in products:
        assert len(product.bands) == 10
        assert [mask.name for mask in product.masks] == ["SCL"]
        assert {band.path.name.split("_")[-1] for name, band in product.bands.items() if name == "B2"} == {"10m.tif"}
        expected = 0.3 if product.date.year < 2022 else 0.2
        assert reflectance(product) == pytest.approx(dict.fromkeys(product.bands, expected))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["assets", "href", "bands", "eo:bands", "raster:bands", "name", "properties", "datetime", "roles", "offset"]
    ) | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(assets=JSON, properties=JSON)
def test_items_of_any_content_end_in_a_message_at_most(tmp_path, listener, assets, properties):
    path = tmp_path / "item.json"
    path.write_text(json.dumps({"stac_version": "1.0.0", "id": "a", "assets": assets, "properties": properties}))
    for item in items_of([path], Search(AcquisitionDates(None, listener), listener)):
        list(item.bands())
    with pytest.raises(InputError):
        find_sentinel2(Inputs(folder=tmp_path), Sentinel2Options(), Period(None, None), listener)
