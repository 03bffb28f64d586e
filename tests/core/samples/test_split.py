"""The split by object."""

from collections import Counter

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin
from scipy import ndimage

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.split import draw_split, sparse_labels, touching_training

WOOD, CROP, WATER = 1, 2, 3
PARTS = np.array(["train", "validation", "test"])


def test_each_class_is_split_by_the_shares():
    parts = draw_split([WOOD] * 100 + [CROP] * 50, 0.3, 0.2, seed=0)
    assert Counter(parts[:100]) == {"train": 30, "validation": 20, "test": 50}
    assert Counter(parts[100:]) == {"train": 15, "validation": 10, "test": 25}


@pytest.mark.parametrize("objects", [3, 4, 5, 6])
@pytest.mark.parametrize("shares", [(0.3, 0.2), (0.5, 0.3), (0.9, 0.09)])
def test_every_part_of_a_small_class_has_an_object(objects, shares):
    assert set(draw_split([WOOD] * objects, *shares, seed=0)) == {"train", "validation", "test"}


def test_seed_fixes_the_split():
    classes = [WOOD] * 20
    np.testing.assert_array_equal(draw_split(classes, 0.3, 0.2, 1), draw_split(classes, 0.3, 0.2, 1))
    assert (draw_split(classes, 0.3, 0.2, 1) != draw_split(classes, 0.3, 0.2, 2)).any()


def test_split_of_a_class_does_not_depend_on_other_classes():
    alone = draw_split([WOOD] * 20, 0.3, 0.2, 0)
    np.testing.assert_array_equal(draw_split([WOOD] * 20 + [CROP] * 9, 0.3, 0.2, 0)[:20], alone)


@pytest.mark.parametrize("shares", [(0, 0.5), (0.5, 0), (0.6, 0.4), (-0.1, 0.5)])
def test_shares_that_leave_nothing_for_a_part_are_refused(shares):
    with pytest.raises(InputError, match="leave nothing for a part"):
        draw_split([WOOD] * 5, *shares, seed=0)


def test_sparse_labels_are_those_that_cannot_fill_all_parts():
    assert sparse_labels([WOOD] * 3 + [CROP] * 2 + [WATER], None) == {CROP: (2,), WATER: (1,)}
    parts = np.array(["train", "train", "validation", "test", "train"])
    assert sparse_labels([WOOD, WOOD, WOOD, WOOD, CROP], parts) == {CROP: (1, 0, 0)}


def _pixels(height, width, rows, columns):
    grid = Grid(CRS.from_epsg(32631), from_origin(0, 0, 10, 10), width, height)
    return LabelledPixels(grid, rows, columns, np.zeros(len(rows), int))


@pytest.mark.parametrize("seed", range(3))
def test_pixels_that_touch_training_are_those_that_a_dilation_of_the_training_pixels_covers(seed):
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
