"""Which training pixels are kept where a class has more than it needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def thin(labels: NDArray[np.int64], objects: NDArray[np.int64], most: int, seed: int) -> NDArray[np.bool_]:
    """Returns which of N pixels are kept, so that no class has more than a number of them.

    A class's pixels are shared evenly among its objects, so that large ones are thinned first: a river of 80 000 pixels
    teaches little that 5 000 of them don't. Which of an object's pixels are kept is drawn.

    Args:
        labels: The class of each pixel, shape (N,).
        objects: The object of each pixel, shape (N,).
        most: Pixels of a class at most.
        seed: Fixes the draw.

    Returns:
        Shape (N,).

    Example:
        >>> kept = thin(np.zeros(6, int), np.array([0, 0, 0, 0, 1, 2]), most=4, seed=0)
        >>> kept.sum(), kept[4:].all()
        (np.int64(4), np.True_)
    """
    kept = np.ones(len(labels), bool)
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        if count <= most:
            continue
        own = np.flatnonzero(labels == label)
        random = np.random.default_rng([seed, int(label)])
        shuffled = random.permutation(own)
        # The first pixels of each object, then the second ones, and so on, until there are enough.
        order = np.argsort(_rank_in_object(objects[shuffled]), kind="stable")
        kept[shuffled[order[most:]]] = False
    return kept


def _rank_in_object(objects: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns how many pixels of the same object stand before each pixel."""
    order = np.argsort(objects, kind="stable")
    _, first, counts = np.unique(objects[order], return_index=True, return_counts=True)
    ranks = np.empty(len(objects), np.int64)
    ranks[order] = np.arange(len(objects)) - np.repeat(first, counts)
    return ranks
