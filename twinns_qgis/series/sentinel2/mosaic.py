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
from twinns_qgis.series.products.band_source import Seen
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.sentinel2.cloud_mask import read_clear
from twinns_qgis.series.series import SENTINEL2_NODATA, SENTINEL2_SCALE

_LEAST = 64
"""Least rows of the strips that a block is read in, so that the kernels' margins don't cost more than they give."""


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
            out: Gets raw values of the series, of shape (B, height, width), its no data where no product shows the
                ground.

        Returns:
            How many values were read, and how many can't be.
        """
        seen = Seen()
        out[:] = SENTINEL2_NODATA
        for product in products:
            with product.open(self.tiles, self.unpacked) as files:
                for rows in strips(block.height, block.width, least=_LEAST):
                    part = out[:, rows]
                    strip = block.crop(Window(0, rows.start, block.width, part.shape[1]))
                    self._add(part, product, files, strip, seen)
        return seen

    def _add(
        self,
        values: NDArray[np.int16],
        product: Product,
        files: Mapping[File, DatasetReader],
        strip: Grid,
        seen: Seen,
    ) -> None:
        """Fills in what a product shows of a strip; values of shape (B, height, width).

        It counts at a pixel only where all its bands are valid: else a pixel's spectrum would come from two products.
        """
        wanted = read_clear(product, files, strip, self.buffer) & np.all(values == SENTINEL2_NODATA, axis=0)
        if not wanted.any():
            return
        found = np.empty_like(values)
        for order, band in enumerate(self.bands):
            source = product.bands[band].in_units_of(SENTINEL2_SCALE)
            raw = source.read(files, strip, Resampling.cubic, seen=seen)
            wanted &= ~np.isnan(raw)
            np.rint(raw, out=raw)
            np.copyto(found[order], raw, where=wanted, casting="unsafe")
        np.copyto(values, found, where=wanted)
