"""Filtering speckle over space and time, without mixing the dates' levels of backscatter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError

_LARGEST = 31
"""Widest window: beyond it a local mean says nothing of the pixel, and margins outgrow the blocks."""


def margin_of(window: int) -> int:
    """Returns how many pixels a window of the filter reaches to each side.

    Raises:
        InputError: `window` is neither 0, for no filter, nor an odd number from 3 to 31.
    """
    if window and not (3 <= window <= _LARGEST and window % 2):
        raise InputError(
            f"SPECKLE is {window} pixels; the window has a pixel in its middle.",
            f"Give 0, for no filter, or an odd number from 3 to {_LARGEST}, such as 7.",
        )
    return window // 2


def filter_speckle(power: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """Filters speckle over all dates: J_k = <I_k> / N * sum over i of I_i / <I_i>.

    <I_k> is the mean of date k in the window round a pixel, N the number of dates. Each date keeps its own local
    level; the detail in space is the mean of that of all dates, which speckle does not share. On a homogeneous
    surface with L looks, independent from date to date, in a window of M pixels, the equivalent number of looks
    becomes L M N / (M + N - 1).

    A missing pixel takes no part: not in the means round it, and at its place the other dates alone are summed, N
    being their number. It stays missing.

    Source: S. Quegan and J. J. Yu, Filtering of multichannel SAR images, IEEE Transactions on Geoscience and Remote
    Sensing 39 (11), 2001, 2373-2379, with the weights of uncorrelated channels.

    Args:
        power: Linear power of shape (T, height + 2 margin, width + 2 margin), NaN where missing.
        margin: Pixels from the window's middle to its edge.

    Returns:
        Filtered power of shape (T, height, width), NaN where missing.
    """
    inner = slice(margin, power.shape[1] - margin), slice(margin, power.shape[2] - margin)
    filtered = np.empty_like(power[:, inner[0], inner[1]])
    detail = np.zeros(filtered.shape[1:], np.float32)
    dates = np.zeros(detail.shape, np.float32)
    for image, mean in zip(power, filtered, strict=True):
        valid = ~np.isnan(image)
        count = _window_sum(valid.astype(np.float32), margin)
        mean[:] = _window_sum(np.where(valid, image, np.float32(0)), margin)
        np.divide(mean, count, out=mean, where=count > 0)
        centre = valid[inner]
        np.add(detail, np.divide(image[inner], mean, where=centre, out=np.zeros_like(mean)), out=detail)
        dates += centre
        mean[~centre] = np.nan
    filtered *= np.divide(detail, dates, where=dates > 0, out=np.ones_like(detail))
    return filtered


def _window_sum(values: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """Returns the sum in the window round each inner pixel.

    Always added up in the same order: running sums would make a pixel depend, by rounding, on where its block starts.
    """
    height, width = values.shape[0] - 2 * margin, values.shape[1] - 2 * margin
    columns = values[:height].copy()
    for row in range(1, 2 * margin + 1):
        columns += values[row : row + height]
    total = columns[:, :width].copy()
    for column in range(1, 2 * margin + 1):
        total += columns[:, column : column + width]
    return total
