"""Products of MACCS in their native format."""

from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import SENTINEL2_BANDS, Series

SIDE = 16
RANDOM = np.random.default_rng(0)


@pytest.fixture
def product(tmp_path, write_raster):
    folder = tmp_path / "in" / "S2A_OPER_SSC_L2VALD_31TCJ____20160101.DBL.DIR"
    fine, coarse = RANDOM.integers(100, 5000, (4, SIDE, SIDE)), RANDOM.integers(100, 5000, (6, SIDE // 2, SIDE // 2))
    fine[:, 0] = -10000
    clouds = np.zeros((1, SIDE, SIDE), "uint8")
    clouds[:, 5] = 3
    layers = {"IMG": {"FRE_R1": (fine, 10), "FRE_R2": (coarse, 20)}, "ANX": {"CLD_R1": (clouds, 10)}}
    for kind, files in layers.items():
        for layer, (values, resolution) in files.items():
            name = f"S2A_OPER_SSC_PDT{kind}_L2VALD_31TCJ____20160101_{layer}.DBL.TIF"
            write_raster(folder / name, values.astype("int16"), resolution=resolution)
    return folder, fine


def prepare(tmp_path, listener, reflectance="FRE"):
    prepare_sentinel2(
        Outputs(tmp_path / "out.tif"),
        Inputs(folder=tmp_path / "in"),
        Period(),
        options=Sentinel2Options(reflectance=reflectance),
        machine=Machine(64),
        reporter=listener,
    )
    return Series.open(tmp_path / "out.tif")


def test_bands_lie_in_a_file_a_resolution_and_clouds_beside_them(product, tmp_path, listener):
    series = prepare(tmp_path, listener)
    assert (series.bands, series.dates) == (SENTINEL2_BANDS, (date(2016, 1, 1),))
    expected = product[1].transpose(1, 2, 0).copy()
    expected[[0, 5]] = series.nodata
    found = series.read()[:, :, 0, [SENTINEL2_BANDS.index(band) for band in ("B2", "B3", "B4", "B8")]]
    np.testing.assert_array_equal(found, expected)


def test_a_file_that_lacks_is_named(product, tmp_path, listener):
    with pytest.raises(InputError, match="SRE_R1, SRE_R2"):
        prepare(tmp_path, listener, "SRE")
    next(product[0].glob("*CLD*")).unlink()
    with pytest.raises(InputError, match="no file of CLD_R1"):
        prepare(tmp_path, listener)
