"""Preparing Sentinel-1: calibrated backscatter to one series of decibels in 8 bits (METHOD section 1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from rasterio.enums import Resampling

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.files import check_output, check_spared
from twinns_qgis.rasters.blocks import block_shape
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.production import Machine, make_rasters, unpacked_for
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.remote.cache import use_memory
from twinns_qgis.rasters.remote.requesting import Watched
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit, Product
from twinns_qgis.series.products.selection import on_grid
from twinns_qgis.series.readers import backscatter_geotiffs, stac_backscatter
from twinns_qgis.series.readers.dimap import Dimap
from twinns_qgis.series.readers.envi import Envi
from twinns_qgis.series.readers.finding import Readers, find_products
from twinns_qgis.series.readers.netcdf import Netcdf
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.sensors import SENTINEL1
from twinns_qgis.series.sentinel1.backscatter import DbRange, possible_values
from twinns_qgis.series.sentinel1.composite import read_day
from twinns_qgis.series.sentinel1.db_percentiles import settle_ranges
from twinns_qgis.series.sentinel1.db_range import DbRanges, Percentiles, write_db_range
from twinns_qgis.series.sentinel1.orbits import on_orbit, parse_orbit
from twinns_qgis.series.sentinel1.passes import by_pass
from twinns_qgis.series.sentinel1.plan import Sentinel1Plan
from twinns_qgis.series.sentinel1.slices import check_slices
from twinns_qgis.series.sentinel1.speckle import margin_of
from twinns_qgis.series.sentinel1.units import settle_units
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL1_NODATA, SERIES, series_layout
from twinns_qgis.series.style import write_series_style

READERS = Readers(
    "Sentinel-1 images",
    (Dimap(SENTINEL1), stac_backscatter, Netcdf(SENTINEL1), Envi(SENTINEL1), backscatter_geotiffs),
    is_name=backscatter_geotiffs.is_polarisation,
    is_band=backscatter_geotiffs.is_polarisation,
    example="VV,VH",
)

_LISTED = 10
"""Dates that a warning names."""
_SAMPLING = 0.2
"""Share of the time that percentiles take: all is read for them, but little is computed."""


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

    Example:
        >>> prepare_sentinel1(
        ...     Path("radar.tif"),
        ...     Inputs(folder=Path("site/sentinel1")),
        ...     Period(date(2018, 3, 1), date(2018, 5, 31), step=12),
        ...     reference=Path("site/truth.tif"),
        ...     units="auto",
        ...     orbit="descending",
        ...     speckle=0,
        ...     db_range={"VV": DbRange(-25, 5), "VH": DbRange(-32, -2)},
        ...     machine=Machine(memory=1000),
        ...     reporter=Reporter(),
        ... )
    """
    check_output(output)
    if inputs.scenes:
        use_memory(machine.memory, output.parent)
        reporter = Watched(reporter)
    margin, wanted = margin_of(speckle), parse_orbit(orbit)
    with open_raster(reference) as dataset:
        grid = Grid.of(dataset)
    products, files = find_sentinel1(inputs, period, reporter)
    products = on_orbit(products, wanted, reporter)
    check_spared([output], [*files, reference, *inputs.named])
    found = products[0]
    products = on_grid(products, grid, reporter)
    if not products:
        raise InputError(
            f"The reference {reference} ({grid}) does not overlap the images, the first being {found.name} "
            f"({found.grid}).",
            "Choose a reference of the same place, and check its CRS.",
        )
    polarisations = _polarisations(products, reporter)
    products = _with_units(products, polarisations, grid, units, reporter)
    days = by_pass(products, reporter)
    check_slices(days)
    own_dates = [day for day, _ in days]
    dates = period.dates(own_dates, reporter)
    reporter.info(f"Sentinel-1: {len(products)} images, {len(own_dates)} dates -> {len(dates)} dates, {grid}.")
    percentiles = frozenset(name for name in polarisations if isinstance(db_range.get(name), Percentiles))
    sampling = _SAMPLING if percentiles else 0
    ranges = settle_ranges(
        db_range,
        polarisations,
        [passes for _, passes in days],
        lambda passes, block: read_day(passes, polarisations, block, Resampling.nearest),
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
        tags=_tags(products, period, wanted, speckle, ranges),
    )
    bytes_per_pixel = len(polarisations) * (4 * len(own_dates) + 2 * len(dates))
    if margin:
        bytes_per_pixel *= 2  # margins, and the strips as high as they are that are filtered at once
    shape = block_shape(grid, machine.memory, bytes_per_pixel)
    with unpacked_for(output, [layout], shape) as unpacked:
        make_rasters(
            Sentinel1Plan(
                grid,
                days,
                tuple(polarisations),
                tuple(dates),
                margin,
                tuple(ranges.values()),
                percentiles,
                unpacked,
            ),
            {SERIES: layout},
            {SERIES: output},
            shape,
            machine,
            reporter.part(sampling, 1),
        )
    write_series_style(output, dates[len(dates) // 2])


def find_sentinel1(inputs: Inputs, period: Period, reporter: Reporter) -> tuple[list[Product], set[Path]]:
    """Finds the images in a period.

    Returns:
        The images, and the files of all that is an input, whether it is used or not.

    Raises:
        InputError: There is none, or one can't be used.
    """
    search = Search.among(inputs, reporter)
    return find_products(READERS, inputs, period, search), search.inputs


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


def _with_units(
    products: Sequence[Product], polarisations: Sequence[str], grid: Grid, units: str, reporter: Reporter
) -> list[Product]:
    """Returns the products with the polarisations that are used, and the units of each."""
    sources = [(name, product.bands[name]) for product in products for name in polarisations if name in product.bands]
    settled = settle_units(sources, grid, units, reporter)
    return [
        replace(
            product,
            bands={
                name: replace(source, units=settled[source], possible=possible_values(settled[source]))
                for name, source in product.bands.items()
                if name in polarisations
            },
        )
        for product in products
    ]


def _tags(
    products: Sequence[Product],
    period: Period,
    orbit: Orbit,
    speckle: int,
    ranges: Mapping[str, DbRange],
) -> dict[str, str]:
    return {
        "TIFFTAG_SOFTWARE": f"TWINNS {__version__}",
        "SENSOR": "Sentinel-1",
        "PRODUCTS": "; ".join(product.name for product in products),
        "UNITS": ", ".join(sorted({band.units for one in products for band in one.bands.values() if band.units})),
        "ORBIT": "any" if orbit == Orbit() else str(orbit),
        "SPECKLE": str(speckle),
        "DB_RANGE": write_db_range(ranges),
        "PERIOD": str(period),
        "STEP": str(period.step),
    }
