"""ENVI files, written by hand."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series

SIDE = 16
HEADER = """ENVI
samples = {side}
lines = {side}
bands = {bands}
header offset = 0
file type = ENVI Standard
data type = {code}
interleave = bsq
byte order = 0
map info = {{UTM, 1, 1, 500000, 5600000, 10, 10, 31, North, WGS-84}}
{more}
"""
RANDOM = np.random.default_rng(0)


def write(path, values, header=None, **fields):
    """Writes an image and its header, as NAME.hdr unless another name is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values.tofile(path)
    more = "\n".join(f"{key.replace('_', ' ')} = {text}" for key, text in fields.items())
    code = {"i2": 2, "u2": 12, "f4": 4, "u1": 1}[values.dtype.str[1:]]
    text = HEADER.format(side=SIDE, bands=len(values), code=code, more=more)
    (header or path.with_suffix(".hdr")).write_text(text)
    return path


def numbers(bands):
    return RANDOM.integers(100, 5000, (bands, SIDE, SIDE)).astype("i2")


@pytest.fixture
def prepare(tmp_path, listener):
    def run(*layers):
        inputs = Inputs(tuple(map(Path, layers)), None if layers else tmp_path / "in")
        prepare_sentinel2(Outputs(tmp_path / "out.tif"), inputs, Period(), machine=Machine(64), reporter=listener)
        return Series.open(tmp_path / "out.tif")

    return run


@pytest.mark.parametrize("name", ["S2_20180305", "S2_20180305.dat", "S2_20180305.bsq", "S2_20180305.img"])
def test_bands_are_named_by_the_header_whatever_the_suffix(prepare, tmp_path, name):
    values = numbers(3)
    values[2] = 4
    path = tmp_path / "in" / name
    write(path, values, path.with_name(f"{name}.hdr"), band_names="{B04,\n Band B8A, SCL}")
    series = prepare()
    assert (series.bands, series.dates) == (("B4", "B8A"), (date(2018, 3, 5),))
    np.testing.assert_array_equal(series.read()[:, :, 0], values[:2].transpose(1, 2, 0))


def test_wavelengths_tell_bands_where_all_of_them_are_sentinel_2s(prepare, tmp_path):
    values = numbers(3)
    fields = {"wavelength": "{0.6649, 0.5590, 2.1857}", "acquisition_time": "2018-03-05T10:50:31Z"}
    write(tmp_path / "in/site.dat", values, reflectance_scale_factor="5000", **fields)
    series = prepare()
    assert (series.bands, series.dates) == (("B3", "B4", "B12"), (date(2018, 3, 5),))
    np.testing.assert_array_equal(series.read()[:, :, 0], 2 * values[[1, 0, 2]].transpose(1, 2, 0))


@pytest.mark.parametrize("wavelengths", ["{482.0, 561.4, 654.6, 864.7}", "{664.6, 832.8}", "{664.6, 664.8, 832.8}"])
def test_other_sensors_wavelengths_tell_nothing(prepare, tmp_path, wavelengths):
    values = numbers(wavelengths.count(",") + 1)
    write(tmp_path / "in/site_20180305.dat", values, wavelength=wavelengths)
    with pytest.raises(InputError, match="No Sentinel-2 products"):
        prepare()


def test_names_with_dates_are_a_stack(prepare, tmp_path):
    values = numbers(4)
    names = "{2018-03-05 B02, 2018-03-05 B03, 2018-04-04 B02, 2018-04-04 B03}"
    write(tmp_path / "in/site.img", values, band_names=names, data_ignore_value="-1")
    series = prepare()
    assert series.dates == (date(2018, 3, 5), date(2018, 4, 4))
    np.testing.assert_array_equal(series.read(), values.reshape(2, 2, SIDE, SIDE).transpose(2, 3, 0, 1))


def test_a_band_that_is_named_twice_is_refused(prepare, tmp_path):
    write(tmp_path / "in/site_20180305.img", numbers(2), band_names="{B02, B2}")
    with pytest.raises(InputError, match="names B2 twice"):
        prepare()


def test_backscatter_is_known_by_the_names_of_bands(prepare_radar, decibels, tmp_path):
    values = RANDOM.uniform(-20, -5, (2, SIDE, SIDE)).astype("f4")
    path = write(tmp_path / "in/S1A_20180305.img", values, band_names="{Sigma0_VV_dB, Sigma0_VH_dB}")
    for layers in ((), (path,)):
        series = prepare_radar(layers=layers)
        np.testing.assert_allclose(decibels(series)[:, :, 0], values.transpose(1, 2, 0), atol=15 / 254 + 1e-6)
