"""A stratified random sample of a map's pixels, to be labelled: how many of each class, and which.

Olofsson, P., Foody, G. M., Herold, M., Stehman, S. V., Woodcock, C. E. and Wulder, M. A. (2014): Good practices for
estimating area and assessing accuracy of land change. Remote Sensing of Environment 148, 42-57, section 5.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.classified import ClassifiedMap
from twinns_qgis.reporter import Reporter, TimeLeft

_AT_ONCE = 1 << 22
"""Pixels of a strip."""
PROPORTIONAL, EQUAL, OLOFSSON = "proportional", "equal", "olofsson"


def sample_size(pixels: Mapping[int, int], expected: Mapping[int, float], target_error: float) -> int:
    """Returns how many pixels to draw for a standard error of the overall accuracy (equation 13).

    It is that for maps with many more pixels than are drawn, with as many of each class as its share of the map.

    Args:
        pixels: Pixels of each class on the map, by code.
        expected: User's accuracy that is expected of each class, 0 to 1.
        target_error: The standard error, 0 to 1.

    Example:
        The map of their section 5, whose classes cover 2, 1.5, 32 and 64.5 %:

        >>> sample_size({1: 200, 2: 150, 3: 3200, 4: 6450}, {1: 0.7, 2: 0.6, 3: 0.9, 4: 0.95}, 0.01)
        641
    """
    total = sum(pixels.values())
    deviations = (count / total * math.sqrt(expected[code] * (1 - expected[code])) for code, count in pixels.items())
    return round((sum(deviations) / target_error) ** 2)


def allocate(pixels: Mapping[int, int], size: int, how: str, least: int) -> dict[int, int]:
    """Returns how many pixels of each class to draw; never more than it has.

    Args:
        pixels: Pixels of each class on the map, by code.
        size: Pixels to draw in all. Rounding, and what a class has at least, can make it a few more.
        how: ``proportional`` to the classes' shares of the map, ``equal`` for all, or as ``olofsson`` et al. advise:
            `least` of each class, which rare ones would not get by their share, and of the others by their shares.
        least: Pixels of a class at least, with ``olofsson``.

    Example:
        >>> allocate({1: 200, 2: 150, 3: 3200, 4: 6450}, 640, "olofsson", 75)
        {1: 75, 2: 75, 3: 162, 4: 328}
    """
    if how == EQUAL:
        wanted = dict.fromkeys(pixels, size / len(pixels))
    else:
        wanted = dict.fromkeys(pixels, 0.0)
        rest, left = dict(pixels), float(size)
        while rest:
            total = sum(rest.values())
            rare = {code for code, count in rest.items() if how == OLOFSSON and left * count / total < least}
            if not rare:
                wanted |= {code: left * count / total for code, count in rest.items()}
                break
            wanted |= dict.fromkeys(rare, float(least))
            left = max(0.0, left - least * len(rare))
            rest = {code: count for code, count in rest.items() if code not in rare}
    # At least one: a class without a sample says nothing of its part of the map.
    return {code: min(count, max(1, round(wanted[code]))) for code, count in pixels.items()}


@dataclass(frozen=True)
class Drawn:
    """Pixels that were drawn, in an order that is random too.

    Args:
        rows: Row of each of the N pixels in the map's grid, shape (N,).
        columns: Column of each, shape (N,).
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def draw(
    cover: ClassifiedMap, pixels: Mapping[int, int], wanted: Mapping[int, int], seed: int, reporter: Reporter
) -> Drawn:
    """Draws pixels of each class, each of them with the same probability, and none twice.

    The ranks of the pixels are drawn first, then the map is gone through for those: so memory does not grow with it.

    Args:
        cover: The map.
        pixels: Its pixels of each class, by code.
        wanted: How many of each are to be drawn.
        seed: Fixes them.
        reporter: Receives the progress.

    Raises:
        Cancelled: The user stopped it.
    """
    generator = np.random.default_rng(seed)
    ranks = {
        code: np.sort(generator.choice(pixels[code], count, replace=False, shuffle=False))
        for code, count in wanted.items()
    }
    seen = dict.fromkeys(ranks, 0)
    none = np.empty(0, np.int64)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = [(none, none)]
    height = max(1, _AT_ONCE // cover.grid.width)
    clock = TimeLeft()
    for row in range(0, cover.grid.height, height):
        reporter.check_cancelled()
        window = Window(0, row, cover.grid.width, min(height, cover.grid.height - row))
        codes, there = cover.read(window)
        for code, own in ranks.items():
            first = np.searchsorted(own, seen[code])
            if first == len(own):
                continue
            places = np.flatnonzero((codes == code) & there)
            last = np.searchsorted(own, seen[code] + len(places))
            chosen = places[own[first:last] - seen[code]]
            found.append((row + chosen // cover.grid.width, chosen % cover.grid.width))
            seen[code] += len(places)
        share = min(1.0, (row + height) / cover.grid.height)
        reporter.progress(share, f"Drawing pixels {clock.after(share)}".rstrip())
    rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
    in_order = np.lexsort((columns, rows))  # whatever the strips
    rows, columns = rows[in_order], columns[in_order]
    order = np.random.default_rng([seed, len(rows)]).permutation(len(rows))
    return Drawn(rows[order], columns[order])


def parse_expected(text: str, names: Mapping[int, str]) -> dict[int, float]:
    """Returns the accuracy that is expected of each class.

    Args:
        text: One number for all, or ``class=number`` for some and one number for the others, separated by commas;
            classes by name or code.
        names: Names of the classes, by code.

    Raises:
        InputError: It is something else, names no class, or a number is not between 0 and 1.

    Example:
        >>> parse_expected("0.9, water=0.99", {1: "water", 2: "wheat"})
        {1: 0.99, 2: 0.9}
    """
    hint = "Write one number for all classes, such as 0.85, and class=number for others, such as 0.85,water=0.98."
    codes = {name.strip().casefold(): code for code, name in names.items()} | {str(code): code for code in names}
    found: dict[int, float] = {}
    for_all: float | None = None
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.rpartition("=")
        try:
            value = float(number)
        except ValueError as error:
            raise InputError(f"EXPECTED holds '{part}', which is no number.", hint) from error
        if not 0 < value < 1:
            raise InputError(f"EXPECTED holds {value:g}; accuracies lie between 0 and 1.", hint)
        if not equals:
            for_all = value
        elif name.strip().casefold() in codes:
            found[codes[name.strip().casefold()]] = value
        else:
            raise InputError(f"EXPECTED names '{name.strip()}', which the map has not.", hint)
    lacking = [name for code, name in names.items() if code not in found]
    if lacking and for_all is None:
        raise InputError(f"EXPECTED tells nothing of {', '.join(lacking)}.", hint)
    return {code: found.get(code, for_all or 0.0) for code in names}
