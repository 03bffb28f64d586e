"""Preparing Sentinel-2: level 2A products to one gap-filled series of reflectance (METHOD section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.files import check_output
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.block_store import Block
from twinns_qgis.series.blocks import Workers, block_shape, strips
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.gapfilling import fill_gaps
from twinns_qgis.series.grid import Extent, Grid
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.preparation import SERIES, Machine, prepare
from twinns_qgis.series.products import dated_geotiffs, safe, theia
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.products.selection import by_date, grid_of, on_grid
from twinns_qgis.series.series import SENTINEL2_BANDS, SENTINEL2_NODATA, SENTINEL2_SCALE, series_layout
from twinns_qgis.series.warping import read_band

READERS = (theia, safe, dated_geotiffs)
"""Modules that know a kind of product: `find` finds them, `LOOKED_FOR` says what it looks for."""

_HIGHEST = 32767
_SUSPICIOUS = 0.01
"""More pixels than this share above the highest reflectance that can be stored: the scale must be wrong."""


@dataclass(frozen=True)
class Sentinel2Plan:
    """How a block of a Sentinel-2 series is made.

    Args:
        grid: The grid of the series.
        groups: The products of each of the dates of acquisition, ascending.
        bands: The B bands.
        dates: The T' dates of the series.
    """

    grid: Grid
    groups: tuple[tuple[date, tuple[Product, ...]], ...]
    bands: tuple[str, ...]
    dates: tuple[date, ...]

    def sources(self) -> Iterable[Path]:
        """Returns the products' files."""
        return (path for _, products in self.groups for product in products for path in product.files)

    def block(self, window: Window, workers: Workers) -> Block:
        """Returns the series on a block, with the number of values that were too high."""
        grid = self.grid.crop(window)
        values = np.stack(list(workers.map(lambda group: _read_date(group[1], self.bands, grid), self.groups)))
        filled = _fill(values, [day for day, _ in self.groups], self.dates, workers)
        tally = {"too_high": int(np.count_nonzero(values == _HIGHEST))}
        return Block({SERIES: filled.reshape(-1, *filled.shape[2:])}, tally)

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Warns if the scale of the inputs must be wrong."""
        count = self.grid.width * self.grid.height * len(self.groups) * len(self.bands)
        _warn_of_scale(tally["too_high"] / count, reporter)


def prepare_sentinel2(
    output: Path, inputs: Inputs, period: Period, *, extent: Extent | None, machine: Machine, reporter: Reporter
) -> None:
    """Writes the series of Sentinel-2 products: on one grid, without clouds, gap-filled.

    The grid is that of the first product's finest bands, cut to the pixels that the extent touches. Bands on another
    grid are resampled to it by bicubic interpolation, masks by nearest neighbour. Where several products of a date
    overlap, a pixel is taken from the first one, by name, that is clear there.

    Args:
        output: The series to write.
        inputs: Where the products are.
        period: Its dates.
        extent: The part to prepare; None means all of the first product.
        machine: What may be used.
        reporter: Receives progress and warnings.

    Raises:
        InputError: Something among the inputs can't be used; nothing is left at `output` then.
    """
    check_output(output)
    products = _find(inputs, period, reporter)
    bands = _bands(products)
    grid = grid_of(products[0])
    if extent:
        grid = grid.crop(grid.window_of(extent))
    products = on_grid(products, grid, reporter)
    if not products:
        raise InputError(f"No product overlaps the extent {extent}.", "Choose an extent within the products.")
    groups = by_date(products)
    own_dates = [day for day, _ in groups]
    dates = period.dates(own_dates, reporter)
    reporter.info(f"Sentinel-2: {len(products)} products, {len(own_dates)} dates -> {len(dates)} dates, {grid}.")
    layout = series_layout(
        grid,
        dates,
        bands,
        dtype="int16",
        nodata=SENTINEL2_NODATA,
        scale=[SENTINEL2_SCALE] * len(bands),
        offset=[0.0] * len(bands),
        tags=_tags(products, period),
    )
    # Values read and values written, both int16, and what GDAL holds of the latter until they are compressed.
    bytes_per_pixel = 2 * len(bands) * (len(own_dates) + 2 * len(dates))
    prepare(
        Sentinel2Plan(grid, groups, tuple(bands), tuple(dates)),
        {SERIES: layout},
        {SERIES: output},
        block_shape(grid, machine.memory, bytes_per_pixel),
        machine,
        reporter,
    )


def _find(inputs: Inputs, period: Period, reporter: Reporter) -> list[Product]:
    dates = AcquisitionDates(inputs.dates, reporter)
    found = [product for reader in READERS for product in reader.find(inputs, dates, reporter)]
    if not found:
        kinds = "; ".join(reader.LOOKED_FOR for reader in READERS)
        raise InputError(f"No Sentinel-2 products were found in {inputs}.", f"Looked for: {kinds}.")
    dates.warn_of_unused_rows()
    period.dates([product.date for product in found], Reporter())
    products = sorted((product for product in found if product.date in period), key=lambda product: product.date)
    unmasked = [product.name for product in products if not product.masks]
    if unmasked:
        reporter.warning(
            f"{len(unmasked)} of {len(products)} products have no cloud mask, and all their valid pixels are taken as "
            f"clear, the first being {unmasked[0]}. Masks are bands described SCL, or CLM with 0 where clear."
        )
    return products


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


def _read_date(products: Sequence[Product], bands: Sequence[str], block: Grid) -> NDArray[np.int16]:
    """Returns the raw values of a date on a block, of shape (B, height, width); the first clear value wins."""
    values = _read_product(products[0], bands, block)
    for product in products[1:]:
        np.copyto(values, _read_product(product, bands, block), where=values == SENTINEL2_NODATA)
    return values


def _read_product(product: Product, bands: Sequence[str], block: Grid) -> NDArray[np.int16]:
    values = np.full((len(bands), block.height, block.width), SENTINEL2_NODATA, np.int16)
    with product.open() as files:
        clear = np.ones((block.height, block.width), bool)
        for mask in product.masks:
            flags = read_band(files[mask.path], mask.index, block, Resampling.nearest, _as_flags)
            clear &= np.isin(flags, list(mask.clear))
        if not clear.any():
            return values
        for order, band in enumerate(bands):
            source = product.bands[band]
            dataset = files[source.path]
            reflectance = read_band(
                dataset,
                source.index,
                block,
                Resampling.cubic,
                lambda raw: source.decode(raw, dataset.nodata),  # noqa: B023
            )
            valid = clear & ~np.isnan(reflectance)
            raw = np.rint(reflectance[valid] / np.float32(SENTINEL2_SCALE))
            values[order, valid] = np.clip(raw, SENTINEL2_NODATA + 1, _HIGHEST)
    return values


def _as_flags(raw: NDArray[np.generic]) -> NDArray[np.float32]:
    return raw.astype(np.float32)


def _fill(
    values: NDArray[np.int16], own_dates: Sequence[date], dates: Sequence[date], workers: Workers
) -> NDArray[np.int16]:
    """Interpolates raw values of shape (T, B, height, width) to the series' dates: (T', B, height, width)."""
    filled = np.empty((len(dates), *values.shape[1:]), np.int16)

    def fill(rows: slice) -> None:
        for band in range(values.shape[1]):
            part = values[:, band, rows].astype(np.float32)
            part[part == SENTINEL2_NODATA] = np.nan
            result = np.rint(fill_gaps(part, own_dates, dates))
            filled[:, band, rows] = np.where(np.isnan(result), SENTINEL2_NODATA, result).astype(np.int16)

    for _ in workers.map(fill, strips(*values.shape[2:])):
        pass
    return filled


def _tags(products: Sequence[Product], period: Period) -> dict[str, str]:
    return {
        "TIFFTAG_SOFTWARE": f"TWINNS {__version__}",
        "SENSOR": "Sentinel-2",
        "PRODUCTS": "; ".join(product.name for product in products),
        "PERIOD": str(period),
        "STEP": str(period.step),
    }


def _warn_of_scale(share: float, reporter: Reporter) -> None:
    if share > _SUSPICIOUS:
        reporter.warning(
            f"{share:.0%} of the values exceed the highest reflectance that can be stored, "
            f"{_HIGHEST * SENTINEL2_SCALE:.2f}, and were cut to it: the scale of the inputs must be wrong. Whole "
            "numbers without a scale are taken as reflectance times 10 000, other numbers as reflectance."
        )
