"""The compact store gathers the same patches as cutting them out of the raster."""

import numpy as np
import pytest

from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.store import read_samples
from twinns_qgis.series.series import Series


@pytest.fixture
def values():
    return np.random.default_rng(0).integers(1, 5000, (300, 270, 2, 3)).astype("int16")


@pytest.fixture
def series(make_series, values):
    return Series.open(make_series("series.tif", values))


def some_pixels(grid):
    rows = np.array([0, 0, 10, 254, 256, 299, 299, 10])
    columns = np.array([0, 269, 20, 255, 257, 0, 269, 21])
    return LabelledPixels(grid, rows, columns, np.zeros(len(rows), int))


def test_patches_are_those_of_the_raster_with_its_edge_repeated(series, values):
    pixels = some_pixels(series.grid)
    store = read_samples(series, pixels, Reporter())
    framed = np.pad(values, ((2, 2), (2, 2), (0, 0), (0, 0)), mode="edge")
    expected = [
        framed[row : row + 5, column : column + 5] for row, column in zip(pixels.rows, pixels.columns, strict=True)
    ]
    np.testing.assert_array_equal(store.gather(np.arange(len(pixels))), expected)
    np.testing.assert_array_equal(store.gather(np.array([3, 1])), [expected[3], expected[1]])


def test_pixels_that_patches_share_are_stored_once(series):
    pixels = LabelledPixels(series.grid, np.array([10, 10]), np.array([20, 21]), np.zeros(2, int))
    assert len(read_samples(series, pixels, Reporter()).values) == 30


def test_every_block_of_the_series_is_shown_once(series, values):
    seen = []
    read_samples(series, some_pixels(series.grid), Reporter(), seen.append)
    assert sum(block.size for block in seen) == values.size
    assert sum(block.sum(dtype=np.int64) for block in seen) == values.sum(dtype=np.int64)
