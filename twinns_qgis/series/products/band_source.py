"""A band of a product: where it lies in a file, what its values can be, and what of it is missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window

from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import hidden_pixels, read_bands
from twinns_qgis.rasters.warping import read_band


@dataclass(frozen=True)
class Possible:
    """What the values of a quantity can be; others mark missing pixels, whether that is declared or not.

    Args:
        low: The lowest value.
        high: The highest value.
        least: The lowest positive value, where values spread over orders of magnitude. 0 and below are what has none.
        zero: Whether a value can be exactly 0.
    """

    low: float = -math.inf
    high: float = math.inf
    least: float = 0.0
    zero: bool = True

    def excludes(self, values: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """Returns where values can't be, NaN being none of them; None if all can be, which is found out fast.

        Example:
            >>> Possible(-1, 10).excludes(np.array([0.2, -9999, np.nan], np.float32))
            array([False,  True, False])
        """
        lowest, highest = values.min(), values.max()  # NaN if one is
        if (self.least or self.low) <= lowest and highest <= self.high and (self.zero or not lowest <= 0 <= highest):
            return None
        excluded = (values < self.low) | (values > self.high)
        if self.least:
            excluded |= (values > 0) & (values < self.least)
        if not self.zero:
            excluded |= values == 0
        return excluded

    def in_units_of(self, unit: float) -> Possible:
        """Returns the same for values that come in multiples of a unit."""
        return replace(self, low=self.low / unit, high=self.high / unit, least=self.least / unit)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


ANYTHING = Possible()


@dataclass
class Seen:
    """Counts values that were read.

    Args:
        values: How many there were, missing ones too.
        impossible: How many of them can't be what they are said to be, and were taken for missing.
    """

    values: int = 0
    impossible: int = 0


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
        possible: What its values, after factor and summand, can be.
        spectrum: File and number of each of the product's bands, where a pixel that is exactly 0 in all of them in
            the files is missing; empty where that means nothing.
    """

    path: File
    index: int = 1
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    units: str | None = None
    possible: Possible = ANYTHING
    spectrum: tuple[tuple[File, int], ...] = field(default=(), compare=False)

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
        return read_band(files[self.path], block, resampling, lambda window: convert(self.values(files, window, seen)))

    def values(
        self, files: Mapping[File, DatasetReader], window: Window, seen: Seen | None = None
    ) -> NDArray[np.float32]:
        """Reads the band on pixels of its file.

        Missing is what the file says to be: by the band's no data value, a mask or an alpha band. So is the product's
        own no data value, what can't be, and 0 in all bands at once: so many exports are beyond their edge, whatever
        they declare.

        Args:
            files: The product's files, open.
            window: The pixels.
            seen: Counts the values, and those that can't be.

        Returns:
            Values of shape (height, width), NaN where missing.
        """
        dataset = files[self.path]
        raw = read_bands(dataset, indexes=self.index, window=window)
        values = self._scaled(raw)
        for missing in self._missing(raw, files, window):
            values[missing] = np.nan
        impossible = self.possible.excludes(values)
        count = 0
        if impossible is not None and (count := int(np.count_nonzero(impossible))):
            values[impossible] = np.nan
        if seen is not None:
            seen.values += values.size
            seen.impossible += count
        return values

    def in_units_of(self, unit: float) -> BandSource:
        """Returns the same band, whose values come in multiples of a unit."""
        # Rounded, as a quotient that should be 1 must not scale at all.
        scale, offset = round(self.scale / unit, 12), round(self.offset / unit, 12)
        return replace(self, scale=scale, offset=offset, possible=self.possible.in_units_of(unit))

    def _scaled(self, raw: NDArray[np.generic]) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):  # of values that can't be
            values = raw.astype(np.float32)
            if self.scale != 1:
                values *= np.float32(self.scale)
            if self.offset:
                values += np.float32(self.offset)
        return values

    def _missing(
        self, raw: NDArray[np.generic], files: Mapping[File, DatasetReader], window: Window
    ) -> Iterator[NDArray[np.bool_]]:
        """Yields where pixels are missing by what the file or the product says; nothing where no pixel can be."""
        dataset = files[self.path]
        lowest, highest = raw.min(), raw.max()  # several times as fast as a comparison
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            yield ~np.isfinite(raw)
        declared = {self.nodata, dataset.nodatavals[self.index - 1]} - {None}
        for nodata in declared:
            if not (nodata < lowest or nodata > highest):
                yield raw == nodata
        hidden = hidden_pixels(dataset, self.index, window)
        if hidden is not None:
            yield hidden
        if self.spectrum and 0 not in declared and not (lowest > 0 or highest < 0):
            yield self._blank(raw == 0, files, window)

    def _blank(self, zero: NDArray[np.bool_], files: Mapping[File, DatasetReader], window: Window) -> NDArray[np.bool_]:
        """Returns where pixels that are 0 in this band are 0 in all others of the product too."""
        grid = Grid.of(files[self.path]).crop(window)
        for path, index in self.spectrum:
            if not zero.any():
                break
            if (path, index) != (self.path, self.index):
                zero &= BandSource(path, index).read(files, grid, Resampling.nearest) == 0
        return zero
