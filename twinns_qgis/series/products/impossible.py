"""Values that can't be what they are said to be: how many there were, and in which raster which ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader

from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.blocks import spread_windows
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import read_bands
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.band_source import ANYTHING, BandSource
from twinns_qgis.series.products.product import Product

_TOLD = 0.0001
"""Fewer values than this share that can't be need no word."""
_MANY = 0.03
"""A date with more of them than this share is worth a warning: no data are not declared, or the scale is wrong."""
_SELDOM = 0.05
"""A value that is no more of those that can't be than this share is there by chance."""
_LISTED = 5


@dataclass(frozen=True)
class Impossible:
    """The values of a band that can't be, by a sample.

    Args:
        path: The band's file.
        value: The most frequent one, or the median if all are there seldom, as it is in the file.
        repeated: The share of them that are the most frequent one.
        typical: Their median in the band's units.
    """

    path: File
    value: float
    repeated: float
    typical: float


def report_impossible(
    dates: Sequence[Sequence[Product]], tally: Mapping[str, Any], grid: Grid, within: str, reporter: Reporter
) -> float:
    """Reports the share of values that were taken for missing as they can't be; warns of rasters with many of them.

    Args:
        dates: The products of each date.
        tally: The counts ``values`` and ``impossible``, by date.
        grid: Where the values were read.
        within: What values can be, for messages.
        reporter: Receives the messages.

    Returns:
        The share of all values, 0 to 1.
    """
    total = sum(tally["impossible"])
    if not total:
        return 0.0
    share = total / max(1, sum(tally["values"]))
    if share >= _TOLD:
        reporter.info(f"{share:.2%} of the values read can't be, and count as missing: possible are {within}.")
    worst = [
        (impossible / values, products)
        for products, impossible, values in zip(dates, tally["impossible"], tally["values"], strict=True)
        if impossible > _MANY * values
    ]
    if worst:
        listed = "; ".join(f"{part:.0%} of the date of {_named(products, grid)}" for part, products in worst[:_LISTED])
        more = f"; and of {len(worst) - _LISTED} dates more" if len(worst) > _LISTED else ""
        reporter.warning(
            f"Many values can't be, and count as missing, as possible are {within}: {listed}{more}. Declare the value "
            "as no data, with gdal_edit.py -a_nodata VALUE FILE, or the scale, if that is what is wrong, with -scale "
            "FACTOR. In QGIS Raster > Conversion > Translate has a field for the nodata value, and takes -a_scale "
            "FACTOR as additional command-line parameter."
        )
    return share


def sample_impossible(products: Sequence[Product], grid: Grid) -> Impossible | None:
    """Returns the values that can't be of that band of some products which has the most of them on a grid."""
    most, found = 0, None
    for product in products:
        with product.open() as files:
            for source in product.bands.values():
                raw, values = _impossible(source, files, grid)
                if raw.size > most:
                    distinct, counts = np.unique(raw, return_counts=True)
                    repeated = counts.max() / raw.size
                    value = distinct[counts.argmax()] if repeated > _SELDOM else np.sort(raw)[raw.size // 2]
                    typical = np.sort(values)[values.size // 2]
                    most, found = raw.size, Impossible(source.path, float(value), float(repeated), float(typical))
    return found


def _impossible(
    source: BandSource, files: Mapping[File, DatasetReader], grid: Grid
) -> tuple[NDArray[np.generic], NDArray[np.float32]]:
    """Returns a sample of the values of a band that can't be, as they are in the file and in the band's units."""
    dataset = files[source.path]
    area = source_window(Grid.of(dataset), grid)
    raw, values = [np.empty(0, dataset.dtypes[source.index - 1])], [np.empty(0, np.float32)]
    for window in spread_windows(area) if area else []:
        known = replace(source, possible=ANYTHING).values(files, window)
        impossible = np.isnan(source.values(files, window)) & ~np.isnan(known)
        raw.append(read_bands(dataset, indexes=source.index, window=window)[impossible])
        values.append(known[impossible])
    return np.concatenate(raw), np.concatenate(values)


def _named(products: Sequence[Product], grid: Grid) -> str:
    sample = sample_impossible(products, grid)
    if sample is None:
        return products[0].name
    return f"{sample.path}, {'mostly' if sample.repeated > _SELDOM else 'such as'} {sample.value:.10g}"
