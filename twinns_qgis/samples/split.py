"""The split into training, validation and test part, by object: no polygon has pixels in two parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.samples.classes import Label, classes_of
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.polygons import PARTS
from twinns_qgis.samples.store import MARGIN


def draw_split(codes: Sequence[int], train_share: float, validation_share: float, seed: int) -> NDArray[np.str_]:
    """Draws a part for each object, class by class (paper, section 4.1; METHOD section 4).

    Each part of a class gets its share of the class's objects, rounded, and at least one. A class's split depends on
    the seed, its code and its objects alone: another class, added or dropped, does not change it as long as the code
    stays.

    Args:
        codes: The code of each object's class; every class has three objects or more.
        train_share: Share of objects to train on.
        validation_share: Share of objects to choose the best epoch by; what is left is for the test.
        seed: Fixes the draw.

    Returns:
        ``train``, ``validation`` or ``test`` for each object.

    Raises:
        InputError: The shares leave nothing for a part.
    """
    part_shares(train_share, validation_share)
    parts = np.empty(len(codes), dtype="<U10")
    for code in {*codes}:
        objects = np.random.default_rng([seed, code]).permutation(np.flatnonzero(np.equal(codes, code)))
        train, validation = _counts(len(objects), train_share, validation_share)
        parts[objects[:train]] = "train"
        parts[objects[train : train + validation]] = "validation"
        parts[objects[train + validation :]] = "test"
    return parts


def part_shares(train_share: float, validation_share: float) -> NDArray[np.float64]:
    """Returns the share of each part.

    Raises:
        InputError: They leave nothing for a part.
    """
    if train_share <= 0 or validation_share <= 0 or train_share + validation_share >= 1:
        raise InputError(
            f"The shares for training, {train_share}, and validation, {validation_share}, leave nothing for a part.",
            "Both must be above 0, and their sum below 1: the rest is for the test.",
        )
    return np.array([train_share, validation_share, 1 - train_share - validation_share])


def _counts(objects: int, train_share: float, validation_share: float) -> tuple[int, int]:
    train = max(1, round(train_share * objects))
    validation = max(1, round(validation_share * objects))
    while train + validation > objects - 1:
        if train >= validation:
            train -= 1
        else:
            validation -= 1
    return train, validation


def sparse_labels(labels: Sequence[Label], parts: NDArray[np.str_] | None) -> dict[Label, tuple[int, ...]]:
    """Returns the labels whose objects can't fill all three parts.

    Args:
        labels: The label of each object that has pixels.
        parts: The part of each object where there is a split, else None.

    Returns:
        For each such label its number of objects, or, where there is a split, its numbers of objects in the training,
        validation and test part.
    """
    sparse: dict[Label, tuple[int, ...]] = {}
    for label in classes_of(labels):
        own = np.array([other == label for other in labels])
        if parts is None:
            if own.sum() < len(PARTS):
                sparse[label] = (int(own.sum()),)
        else:
            counts = tuple(int((parts[own] == part).sum()) for part in PARTS)
            if min(counts) == 0:
                sparse[label] = counts
    return sparse


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
