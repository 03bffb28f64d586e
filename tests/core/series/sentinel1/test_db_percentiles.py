"""Percentiles for DB_RANGE, against numpy's of all values."""

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.sentinel1.backscatter import DbRange
from twinns_qgis.series.sentinel1.db_percentiles import settle_ranges
from twinns_qgis.series.sentinel1.db_range import parse_db_range


@pytest.fixture
def settle(listener):
    """Returns a function that settles ranges for power of shape (dates, polarisations, height, width)."""

    def run(text, power, polarisations=("VV", "VH")):
        origin = 500000, 5600000
        grid = Grid(CRS.from_epsg(32631), from_origin(*origin, 10, 10), power.shape[3], power.shape[2])

        def read(image, block):
            """Takes the pixels of 10 m in which the block's centres lie."""
            rows = origin[1] - block.transform.f + (np.arange(block.height) + 0.5) * block.resolution[1]
            columns = block.transform.c - origin[0] + (np.arange(block.width) + 0.5) * block.resolution[0]
            return image[:, np.floor(rows / 10).astype(int)[:, None], np.floor(columns / 10).astype(int)]

        return settle_ranges(parse_db_range(text), polarisations, list(power), read, grid, 64, listener)

    return run


@pytest.fixture
def power():
    """Speckled power of four dates with holes, (4, 2, 300, 400)."""
    random = np.random.default_rng(0)
    values = random.gamma(4.4, 0.02, (4, 2, 300, 400)).astype("float32") * np.float32([[[1]], [[0.2]]])
    values[random.random(values.shape) < 0.1] = np.nan
    return values


def _percentiles(power, low, high):
    return np.nanpercentile(10 * np.log10(power.astype(float)), [low, high])


def test_the_percentiles_of_small_images_are_those_of_all_their_values(settle, power, listener):
    ranges = settle("VV=p1:p99,VH=p2.5:p90", power)
    assert [ranges["VV"].low, ranges["VV"].high] == pytest.approx(_percentiles(power[:, 0], 1, 99), abs=0.01)
    assert [ranges["VH"].low, ranges["VH"].high] == pytest.approx(_percentiles(power[:, 1], 2.5, 90), abs=0.01)
    known = np.count_nonzero(~np.isnan(power[:, 0]))
    (told,) = listener.messages
    assert f"VV={ranges['VV'].low:g}:{ranges['VV'].high:g},VH=" in told
    assert str(known)[:2] in told
    assert "4 dates" in told


def test_percentiles_0_and_100_are_the_extremes(settle, power):
    ranges = settle("p0:p100", power)
    assert [ranges["VV"].low, ranges["VV"].high] == pytest.approx(_percentiles(power[:, 0], 0, 100), abs=0.0051)


@pytest.mark.parametrize(("height", "width", "step"), [(600, 700, 2), (1100, 901, 2), (3, 600_001, 3), (1400, 1300, 3)])
def test_of_large_images_every_few_pixels_are_taken(settle, height, width, step):
    power = np.random.default_rng(1).gamma(4.4, 0.02, (1, 1, height, width)).astype("float32")
    found = settle("p1:p99", power, ["VV"])["VV"]
    expected = _percentiles(power[..., ::step, ::step], 1, 99)
    assert [found.low, found.high] == pytest.approx(expected, abs=0.015)


def test_percentiles_and_decibels_mix_and_keep_the_order(settle, power):
    ranges = settle("VH=-30:-3,VV=p1:p99", power)
    assert list(ranges) == ["VV", "VH"]
    assert ranges["VH"] == DbRange(-30, -3)


def test_decibels_are_taken_without_reading():
    def fail(day, block):
        raise AssertionError("read")

    ranges = parse_db_range("VV=-25:5,VH=-32:-2")
    assert settle_ranges(ranges, ["VH"], [0], fail, None, 64, None) == {"VH": DbRange(-32, -2)}


def test_a_polarisation_without_a_range_is_refused(settle, power):
    with pytest.raises(InputError, match="DB_RANGE has no range for VH"):
        settle("VV=p1:p99", power)


def test_percentiles_of_nothing_and_of_a_single_value_are_refused(settle, power):
    with pytest.raises(InputError, match=r"p1:p99 for VV, which has no values"):
        settle("p1:p99", np.full_like(power, np.nan))
    with pytest.raises(InputError, match=r"both percentiles are -10 dB"):
        settle("p1:p99", np.full_like(power, 0.1))
