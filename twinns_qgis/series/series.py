"""The series: one GeoTIFF a sensor that holds all its dates, the contract between preparation and everything else.

Bands are date-major and each is described ``YYYY-MM-DD BAND``; a band's scale and offset turn its values into
reflectance or decibels. Any GeoTIFF that keeps this contract is a series, whoever made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import TILE, Layout
from twinns_qgis.rasters.reading import open_raster, read_bands

SERIES = "series"
"""The raster that all preparation makes."""
SENTINEL2_BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
SENTINEL2_NODATA = -32768
SENTINEL2_SCALE = 0.0001
OF_CLEAR_DATES = "number of clear dates"
"""Description of the band of the raster beside a series that tells how often each pixel was seen."""
SENTINEL1_BANDS = ("VV", "VH")
SENTINEL1_RATIO = "VV-VH"
"""The band that the view of a series has besides, see `ratio_view`; no series has it."""
SENTINEL1_NODATA = 0

_DESCRIPTION = re.compile(r"(\d{4}-\d{2}-\d{2}) (\S+)")


@dataclass(frozen=True)
class Series:
    """A time series raster on disk.

    Args:
        path: The GeoTIFF.
        grid: Its pixel grid.
        dates: Its T dates, ascending; what has none (see `static.StaticLayers`) is a single step.
        bands: Names of its B bands.
        scale: Factor of each of the B bands.
        offset: Summand of each of the B bands, after the factor.
        nodata: The value of missing pixels, or None.
        dtype: Type of the raw values, as numpy names it.
    """

    path: Path
    grid: Grid
    dates: tuple[date, ...]
    bands: tuple[str, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    nodata: float | None
    dtype: str

    @classmethod
    def open(cls, path: Path) -> Series:
        """Reads the description of a series and checks that it keeps the contract.

        Raises:
            InputError: The file can't be read as a raster, or breaks a rule; the message names the band and the rule.

        Example:
            >>> series = Series.open(Path("sentinel2.tif"))
            >>> len(series.dates), series.bands[:3]
            (5, ('B2', 'B3', 'B4'))
        """
        with open_raster(path) as dataset:
            dates, bands = _dates_and_bands(path, dataset.descriptions)
            if dataset.driver == "VRT" and SENTINEL1_RATIO in bands:
                raise InputError(
                    f"{path} is a view of a series, for QGIS to show, and no series itself.",
                    f"Give the series, {path.with_suffix('')}.",
                )
            count = len(bands)
            for name, values in (("scale", dataset.scales), ("offset", dataset.offsets)):
                for index, value in enumerate(values):
                    if value != values[index % count]:
                        raise InputError(
                            f"{path}: band {index + 1} ({dataset.descriptions[index]}) has {name} {value}, but "
                            f"{values[index % count]} at the first date.",
                            "A series has one scale and one offset for each band, the same at all dates.",
                        )
            for index, dtype in enumerate(dataset.dtypes):
                if dtype != dataset.dtypes[0] or np.dtype(dtype).kind not in "iuf":
                    raise InputError(
                        f"{path}: band {index + 1} ({dataset.descriptions[index]}) is of type {dtype}.",
                        "All bands of a series have one type, of real numbers.",
                    )
            return cls(
                path=path,
                grid=Grid.of(dataset),
                dates=dates,
                bands=bands,
                scale=tuple(dataset.scales[:count]),
                offset=tuple(dataset.offsets[:count]),
                nodata=dataset.nodata,
                dtype=dataset.dtypes[0],
            )

    @property
    def steps(self) -> int:
        """Number T of its dates; 1 of what has none."""
        return len(self.dates) or 1

    def read(self, window: Window | None = None, margin: int = 0) -> NDArray[np.generic]:
        """Reads raw values.

        Args:
            window: The pixels to read; all of them by default.
            margin: Width of a frame to add round the window. Where it leaves the raster, the nearest pixels of the
                raster are repeated.

        Returns:
            Raw values of shape (height + 2 margin, width + 2 margin, T, B).

        Raises:
            InputError: The file can't be read, for example because it is truncated.

        Example:
            >>> Series.open(Path("sentinel2.tif")).read(Window(0, 0, 20, 10)).shape
            (10, 20, 5, 10)
        """
        grid = self.grid
        window = window or Window(0, 0, grid.width, grid.height)
        first_row, first_column = int(window.row_off) - margin, int(window.col_off) - margin
        last_row = int(window.row_off + window.height) + margin
        last_column = int(window.col_off + window.width) + margin
        inside = Window.from_slices(
            (max(0, first_row), min(grid.height, last_row)), (max(0, first_column), min(grid.width, last_column))
        )
        values = self._values(inside)
        frame = (
            (max(0, -first_row), max(0, last_row - grid.height)),
            (max(0, -first_column), max(0, last_column - grid.width)),
        )
        if any(any(side) for side in frame):
            values = np.pad(values, ((0, 0), *frame), mode="edge")
        values = np.moveaxis(values, 0, -1)
        return values.reshape(*values.shape[:2], self.steps, len(self.bands))

    def _values(self, window: Window) -> NDArray[np.generic]:
        """Reads the raw values of all bands, shape (T B, height, width)."""
        with open_raster(self.path) as dataset:
            return read_bands(dataset, window=window)

    def missing(self, values: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Returns where raw values are missing, in their own shape: no data, NaN, and infinite ones."""
        missing = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
        if self.nodata is not None and not np.isnan(self.nodata):
            missing |= values == self.nodata
        return missing


