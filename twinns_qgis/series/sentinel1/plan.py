"""How a block of a Sentinel-1 series is made, and what is counted meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.block_store import Block
from twinns_qgis.rasters.blocks import Threads, strips
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.unpacking import Unpacked
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.gapfilling import fill_gaps
from twinns_qgis.series.products.band_source import Seen
from twinns_qgis.series.products.impossible import report_impossible
from twinns_qgis.series.sentinel1.backscatter import DbRange, possible_values, to_db
from twinns_qgis.series.sentinel1.composite import read_day
from twinns_qgis.series.sentinel1.passes import Passes
from twinns_qgis.series.sentinel1.speckle import filter_speckle
from twinns_qgis.series.series import SERIES

_TOLD, _CLIPPED = 0.001, 0.03
"""More pixels than these shares outside the range of decibels are told, and a warning: the range may be wrong."""
_LISTED = 10
"""Dates that a warning names."""


@dataclass(frozen=True)
class Sentinel1Plan:
    """How a block of a Sentinel-1 series is made.

    Args:
        grid: The grid of the series.
        days: The images of each pass of each of the dates of acquisition, ascending.
        polarisations: The P polarisations.
        dates: The T' dates of the series.
        margin: Pixels from the middle of the speckle filter's window to its edge; 0 for no filter.
        ranges: The decibels that the 8 bits span, for each polarisation.
        percentiles: Polarisations whose ranges are percentiles, which cut values on purpose.
        unpacked: What is unpacked of archives; None if there is one block, or in other processes.
    """

    grid: Grid
    days: Passes
    polarisations: tuple[str, ...]
    dates: tuple[date, ...]
    margin: int
    ranges: tuple[DbRange, ...]
    percentiles: frozenset[str]
    unpacked: Unpacked | None = field(default=None, compare=False)

    def sources(self) -> Iterable[Path]:
        """Returns the images' files."""
        return (path for _, passes in self.days for images in passes for image in images for path in image.paths)

    def block(self, window: Window, threads: Threads) -> Block:
        """Returns the series on a block, with the dates seen and, of each polarisation, how many values were cut."""
        block, margin = self.grid.crop(window), self.margin
        wide = block.crop(Window(-margin, -margin, block.width + 2 * margin, block.height + 2 * margin))
        rows, columns = slice(margin, margin + block.height), slice(margin, margin + block.width)
        power = np.empty((len(self.days), len(self.polarisations), wide.height, wide.width), np.float32)

        def read(order: int) -> int:
            power[order] = read_day(
                self.days[order][1], self.polarisations, wide, seen=read_values[order], unpacked=self.unpacked
            )
            return int(not np.isnan(power[order, :, rows, columns]).all())

        read_values = [Seen() for _ in self.days]
        seen = list(threads.map(read, range(len(self.days))))
        own_dates = [day for day, _ in self.days]
        encoded, clipped = _encode(power, margin, own_dates, self.dates, self.ranges, threads)
        tally = {
            "clipped": clipped,
            "valid": np.count_nonzero(encoded, axis=(0, 2, 3)).tolist(),
            "seen": seen,
            "values": [one.values for one in read_values],
            "impossible": [one.impossible for one in read_values],
        }
        return Block({SERIES: encoded.reshape(-1, *encoded.shape[2:])}, tally)

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Refuses a series that shows nothing, warns of dates that do, and tells how many values were cut."""
        days = [day for day, _ in self.days]
        images = [[image for passes in of_day for image in passes] for _, of_day in self.days]
        report_impossible(images, tally, self.grid, f"{possible_values('dB')} dB, but for 0", reporter)
        if not any(tally["seen"]):
            raise InputError(
                f"None of the images of the {len(days)} dates from {days[0]} to {days[-1]} has a value on the grid of "
                f"the reference, {self.grid}: all are no data there.",
                "Choose images whose swath covers the reference.",
            )
        empty = [day for day, seen in zip(days, tally["seen"], strict=True) if not seen and day in self.dates]
        if empty:
            reporter.warning(
                f"{len(empty)} of {len(self.dates)} dates have no value anywhere on the grid of the reference, and are "
                f"interpolated everywhere: {', '.join(map(str, empty[:_LISTED]))}{' ...' if empty[_LISTED:] else ''}. "
                "Leave their images out, or choose an ORBIT that covers the reference."
            )
        for name, db, clipped, valid in zip(
            self.polarisations, self.ranges, tally["clipped"], tally["valid"], strict=True
        ):
            if valid:
                _report_clipped(name, db, clipped / valid, name in self.percentiles, reporter)


def _encode(
    power: NDArray[np.float32],
    margin: int,
    own_dates: Sequence[date],
    dates: Sequence[date],
    ranges: Sequence[DbRange],
    threads: Threads,
) -> tuple[NDArray[np.uint8], list[int]]:
    """Filters power (T, P, height + 2 margin, width + 2 margin) and interpolates it to the series' dates, in decibels.

    Returns:
        Decibels in 8 bits, of shape (T', P, height, width), and how many values of each polarisation were clipped.
    """
    height, width = power.shape[2] - 2 * margin, power.shape[3] - 2 * margin
    encoded = np.empty((len(dates), len(ranges), height, width), np.uint8)

    def encode(rows: slice) -> list[int]:
        clipped = []
        for order, db in enumerate(ranges):
            image = power[:, order, rows.start : rows.stop + 2 * margin]
            filtered = filter_speckle(image, margin) if margin else image
            filled = fill_gaps(to_db(filtered), own_dates, dates)
            encoded[:, order, rows] = db.encode(filled)
            clipped.append(db.clipped(filled))
        return clipped

    counts = threads.map(encode, strips(height, width, 2 * margin))
    return encoded, [sum(clipped) for clipped in zip(*counts, strict=True)]


def _report_clipped(name: str, db: DbRange, share: float, on_purpose: bool, reporter: Reporter) -> None:
    message = (
        f"{share:.2%} of the values of {name} lie outside the range of the 8 bits, {db.low:g} to {db.high:g} dB, and "
        "were cut to it."
    )
    if share > _CLIPPED and not on_purpose:
        reporter.warning(f"{message} Check UNITS, or widen DB_RANGE.")
    elif share >= _TOLD:
        reporter.info(message)
