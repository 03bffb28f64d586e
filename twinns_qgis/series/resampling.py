"""Resampling between grids of one CRS: the same numbers as GDAL's warp, several times as fast.

Where two grids differ by scale and shift alone, as the bands of 10 and 20 m of a product do, the kernels are separable:
their weights are worked out once for each column and each row, where GDAL works them out for each pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from twinns_qgis.series.grid import Grid

_TAPS = {Resampling.nearest: 1, Resampling.bilinear: 2, Resampling.cubic: 4}
"""Width of the kernels, in pixels of the source."""
_COARSEST = 1 + 1e-9
"""Pixels of the source that one of the block may span: beyond it kernels must be stretched."""
_DECIMALS = 9
"""To which positions are rounded, in pixels: so the weights of a pixel don't depend on where its block starts."""


def can_resample(source: Grid, block: Grid, resampling: Resampling) -> bool:
    """Whether `resample` can do it: one CRS, and pixels that don't get larger, but for nearest neighbour."""
    if source.crs != block.crs or resampling not in _TAPS:
        return False
    steps = zip(source.resolution, block.resolution, strict=True)
    return resampling == Resampling.nearest or all(new <= _COARSEST * old for old, new in steps)


def resample(
    values: NDArray[np.float32], source: Grid, corner: tuple[int, int], block: Grid, resampling: Resampling
) -> NDArray[np.float32]:
    """Resamples a part of a raster to the grid of a block.

    Bicubic is the convolution of Keys (1981, IEEE Transactions on Acoustics, Speech, and Signal Processing 29 (6)) with
    a = -0.5 over 4 x 4 pixels; where one of them is missing, or outside, it is bilinear over those of the nearest
    2 x 2 that are there. A pixel whose centre lies on a missing pixel is missing. GDAL does the same.

    Args:
        values: The part, of shape (h, w), NaN where missing.
        source: The grid of the whole raster.
        corner: Row and column of the part's first pixel in the raster.
        block: The grid to resample to.
        resampling: Nearest, bilinear or cubic.

    Returns:
        Values of shape (height, width), NaN where missing.
    """
    y = _axis(block.height, source.transform.f, source.transform.e, block.transform.f, block.transform.e, corner[0])
    x = _axis(block.width, source.transform.c, source.transform.a, block.transform.c, block.transform.a, corner[1])
    taps, (height, width) = _TAPS[resampling], values.shape
    if taps == 1:
        return _centres(values, y, x)
    missing = np.isnan(values)
    if y.within(height, taps) and x.within(width, taps) and not missing.any():
        return _convolve(values, y, x, taps)
    return np.where(np.isnan(_centres(values, y, x)), np.float32(np.nan), _convolve_valid(values, missing, y, x, taps))


@dataclass(frozen=True)
class _Axis:
    """Where the centres of a block's pixels lie along one axis of a part.

    Args:
        before: Index of the pixel of the part whose centre is the last one before a centre, or at it.
        fraction: How far beyond it the centre lies, 0 to 1.
    """

    before: NDArray[np.intp]
    fraction: NDArray[np.float64]

    def first(self, taps: int) -> NDArray[np.intp]:
        """Returns the index of the first pixel beneath a kernel."""
        return self.before - (taps // 2 - 1)

    def weights(self, taps: int) -> NDArray[np.float32]:
        """Returns the weights of the pixels beneath a kernel, of shape (taps, n)."""
        distance = np.abs(self.fraction - (np.arange(taps)[:, None] - (taps // 2 - 1)))
        if taps == 2:
            return (1 - distance).astype(np.float32)
        near = (1.5 * distance - 2.5) * distance**2 + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        return np.where(distance <= 1, near, far).astype(np.float32)

    def within(self, size: int, taps: int) -> bool:
        """Whether no kernel leaves a part of so many pixels."""
        first = self.first(taps)
        return bool(first[0] >= 0 and first[-1] + taps <= size)

    def framed(self, size: int, frame: int) -> _Axis:
        """Returns the axis of the part with a frame; centres beyond the frame are moved onto it."""
        return _Axis(np.clip(self.before, -1, size - 1) + frame, self.fraction)

    def nearest(self) -> NDArray[np.intp]:
        """Returns the index of the pixel in which a centre lies."""
        return self.before + (self.fraction >= 0.5)


def _axis(count: int, origin: float, step: float, block_origin: float, block_step: float, corner: int) -> _Axis:
    centres = (block_origin - origin + (np.arange(count) + 0.5) * block_step) / step - 0.5
    before = np.floor(np.round(centres, _DECIMALS))
    return _Axis(before.astype(np.intp) - corner, np.round(centres - before, _DECIMALS))


def _convolve(values: NDArray[np.float32], y: _Axis, x: _Axis, taps: int) -> NDArray[np.float32]:
    """Returns the sums weighted by the kernel, which must not leave the values."""
    along_x = _sum(values, x.first(taps), x.weights(taps), axis=1)
    return _sum(along_x, y.first(taps), y.weights(taps)[:, :, None], axis=0)


def _sum(
    values: NDArray[np.float32], first: NDArray[np.intp], weights: NDArray[np.float32], axis: int
) -> NDArray[np.float32]:
    total = np.take(values, first, axis)
    total *= weights[0]
    for tap in range(1, len(weights)):
        part = np.take(values, first + tap, axis)
        part *= weights[tap]
        total += part
    return total


def _convolve_valid(
    values: NDArray[np.float32], missing: NDArray[np.bool_], y: _Axis, x: _Axis, taps: int
) -> NDArray[np.float32]:
    """Returns what `_convolve` does where all pixels beneath the kernel are there, else the bilinear mean of those."""
    frame = 2
    filled = np.pad(np.where(missing, np.float32(0), values), frame)
    there = np.pad((~missing).astype(np.float32), frame)
    y, x = y.framed(values.shape[0], frame), x.framed(values.shape[1], frame)
    weight = _convolve(there, y, x, 2)
    mean = np.divide(_convolve(filled, y, x, 2), weight, where=weight > 0, out=np.full_like(weight, np.nan))
    ones = np.ones((taps, 1), np.float32)
    count = _sum(_sum(there, x.first(taps), ones, axis=1), y.first(taps), ones[:, :, None], axis=0)
    return np.where(count == taps * taps, _convolve(filled, y, x, taps), mean)


def _centres(values: NDArray[np.float32], y: _Axis, x: _Axis) -> NDArray[np.float32]:
    """Returns the values at the pixels' centres, NaN outside."""
    rows, columns = y.nearest(), x.nearest()
    outside_y, outside_x = (
        (index < 0) | (index >= size) for index, size in zip((rows, columns), values.shape, strict=True)
    )
    found = np.take(np.take(values, np.where(outside_y, 0, rows), 0), np.where(outside_x, 0, columns), 1)
    found[outside_y] = np.nan
    found[:, outside_x] = np.nan
    return found
