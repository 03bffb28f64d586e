"""The products of one date as one image, on the grid of a block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from twinns_qgis.series.clear_sky import read_clear
from twinns_qgis.series.grid import Grid
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.series import SENTINEL2_NODATA, SENTINEL2_SCALE
from twinns_qgis.series.warping import read_band

HIGHEST = 32767
"""Highest raw value of reflectance; higher ones are cut to it."""


def read_date(products: Sequence[Product], bands: Sequence[str], block: Grid, rim: float) -> NDArray[np.int16]:
    """Reads the products of a date: where several show the ground, the first one counts.

    Args:
        products: The products.
        bands: The B bands to read.
        block: The grid to read on.
        rim: Width of the rim round clouds that counts as cloudy, in units of the grid's CRS.

    Returns:
        Raw values of the series of shape (B, height, width), its no data where no product shows the ground.
    """
    values = _read_product(products[0], bands, block, rim)
    for product in products[1:]:
        missing = values == SENTINEL2_NODATA
        if missing.any():
            np.copyto(values, _read_product(product, bands, block, rim), where=missing)
    return values


def _read_product(product: Product, bands: Sequence[str], block: Grid, rim: float) -> NDArray[np.int16]:
    values = np.full((len(bands), block.height, block.width), SENTINEL2_NODATA, np.int16)
    with product.open() as files:
        clear = read_clear(product, files, block, rim)
        if not clear.everywhere.any():
            return values
        for order, band in enumerate(bands):
            source = product.bands[band]
            dataset = files[source.path]
            reflectance = read_band(
                dataset,
                source.index,
                block,
                Resampling.cubic,
                lambda raw: source.decode(raw, dataset.nodata),  # noqa: B023
            )
            valid = clear.of(band) & ~np.isnan(reflectance)
            raw = np.rint(reflectance[valid] / np.float32(SENTINEL2_SCALE))
            values[order, valid] = np.clip(raw, SENTINEL2_NODATA + 1, HIGHEST)
    return values
