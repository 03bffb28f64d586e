"""Telling decibels, power, amplitude and digital numbers from one another."""

import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.sentinel1.units import settle_units

CHOICES = r"UNITS: dB, power, amplitude, DN"


@pytest.fixture
def land(shared):
    """Decibels of a real place at ten dates, (dates, pixels), by polarisation."""
    files = sorted((shared / "data" / "flanders2018" / "S1").iterdir())[::16]
    images = []
    for path in files:
        with rasterio.open(path) as dataset:
            images.append(dataset.read())
    images = np.array(images)
    return {"VV": images[:, 0], "VH": images[:, 1]}


@pytest.fixture
def settle(tmp_path, write_raster, listener):
    """Returns a function that writes images of (polarisation, values, units by metadata) and settles their units."""

    def run(*images, units="auto"):
        sources = []
        for number, (name, values, known) in enumerate(images):
            path = tmp_path / f"{number}_{name}.tif"
            grid = write_raster(path, np.broadcast_to(values, (1, *np.shape(values)[-2:])), resolution=20)
            sources.append((name, BandSource(path, units=known)))
        return list(settle_units(sources, grid, units, listener).values())

    return run


def _linear(decibels, units):
    return (10 ** (decibels / {"power": 10, "amplitude": 20}[units])).astype("float32")


def test_mostly_negative_values_are_decibels(settle, land):
    assert settle(*((name, image, None) for name in land for image in land[name])) == ["dB"] * 20


@pytest.mark.parametrize("units", ["power", "amplitude"])
def test_of_both_polarisations_of_land_power_is_told_from_amplitude(settle, land, units):
    assert set(settle(*((name, _linear(image, units), None) for name in land for image in land[name]))) == {units}


@pytest.mark.parametrize("units", ["power", "amplitude"])
def test_where_power_and_amplitude_are_both_possible_both_readings_are_told(settle, land, units):
    image = _linear(land["VV"][0], units)
    median = 10 * np.log10(np.median(image))
    with pytest.raises(InputError, match=rf"0_VV.*{median:.1f} dB as power, {2 * median:.1f} dB as amp.*{CHOICES}"):
        settle(("VV", image, None))


def test_metadata_settle_what_values_do_not(settle, land):
    image = _linear(land["VV"][0], "amplitude")
    assert settle(("VV", image, "amplitude")) == ["amplitude"]


def test_units_may_differ_from_image_to_image_with_a_warning(settle, land, listener):
    power = _linear(land["VV"][0], "power")
    assert settle(("VV", land["VV"][1], None), ("VV", power, "power")) == ["dB", "power"]
    assert "dB and power" in listener.warnings[0]


def test_an_image_that_is_empty_here_goes_with_the_others(settle, land):
    empty = np.full_like(land["VV"][0], np.nan)
    assert settle(("VV", empty, None), ("VV", land["VV"][0], None)) == ["dB", "dB"]
    with pytest.raises(InputError, match=f"no values where the reference lies.*{CHOICES}"):
        settle(("VV", empty, None))


@pytest.mark.parametrize("marker", [-9999, 9999, -32768, -3.4e38, 1e20])
@pytest.mark.parametrize("units", ["dB", "power"])
def test_undeclared_no_data_do_not_count(settle, land, marker, units):
    images = []
    for name in land:
        image = land[name][0].copy() if units == "dB" else _linear(land[name][0], units)
        image[: 2 * len(image) // 3] = marker
        images.append((name, image, None))
    assert settle(*images) == [units] * 2


def test_an_image_of_undeclared_no_data_goes_with_the_others(settle, land):
    empty = np.full_like(land["VV"][0], -9999)
    assert settle(("VV", empty, None), ("VV", land["VV"][0], None)) == ["dB", "dB"]


def test_whole_numbers_of_unknown_formula_are_refused(settle, land):
    numbers = np.round(10 ** ((land["VV"][0] + 83) / 20)).astype("uint16")
    with pytest.raises(InputError, match=r"whole numbers.*20 log10\(DN\) - 83, their median is -\d"):
        settle(("VV", numbers, None))
    assert settle(("VV", numbers, "DN")) == ["DN"]


def test_a_share_of_negative_values_that_fits_nothing_is_refused(settle):
    values = np.full((10, 10), 0.05, "float32")
    values[:3] = -0.05
    with pytest.raises(InputError, match="30% are negative"):
        settle(("VV", values, None))


def test_few_negative_values_are_noise_that_was_subtracted(settle, land):
    values = _linear(land["VH"][0], "power")
    values.ravel()[::20] *= -1
    assert settle(("VH", values, None)) == ["power"]


@pytest.mark.parametrize(
    ("of", "read_as", "message"),
    [
        ("power", "dB", "hardly any value is negative"),
        ("amplitude", "dB", "hardly any value is negative"),
        ("dB", "power", "mostly negative.*Set UNITS to dB"),
        ("dB", "amplitude", "mostly negative"),
        ("dB", "DN", "mostly negative"),
        ("power", "DN", "would be -.* dB, which no surface has"),
        ("amplitude", "DN", "which no surface has"),
        ("DN", "dB", "hardly any value is negative"),
        ("DN", "power", "which no surface has"),
        ("DN", "amplitude", "which no surface has"),
        ("dB x 100", "dB", "would be -[0-9]+.* dB, which no surface has"),
    ],
)
@pytest.mark.parametrize("by", ["parameter", "metadata"])
def test_values_that_can_not_be_of_the_units_are_refused(settle, land, of, read_as, message, by):
    decibels = land["VV"][0]
    values = {
        "dB": decibels,
        "dB x 100": decibels * 100,
        "power": 10 ** (decibels / 10),
        "amplitude": 10 ** (decibels / 20),
        "DN": 10 ** ((decibels + 83) / 20),
    }[of]
    image = ("VV", values.astype("float32"), read_as if by == "metadata" else None)
    with pytest.raises(InputError, match=f"0_VV.*values from .*{message}"):
        settle(image, units="auto" if by == "metadata" else read_as)


def test_every_image_is_checked_and_the_odd_one_named(settle, land):
    with pytest.raises(InputError, match="1_VV"):
        settle(("VV", land["VV"][0], None), ("VV", _linear(land["VV"][1], "power"), None), units="dB")


def test_units_against_the_metadata_are_followed_with_a_warning(settle, land, listener):
    assert settle(("VH", _linear(land["VH"][0], "power"), "amplitude"), units="power") == ["power"]
    assert "1 images are in amplitude by their metadata" in listener.warnings[0]
