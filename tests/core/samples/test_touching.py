"""Which pixels touch training ones."""

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin
from scipy import ndimage

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.split import touching_training

PARTS = np.array(["train", "validation", "test"])


def _pixels(height, width, rows, columns):
    grid = Grid(CRS.from_epsg(32631), from_origin(0, 0, 10, 10), width, height)
    return LabelledPixels(grid, rows, columns, np.zeros(len(rows), int))


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_that_a_dilation_of_the_training_pixels_covers(seed):
    random = np.random.default_rng(seed)
    labelled = random.random((60, 47)) < 0.2
    rows, columns = np.nonzero(labelled)
    parts = random.choice(PARTS, len(rows), p=[0.05, 0.25, 0.7])
    training = np.zeros(labelled.shape, bool)
    training[rows[parts == "train"], columns[parts == "train"]] = True
    near = ndimage.binary_dilation(training, np.ones((5, 5), bool))
    expected = near[rows, columns] & (parts != "train")
    found = touching_training(_pixels(60, 47, rows, columns), parts)
    np.testing.assert_array_equal(found, expected)
    assert 0 < found.sum() < len(found)


def test_a_window_does_not_reach_round_the_edge():
    pixels = _pixels(5, 5, np.array([1, 2]), np.array([4, 0]))
    assert not touching_training(pixels, np.array(["train", "test"])).any()
