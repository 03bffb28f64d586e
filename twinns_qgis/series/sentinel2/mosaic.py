"""The products of one date as one image, on the grid of a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window

from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.blocks import strips
from twinns_qgis.rasters.decoded_tiles import DecodedTiles
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.unpacking import Unpacked
from twinns_qgis.series.products.band_source import BandSource, Seen
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.sentinel2.cloud_mask import read_clear
from twinns_qgis.series.series import SENTINEL2_NODATA, SENTINEL2_SCALE

_LEAST = 64
"""Least rows of the strips that a block is read in, so that the kernels' margins don't cost more than they give."""
_PIXELS = 2**18
"""Pixels of the strips of narrow blocks, where what each read costs by itself would else count."""


@dataclass(frozen=True)
class Mosaic:
    """Puts the products of a date together: where several show the ground, the first one counts.

    Args:
        bands: The B bands to read.
        buffer: Width of the buffer round clouds that counts as cloudy, in units of the grid's CRS.
        tiles: What is decoded of the products' files, kept from block to block; None if blocks do not come in order.
        unpacked: What is unpacked of archives; None if there is one block, or in other processes.
    """

    bands: tuple[str, ...]
    buffer: float
    tiles: DecodedTiles | None = field(default=None, compare=False)
    unpacked: Unpacked | None = field(default=None, compare=False)

    def read(self, products: Sequence[Product], block: Grid, out: NDArray[np.int16]) -> Seen:
        """Reads the products of a date on the grid of a block.

        Args:
            products: The products.
            block: The grid to read on.
            out: Gets raw values of the series, of shape (B, height, width), its no data in all bands where no product
                shows the ground.

        Returns:
            How many values were read, and how many can't be.
        """
        seen = Seen()
        for number, product in enumerate(products):
            sources = [product.bands[band].in_units_of(SENTINEL2_SCALE) for band in self.bands]
            with product.open(self.tiles, self.unpacked) as files:
                for rows in strips(block.height, block.width, least=max(_LEAST, _PIXELS // block.width)):
                    part = out[:, rows]
                    strip = block.crop(Window(0, rows.start, block.width, part.shape[1]))
                    wanted = read_clear(product, files, strip, self.buffer)
                    if number == 0:
                        _read(sources, files, strip, wanted, part, seen)
                        np.copyto(part, SENTINEL2_NODATA, where=~wanted)
                    else:
                        wanted &= part[0] == SENTINEL2_NODATA
                        found = np.empty_like(part)
                        _read(sources, files, strip, wanted, found, seen)
                        np.copyto(part, found, where=wanted)
        return seen


def _read(
    sources: Sequence[BandSource],
    files: Mapping[File, DatasetReader],
    strip: Grid,
    wanted: NDArray[np.bool_],
    out: NDArray[np.int16],
    seen: Seen,
) -> None:
    """Reads the bands of a product on a strip.

    It counts at a pixel only where all its bands are valid: else a pixel's spectrum would come from two products.

    Args:
        sources: The B bands.
        files: The product's files, open.
        strip: The grid to read on.
        wanted: Which pixels are wanted, of shape (height, width); those that lack a band are no longer.
        out: Gets raw values of the series where they are wanted, of shape (B, height, width); elsewhere anything.
        seen: Counts the values.
    """
    if not wanted.any():
        return
    for order, source in enumerate(sources):
        raw = source.read(files, strip, Resampling.cubic, seen=seen)
        if np.isnan(raw.min()):  # several times as fast as to look at each pixel
            wanted &= ~np.isnan(raw)
        np.rint(raw, out=raw)
        with np.errstate(invalid="ignore"):  # of missing pixels
            out[order] = raw
