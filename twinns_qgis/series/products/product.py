"""What all kinds of products have in common: a date, bands and masks, and where they lie in files.

A reader of a kind of product (a module beside this one) finds products and describes them; nothing beyond it knows
how a kind names its files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from twinns_qgis.rasters.archives import File, on_disk
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.warping import read_band


@dataclass
class Seen:
    """Counts values that were read.

    Args:
        values: How many there were, missing ones too.
        impossible: How many of them can't be what they are said to be, and were taken for missing.
    """

    values: int = 0
    impossible: int = 0

    def add(self, values: int, impossible: int) -> None:
        """Counts some more."""
        self.values += values
        self.impossible += impossible


@dataclass(frozen=True)
class BandSource:
    """A band of a product, in a band of a file.

    Args:
        path: The file, on disk or in an archive.
        index: Number of the file's band, from 1.
        scale: Factor that, with `offset`, turns the file's values into reflectance, or into the unit of backscatter.
        offset: Summand, after the factor.
        nodata: The value of missing pixels, besides the one that the file declares.
        units: What a Sentinel-1 band holds, one of `backscatter.UNITS`; None where nothing says it.
        possible: The lowest and highest value, after factor and summand, that can be; what lies beyond is missing.
    """

    path: File
    index: int = 1
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    units: str | None = None
    possible: tuple[float, float] = (-math.inf, math.inf)

    def decode(
        self, raw: NDArray[np.generic], declared_nodata: float | None, seen: Seen | None = None
    ) -> NDArray[np.float32]:
        """Returns the values of raw pixels, NaN where missing; any shape.

        Args:
            raw: The pixels.
            declared_nodata: The no data value that the file declares for the band, if it does.
            seen: Counts the values, and those that can't be.
        """
        values = raw.astype(np.float32)
        with np.errstate(over="ignore"):  # of values that can't be
            if self.scale != 1:
                values *= np.float32(self.scale)
            if self.offset:
                values += np.float32(self.offset)
        if raw.dtype.kind == "f":
            values[~np.isfinite(values)] = np.nan
        for nodata in {self.nodata, declared_nodata} - {None}:  # mostly one and the same
            missing = raw == nodata
            if missing.any():
                values[missing] = np.nan
        low, high = self.possible
        with np.errstate(invalid="ignore"):
            impossible = (values < low) | (values > high)
        if self.units == "dB" and raw.dtype.kind == "f":
            impossible |= raw == 0  # the brightest there is, were it one: many programs write it where nothing is
        count = int(np.count_nonzero(impossible))
        if count:
            values[impossible] = np.nan
        if seen is not None:
            seen.add(values.size, count)
        return values

    def read(
        self,
        files: Mapping[File, DatasetReader],
        block: Grid,
        resampling: Resampling,
        convert: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda values: values,
        seen: Seen | None = None,
    ) -> NDArray[np.float32]:
        """Reads the band on the grid of a block.

        Args:
            files: The product's files, open.
            block: The grid to read on.
            resampling: How to resample.
            convert: What is done with the values before they are resampled.
            seen: Counts the values, and those that can't be.

        Returns:
            Values of shape (height, width), NaN where missing.

        Raises:
            InputError: The file can't be read, has no CRS or is rotated.
        """
        dataset = files[self.path]
        nodata = dataset.nodatavals[self.index - 1]
        return read_band(dataset, self.index, block, resampling, lambda raw: convert(self.decode(raw, nodata, seen)))

    def without_limits(self) -> BandSource:
        """Returns the same band, whatever its values can be."""
        return replace(self, units=None, possible=(-math.inf, math.inf))

    def in_units_of(self, unit: float) -> BandSource:
        """Returns the same band, whose values come in multiples of a unit."""
        # Rounded, as a quotient that should be 1 must not scale at all.
        low, high = self.possible
        return replace(
            self,
            scale=round(self.scale / unit, 12),
            offset=round(self.offset / unit, 12),
            possible=(low / unit, high / unit),
        )


@dataclass(frozen=True)
class MaskSource:
    """A mask of a product, in a band of a file.

    Args:
        path: The file, on disk or in an archive.
        index: Number of the file's band, from 1.
        name: What kind of mask it is, one of `clear.MASKS`.
        clear: The values of pixels that show the ground; all others, and pixels outside the mask, do not.
        spreads: The values of clouds and their shadows, round which a buffer may count as cloudy too.
        bands: The bands that it is about; None means all.
    """

    path: File
    index: int
    name: str
    clear: frozenset[int]
    spreads: frozenset[int] = frozenset()
    bands: frozenset[str] | None = None


@dataclass(frozen=True)
class LeftOut:
    """A product that a series is not made from.

    Args:
        date: The day of acquisition; None where it is not known.
        product: Its name.
        reason: Why.
    """

    date: date | None
    product: str
    reason: str


@dataclass(frozen=True)
class Orbit:
    """From where a Sentinel-1 image was taken, as far as it is known.

    Args:
        direction: ``ascending`` or ``descending``.
        relative: Number of the relative orbit.
    """

    direction: str | None = None
    relative: int | None = None

    def tells(self, wanted: Orbit) -> bool:
        """Whether enough is known to compare this orbit with another."""
        return (wanted.direction is None or self.direction is not None) and (
            wanted.relative is None or self.relative is not None
        )

    def matches(self, wanted: Orbit) -> bool:
        """Whether this is the orbit that is wanted, in what is known of that one."""
        return wanted.direction in (None, self.direction) and wanted.relative in (None, self.relative)

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.direction, self.relative) if part is not None) or "unknown"


@dataclass(frozen=True)
class Product:
    """What one acquisition gives.

    Args:
        name: Its name, for messages.
        date: Day of acquisition.
        bands: Where each band is, by its name in the series.
        masks: A pixel is clear where all of them say so; without a mask every valid pixel is.
        orbit: From where a Sentinel-1 image was taken.
        writer: The program that wrote it, as far as that is known.
    """

    name: str
    date: date
    bands: Mapping[str, BandSource]
    masks: tuple[MaskSource, ...] = ()
    orbit: Orbit = Orbit()
    writer: str = ""

    @property
    def files(self) -> frozenset[File]:
        """The files that hold its bands and masks."""
        return frozenset(band.path for band in self.bands.values()) | {mask.path for mask in self.masks}

    @property
    def paths(self) -> frozenset[Path]:
        """The same, as they are on disk: for files in an archive, the archive."""
        return frozenset(on_disk(file) for file in self.files)

    @cached_property
    def grid(self) -> Grid:
        """The finest grid among its bands.

        Raises:
            InputError: A file can't be read, has no CRS or is rotated.
        """
        grids = []
        for path in dict.fromkeys(source.path for source in self.bands.values()):
            with open_raster(path) as dataset:
                grids.append(Grid.of(dataset))
        return min(grids, key=lambda grid: grid.resolution)

    @contextmanager
    def open(self) -> Iterator[Mapping[File, DatasetReader]]:
        """Opens the product's files, each once.

        Files are opened for every block anew: a year of products has more files than a process may hold open.
        """
        with ExitStack() as stack:
            yield {file: stack.enter_context(open_raster(file)) for file in self.files}
