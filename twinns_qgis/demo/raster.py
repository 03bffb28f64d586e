"""Writing one band to a GeoTIFF, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_bounds

from twinns_qgis.rasters.grid import Grid


def write_raster(path: Path, values: NDArray[np.generic], grid: Grid, *, nodata: float | None = None) -> None:
    """Writes one band to a GeoTIFF.

    Args:
        path: The GeoTIFF to write.
        values: Pixels that cover the grid; their number may be a fraction of the grid's.
        grid: What they cover.
        nodata: Value of missing pixels.
    """
    height, width = values.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        crs=grid.crs,
        transform=from_bounds(*grid.bounds, width, height),
        width=width,
        height=height,
        count=1,
        dtype=values.dtype,
        nodata=nodata,
        compress="deflate",
        predictor=3 if values.dtype.kind == "f" else 2,
    ) as dataset:
        dataset.write(values, 1)
