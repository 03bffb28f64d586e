"""Choosing among products and their files: those that show the area, grouped by date; the one file of a pattern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.grid import Grid
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.series import open_raster
from twinns_qgis.series.warping import source_window

Groups = tuple[tuple[date, tuple[Product, ...]], ...]
"""The products of each date, dates ascending."""


def on_grid(products: Iterable[Product], grid: Grid, reporter: Reporter) -> list[Product]:
    """Returns the products that overlap a grid, and warns of those that don't.

    Raises:
        InputError: A product's file can't be read, has no CRS or is rotated.
    """
    products = list(products)
    inside = [product for product in products if source_window(grid_of(product), grid) is not None]
    outside = [product.name for product in products if product not in inside]
    if outside and inside:
        reporter.warning(f"These do not overlap the grid of the series and are left out: {', '.join(outside)}.")
    return inside


def grid_of(product: Product) -> Grid:
    """Returns the finest grid among a product's bands.

    Raises:
        InputError: A file can't be read, has no CRS or is rotated.
    """
    grids = []
    for path in dict.fromkeys(source.path for source in product.bands.values()):
        with open_raster(path) as dataset:
            grids.append(Grid.of(dataset))
    return min(grids, key=lambda grid: grid.resolution)


def by_date(products: Iterable[Product]) -> Groups:
    """Returns the products of each date, dates ascending, in the order given."""
    groups: defaultdict[date, list[Product]] = defaultdict(list)
    for product in products:
        groups[product.date].append(product)
    return tuple((day, tuple(groups[day])) for day in sorted(groups))


def warn_of_strangers(known: Iterable[Path], unknown: Iterable[Path], reporter: Reporter) -> None:
    """Warns of rasters that were not recognised in folders where others were: they may have lost their metadata."""
    folders = {path.parent for path in known}
    strangers = [str(path) for path in unknown if path.parent in folders]
    if strangers:
        reporter.warning(
            f"{len(strangers)} rasters among the others have no band that is recognised, and are left out: "
            f"{', '.join(strangers[:10])}{' ...' if len(strangers) > 10 else ''}. Files that were cut short lose the "
            "descriptions of their bands."
        )


def one_file(folder: Path, pattern: str) -> Path:
    """Returns the only file of a product's folder that matches a pattern.

    Raises:
        InputError: There is none, or there are several.
    """
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        state = f"has {len(found)} files" if found else "has no file"
        raise InputError(
            f"The product {folder.name} {state} {pattern} in {folder}, one was expected.",
            "Download or unpack the product once more; don't rename its files.",
        )
    return found[0]
