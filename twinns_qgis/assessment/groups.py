"""Where a map is right more often, and where less: at borders, in small fields, with few clear dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.samples.pixels import LabelledPixels

_SIZES = (10, 50, 200, 1000)
"""Pixels at which the next group of objects begins."""
_GROUPS = 4
"""Groups of as many pixels each, as near as whole numbers of dates allow."""


@dataclass(frozen=True)
class Group:
    """The accuracy of some of the reference's pixels.

    Args:
        name: What they have in common.
        pixels: How many there are.
        accuracy: The share of them whose class is right, 0 to 1.
    """

    name: str
    pixels: int
    accuracy: float


def by_border(pixels: LabelledPixels, right: NDArray[np.bool_]) -> list[Group]:
    """Returns the accuracy at the borders of objects, and inside of them.

    A pixel is at the border if one of its eight neighbours is not of its object.

    Args:
        pixels: N pixels.
        right: Whether the class of each is right, shape (N,).
    """
    width = pixels.grid.width + 2  # so that no row's end touches the next one's beginning
    places = (pixels.rows + 1) * width + pixels.columns + 1
    order = np.argsort(places)
    in_order, objects = places[order], pixels.objects[order]
    inside = np.ones(len(places), bool)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            neighbours = places + down * width + across
            found = np.minimum(np.searchsorted(in_order, neighbours), len(places) - 1)
            inside &= (in_order[found] == neighbours) & (objects[found] == pixels.objects)
    return _groups({"inside": inside, "at the border": ~inside}, right)


def by_object_size(pixels: LabelledPixels, right: NDArray[np.bool_]) -> list[Group]:
    """Returns the accuracy in objects of similar size, smallest first; see `by_border`."""
    sizes = np.bincount(pixels.objects)[pixels.objects]
    return _groups(_between(sizes, _SIZES, "pixels"), right)


def by_clear_dates(clear: NDArray[np.float32], right: NDArray[np.bool_]) -> list[Group]:
    """Returns the accuracy by the number of clear dates, in groups of about as many pixels each, fewest first.

    Args:
        clear: The number of clear dates of N pixels, shape (N,); NaN where it is not known.
        right: Whether the class of each is right, shape (N,).
    """
    known = np.isfinite(clear)
    if not known.any():
        return []
    quantiles = np.quantile(clear[known], np.arange(1, _GROUPS) / _GROUPS, method="higher")
    edges = tuple(sorted({int(edge) for edge in quantiles} - {int(clear[known].min())}))
    return _groups(_between(clear, edges, "clear dates"), right)


def _between(values: NDArray[Any], edges: tuple[int, ...], what: str) -> dict[str, NDArray[np.bool_]]:
    """Groups whole numbers by the edges at which the next group begins."""
    groups = {}
    for low, high in zip((None, *edges), (*edges, None), strict=True):
        own = np.isfinite(values)
        if low is not None:
            own &= values >= low
        if high is not None:
            own &= values < high
        groups[_named(low, high, what)] = own
    return groups


def _named(low: int | None, high: int | None, what: str) -> str:
    if low is None:
        return f"any number of {what}" if high is None else f"fewer than {high} {what}"
    if high is None:
        return f"{low} or more {what}"
    return f"{low} {what}" if high == low + 1 else f"{low} to {high - 1} {what}"


def _groups(members: dict[str, NDArray[np.bool_]], right: NDArray[np.bool_]) -> list[Group]:
    return [Group(name, int(own.sum()), float(right[own].mean())) for name, own in members.items() if own.any()]
