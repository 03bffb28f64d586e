"""Curves over the year of what changes with the seasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Season:
    """A rise and a fall, each logistic.

    Args:
        rise: Day of the year of half the rise; may lie before 1 January.
        fall: Day of the year of half the fall; may lie after 31 December.
        height: What the season adds at its height.
        pace: Days in which the odds of the transition grow by a factor e.
    """

    rise: float
    fall: float
    height: float
    pace: float = 9.0

    def at(self, days: ArrayLike) -> NDArray[np.float64]:
        """Returns the season's value on days of the year."""
        days = np.asarray(days, float)
        return self.height * (_logistic((days - self.rise) / self.pace) - _logistic((days - self.fall) / self.pace))

    def mirrored(self, day: float) -> Season:
        """Returns the season that has on day `day` + d the value that this one has on `day` - d."""
        return Season(2 * day - self.fall, 2 * day - self.rise, self.height, self.pace)


@dataclass(frozen=True)
class Curve:
    """A value that holds all year, and seasons on top.

    Args:
        base: The value outside the seasons.
        seasons: What is added to it.
    """

    base: float
    seasons: tuple[Season, ...] = ()

    def at(self, days: ArrayLike, vigour: ArrayLike = 1.0) -> NDArray[np.float64]:
        """Returns the curve's value on days of the year, its seasons multiplied by `vigour`."""
        total = np.zeros(np.shape(days))
        for season in self.seasons:
            total += season.at(days)
        return self.base + np.asarray(vigour) * total

    def mirrored(self, day: float) -> Curve:
        """Returns the curve that has on day `day` + d the value that this one has on `day` - d."""
        return Curve(self.base, tuple(season.mirrored(day) for season in self.seasons))


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))
