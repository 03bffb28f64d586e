"""Pixels of validation and test that a network has half seen: a training pixel lies in the patch round them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.store import MARGIN


def touching_training(pixels: LabelledPixels, parts: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Returns which pixels of validation and test have a training pixel in their 5 x 5 window.

    Neighbouring fields of different parts share them: the network classifies such a pixel by values that it was
    trained on, and a measure that counts them flatters it.

    Args:
        pixels: N labelled pixels.
        parts: Part of each, shape (N,).

    Returns:
        Shape (N,); false for training pixels.
    """
    width = pixels.grid.width + 2 * MARGIN  # a frame, so that no window reaches round the raster's edge
    positions = pixels.rows * width + pixels.columns + MARGIN
    training = parts == "train"
    held = np.unique(positions[training])
    touching = np.zeros(len(pixels), bool)
    for row in range(-MARGIN, MARGIN + 1):
        for column in range(-MARGIN, MARGIN + 1):
            touching |= np.isin(positions + row * width + column, held, assume_unique=False)
    return touching & ~training
