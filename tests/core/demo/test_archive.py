"""The simulated site as a STAC archive, read by pystac and rasterio, and by the plugin's own preparations."""

import json

import numpy as np
import pystac
import pytest
import rasterio

from twinns_qgis.demo import create_demo_site
from twinns_qgis.errors import InputError
from twinns_qgis.jobs.prepare_sentinel1 import PrepareSentinel1
from twinns_qgis.jobs.prepare_sentinel2 import PrepareSentinel2
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series

SIZE = 64
ALL_CLEAR = "SCL=0-11; CLM=0-255"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folders of a site and of its archive."""
    folder = tmp_path_factory.mktemp("demo")
    create_demo_site(folder / "site", size=SIZE, archive=folder / "archive.v1", reporter=Reporter())
    return folder / "site", folder / "archive.v1"


@pytest.fixture(scope="module")
def items(folders):
    catalog = pystac.Catalog.from_file(folders[1] / "catalog.json")
    return {child.id: list(child.get_items()) for child in catalog.get_children()}


def values(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def prepared(folder, kind=PrepareSentinel2, **parameters):
    output = parameters.pop("output")
    kind(folder=folder, output=output, **parameters).run(Reporter())
    return Series.open(output).read()


def test_the_archive_has_every_scene_and_nothing_else(folders, items):
    assert {name: len(found) for name, found in items.items()} == {"sentinel-2-l2a": 24, "sentinel-1-rtc": 30}
    assert sorted(path.name for path in folders[1].iterdir()) == ["catalog.json", "sentinel-1-rtc", "sentinel-2-l2a"]
    assert sorted(path.name for path in folders[0].parent.iterdir()) == ["archive.v1", "site"]
    written = [json.loads(path.read_text()) for path in folders[1].rglob("*.json")]
    assert all(link["href"].startswith(".") for content in written for link in content["links"])


def test_each_band_is_a_cloud_optimised_file_as_its_item_says(items):
    for item in (found[0] for found in items.values()):
        for asset in item.get_assets().values():
            assert asset.href.startswith("./")
            with rasterio.open(asset.get_absolute_href()) as dataset:
                assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
                said = asset.extra_fields
                assert (list(dataset.shape), str(dataset.crs)) == (said["proj:shape"], item.properties["proj:code"])
                assert list(dataset.transform)[:6] == said["proj:transform"]
                assert (dataset.nodata, dataset.dtypes[0]) == (said["nodata"], said["data_type"])


def test_footprints_lie_where_the_pixels_do(items):
    item = items["sentinel-2-l2a"][0]
    with rasterio.open(item.assets["B02"].get_absolute_href()) as dataset:
        bounds = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
    assert item.bbox == pytest.approx(bounds, abs=1e-6)


def test_pixels_are_those_of_the_sites_own_files(folders, items):
    item = items["sentinel-2-l2a"][3]
    (product,) = (folders[0] / "sentinel2").glob(f"*_{item.datetime:%Y%m%d}-*")
    for key, band in (("B02", "B2"), ("B8A", "B8A"), ("B11", "B11")):
        numbers = values(product / f"{product.name}_FRE_{band}.tif")
        np.testing.assert_array_equal(values(item.assets[key].get_absolute_href()), numbers)
    classes = values(item.assets["SCL"].get_absolute_href())
    mask = values(product / "MASKS" / f"{product.name}_CLM_R2.tif")
    np.testing.assert_array_equal(classes == 4, mask == 0)
    assert set(np.unique(classes)) == {3, 4, 9}
    assert item.properties["eo:cloud_cover"] == pytest.approx(100 * (mask & 2 > 0).mean(), abs=0.01)
    radar = items["sentinel-1-rtc"][0]
    (image,) = (folders[0] / "sentinel1").glob(f"*_vv_*_{radar.datetime:%Y%m%d}t*")
    power = values(radar.assets["vv"].get_absolute_href())
    np.testing.assert_allclose(10 * np.log10(power), values(image), atol=1e-4)


def test_the_archive_gives_the_series_of_the_site_where_masks_agree(folders, tmp_path):
    site, archive = folders[0] / "sentinel2", folders[1] / "sentinel-2-l2a"
    own = prepared(site, output=tmp_path / "a.tif", clear=ALL_CLEAR)
    np.testing.assert_array_equal(prepared(archive, output=tmp_path / "b.tif", clear=ALL_CLEAR), own)
    # By default the archive's mask, of 20 m, covers a bit more than the site's, of 10 m.
    own, other = prepared(site, output=tmp_path / "c.tif"), prepared(archive, output=tmp_path / "d.tif")
    assert 0 < (own != other).mean() < 0.1


def test_radar_differs_only_where_the_site_says_0_decibels(folders, tmp_path):
    prepared(folders[0] / "sentinel2", output=tmp_path / "reference.tif")
    series = [
        prepared(folder, PrepareSentinel1, output=tmp_path / name, reference=tmp_path / "reference.tif")
        for name, folder in (("a.tif", folders[0] / "sentinel1"), ("b.tif", folders[1] / "sentinel-1-rtc"))
    ]
    # Exactly 0 dB is what programs write where there is nothing: it is filled, and power of 1 is not.
    of_0_db = round((0 + 25) / 30 * 254) + 1
    different = series[0] != series[1]
    assert set(np.unique(series[1][different])) <= {of_0_db}


def test_an_archive_goes_to_a_folder_beside_the_site(tmp_path):
    for folder, archive in (("a", "a"), ("b", "b/archive"), ("c/site", "c")):
        (tmp_path / folder).mkdir(parents=True)
        with pytest.raises(InputError, match=r"one lies in the other|not empty"):
            create_demo_site(tmp_path / folder, size=SIZE, archive=tmp_path / archive, reporter=Reporter())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="of the archive is not empty"):
        create_demo_site(tmp_path / "new", size=SIZE, archive=tmp_path / "full", reporter=Reporter())
    assert not (tmp_path / "new").exists()
