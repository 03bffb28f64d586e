"""Variety for training: patches turned and mirrored, the calendar shifted, and dates left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.samples.store import PATCH, SampleStore

_PIXELS = np.arange(PATCH**2).reshape(PATCH, PATCH)
SYMMETRIES = np.stack([np.rot90(side, turns).ravel() for side in (_PIXELS, _PIXELS.T) for turns in range(4)])
"""The 8 symmetries of a square: for each the index of the pixel that comes to each place, shape (8, 25)."""


@dataclass(frozen=True)
class Augmentation:
    """What is drawn anew for each sample of a batch.

    Args:
        symmetries: Whether patches are turned and mirrored, each of the 8 ways with the same probability.
        date_dropout: Probability of each date to be left out, 0 to below 1.
        date_shift: Days by which the calendar is shifted at most, forth or back.
        missing: Raw value of missing pixels, by sensor; needed to leave dates out, and to shift what has gaps.
        days: The days of each sensor's dates, ascending; needed to shift them.
    """

    symmetries: bool = False
    date_dropout: float = 0.0
    date_shift: float = 0.0
    missing: Mapping[str, float] = field(default_factory=dict)
    days: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def gather(
        self, stores: Mapping[str, SampleStore], samples: NDArray[np.int64], generator: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Returns the patches of N labelled pixels, for each sensor of shape (N, 5, 5, T, B).

        All sensors of a sample are turned and shifted alike: they show the same ground in the same year.
        """
        ways = generator.integers(len(SYMMETRIES), size=len(samples)) if self.symmetries else None
        shifts = generator.uniform(-self.date_shift, self.date_shift, len(samples)) if self.date_shift else None
        patches = {}
        for name, store in stores.items():
            pixels = store.patches[samples]
            patches[name] = store.values[pixels if ways is None else turned(pixels, ways)]
            if shifts is not None:
                patches[name] = shifted(patches[name], np.array(self.days[name]), shifts, self.missing.get(name))
            if self.date_dropout:
                dropped = dropped_dates(len(samples), patches[name].shape[3], self.date_dropout, generator)
                patches[name].swapaxes(1, 3)[dropped] = self.missing[name]
        return patches


NO_AUGMENTATION = Augmentation()


def turned(patches: NDArray[Any], ways: NDArray[np.int64]) -> NDArray[Any]:
    """Returns N patches, shape (N, 5, 5), each turned and mirrored by one of the `SYMMETRIES`, shape (N,)."""
    flat = patches.reshape(len(patches), -1)
    return np.take_along_axis(flat, SYMMETRIES[ways], axis=1).reshape(patches.shape)


def shifted(
    patches: NDArray[Any], days: NDArray[np.int64], shifts: NDArray[np.float64], missing: float | None
) -> NDArray[Any]:
    """Returns N patches, shape (N, H, W, T, B), each as if its year were so many days ahead, by interpolation in time.

    Before the first and after the last date the nearest one stands. A value between two of which one is missing is
    missing.

    Args:
        patches: Raw values.
        days: The day of each of the dates, ascending, shape (T,).
        shifts: Days of each patch, shape (N,).
        missing: The raw value of missing pixels; None if there are none.
    """
    if len(days) < 2:
        return patches
    wanted = np.clip(days + shifts[:, None], days[0], days[-1])
    after = np.clip(np.searchsorted(days, wanted, side="right"), 1, len(days) - 1)
    share = ((wanted - days[after - 1]) / (days[after] - days[after - 1])).astype(np.float32)[:, None, None, :, None]
    before, later = (np.take_along_axis(patches, dates[:, None, None, :, None], axis=3) for dates in (after - 1, after))
    between = before + share * (later.astype(np.float32) - before)
    if patches.dtype.kind in "iu":
        between = np.rint(between).astype(patches.dtype)
    if missing is not None:  # NaN stays NaN by itself
        between[((before == missing) & (share < 1)) | ((later == missing) & (share > 0))] = missing
    return between.astype(patches.dtype, copy=False)


def dropped_dates(samples: int, dates: int, share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Draws which dates are left out, never all of a sample's; shape (samples, dates)."""
    drawn = generator.random((samples, dates))
    return (drawn < share) & (drawn < drawn.max(axis=1, keepdims=True))
