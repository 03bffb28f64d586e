"""Values that can't be what they are said to be: how many there were, and in which raster which ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.product import BandSource, Product

_MANY = 0.03
"""A date with more of them than this share is worth a warning: no data are not declared, or the scale is wrong."""
_LISTED = 5
_LOOKED_AT = 512
"""Pixels along each side of a raster that are looked at for its most frequent value."""


def report_impossible(
    dates: Sequence[Sequence[Product]],
    tally: Mapping[str, Any],
    possible: tuple[float, float],
    unit: str,
    reporter: Reporter,
) -> float:
    """Tells the share of values that were taken for missing as they can't be, and warns of rasters with many of them.

    Args:
        dates: The products of each date.
        tally: The counts ``values`` and ``impossible``, by date.
        possible: What values can be.
        unit: The unit of that, for messages.
        reporter: Receives the messages.

    Returns:
        The share of all values, 0 to 1.
    """
    total = sum(tally["impossible"])
    if not total:
        return 0.0
    share = total / max(1, sum(tally["values"]))
    within = f"{possible[0]:g} to {possible[1]:g} {unit}".rstrip()
    reporter.info(f"{share:.2%} of the values read can't be, as they lie beyond {within}, and count as missing.")
    worst = [
        (impossible / values, products)
        for products, impossible, values in zip(dates, tally["impossible"], tally["values"], strict=True)
        if impossible > _MANY * values
    ]
    if worst:
        listed = "; ".join(f"{part:.0%} of {_named(products)}" for part, products in worst[:_LISTED])
        more = f"; and of {len(worst) - _LISTED} dates more" if len(worst) > _LISTED else ""
        reporter.warning(
            f"Many values lie beyond {within} and count as missing: {listed}{more}. Declare the value as no data, with "
            "QGIS or gdal_edit.py -a_nodata, or the right scale, if that is what is wrong."
        )
    return share


def _named(products: Sequence[Product]) -> str:
    """Returns the band with the most impossible values of some products, and which value that mostly is."""
    found = [
        (count, source, value)
        for product in products
        for source in product.bands.values()
        if (most := _most_frequent(source)) is not None
        for value, count in [most]
    ]
    if not found:
        return products[0].name
    _, source, value = max(found, key=lambda one: one[0])
    return f"the date of {source.path}, mostly {value:.10g}"


def _most_frequent(source: BandSource) -> tuple[float, int] | None:
    """Returns the raw value that a band has most often where its values can't be, and how often in a sample."""
    with open_raster(source.path) as dataset:
        shape = min(dataset.height, _LOOKED_AT), min(dataset.width, _LOOKED_AT)
        raw = read_bands(dataset, indexes=source.index, out_shape=shape)
        values = source.decode(raw, dataset.nodatavals[source.index - 1])
        known = source.without_limits().decode(raw, dataset.nodatavals[source.index - 1])
    suspicious = raw[np.isnan(values) & ~np.isnan(known)]
    if not suspicious.size:
        return None
    distinct, counts = np.unique(suspicious, return_counts=True)
    return float(distinct[counts.argmax()]), int(counts.max())
