"""Where the products of a date show the ground: their masks, widened round clouds, on the grid of a block."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window
from scipy import ndimage

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.blocks import Threads
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import hidden_pixels, read_bands
from twinns_qgis.rasters.warping import read_band
from twinns_qgis.series.products.product import MaskSource, Product

_SAMPLES = 250_000
"""Pixels by which the cloud share of a date is judged."""
_SIDE = 2048
"""Side of the areas of a product that are read at once while sampling, in pixels of the series."""


@dataclass(frozen=True)
class Clouds:
    """How clouds are treated.

    Args:
        most: Dates with a larger share of clouds, in percent of the pixels that the date shows, are left out.
        dilation: Width of the buffer round clouds and their shadows that counts as cloudy too, in metres.
    """

    most: float = 100.0
    dilation: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.most <= 100:
            raise InputError(f"MAX_CLOUD is {self.most:g} percent.", "Give 0 to 100.")
        if not 0 <= self.dilation <= 10_000:
            raise InputError(f"DILATION is {self.dilation:g} metres.", "Give 0, for none, to 10000.")

    def buffer(self, grid: Grid) -> float:
        """Returns the width of the buffer in units of the grid's CRS.

        Raises:
            InputError: The CRS is in degrees, which are no lengths.
        """
        if not self.dilation:
            return 0.0
        if not grid.crs.is_projected:
            raise InputError(
                f"DILATION is in metres, and the series' CRS, {grid.crs}, is in degrees.",
                "Choose a projected CRS, such as that of the products, or DILATION 0.",
            )
        return self.dilation / grid.crs.linear_units_factor[1]


def read_clear(product: Product, files: Mapping[File, DatasetReader], block: Grid, buffer: float) -> NDArray[np.bool_]:
    """Returns where a product shows the ground by its masks, those of single bands included: it counts whole or not.

    Masks are read by nearest neighbour.

    Args:
        product: The product.
        files: Its files, open.
        block: The grid to read on.
        buffer: Width of the buffer round clouds that counts as cloudy, in units of the grid's CRS.

    Returns:
        Shape (height, width).
    """
    everywhere = np.ones((block.height, block.width), bool)
    margin = math.ceil(buffer / min(block.resolution))
    relevant = [mask for mask in product.masks if mask.bands is None or mask.bands & product.bands.keys()]
    for (path, index), masks in _by_file_band(relevant).items():
        widened = margin if any(mask.spreads for mask in masks) else 0
        wide = block.crop(Window(-widened, -widened, block.width + 2 * widened, block.height + 2 * widened))
        flags = read_band(files[path], wide, Resampling.nearest, partial(_flags, files[path], index))
        for mask in masks:
            clear = _is_one_of(flags, mask.clear)
            if widened and mask.spreads:
                clear &= _distance(_is_one_of(flags, mask.spreads), block.resolution) > buffer
            everywhere &= clear[widened : widened + block.height, widened : widened + block.width]
    return everywhere


def cloud_shares(groups: Iterable[tuple[date, Sequence[Product]]], grid: Grid, threads: Threads) -> dict[date, float]:
    """Returns the share of clouds of each date: of the pixels that its products show, those that none shows clear.

    About 250 000 pixels, evenly spread over the grid, are looked at; there is no buffer round clouds.

    Args:
        groups: The products of each date.
        grid: The grid of the series.
        threads: Read the masks.

    Returns:
        Shares from 0 to 1; a date that shows nothing of the grid counts as cloudy.
    """
    groups = list(groups)
    step = math.ceil(math.sqrt(grid.width * grid.height / _SAMPLES))
    sample = grid.every(step, first=step // 2)
    seen, clear = (np.zeros(len(groups), int) for _ in range(2))
    for window in sample.blocks(max(1, _SIDE // step)):
        part = sample.crop(window)
        counts = threads.map(lambda group: _count(group[1], part), groups)  # noqa: B023
        for order, (seen_here, clear_here) in enumerate(counts):
            seen[order] += seen_here
            clear[order] += clear_here
    return {day: 1 - clear[order] / max(1, seen[order]) for order, (day, _) in enumerate(groups)}


def _count(products: Sequence[Product], part: Grid) -> tuple[int, int]:
    """Returns how many pixels the products show, and how many clear."""
    seen, clear = (np.zeros((part.height, part.width), bool) for _ in range(2))
    for product in map(_slim, products):
        (source,) = product.bands.values()
        with product.open() as files:
            shown = ~np.isnan(source.read(files, part, Resampling.nearest))
            seen |= shown
            clear |= shown & read_clear(product, files, part, buffer=0)
    return int(np.count_nonzero(seen)), int(np.count_nonzero(clear))


def _slim(product: Product) -> Product:
    """Returns a product with what tells its share of clouds alone: a band, and the masks of all bands."""
    name, source = next(iter(product.bands.items()))
    return replace(product, bands={name: source}, masks=tuple(mask for mask in product.masks if mask.bands is None))


def _by_file_band(masks: Iterable[MaskSource]) -> dict[tuple[File, int], list[MaskSource]]:
    """Groups masks that lie in one band of a file: bits of it, each with a meaning of its own."""
    groups: dict[tuple[File, int], list[MaskSource]] = {}
    for mask in masks:
        groups.setdefault((mask.path, mask.index), []).append(mask)
    return groups


def _distance(cloudy: NDArray[np.bool_], resolution: tuple[float, float]) -> NDArray[np.float64]:
    """Returns each pixel's distance to the nearest cloudy one, in units of the CRS."""
    if not cloudy.any():
        return np.full(cloudy.shape, np.inf)
    step_x, step_y = resolution
    return ndimage.distance_transform_edt(~cloudy, sampling=(step_y, step_x))


def _is_one_of(flags: NDArray[np.float32], values: frozenset[int]) -> NDArray[np.bool_]:
    """Returns where flags, NaN outside the mask, have one of some values."""
    beyond = max(values, default=0) + 1
    table = np.zeros(beyond + 1, bool)
    table[list(values)] = True
    return table[np.where((flags >= 0) & (flags < beyond), flags, np.float32(beyond)).astype(np.uint32)]


def _flags(dataset: DatasetReader, index: int, window: Window) -> NDArray[np.float32]:
    """Returns a mask's values, NaN where hidden; its no data value is one of them, as 0 often is declared and clear."""
    flags = read_bands(dataset, indexes=index, window=window).astype(np.float32)
    hidden = hidden_pixels(dataset, index, window)
    if hidden is not None:
        flags[hidden] = np.nan
    return flags
