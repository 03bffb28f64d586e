"""Choosing among products: those that show the area, grouped by date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.product import Product

Groups = tuple[tuple[date, tuple[Product, ...]], ...]
"""The products of each date, dates ascending."""


def on_grid(products: Iterable[Product], grid: Grid, reporter: Reporter) -> list[Product]:
    """Returns the products that overlap a grid, and warns of those that don't.

    Raises:
        InputError: A product's file can't be read, has no CRS or is rotated.
    """
    products = list(products)
    inside = [product for product in products if source_window(product.grid, grid) is not None]
    outside = [product.name for product in products if product not in inside]
    if outside and inside:
        reporter.warning(f"These do not overlap the grid of the series and are left out: {', '.join(outside)}.")
    return inside


def by_date(products: Iterable[Product]) -> Groups:
    """Returns the products of each date, dates ascending, in the order given."""
    groups: defaultdict[date, list[Product]] = defaultdict(list)
    for product in products:
        groups[product.date].append(product)
    return tuple((day, tuple(groups[day])) for day in sorted(groups))
