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
            out: Gets raw values of the series, of shape (B, height, width), its no data in all bands where no product
                shows the ground.

        Returns:
            How many values were read, and how many can't be.
        """
        seen = Seen()
        for number, product in enumerate(products):
            with product.open(self.tiles, self.unpacked) as files:
                for rows in strips(block.height, block.width, least=_LEAST):
                    part = out[:, rows]
                    strip = block.crop(Window(0, rows.start, block.width, part.shape[1]))
                    if number == 0:
                        wanted = read_clear(product, files, strip, self.buffer)
                        self._read(part, wanted, product, files, strip, seen)
                        if not wanted.all():
                            np.copyto(part, SENTINEL2_NODATA, where=~wanted)
                    else:
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
        """Fills in what a product shows of a strip where those before it show nothing."""
        wanted = read_clear(product, files, strip, self.buffer) & np.all(values == SENTINEL2_NODATA, axis=0)
        found = np.empty_like(values)
        self._read(found, wanted, product, files, strip, seen)
        np.copyto(values, found, where=wanted)

    def _read(
        self,
        values: NDArray[np.int16],
        wanted: NDArray[np.bool_],
        product: Product,
        files: Mapping[File, DatasetReader],
        strip: Grid,
        seen: Seen,
    ) -> None:
        """Reads the bands of a product.

        It counts at a pixel only where all its bands are valid: else a pixel's spectrum would come from two products.

        Args:
            values: Gets raw values of the series where they are wanted, of shape (B, height, width); what is elsewhere
                has no meaning.
            wanted: Where they are wanted, of shape (height, width); gets false where a band has none.
            product: The product.
            files: Its files, open.
            strip: The grid to read on.
            seen: Counts the values.
        """
        if not wanted.any():
            return
        for order, band in enumerate(self.bands):
            source = product.bands[band].in_units_of(SENTINEL2_SCALE)
            raw = source.read(files, strip, Resampling.cubic, seen=seen)
            np.rint(raw, out=raw)
            if np.isnan(raw.min()):  # several times as fast as to look at each pixel
                wanted &= ~np.isnan(raw)
                np.copyto(values[order], raw, where=wanted, casting="unsafe")
            else:
                values[order] = raw
