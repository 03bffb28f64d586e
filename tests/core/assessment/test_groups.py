"""Accuracy at borders, by the size of objects, and by the number of clear dates."""

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import from_origin
from scipy.ndimage import binary_erosion

from twinns_qgis.assessment.groups import Group, by_border, by_clear_dates, by_object_size
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.pixels import LabelledPixels


def pixels_of(labels):
    """Returns the labelled pixels of an image of objects, 0 being none."""
    rows, columns = np.nonzero(labels)
    grid = Grid(CRS.from_epsg(32631), from_origin(0, 0, 10, 10), labels.shape[1], labels.shape[0])
    return LabelledPixels(grid, rows, columns, labels[rows, columns] - 1)


def test_borders_are_what_erosion_takes_from_each_object():
    labels = np.zeros((12, 14), int)
    labels[:5, :6], labels[:5, 6:14], labels[7:12, 2:12] = 1, 2, 3
    pixels = pixels_of(labels)
    eroded = sum(binary_erosion(labels == own, np.ones((3, 3)), border_value=0) for own in (1, 2, 3))
    right = eroded[pixels.rows, pixels.columns].astype(bool)
    found = by_border(pixels, right)
    assert found == [
        Group("inside", int(eroded.sum()), 1.0),
        Group("at the border", int((labels > 0).sum() - eroded.sum()), 0.0),
    ]


def test_objects_are_grouped_by_their_pixels():
    labels = np.zeros((30, 40), int)
    labels[:3, :3], labels[10:20, 10:20], labels[25:27, :5] = 1, 2, 3
    pixels = pixels_of(labels)
    found = by_object_size(pixels, pixels.objects == 1)
    assert found == [
        Group("fewer than 10 pixels", 9, 0.0),
        Group("10 to 49 pixels", 10, 0.0),
        Group("50 to 199 pixels", 100, 1.0),
    ]


def test_clear_dates_make_groups_of_about_as_many_pixels():
    clear = np.repeat([3.0, 8.0, 9.0, 20.0, np.nan], [25, 25, 25, 25, 7]).astype("float32")
    right = np.repeat([False, True, True, True, False], [25, 25, 25, 25, 7])
    assert by_clear_dates(clear, right) == [
        Group("fewer than 8 clear dates", 25, 0.0),
        Group("8 clear dates", 25, 1.0),
        Group("9 to 19 clear dates", 25, 1.0),
        Group("20 or more clear dates", 25, 1.0),
    ]


def test_pixels_without_a_number_of_clear_dates_make_no_group():
    assert by_clear_dates(np.full(3, np.nan, "float32"), np.ones(3, bool)) == []


def test_one_number_of_clear_dates_makes_one_group():
    assert by_clear_dates(np.full(3, 5, "float32"), np.ones(3, bool)) == [Group("any number of clear dates", 3, 1.0)]
