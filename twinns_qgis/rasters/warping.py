"""Reading a band of a raster on the grid of a block, whatever the raster's own grid is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import rasterio.warp
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.resampling import can_resample, resample

_KERNEL_RADIUS = 2
"""Source pixels that a bicubic kernel reaches to either side, and one more than a bilinear one does."""


def read_band(
    dataset: DatasetReader,
    block: Grid,
    resampling: Resampling,
    read: Callable[[Window], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Reads a band of an open raster on the grid of a block.

    The result does not depend on how a grid is divided into blocks: the raster is read with a margin as wide as the
    kernel. A missing pixel takes no part in its neighbours' values; a pixel whose centre lies on a missing one, or
    outside the raster, is missing. Where the raster's pixels are the block's, they are taken as they are.

    Args:
        dataset: The raster.
        block: The grid to read on.
        resampling: How to resample.
        read: Reads the band's values on pixels of the raster, NaN where missing.

    Returns:
        Values of shape (height, width), NaN where missing.

    Raises:
        InputError: The raster can't be read, has no CRS or is rotated.
    """
    source = Grid.of(dataset)
    aligned = _aligned(source, block)
    window = source_window(source, block, Resampling.nearest if aligned else resampling)
    if window is None:
        return np.full((block.height, block.width), np.nan, np.float32)
    values = read(window)
    if aligned:
        return _place(values, source.crop(window), block)
    if can_resample(source, block, resampling):
        return resample(values, source, (int(window.row_off), int(window.col_off)), block, resampling)
    return _warp(values, source.crop(window), block, resampling)


def source_window(source: Grid, block: Grid, resampling: Resampling = Resampling.nearest) -> Window | None:
    """Returns the pixels of a raster that a block's pixels depend on, or None if they don't overlap."""
    left, bottom, right, top = block.bounds
    if source.crs != block.crs:
        left, bottom, right, top = rasterio.warp.transform_bounds(block.crs, source.crs, *block.bounds)
    step_x, step_y = source.resolution
    columns = (left - source.transform.c) / step_x, (right - source.transform.c) / step_x
    rows = (source.transform.f - top) / step_y, (source.transform.f - bottom) / step_y
    if columns[0] >= source.width or columns[1] <= 0 or rows[0] >= source.height or rows[1] <= 0:
        return None
    # A kernel is stretched where the raster is finer than the block.
    ratio = max(1.0, (columns[1] - columns[0]) / block.width, (rows[1] - rows[0]) / block.height)
    margin = 1 if resampling == Resampling.nearest else math.ceil(_KERNEL_RADIUS * ratio) + 1
    return Window.from_slices(
        (max(0, math.floor(rows[0]) - margin), min(source.height, math.ceil(rows[1]) + margin)),
        (max(0, math.floor(columns[0]) - margin), min(source.width, math.ceil(columns[1]) + margin)),
    )


def _aligned(source: Grid, block: Grid) -> bool:
    """Whether pixels of both grids coincide, to a thousandth of a pixel."""
    steps = zip(source.resolution, block.resolution, strict=True)
    if source.crs != block.crs or not all(math.isclose(old, new) for old, new in steps):
        return False
    shift_x = (block.transform.c - source.transform.c) / source.transform.a
    shift_y = (block.transform.f - source.transform.f) / source.transform.e
    return abs(shift_x - round(shift_x)) < 1e-3 and abs(shift_y - round(shift_y)) < 1e-3


def _place(values: NDArray[np.float32], source: Grid, block: Grid) -> NDArray[np.float32]:
    """Returns the values whose pixels coincide with the block's, NaN where there are none."""
    row = round((source.transform.f - block.transform.f) / block.transform.e)
    column = round((source.transform.c - block.transform.c) / block.transform.a)
    rows = slice(max(0, row), min(block.height, row + source.height))
    columns = slice(max(0, column), min(block.width, column + source.width))
    found = values[rows.start - row : rows.stop - row, columns.start - column : columns.stop - column]
    if found.shape == (block.height, block.width):
        return found
    result = np.full((block.height, block.width), np.nan, np.float32)
    result[rows, columns] = found
    return result


def _warp(values: NDArray[np.float32], source: Grid, block: Grid, resampling: Resampling) -> NDArray[np.float32]:
    result = np.full((block.height, block.width), np.nan, np.float32)
    rasterio.warp.reproject(
        values,
        result,
        src_transform=source.transform,
        src_crs=source.crs,
        src_nodata=np.nan,
        dst_transform=block.transform,
        dst_crs=block.crs,
        dst_nodata=np.nan,
        resampling=resampling,
        tolerance=0,  # GDAL's approximation of the transformation depends on the block
    )
    return result
