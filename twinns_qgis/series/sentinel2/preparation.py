"""Preparing Sentinel-2: level 2A products to one gap-filled series of reflectance (METHOD section 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import rasterio
from rasterio.windows import Window

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.files import check_outputs, check_spared, scratch_file
from twinns_qgis.rasters.blocks import Threads, block_shape, cache_bytes
from twinns_qgis.rasters.decoded_tiles import DecodedTiles
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.rasters.production import Machine, blocks_folder, make_rasters, unpacked_for
from twinns_qgis.rasters.remote.cache import use_memory
from twinns_qgis.rasters.remote.requesting import Watched
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.area import Area
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.masks import clear_text
from twinns_qgis.series.products.product import LeftOut, Product
from twinns_qgis.series.products.selection import Groups, by_date, on_grid
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel2.cloud_mask import Clouds, cloud_shares
from twinns_qgis.series.sentinel2.finding import find_sentinel2
from twinns_qgis.series.sentinel2.mosaic import Mosaic
from twinns_qgis.series.sentinel2.plan import CLEAR_OBSERVATIONS, Sentinel2Plan
from twinns_qgis.series.sentinel2.report import Acquisition, SeriesReport, write_series_report
from twinns_qgis.series.series import (
    OF_CLEAR_DATES,
    SENTINEL2_BANDS,
    SENTINEL2_NODATA,
    SENTINEL2_SCALE,
    SERIES,
    series_layout,
)
from twinns_qgis.series.style import write_series_style


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

    Example:
        >>> prepare_sentinel2(
        ...     Outputs(Path("optical.tif")),
        ...     Inputs(folder=Path("site/sentinel2")),
        ...     Period(date(2018, 3, 1), date(2018, 5, 31), step=10),
        ...     clouds=Clouds(most=80, dilation=40),
        ...     machine=Machine(memory=1000),
        ...     reporter=Reporter(),
        ... )
    """
    written = [path for path in (outputs.series, outputs.validity, outputs.report) if path]
    check_outputs(written)
    if inputs.scenes:
        use_memory(machine.memory, outputs.series.parent)
        reporter = Watched(reporter)
    search = find_sentinel2(inputs, options, period, reporter)
    found = search.products
    check_spared(written, [*search.inputs, *inputs.named])
    bands = _bands(found)
    with Threads(reporter) as threads:
        grid = area.grid(list(threads.map(lambda product: product.grid, found)))
    buffer = clouds.buffer(grid)
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
            tags=_tags(products, period, clouds, options),
        ),
        CLEAR_OBSERVATIONS: Layout(grid, "uint16", None, (OF_CLEAR_DATES,)),
    }
    # Values read, values written unless they replace these, and what GDAL holds until they are compressed: all int16.
    copies = 1 if dates == tuple(own_dates) else 2
    bytes_per_pixel = 2 * len(bands) * (len(own_dates) + copies * len(dates))
    with ExitStack() as stack:
        paths = {SERIES: outputs.series}
        if outputs.validity:
            paths[CLEAR_OBSERVATIONS] = outputs.validity
        elif outputs.report:
            paths[CLEAR_OBSERVATIONS] = stack.enter_context(scratch_file(outputs.report, "validity"))
        shape = block_shape(grid, machine.memory, bytes_per_pixel)
        tiles = stack.enter_context(_decoded_tiles(outputs.series, grid, buffer, shape))
        unpacked = stack.enter_context(unpacked_for(outputs.series, layouts.values(), shape))
        tally = make_rasters(
            Sentinel2Plan(grid, groups, dates, Mosaic(tuple(bands), buffer, tiles, unpacked)),
            layouts,
            paths,
            shape,
            machine,
            reporter,
        )
        clearest = max(zip(tally["clear"], own_dates, strict=True), key=lambda one: one[0])[1]
        write_series_style(outputs.series, clearest)
        if outputs.report:
            outside = tuple(LeftOut(one.date, one.name, "outside the area") for one in found if one not in inside)
            left_out = sorted(
                [*search.left_out, *outside, *cloudy], key=lambda one: (one.date or date.min, one.product)
            )
            report = SeriesReport(grid, dates, tuple(bands), _acquisitions(groups, tally, grid), left_out)
            write_series_report(outputs.report, report, paths[CLEAR_OBSERVATIONS])


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
    with rasterio.Env(GDAL_CACHEMAX=cache_bytes(machine.memory)), Threads(reporter) as threads:
        shares = cloud_shares(groups, grid, threads)
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


def _decoded_tiles(series: Path, grid: Grid, buffer: float, shape: tuple[int, int]) -> DecodedTiles:
    """Returns tiles for the blocks of a series, with what lies round the grid within the buffer of clouds."""
    margin = math.ceil(buffer / min(grid.resolution))
    wide = grid.crop(Window(-margin, -margin, grid.width + 2 * margin, grid.height + 2 * margin))
    return DecodedTiles(blocks_folder(series), wide, math.ceil(grid.width / shape[1]))


def _acquisitions(groups: Groups, tally: Mapping[str, Any], grid: Grid) -> tuple[Acquisition, ...]:
    pixels, none = grid.width * grid.height, [0] * len(groups)
    sums, counts = tally.get("ndvi", none), tally.get("ndvi_count", none)
    return tuple(
        Acquisition(day, tuple(product.name for product in products), clear / pixels, sum_ / count if count else None)
        for (day, products), clear, sum_, count in zip(groups, tally["clear"], sums, counts, strict=True)
    )


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
                "Add the missing file or band, or leave that date out. Bands are recognised by their descriptions, or "
                "by BANDS.",
            )
    return bands


def _tags(products: Sequence[Product], period: Period, clouds: Clouds, options: Sentinel2Options) -> dict[str, str]:
    # What is clear by SAT is another bit for each band, unless the user says so for all.
    found = {mask.name: mask.clear for product in products for mask in product.masks if mask.bands is None}
    return {
        "TIFFTAG_SOFTWARE": f"TWINNS {__version__}",
        "SENSOR": "Sentinel-2",
        "PRODUCTS": "; ".join(product.name for product in products),
        "PERIOD": str(period),
        "STEP": str(period.step),
        "MAX_CLOUD": f"{clouds.most:g}",
        "DILATION": f"{clouds.dilation:g}",
        "CLEAR": clear_text({**found, **options.clear}),
        "REFLECTANCE": options.reflectance,
        "OFFSET": str(options.offset or "auto"),
    }
