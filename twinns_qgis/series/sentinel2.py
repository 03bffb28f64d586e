"""Preparing Sentinel-2: level 2A products to one gap-filled series of reflectance (METHOD section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.files import check_outputs, check_spared, scratch_file
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.area import Area
from twinns_qgis.series.block_store import Block
from twinns_qgis.series.blocks import Workers, block_shape, cache_bytes, strips
from twinns_qgis.series.clear_sky import Clouds, cloud_shares
from twinns_qgis.series.compositing import HIGHEST, read_date
from twinns_qgis.series.gapfilling import Interpolation
from twinns_qgis.series.grid import Grid
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.layout import Layout
from twinns_qgis.series.period import Period
from twinns_qgis.series.preparation import SERIES, Machine, prepare
from twinns_qgis.series.products.product import LeftOut, Product
from twinns_qgis.series.products.search import Sentinel2Options
from twinns_qgis.series.products.selection import Groups, by_date, on_grid
from twinns_qgis.series.products.sentinel2 import find_sentinel2
from twinns_qgis.series.report import Acquisition, SeriesReport, write_series_report
from twinns_qgis.series.series import SENTINEL2_BANDS, SENTINEL2_NODATA, SENTINEL2_SCALE, series_layout

VALIDITY = "validity"
"""The raster that tells how many dates are clear."""

_EVERY = 4
"""Mean NDVI is taken from every so many-th pixel along x and y: that is enough to see the course of the season."""
_SUSPICIOUS = 0.01
"""More pixels than this share above the highest reflectance that can be stored: the scale must be wrong."""


@dataclass(frozen=True)
class Outputs:
    """The files that preparation writes.

    Args:
        series: The series.
        validity: Raster of the number of clear dates of each pixel, or None.
        report: Report as one HTML file, or None.
    """

    series: Path
    validity: Path | None = None
    report: Path | None = None


@dataclass(frozen=True)
class Sentinel2Plan:
    """How a block of a Sentinel-2 series is made.

    Args:
        grid: The grid of the series.
        groups: The products of each of the T dates of acquisition, ascending.
        bands: The B bands.
        dates: The T' dates of the series.
        rim: Width of the rim round clouds that counts as cloudy, in units of the grid's CRS.
    """

    grid: Grid
    groups: Groups
    bands: tuple[str, ...]
    dates: tuple[date, ...]
    rim: float

    def sources(self) -> Iterable[Path]:
        """Returns the products' files."""
        return (path for _, products in self.groups for product in products for path in product.paths)

    def block(self, window: Window, workers: Workers) -> Block:
        """Returns the series and its validity on a block, and what the report tells of each date."""
        grid = self.grid.crop(window)
        values = np.empty((len(self.groups), len(self.bands), grid.height, grid.width), np.int16)
        clear = np.empty((len(self.groups), grid.height, grid.width), bool)

        def read(order: int) -> int:
            read_date(self.groups[order][1], self.bands, grid, self.rim, out=values[order])
            np.all(values[order] != SENTINEL2_NODATA, axis=0, out=clear[order])
            return int(np.count_nonzero(values[order] == HIGHEST))

        tally = {
            "too_high": sum(workers.map(read, range(len(self.groups)))),
            "clear": np.count_nonzero(clear, axis=(1, 2)).tolist(),
            **_ndvi_sums(values[:, :, ::_EVERY, ::_EVERY], clear[:, ::_EVERY, ::_EVERY], self.bands),
        }
        filled = _fill(values, tuple(day for day, _ in self.groups), self.dates, workers)
        rasters = {SERIES: filled.reshape(-1, *filled.shape[2:]), VALIDITY: clear.sum(axis=0, dtype=np.uint16)[None]}
        return Block(rasters, tally)

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Refuses a series that shows nothing, and warns of dates that show nothing and of a wrong scale."""
        days = [day for day, _ in self.groups]
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
        count = self.grid.width * self.grid.height * len(self.groups) * len(self.bands)
        _warn_of_scale(tally["too_high"] / count, reporter)


def prepare_sentinel2(
    outputs: Outputs,
    inputs: Inputs,
    period: Period,
    *,
    area: Area = Area(),
    clouds: Clouds = Clouds(),
    options: Sentinel2Options = Sentinel2Options(),
    machine: Machine,
    reporter: Reporter,
) -> None:
    """Writes the series of Sentinel-2 products: on one grid, without clouds, gap-filled.

    Bands on another grid than the series' are resampled to it by bicubic interpolation, masks by nearest neighbour.
    Where several products of a date overlap, a pixel is taken from the first one, by name, that is clear there.

    Args:
        outputs: The files to write.
        inputs: Where the products are.
        period: The dates of the series.
        area: Its grid; by default that of the first product's finest bands.
        clouds: How clouds are treated.
        options: What is read of the products.
        machine: What may be used.
        reporter: Receives progress and warnings.

    Raises:
        InputError: Something among the inputs can't be used; the outputs are as before then.
    """
    written = [path for path in (outputs.series, outputs.validity, outputs.report) if path]
    check_outputs(written)
    search = find_sentinel2(inputs, options, period, reporter)
    found = search.products
    check_spared(written, [path for product in found for path in product.paths] + inputs.named)
    bands = _bands(found)
    grid = area.grid([product.grid for product in found])
    rim = clouds.rim(grid)
    inside = on_grid(found, grid, reporter)
    if not inside:
        raise InputError(f"No product overlaps the extent {area.extent}.", "Choose an extent within the products.")
    groups, cloudy = _without_cloudy_dates(by_date(inside), grid, clouds, machine, reporter)
    own_dates = [day for day, _ in groups]
    dates = tuple(period.dates(own_dates, reporter))
    products = [product for _, products in groups for product in products]
    reporter.info(f"Sentinel-2: {len(products)} products, {len(own_dates)} dates -> {len(dates)} dates, {grid}.")
    layouts = {
        SERIES: series_layout(
            grid,
            dates,
            bands,
            dtype="int16",
            nodata=SENTINEL2_NODATA,
            scale=[SENTINEL2_SCALE] * len(bands),
            offset=[0.0] * len(bands),
            tags=_tags(products, period, clouds),
        ),
        VALIDITY: Layout(grid, "uint16", None, ("number of clear dates",)),
    }
    # Values read, values written unless they replace these, and what GDAL holds until they are compressed: all int16.
    copies = 1 if dates == tuple(own_dates) else 2
    bytes_per_pixel = 2 * len(bands) * (len(own_dates) + copies * len(dates))
    with ExitStack() as stack:
        paths = {SERIES: outputs.series}
        if outputs.validity:
            paths[VALIDITY] = outputs.validity
        elif outputs.report:
            paths[VALIDITY] = stack.enter_context(scratch_file(outputs.report, "validity"))
        tally = prepare(
            Sentinel2Plan(grid, groups, tuple(bands), dates, rim),
            layouts,
            paths,
            block_shape(grid, machine.memory, bytes_per_pixel),
            machine,
            reporter,
        )
        if outputs.report:
            outside = tuple(LeftOut(one.date, one.name, "outside the area") for one in found if one not in inside)
            left_out = sorted(
                [*search.left_out, *outside, *cloudy], key=lambda one: (one.date or date.min, one.product)
            )
            report = SeriesReport(grid, dates, tuple(bands), _acquisitions(groups, tally, grid), left_out)
            write_series_report(outputs.report, report, paths[VALIDITY])


def _without_cloudy_dates(
    groups: Groups, grid: Grid, clouds: Clouds, machine: Machine, reporter: Reporter
) -> tuple[Groups, tuple[LeftOut, ...]]:
    """Returns the dates that are not too cloudy, and the products of the others.

    Raises:
        InputError: All dates are too cloudy.
    """
    if clouds.most == 100:
        return groups, ()
    reporter.progress(0.0, "Judging the clouds of each date")
    with rasterio.Env(GDAL_CACHEMAX=cache_bytes(machine.memory)), Workers(reporter) as workers:
        shares = cloud_shares(groups, grid, workers)
    kept = tuple(group for group in groups if 100 * shares[group[0]] <= clouds.most)
    cloudy = tuple(group for group in groups if group not in kept)
    listed = [f"{day} ({shares[day]:.0%})" for day, _ in cloudy]
    if not kept:
        raise InputError(
            f"All dates have more than {clouds.most:g} % of clouds: {', '.join(listed)}.", "Raise MAX_CLOUD."
        )
    if listed:
        reporter.info(
            f"{len(listed)} dates have more than {clouds.most:g} % of clouds, and are left out: {', '.join(listed)}."
        )
    return kept, tuple(
        LeftOut(day, product.name, f"{shares[day]:.0%} of clouds") for day, products in cloudy for product in products
    )


def _acquisitions(groups: Groups, tally: Mapping[str, Any], grid: Grid) -> tuple[Acquisition, ...]:
    pixels, none = grid.width * grid.height, [0] * len(groups)
    sums, counts = tally.get("ndvi", none), tally.get("ndvi_count", none)
    return tuple(
        Acquisition(day, tuple(product.name for product in products), clear / pixels, sum_ / count if count else None)
        for (day, products), clear, sum_, count in zip(groups, tally["clear"], sums, counts, strict=True)
    )


def _ndvi_sums(values: NDArray[np.int16], clear: NDArray[np.bool_], bands: Sequence[str]) -> dict[str, list[float]]:
    """Returns the sum of NDVI over the clear pixels of each date, and their number; nothing where a band lacks."""
    if not {"B4", "B8"} <= set(bands):
        return {}
    red, infrared = (values[:, bands.index(band)].astype(np.float64) for band in ("B4", "B8"))
    total = infrared + red
    usable = clear & (total > 0)
    ndvi = np.divide(infrared - red, total, where=usable, out=np.zeros_like(total))
    return {"ndvi": ndvi.sum(axis=(1, 2)).tolist(), "ndvi_count": np.count_nonzero(usable, axis=(1, 2)).tolist()}


def _bands(products: Sequence[Product]) -> list[str]:
    """Returns the bands of the series, which are those of every product."""
    bands = [band for band in SENTINEL2_BANDS if any(band in product.bands for product in products)]
    if not bands:
        raise InputError(f"{products[0].name} holds a mask, and no product holds a band.", "Add the bands' files.")
    for product in products:
        missing = [band for band in bands if band not in product.bands]
        if missing:
            raise InputError(
                f"{product.name} has no band {', '.join(missing)}, which other products have.",
                "Add the missing file or band, or leave that date out. Bands are recognised by their descriptions.",
            )
    return bands


def _fill(
    values: NDArray[np.int16], own_dates: tuple[date, ...], dates: tuple[date, ...], workers: Workers
) -> NDArray[np.int16]:
    """Interpolates raw values of shape (T, B, height, width) to the series' dates: (T', B, height, width).

    Where these are the products' own, the values are filled in place.
    """
    filled = values if dates == own_dates else np.empty((len(dates), *values.shape[1:]), np.int16)

    def fill(rows: slice) -> None:
        interpolation = None
        for band in range(values.shape[1]):
            part = values[:, band, rows]
            valid = part != SENTINEL2_NODATA
            if interpolation is None or not np.array_equal(valid, interpolation.valid):  # bands mostly share their gaps
                interpolation = Interpolation.between(valid, own_dates, dates)
            filled[:, band, rows] = np.rint(interpolation.apply(part, missing=SENTINEL2_NODATA))

    workers.run(fill, strips(*values.shape[2:]))
    return filled


def _tags(products: Sequence[Product], period: Period, clouds: Clouds) -> dict[str, str]:
    return {
        "TIFFTAG_SOFTWARE": f"TWINNS {__version__}",
        "SENSOR": "Sentinel-2",
        "PRODUCTS": "; ".join(product.name for product in products),
        "PERIOD": str(period),
        "STEP": str(period.step),
        "MAX_CLOUD": f"{clouds.most:g}",
        "DILATION": f"{clouds.dilation:g}",
    }


def _warn_of_scale(share: float, reporter: Reporter) -> None:
    if share > _SUSPICIOUS:
        reporter.warning(
            f"{share:.0%} of the values exceed the highest reflectance that can be stored, "
            f"{HIGHEST * SENTINEL2_SCALE:.2f}, and were cut to it: the scale of the inputs must be wrong. Whole "
            "numbers without a scale are taken as reflectance times 10 000, other numbers as reflectance."
        )