def check_same_grid(series: Mapping[str, Series]) -> None:
    """Checks that all series lie on one grid.

    Raises:
        InputError: They don't.
    """
    first, *others = series.values()
    for other in others:
        if not first.grid.same_as(other.grid):
            raise InputError(
                f"The series are not on one grid: {first.path} has {first.grid}, {other.path} has {other.grid}.",
                "Prepare the Sentinel-1 series with the Sentinel-2 series as REFERENCE.",
            )


def series_layout(
    grid: Grid,
    dates: Sequence[date],
    bands: Sequence[str],
    *,
    dtype: str,
    nodata: float,
    scale: Sequence[float],
    offset: Sequence[float],
    tags: Mapping[str, str],
    tile: int = TILE,
) -> Layout:
    """Returns the layout of a series.

    Args:
        grid: Its pixel grid.
        dates: Its T dates, ascending.
        bands: Names of its B bands.
        dtype: Type of the raw values.
        nodata: Raw value of missing pixels.
        scale: Factor of each band.
        offset: Summand of each band, after the factor.
        tags: Metadata of the file.
        tile: Side of a tile in pixels.
    """
    return Layout(
        grid,
        dtype,
        nodata,
        descriptions=tuple(f"{day.isoformat()} {band}" for day in dates for band in bands),
        scales=tuple(scale) * len(dates),
        offsets=tuple(offset) * len(dates),
        tags=dict(tags),
        tile=tile,
    )


@contextmanager
def write_series(path: Path, layout: Layout) -> Iterator[SeriesWriter]:
    """Writes a series block by block; the file appears at `path` when the last block is written."""
    with whole_file(path) as partial, layout.create(partial) as dataset:
        yield SeriesWriter(dataset)


class SeriesWriter:
    """Writes blocks of raw values to a series."""

    def __init__(self, dataset: DatasetWriter) -> None:
        self._dataset = dataset

    def write(self, values: NDArray[np.generic], window: Window) -> None:
        """Writes raw values of shape (height, width, T, B) to a window."""
        height, width = values.shape[:2]
        self._dataset.write(np.moveaxis(values.reshape(height, width, -1), -1, 0), window=window)


def _dates_and_bands(path: Path, descriptions: Sequence[str | None]) -> tuple[tuple[date, ...], tuple[str, ...]]:
    """Parses band descriptions, and checks that every date has the same bands in the same order."""
    rule = (
        "The bands of a series are described 'YYYY-MM-DD BAND', date by date, with the same bands at every date. "
        "Prepare Sentinel-2 series and Prepare Sentinel-1 series make such a raster, also of bands that BANDS names."
    )
    parsed: list[tuple[date, str]] = []
    for index, description in enumerate(descriptions):
        match = _DESCRIPTION.fullmatch(description or "")
        try:
            if match is None:
                raise ValueError(description)
            parsed.append((date.fromisoformat(match[1]), match[2]))
        except ValueError as error:
            state = f"described '{description}'" if description else "not described"
            raise InputError(f"{path} is no series: band {index + 1} is {state}.", rule) from error
    bands = tuple(band for day, band in parsed if day == parsed[0][0])
    dates = tuple(day for day, _ in parsed[:: len(bands)])
    expected = [(day, band) for day in dates for band in bands]
    for number, (found, wanted) in enumerate(zip(parsed, expected, strict=False), start=1):
        if found != wanted:
            is_and_was = f"is {found[0]} {found[1]}, {wanted[0]} {wanted[1]} was expected"
            raise InputError(f"{path} is no series: band {number} {is_and_was}.", rule)
    if len(parsed) != len(expected) or sorted(set(dates)) != list(dates):
        raise InputError(f"{path} is no series: its dates do not ascend, or the last one lacks a band.", rule)
    if len(set(bands)) != len(bands):
        raise InputError(f"{path} is no series: a band occurs twice at {dates[0]}.", rule)
    return dates, bands
