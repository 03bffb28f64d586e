"""Resampling between grids of one CRS: the same numbers as GDAL's warp, several times as fast.

Where two grids differ by scale and shift alone, as the bands of 10 and 20 m of a product do, the kernels are separable:
their weights are worked out once for each column and each row, where GDAL works them out for each pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from twinns_qgis.rasters.grid import Grid

_TAPS = {Resampling.nearest: 2, Resampling.bilinear: 2, Resampling.cubic: 4}
"""Width of the kernels, in pixels of the source; the nearest pixel is one of two."""
_FRAME = 3
"""Width of the frame of missing pixels round a part: no kernel that touches the part leaves it."""
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
    2 x 2 that are there. A pixel whose centre lies on a missing pixel is missing. GDAL does the same, but that it takes
    the nearest pixel in rasters of one row or column.

    Args:
        values: The part, of shape (h, w), NaN where missing.
        source: The grid of the whole raster.
        corner: Row and column of the part's first pixel in the raster.
        block: The grid to resample to.
        resampling: Nearest, bilinear or cubic.

    Returns:
        Values of shape (height, width), NaN where missing.
    """
    taps, (height, width) = _TAPS[resampling], values.shape
    y = _axis(block.height, source.transform.f, source.transform.e, block.transform.f, block.transform.e, taps)
    x = _axis(block.width, source.transform.c, source.transform.a, block.transform.c, block.transform.a, taps)
    y, x = y.shifted(-corner[0]), x.shifted(-corner[1])
    if not (y.within(height) and x.within(width)):
        values = _framed(values)
        y, x = y.framed(height), x.framed(width)
    if resampling == Resampling.nearest:
        return values.take(y.nearest, axis=0).take(x.nearest, axis=1)
    result = _convolve(values, y, x)
    incomplete = np.flatnonzero(np.isnan(result))  # several times as fast as in two dimensions
    if incomplete.size:
        rows, columns = np.divmod(incomplete, block.width)
        result[rows, columns] = _mean_of_valid(values, y.at(rows), x.at(columns))
    return result


@dataclass(frozen=True)
class _Axis:
    """Where the centres of a block's n pixels lie along one axis of a part.

    Args:
        before: Index of the pixel of the part whose centre is the last one before a centre, or at it.
        fraction: How far beyond it the centre lies, 0 to 1.
        weights: Of the pixels beneath the kernel, of shape (taps, n).
    """

    before: NDArray[np.intp]
    fraction: NDArray[np.float64]
    weights: NDArray[np.float32]

    @property
    def first(self) -> NDArray[np.intp]:
        """Index of the first pixel beneath the kernel."""
        return self.before - (len(self.weights) // 2 - 1)

    @property
    def nearest(self) -> NDArray[np.intp]:
        """Index of the pixel in which a centre lies."""
        return self.before + (self.fraction >= 0.5)

    def within(self, size: int) -> bool:
        """Whether no kernel leaves a part of so many pixels."""
        return bool(self.first[0] >= 0 and self.first[-1] + len(self.weights) <= size)

    def shifted(self, by: int) -> _Axis:
        """Returns the axis of a part that begins so many pixels earlier."""
        return _Axis(self.before + by, self.fraction, self.weights)

    def at(self, pixels: NDArray[np.intp]) -> _Axis:
        """Returns the axis of some of the pixels, in any order."""
        return _Axis(self.before[pixels], self.fraction[pixels], self.weights[:, pixels])

    def framed(self, size: int) -> _Axis:
        """Returns the axis of a part of so many pixels with a frame; centres beyond the frame are moved onto it."""
        return _Axis(np.clip(self.before, -2, size) + _FRAME, self.fraction, self.weights)


@lru_cache(maxsize=256)
def _axis(count: int, origin: float, step: float, block_origin: float, block_step: float, taps: int) -> _Axis:
    """Returns an axis of the whole raster: the same for all bands, and all dates, of a block."""
    centres = (block_origin - origin + (np.arange(count) + 0.5) * block_step) / step - 0.5
    before = np.floor(np.round(centres, _DECIMALS))
    fraction = np.round(centres - before, _DECIMALS)
    return _Axis(before.astype(np.intp), fraction, _weights(fraction, taps))


def _weights(fraction: NDArray[np.float64], taps: int) -> NDArray[np.float32]:
    distance = np.abs(fraction - (np.arange(taps)[:, None] - (taps // 2 - 1)))
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return (1 - distance if taps == 2 else np.where(distance <= 1, near, far)).astype(np.float32)


def _framed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape
    framed = np.full((height + 2 * _FRAME, width + 2 * _FRAME), np.nan, np.float32)
    framed[_FRAME : _FRAME + height, _FRAME : _FRAME + width] = values
    return framed


def _convolve(values: NDArray[np.float32], y: _Axis, x: _Axis) -> NDArray[np.float32]:
    """Returns the sums weighted by the kernel, NaN where a pixel beneath it is missing."""
    along_x = _sum(values, x.first, x.weights, axis=1)
    return _sum(along_x, y.first, y.weights[:, :, None], axis=0)


def _sum(
    values: NDArray[np.float32], first: NDArray[np.intp], weights: NDArray[np.float32], axis: int
) -> NDArray[np.float32]:
    total = values.take(first, axis)
    part = np.empty_like(total)
    total *= weights[0]
    for tap in range(1, len(weights)):
        values.take(first + tap, axis, out=part, mode="clip")  # by default it would buffer `out`
        part *= weights[tap]
        total += part
    return total


def _mean_of_valid(values: NDArray[np.float32], y: _Axis, x: _Axis) -> NDArray[np.float32]:
    """Returns the bilinear mean, at each of n pixels, of those of the nearest 2 x 2 that are there."""
    total, weight = np.zeros(y.before.size, np.float32), np.zeros(y.before.size, np.float32)
    for down, share_y in enumerate((1 - y.fraction, y.fraction)):
        for right, share_x in enumerate((1 - x.fraction, x.fraction)):
            near = values[y.before + down, x.before + right]
            share, valid = (share_y * share_x).astype(np.float32), ~np.isnan(near)
            np.add(total, share * near, where=valid, out=total)
            np.add(weight, share, where=valid, out=weight)
    missing = np.isnan(values[y.nearest, x.nearest])
    return np.divide(total, weight, where=~missing, out=np.full_like(total, np.nan))
