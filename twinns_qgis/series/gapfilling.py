"""Filling gaps by linear interpolation in time (METHOD section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

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
    return Interpolation.between(~np.isnan(values), dates, targets).apply(values, missing=np.nan)


@dataclass(frozen=True)
class Interpolation:
    """Where the values at some target dates come from: worked out once for all bands that have the same gaps.

    Args:
        valid: Which values there are, of shape (T, ...).
        days: The T days of the values.
        targets: The T' days to interpolate to.
        weight: Of the first valid value at or after each target, of shape (T', ...); that of the last one at or before
            it is 1 less this. None if nothing is to be interpolated: the targets are the dates, and all is valid.
    """

    valid: NDArray[np.bool_]
    days: tuple[int, ...]
    targets: tuple[int, ...]
    weight: NDArray[np.float32] | None

    @classmethod
    def between(cls, valid: NDArray[np.bool_], dates: Sequence[date], targets: Sequence[date]) -> Interpolation:
        """Computes the weights of the valid dates for the target dates.

        Args:
            valid: Which values there are, of shape (T, ...).
            dates: Their T dates, ascending.
            targets: The T' dates to interpolate to, ascending.
        """
        days, wanted = tuple(day.toordinal() for day in dates), tuple(day.toordinal() for day in targets)
        if days == wanted and valid.all():
            return cls(valid, days, wanted, None)
        own_days = np.broadcast_to(_along_time(days, valid.ndim), valid.shape)
        before, after = _neighbours(own_days, valid, days, wanted, np.float32(np.nan))
        # 0 at a valid date, where the numerator is 0 too.
        weight = (_along_time(wanted, valid.ndim) - before) / np.maximum(after - before, 1)
        weight[np.isnan(after)] = 0
        weight[np.isnan(before)] = 1
        return cls(valid, days, wanted, weight)

    def apply(self, values: NDArray[np.generic], missing: float) -> NDArray[np.float32]:
        """Interpolates values of shape (T, ...) to the targets: (T', ...), `missing` where a pixel is never valid."""
        if self.weight is None:
            return values.astype(np.float32)
        result, after = _neighbours(values, self.valid, self.days, self.targets, np.float32(0))
        after -= result
        after *= self.weight
        result += after
        if self._never.any():
            result[:, self._never] = missing
        return result

    @cached_property
    def _never(self) -> NDArray[np.bool_]:
        """Where no date has a value."""
        return np.logical_not(self.valid.any(axis=0))


def _along_time(days: Sequence[int], dimensions: int) -> NDArray[np.float32]:
    return np.array(days, np.float32).reshape(-1, *[1] * (dimensions - 1))


def _neighbours(
    values: NDArray[np.generic],
    valid: NDArray[np.bool_],
    days: Sequence[int],
    targets: Sequence[int],
    none: np.float32,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the last valid value at or before each target, and the first one at or after it; `none` without one."""
    shape = (len(targets), *values.shape[1:])
    before, after = np.empty(shape, np.float32), np.empty(shape, np.float32)
    latest, position = np.full(shape[1:], none), 0
    for order, target in enumerate(targets):
        while position < len(days) and days[position] <= target:
            np.copyto(latest, values[position], where=valid[position])
            position += 1
        before[order] = latest
    latest, position = np.full(shape[1:], none), len(days) - 1
    for order in range(len(targets) - 1, -1, -1):
        while position >= 0 and days[position] >= targets[order]:
            np.copyto(latest, values[position], where=valid[position])
            position -= 1
        after[order] = latest
    return before, after
