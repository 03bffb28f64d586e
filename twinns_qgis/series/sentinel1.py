"""Preparing Sentinel-1: calibrated backscatter to one series of decibels in 8 bits (METHOD section 1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from twinns_qgis.files import check_output, check_spared
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.backscatter import DbRange, to_db
from twinns_qgis.series.block_store import Block
from twinns_qgis.series.blocks import Workers, block_shape, strips
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.db_percentiles import settle_ranges
from twinns_qgis.series.db_range import DbRanges, Percentiles, write_db_range
from twinns_qgis.series.gapfilling import fill_gaps
from twinns_qgis.series.grid import Grid
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.mosaicking import read_day
from twinns_qgis.series.orbits import on_orbit, parse_orbit
from twinns_qgis.series.passes import Passes, by_pass
from twinns_qgis.series.period import Period
from twinns_qgis.series.preparation import SERIES, Machine, prepare
from twinns_qgis.series.products import backscatter_geotiffs
from twinns_qgis.series.products.product import BandSource, Orbit, Product
from twinns_qgis.series.products.selection import on_grid
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL1_NODATA, open_raster, series_layout
from twinns_qgis.series.speckle import filter_speckle, margin_of
from twinns_qgis.series.units import settle_units

READERS = (backscatter_geotiffs,)
"""Modules that know a kind of product: `find` finds them, `LOOKED_FOR` says what it looks for."""

_CLIPPED = 0.03
"""More pixels than this share outside the range of decibels are worth a warning: the range may be wrong."""
_LISTED = 10
"""Dates that a warning names."""
_SAMPLING = 0.2
"""Share of the time that percentiles take: all is read for them, but little is computed."""


@dataclass(frozen=True)
class Sentinel1Plan:
    """How a block of a Sentinel-1 series is made.

    Args:
        grid: The grid of the series.
        days: The images of each pass of each of the dates of acquisition, ascending.
        polarisations: The P polarisations.
        dates: The T' dates of the series.
        units_of: What each band's values are.
        margin: Pixels from the middle of the speckle filter's window to its edge; 0 for no filter.
        ranges: The decibels that the 8 bits span, for each polarisation.
        percentiles: Polarisations whose ranges are percentiles, which cut values on purpose.
    """

    grid: Grid
    days: Passes
    polarisations: tuple[str, ...]
    dates: tuple[date, ...]
    units_of: Mapping[BandSource, str]
    margin: int
    ranges: tuple[DbRange, ...]
    percentiles: frozenset[str]

    def sources(self) -> Iterable[Path]:
        """Returns the images' files."""
        return (path for _, passes in self.days for images in passes for image in images for path in image.paths)

    def block(self, window: Window, workers: Workers) -> Block:
        """Returns the series on a block, with the dates seen and, of each polarisation, how many values were cut."""
        block, margin = self.grid.crop(window), self.margin
        wide = block.crop(Window(-margin, -margin, block.width + 2 * margin, block.height + 2 * margin))
        rows, columns = slice(margin, margin + block.height), slice(margin, margin + block.width)
        power = np.empty((len(self.days), len(self.polarisations), wide.height, wide.width), np.float32)

        def read(order: int) -> int:
            power[order] = read_day(self.days[order][1], self.polarisations, wide, self.units_of)
            return int(not np.isnan(power[order, :, rows, columns]).all())

        seen = list(workers.map(read, range(len(self.days))))
        own_dates = [day for day, _ in self.days]
        encoded, clipped = _encode(power, margin, own_dates, self.dates, self.ranges, workers)
        tally = {
            "clipped": clipped,
            "valid": np.count_nonzero(encoded, axis=(0, 2, 3)).tolist(),
            "seen": seen,
        }
        return Block({SERIES: encoded.reshape(-1, *encoded.shape[2:])}, tally)

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Refuses a series that shows nothing, warns of dates that do, and tells how many values were cut."""
        days = [day for day, _ in self.days]
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


def prepare_sentinel1(
    output: Path,
    inputs: Inputs,
    period: Period,
    *,
    reference: Path,
    units: str,
    orbit: str,
    speckle: int,
    db_range: DbRanges,
    machine: Machine,
    reporter: Reporter,
) -> None:
    """Writes the series of Sentinel-1 backscatter on the grid of a reference, in decibels of 8 bits.

    Backscatter is resampled in linear power, in which averages mean something, and bilinearly: a bicubic kernel
    has negative lobes, and gives negative power beside bright targets. Images of one pass are averaged in power, and
    speckle is filtered in power. Gaps are filled, and dates interpolated, in decibels.

    Args:
        output: The series to write.
        inputs: Where the rasters are.
        period: The dates of the series.
        reference: Raster whose grid the series gets.
        units: What the rasters' values are: one of `backscatter.UNITS`; see `units.settle_units`.
        orbit: The orbit whose images are used; see `orbits.parse_orbit`.
        speckle: Width of the speckle filter's window in pixels of the reference; 0 for no filter.
        db_range: The decibels that the 8 bits span, for each polarisation, or percentiles of the images' own.
        machine: What may be used.
        reporter: Receives progress and warnings.

    Raises:
        InputError: Something among the inputs can't be used; nothing is left at `output` then.
    """
    check_output(output)
    margin, wanted = margin_of(speckle), parse_orbit(orbit)
    with open_raster(reference) as dataset:
        grid = Grid.of(dataset)
    products = on_orbit(_find(inputs, period, reporter), wanted, reporter)
    check_spared([output], [path for product in products for path in product.paths] + [reference, *inputs.named])
    found = products[0]
    products = on_grid(products, grid, reporter)
    if not products:
        raise InputError(
            f"The reference {reference} ({grid}) does not overlap the images, the first being {found.name} "
            f"({found.grid}).",
            "Choose a reference of the same place, and check its CRS.",
        )
    days = by_pass(products, reporter)
    polarisations = _polarisations(products, reporter)
    sources = [(name, product.bands[name]) for product in products for name in polarisations if name in product.bands]
    units_of = settle_units(sources, grid, units, reporter)
    own_dates = [day for day, _ in days]
    dates = period.dates(own_dates, reporter)
    reporter.info(f"Sentinel-1: {len(products)} images, {len(own_dates)} dates -> {len(dates)} dates, {grid}.")
    percentiles = frozenset(name for name in polarisations if isinstance(db_range.get(name), Percentiles))
    sampling = _SAMPLING if percentiles else 0
    ranges = settle_ranges(
        db_range,
        polarisations,
        [passes for _, passes in days],
        lambda passes, block: read_day(passes, polarisations, block, units_of, Resampling.nearest),
        grid,
        machine.memory,
        reporter.part(0, sampling),
    )

    layout = series_layout(
        grid,
        dates,
        polarisations,
        dtype="uint8",
        nodata=SENTINEL1_NODATA,
        scale=[db.scale for db in ranges.values()],
        offset=[db.offset for db in ranges.values()],
        tags=_tags(products, period, set(units_of.values()), wanted, speckle, ranges),
    )
    bytes_per_pixel = len(polarisations) * (4 * len(own_dates) + 2 * len(dates))
    if margin:
        bytes_per_pixel *= 2  # margins, and the strips as high as they are that are filtered at once
    prepare(
        Sentinel1Plan(
            grid, days, tuple(polarisations), tuple(dates), units_of, margin, tuple(ranges.values()), percentiles
        ),
        {SERIES: layout},
        {SERIES: output},
        block_shape(grid, machine.memory, bytes_per_pixel),
        machine,
        reporter.part(sampling, 1),
    )


def _find(inputs: Inputs, period: Period, reporter: Reporter) -> list[Product]:
    dates = AcquisitionDates(inputs.dates, reporter)
    found = [product for reader in READERS for product in reader.find(inputs, dates, reporter)]
    if not found:
        kinds = "; ".join(reader.LOOKED_FOR for reader in READERS)
        raise InputError(f"No Sentinel-1 images were found in {inputs}.", f"Looked for: {kinds}.")
    dates.warn_of_unused_rows()
    period.dates([product.date for product in found], Reporter())
    return [product for product in found if product.date in period]


def _polarisations(products: Sequence[Product], reporter: Reporter) -> list[str]:
    """Returns the polarisations that all dates have."""
    by_day: defaultdict[date, set[str]] = defaultdict(set)
    for product in sorted(products, key=lambda product: product.date):
        by_day[product.date].update(product.bands)
    common = set.intersection(*by_day.values())
    for name in SENTINEL1_BANDS:
        lacking = [str(day) for day, names in by_day.items() if name not in names]
        if lacking and len(lacking) < len(by_day):
            message = f"{len(lacking)} of {len(by_day)} dates have no {name}: {', '.join(lacking[:_LISTED])}"
            if not common:
                raise InputError(f"{message}. No polarisation is there at all dates.", "Leave these dates out.")
            reporter.warning(f"{message}. The series is made without {name}.")
    return [name for name in SENTINEL1_BANDS if name in common]


def _encode(
    power: NDArray[np.float32],
    margin: int,
    own_dates: Sequence[date],
    dates: Sequence[date],
    ranges: Sequence[DbRange],
    workers: Workers,
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

    counts = workers.map(encode, strips(height, width, 2 * margin))
    return encoded, [sum(clipped) for clipped in zip(*counts, strict=True)]


def _tags(
    products: Sequence[Product],
    period: Period,
    units: Collection[str],
    orbit: Orbit,
    speckle: int,
    ranges: Mapping[str, DbRange],
) -> dict[str, str]:
    return {
        "TIFFTAG_SOFTWARE": f"TWINNS {__version__}",
        "SENSOR": "Sentinel-1",
        "PRODUCTS": "; ".join(product.name for product in products),
        "UNITS": ", ".join(sorted(units)),
        "ORBIT": "any" if orbit == Orbit() else str(orbit),
        "SPECKLE": str(speckle),
        "DB_RANGE": write_db_range(ranges),
        "PERIOD": str(period),
        "STEP": str(period.step),
    }


def _report_clipped(name: str, db: DbRange, share: float, on_purpose: bool, reporter: Reporter) -> None:
    message = (
        f"{share:.2%} of the values of {name} lie outside the range of the 8 bits, {db.low:g} to {db.high:g} dB, and "
        "were cut to it."
    )
    if share > _CLIPPED and not on_purpose:
        reporter.warning(f"{message} Check UNITS, or widen DB_RANGE.")
    else:
        reporter.info(message)
