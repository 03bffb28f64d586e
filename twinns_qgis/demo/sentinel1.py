"""Sentinel-1 backscatter as S1Tiling names it: one GeoTIFF a date and polarisation, here in dB."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from twinns_qgis.demo.acquisitions import day_of_year
from twinns_qgis.demo.ground import Ground
from twinns_qgis.demo.noise import Stream, generator
from twinns_qgis.demo.raster import write_raster
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.series import SENTINEL1_BANDS

NODATA = -9999.0
"""Value of missing pixels."""

LOOKS = 4.4
"""Equivalent number of looks of the speckle: that of ground range detected products of high resolution in IW mode."""


def write_date(folder: Path, ground: Ground, day: date, grid: Grid, seed: int, noise: float = 1.0) -> None:
    """Writes VV and VH of one date, with multiplicative speckle, independent from pixel to pixel.

    Args:
        folder: Folder to write to.
        ground: What the sensor looks at.
        day: When it does.
        grid: The pixels of 10 m.
        seed: Fixes the speckle.
        noise: Factor of the speckle's coefficient of variation; 0 is none.
    """
    rng = generator(seed, Stream.SENTINEL1, day_of_year(day))
    power = ground.backscatter(day_of_year(day))
    # The intensity of L looks is gamma distributed about the true power with variance power^2 / L.
    if noise:
        looks = LOOKS / noise**2
        power *= rng.gamma(looks, 1 / looks, power.shape)
    # Hundredths of a dB are finer than any sensor, and keep the last bits of different processors' logarithms out.
    backscatter_db = np.round(10 * np.log10(power), 2).astype(np.float32)
    for index, polarisation in enumerate(SENTINEL1_BANDS):
        write_raster(folder / file_name(day, polarisation), backscatter_db[..., index], grid, nodata=NODATA)


def file_name(day: date, polarisation: str) -> str:
    """Returns the name of the GeoTIFF of a date and a polarisation."""
    return f"s1a_31UES_{polarisation.lower()}_DES_110_{day:%Y%m%d}txxxxxx.tif"
