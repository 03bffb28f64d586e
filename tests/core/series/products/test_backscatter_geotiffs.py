"""Finding Sentinel-1 in GeoTIFFs."""

from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.products.backscatter_geotiffs import find

ONE, TWO = np.ones((1, 4, 4), "float32"), np.ones((2, 4, 4), "float32")


@pytest.fixture
def find_in(listener):
    return lambda **given: find(Inputs(**given), AcquisitionDates(None, listener), listener)


def test_polarisations_are_known_by_description_or_by_name(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "S1_20180301.tif", TWO, names=("VV_dB", "VH_dB"))
    write_raster(tmp_path / "20180302.tif", TWO, names=("Gamma0_VH", "angle"))
    write_raster(tmp_path / "s1a_31UES_vv_DES_110_20180303txxxxxx.tif", ONE)
    write_raster(tmp_path / "S1A__IW___A_20180304T173017_VH_grd_mli_geo_norm_db.tif", ONE)
    found = [{name: source.index for name, source in product.bands.items()} for product in find_in(folder=tmp_path)]
    assert found == [{"VV": 1, "VH": 2}, {"VH": 1}, {"VV": 1}, {"VH": 1}]


def test_other_rasters_below_the_folder_are_passed_over(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "s1a_31UES_vv_DES_110_20180303txxxxxx.tif", ONE)
    write_raster(tmp_path / "s1a_31UES_vv_DES_110_20180303txxxxxx_BorderMask.tif", ONE)
    write_raster(tmp_path / "S2_20180303_10m.tif", ONE, names=("B02",))
    write_raster(tmp_path / "series.tif", ONE, names=("2018-03-03 VV",))
    (product,) = find_in(folder=tmp_path)
    assert product.date == date(2018, 3, 3)


def test_a_layer_without_polarisation_is_refused(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "S1_20180301.tif", TWO)
    with pytest.raises(InputError, match=r"S1_20180301\.tif.*VV or VH"):
        find_in(layers=(tmp_path / "S1_20180301.tif",))


def test_undated_files_are_listed(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "vv.tif", ONE)
    write_raster(tmp_path / "VH.tif", ONE)
    with pytest.raises(InputError, match=r"2 of 2 files.*VH\.tif.*vv\.tif"):
        find_in(folder=tmp_path)


def test_one_polarisation_twice_in_a_file_is_refused(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "S1_20180301.tif", TWO, names=("VV asc", "VV desc"))
    with pytest.raises(InputError, match="bands 1 and 2 are both VV"):
        find_in(folder=tmp_path)
