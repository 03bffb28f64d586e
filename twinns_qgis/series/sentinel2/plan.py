"""How a block of a Sentinel-2 series is made, and what is counted meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.gapfilling import Interpolation
from twinns_qgis.series.products.band_source import Seen
from twinns_qgis.series.products.impossible import report_impossible, sample_impossible
from twinns_qgis.series.products.selection import Groups
from twinns_qgis.series.sentinel2.finding import POSSIBLE_REFLECTANCE
from twinns_qgis.series.sentinel2.mosaic import Mosaic
from twinns_qgis.series.series import SENTINEL2_NODATA, SERIES

CLEAR_OBSERVATIONS = "clear_observations"
"""The raster that tells how many dates are clear."""

_EVERY = 4
"""Mean NDVI is taken from every so many-th pixel along x and y: that is enough to see the course of the season."""
_WRONG_SCALE = 0.5
"""More values than this share that can't be reflectance: the scale must be wrong."""
_NO_DATA = 0.5
"""But if more than this share of them are one and the same: they are no data."""


@dataclass(frozen=True)
class Sentinel2Plan:
    """How a block of a Sentinel-2 series is made.

    Args:
        grid: The grid of the series.
        groups: The products of each of the T dates of acquisition, ascending.
        dates: The T' dates of the series.
        mosaic: Puts the products of a date together, of the B bands that it knows.
    """

    grid: Grid
    groups: Groups
    dates: tuple[date, ...]
    mosaic: Mosaic

    def sources(self) -> Iterable[Path]:
        """Returns the products' files."""
        return (path for _, products in self.groups for product in products for path in product.paths)

    def block(self, window: Window, threads: Threads) -> Block:
        """Returns the series and its validity on a block, and what the report tells of each date."""
        grid, bands = self.grid.crop(window), self.mosaic.bands
        values = np.empty((len(self.groups), len(bands), grid.height, grid.width), np.int16)
        clear = np.empty((len(self.groups), grid.height, grid.width), bool)

        def read(order: int) -> Seen:
            seen = self.mosaic.read(self.groups[order][1], grid, out=values[order])
            np.not_equal(values[order, 0], SENTINEL2_NODATA, out=clear[order])  # a pixel has all bands or none
            return seen

        seen = list(threads.map(read, range(len(self.groups))))
        if self.mosaic.tiles:
            self.mosaic.tiles.next_block()
        tally = {
            "values": [one.values for one in seen],
            "impossible": [one.impossible for one in seen],
            "clear": np.count_nonzero(clear, axis=(1, 2)).tolist(),
            **_ndvi_sums(values[:, :, ::_EVERY, ::_EVERY], clear[:, ::_EVERY, ::_EVERY], bands),
        }
        filled = _fill(values, clear, tuple(day for day, _ in self.groups), self.dates, threads)
        rasters = {
            SERIES: filled.reshape(-1, *filled.shape[2:]),
            CLEAR_OBSERVATIONS: clear.sum(axis=0, dtype=np.uint16)[None],
        }
        return Block(rasters, tally)

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Refuses a series that shows nothing, and warns of dates that show nothing and of a wrong scale."""
        days = [day for day, _ in self.groups]
        products = [of_day for _, of_day in self.groups]
        share = report_impossible(products, tally, self.grid, f"{POSSIBLE_REFLECTANCE}", reporter)
        if share > _WRONG_SCALE:
            self._check_scale(share, tally)
        if not any(tally["clear"]):
            raise InputError(
                f"No pixel is clear at any of the {len(days)} dates from {days[0]} to {days[-1]}: the products' masks, "
                "or missing pixels, cover all of the area.",
                "Take a longer period, another area, or count more values of the masks as clear, with CLEAR.",
            )
        hidden = [day for day, clear in zip(days, tally["clear"], strict=True) if not clear]
        if kept := [str(day) for day in hidden if day in self.dates]:
            reporter.warning(
                f"{len(kept)} dates of the series show no clear pixel, and are interpolated everywhere: "
                f"{', '.join(kept)}. With a MAX_CLOUD of 99 they are left out."
            )

    def _check_scale(self, share: float, tally: Mapping[str, Any]) -> None:
        """Refuses a series of which most values can't be, unless they are no data that nobody declared."""
        (_, worst), _ = max(zip(self.groups, tally["impossible"], strict=True), key=lambda date: date[1])
        sample = sample_impossible(worst, self.grid)
        if sample is None or sample.typical < 0 or (sample.repeated > _NO_DATA and any(tally["clear"])):
            return
        factor = next((factor for factor in (10, 100) if sample.typical <= factor), 10_000)
        raise InputError(
            f"{share:.0%} of the values of {sample.path} and others can't be reflectance, which is "
            f"{POSSIBLE_REFLECTANCE}: their scale must be wrong. "
            f"Numbers such as {sample.value:.10g} are read as {sample.typical:.4g} or so.",
            "Whole numbers without a scale are taken as reflectance times 10 000, other numbers as reflectance. These "
            f"would be {sample.typical / factor:.2g} if they were {factor} times as much: declare the scale, with "
            "gdal_edit.py -scale FACTOR FILE, or in QGIS with Raster > Conversion > Translate and -a_scale FACTOR as "
            "additional command-line parameter.",
        )


def _fill(
    values: NDArray[np.int16],
    clear: NDArray[np.bool_],
    own_dates: tuple[date, ...],
    dates: tuple[date, ...],
    threads: Threads,
) -> NDArray[np.int16]:
    """Interpolates raw values of shape (T, B, height, width) to the series' dates: (T', B, height, width).

    Where these are the products' own, the values are filled in place. `clear`, of shape (T, height, width), is where
    there are values.
    """
    filled = values if dates == own_dates else np.empty((len(dates), *values.shape[1:]), np.int16)

    def fill(rows: slice) -> None:
        interpolation = Interpolation.between(clear[:, rows], own_dates, dates)
        for band in range(values.shape[1]):
            interpolated = interpolation.apply(values[:, band, rows], missing=SENTINEL2_NODATA)
            filled[:, band, rows] = np.rint(interpolated, out=interpolated)

    threads.run(fill, strips(*values.shape[2:]))
    return filled


def _ndvi_sums(values: NDArray[np.int16], clear: NDArray[np.bool_], bands: Sequence[str]) -> dict[str, list[float]]:
    """Returns the sum of NDVI over the clear pixels of each date, and their number; nothing where a band lacks."""
    if not {"B4", "B8"} <= set(bands):
        return {}
    red, infrared = (values[:, bands.index(band)].astype(np.float64) for band in ("B4", "B8"))
    total = infrared + red
    usable = clear & (total > 0)
    ndvi = np.divide(infrared - red, total, where=usable, out=np.zeros_like(total)).clip(-1, 1)
    return {"ndvi": ndvi.sum(axis=(1, 2)).tolist(), "ndvi_count": np.count_nonzero(usable, axis=(1, 2)).tolist()}
