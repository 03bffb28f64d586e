"""Filling gaps by linear interpolation in time (METHOD section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray


def fill_gaps(values: NDArray[np.float32], dates: Sequence[date], targets: Sequence[date]) -> NDArray[np.float32]:
    """Interpolates each pixel between its valid dates, weighted by days.

    Before the first and after the last valid date the nearest valid value is taken. At a valid date the value stays
    as it is.

    Args:
        values: Values of shape (T, ...), NaN where missing.
        dates: Their T dates, ascending.
        targets: The T' dates to interpolate to, ascending.

    Returns:
        Values of shape (T', ...), NaN where a pixel is never valid.
    """
    days = [float(day.toordinal()) for day in dates]
    target_days = [float(day.toordinal()) for day in targets]
    before, before_day = _latest(values, days, target_days)
    after, after_day = _latest(values[::-1], [-day for day in days[::-1]], [-day for day in target_days[::-1]])
    after, after_day = after[::-1], -after_day[::-1]

    at = np.array(target_days, np.float32).reshape(-1, *[1] * (values.ndim - 1))
    span = np.maximum(after_day - before_day, 1)  # 0 at a valid date, where the numerator is 0 too
    result = before + (at - before_day) / span * (after - before)
    np.copyto(result, after, where=np.isnan(before))
    np.copyto(result, before, where=np.isnan(after))
    return result


def _latest(
    values: NDArray[np.float32], days: Sequence[float], targets: Sequence[float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the latest valid value at or before each target, and its day; NaN where there is none."""
    shape = (len(targets), *values.shape[1:])
    found, found_day = np.empty(shape, np.float32), np.empty(shape, np.float32)
    latest = np.full(values.shape[1:], np.nan, np.float32)
    latest_day = latest.copy()
    position = 0
    for order, target in enumerate(targets):
        while position < len(days) and days[position] <= target:
            valid = ~np.isnan(values[position])
            np.copyto(latest, values[position], where=valid)
            np.copyto(latest_day, np.float32(days[position]), where=valid)
            position += 1
        found[order], found_day[order] = latest, latest_day
    return found, found_day
