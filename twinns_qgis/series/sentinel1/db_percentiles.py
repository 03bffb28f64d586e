"""Percentiles of the decibels of all dates, taken from a sample of the grid."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.blocks import Threads, block_windows, cache_bytes
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.sentinel1.backscatter import DbRange, to_db
from twinns_qgis.series.sentinel1.db_range import DbRanges, Percentiles, write_db_range

Day = TypeVar("Day")

_PIXELS = 250_000
"""Pixels of a date that are looked at, at most: a year has tens of millions of them then."""
_BLOCK = 256, 4096
"""Pixels of the grid, height and width, that are sampled at once. They don't follow from MEMORY, so that no rounding
of positions does."""
_LOWEST, _PER_DECIBEL, _CLASSES = -100, 100, 20_001
"""Values are counted in classes of 0.01 dB, a twelfth of a step of 8 bits, from -100 to 100 dB: so memory does not grow
with the dates."""


def settle_ranges(
    ranges: DbRanges,
    polarisations: Sequence[str],
    days: Sequence[Day],
    read: Callable[[Day, Grid], NDArray[np.float32]],
    grid: Grid,
    memory: int,
    reporter: Reporter,
) -> dict[str, DbRange]:
    """Returns the range in decibels of each polarisation, percentiles replaced by what they are.

    The sample is every k-th pixel along x and y, the same at all dates, with the smallest k that leaves at most
    250 000 pixels of a date. Percentiles are those of all its known values, of all dates together, to 0.01 dB.

    Args:
        ranges: The ranges that are asked for.
        polarisations: The P polarisations.
        days: What is read at once.
        read: Reads linear power of shape (P, height, width) on a grid, NaN where missing, by nearest neighbour.
        grid: The grid of the series.
        memory: Memory in MB, of which GDAL gets its share.
        reporter: Receives progress, and the percentiles found.

    Raises:
        InputError: A polarisation has no range, or its percentiles are of no value or of a single one.
        Cancelled: The user asked the job to stop.
    """
    for name in polarisations:
        if name not in ranges:
            raise InputError(f"DB_RANGE has no range for {name}, which the images hold.", f"Add {name}=low:high to it.")
    asked = {name: db for name in polarisations if isinstance(db := ranges[name], Percentiles)}
    settled = {name: db for name in polarisations if isinstance(db := ranges[name], DbRange)}
    if not asked:
        return settled
    with rasterio.Env(GDAL_CACHEMAX=cache_bytes(memory)), Threads(reporter) as threads:
        counts = _count(days, read, grid, len(polarisations), threads, reporter)
    for name, counted in zip(polarisations, counts, strict=True):
        if name in asked:
            settled[name] = _range(name, asked[name], counted)
    in_order = {name: settled[name] for name in polarisations}
    reporter.info(
        f"DB_RANGE is {write_db_range(in_order)}, by {', '.join(f'{name}={db}' for name, db in asked.items())} of "
        f"{max(counted.sum() for counted in counts)} values of {len(days)} dates. Give these numbers as DB_RANGE for "
        "other years and regions, so that their values mean the same."
    )
    return in_order


def _count(
    days: Sequence[Day],
    read: Callable[[Day, Grid], NDArray[np.float32]],
    grid: Grid,
    polarisations: int,
    threads: Threads,
    reporter: Reporter,
) -> NDArray[np.int64]:
    """Returns how many values of the sample are of each hundredth of a decibel, of shape (polarisations, classes)."""
    sample, step = _sample(grid)
    windows = block_windows(sample, (max(1, _BLOCK[0] // step), max(1, _BLOCK[1] // step)))
    counts = np.zeros((polarisations, _CLASSES), np.int64)
    for done, window in enumerate(windows):
        reporter.progress(done / len(windows), "Taking the percentiles for DB_RANGE")
        block = sample.crop(window)
        for power in threads.map(lambda day: read(day, block), days):  # noqa: B023
            for order, values in enumerate(to_db(power)):
                classes = np.rint((values[~np.isnan(values)] - _LOWEST) * _PER_DECIBEL).astype(np.int64)
                counts[order] += np.bincount(classes.clip(0, _CLASSES - 1), minlength=_CLASSES)
    return counts


def _sample(grid: Grid) -> tuple[Grid, int]:
    """Returns the grid whose pixels' centres are those of every k-th pixel, and k."""
    step = next(k for k in itertools.count(1) if math.prod(_counts(grid, k)) <= _PIXELS)
    return grid.every(step), step


def _counts(grid: Grid, step: int) -> tuple[int, int]:
    return math.ceil(grid.width / step), math.ceil(grid.height / step)


def _range(name: str, asked: Percentiles, counted: NDArray[np.int64]) -> DbRange:
    if not counted.any():
        raise InputError(
            f"DB_RANGE is {asked} for {name}, which has no values on the grid of the reference.",
            "Check that the images cover it, or give decibels.",
        )
    low, high = (_percentile(counted, percent) for percent in (asked.low, asked.high))
    if low == high:
        raise InputError(
            f"DB_RANGE is {asked} for {name}, and both percentiles are {low:g} dB: the values do not differ.",
            "Give decibels, or percentiles that lie further apart.",
        )
    return DbRange(low, high)


def _percentile(counted: NDArray[np.int64], percent: float) -> float:
    """Returns the lowest decibels that at least this percentage of the values do not exceed, to 0.01 dB."""
    rank = max(1, math.ceil(percent * int(counted.sum()) / 100))
    return round(_LOWEST + int(np.searchsorted(np.cumsum(counted), rank)) / _PER_DECIBEL, 2)
