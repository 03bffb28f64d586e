"""Finding Sentinel-2 in GeoTIFFs of one band each, as WorldCereal's archives hold them."""

import shutil
from datetime import date

import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import files_below
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series

NAME = "S2B_L2A_20190904T074619_N9999R135T36MXB_36MXB"


@pytest.fixture
def archive(shared):
    """The real images of Sentinel-2 and Landsat 8, in a folder each."""
    return shared / "fixtures/ewoc/OPTICAL"


@pytest.fixture
def make_bands(write_raster):
    def make(folder, name=NAME, layers=("B02", "B03", "MASK")):
        for layer in layers:
            write_raster(folder / f"{name}_{layer}.tif", np.ones((1, 4, 4), "uint16"))

    return make


def test_files_that_begin_alike_are_a_product(tmp_path, make_bands, find_in):
    make_bands(tmp_path / "a" / NAME)
    make_bands(tmp_path, "S2A_36MXB_20190910_L2A_x", ("B02_10m", "B8A_20m", "SCL_20m"))
    first, second = find_in(folder=tmp_path)
    assert (first.name, first.date, sorted(first.bands)) == (NAME, date(2019, 9, 4), ["B2", "B3"])
    assert [(mask.name, mask.clear, mask.spreads) for mask in first.masks] == [("MASK", {1}, {0})]
    assert (second.date, sorted(second.bands), second.masks[0].name) == (date(2019, 9, 10), ["B2", "B8A"], "SCL")
    assert (first.bands["B2"].scale, first.bands["B2"].nodata) == (1e-4, 0)


def test_bands_of_other_sensors_are_passed_over_with_a_warning(tmp_path, make_bands, find_in, listener):
    make_bands(tmp_path / NAME)
    make_bands(tmp_path / "LC08", "LC08_L2SP_20190904_16906202T1_36MXB")
    assert [product.name for product in find_in(folder=tmp_path)] == [NAME]
    (warning,) = listener.warnings
    assert "LC08_L2SP_20190904_16906202T1_36MXB_B02.tif" in warning
    assert "named like a band" in warning


def test_a_band_twice_is_refused_with_both_files(tmp_path, make_bands, find_in):
    make_bands(tmp_path, layers=("B02", "B02_10m"))
    with pytest.raises(InputError, match=r"Two files hold B2 .*_B02\.tif and .*_B02_10m\.tif"):
        find_in(folder=tmp_path)


def test_the_real_mask_is_1_on_land_and_0_on_clouds(archive):
    blue = {0: [], 1: []}
    for path in archive.rglob("S2*_MASK.tif"):
        with rasterio.open(path) as mask, rasterio.open(str(path).replace("MASK", "B02")) as band:
            flags = np.kron(mask.read(1), np.ones((2, 2), int))
            for flag in blue:
                blue[flag].extend(band.read(1)[flags == flag] * 1e-4)
    assert len(blue[0]) > 50
    assert np.median(blue[1]) == pytest.approx(0.04, abs=0.01)
    assert min(blue[0]) > 0.1


def test_a_real_archive_becomes_a_series(archive, tmp_path, listener):
    for folder in [path for day in ("20190830", "20190904") for path in archive.rglob(f"{day}/S2*")]:
        shutil.copytree(folder, tmp_path / "in" / folder.name)
    landsat = next(archive.rglob("LC08_*"))
    shutil.copytree(landsat, tmp_path / "in" / landsat.name)
    output, inputs = tmp_path / "s2.tif", Inputs(folder=tmp_path / "in")
    prepare_sentinel2(Outputs(output), inputs, Period(), machine=Machine(64), reporter=listener)
    series = Series.open(output)
    assert series.dates == (date(2019, 8, 30), date(2019, 9, 4))
    assert series.bands == ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B11", "B12")
    assert "LC08" in listener.warnings[0]

    def read(day, layer):
        (path,) = (tmp_path / "in").rglob(f"S2*_{day}*_{layer}.tif")
        with rasterio.open(path) as dataset:
            return dataset.read(1)

    clear = np.kron(read("20190830", "MASK"), np.ones((2, 2), int)) == 1
    assert not clear.all()
    for order, layer in ((0, "B02"), (6, "B08")):
        own = [read(day, layer) for day in ("20190830", "20190904")]
        np.testing.assert_array_equal(series.read()[:, :, 0, order], np.where(clear, *own))
        np.testing.assert_array_equal(series.read()[:, :, 1, order], own[1])


def test_bands_are_found_in_archives(tmp_path, make_bands, find_in, pack):
    make_bands(tmp_path / NAME)
    pack(tmp_path / NAME, tmp_path / "a.zip")
    assert len(files_below(tmp_path)) == 3
    assert [product.name for product in find_in(folder=tmp_path)] == [NAME]
