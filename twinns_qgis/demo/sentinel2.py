"""Sentinel-2 level 2A products as THEIA distributes them: one folder a date, one GeoTIFF a band, masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.demo.acquisitions import Overpass, day_of_year
from twinns_qgis.demo.atmosphere import MISSED_SHARE, draw_sky
from twinns_qgis.demo.ground import Ground
from twinns_qgis.demo.noise import Stream, generator
from twinns_qgis.demo.raster import write_raster
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.series import SENTINEL2_BANDS

NODATA = -10000
"""Value of missing pixels in a THEIA product."""

SENSOR_NOISE = 0.004
"""Standard deviation of the noise of each band at its own resolution, in reflectance."""

_QUANTIFICATION = 10000
_BANDS_10_M = frozenset({"B2", "B3", "B4", "B8"})


def product_name(overpass: Overpass) -> str:
    """Returns the name of the product of a date, which its folder has and its files begin with."""
    return f"SENTINEL2{overpass.platform}_{overpass.day:%Y%m%d}-105421-464_L2A_T31UES_C_V1-0"


def write_product(folder: Path, ground: Ground, overpass: Overpass, grid: Grid, seed: int, noise: float = 1.0) -> None:
    """Writes the product of one date.

    Args:
        folder: Folder to make the product's folder in.
        ground: What the sensor looks at.
        overpass: When it does.
        grid: The pixels of 10 m, even in number along both sides.
        seed: Fixes clouds and noise.
        noise: Factor of the noise, and of the share of clouds that the mask misses.
    """
    rng = generator(seed, Stream.SENTINEL2, day_of_year(overpass.day))
    sky = draw_sky(rng, grid.width, overpass.cloud_cover, min(1.0, noise * MISSED_SHARE))
    reflectance = sky.seen_through(ground.reflectance(day_of_year(overpass.day)))
    name = product_name(overpass)
    masks = folder / name / "MASKS"
    masks.mkdir(parents=True)
    for index, band in enumerate(SENTINEL2_BANDS):
        values = reflectance[..., index]
        if band not in _BANDS_10_M:
            values = _blocks(values).mean(axis=(1, 3))
        noisy = values + noise * SENSOR_NOISE * rng.standard_normal(values.shape)
        numbers = np.clip(np.rint(noisy * _QUANTIFICATION), 1, _QUANTIFICATION * 1.6).astype(np.int16)
        write_raster(folder / name / f"{name}_FRE_{band}.tif", numbers, grid, nodata=NODATA)
    for resolution, clouds in (("R1", sky.mask), ("R2", np.bitwise_or.reduce(_blocks(sky.mask), axis=(1, 3)))):
        write_raster(masks / f"{name}_CLM_{resolution}.tif", clouds, grid)
        write_raster(masks / f"{name}_EDG_{resolution}.tif", np.zeros_like(clouds), grid)


def _blocks(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Returns pixels of 10 m in their pixels of 20 m, shape (height / 2, 2, width / 2, 2)."""
    return values.reshape(values.shape[0] // 2, 2, values.shape[1] // 2, 2)
