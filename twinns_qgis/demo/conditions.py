"""What makes a site harder than the usual one, or shows it in another year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinns_qgis.demo.acquisitions import YEAR
from twinns_qgis.demo.landscape import LABELLED_SHARE

DELAY_DAYS = 8.0
"""Standard deviation, over years, of how many days a year is late."""

YEAR_VIGOUR = 0.1
"""Standard deviation, over years, of the factor of all seasons."""

YEAR_OFFSET_DB = 0.5
"""Standard deviation, over years, of what is added to all backscatter, VV and VH each, in dB."""


@dataclass(frozen=True)
class Weather:
    """What all objects have in common in a year.

    Args:
        delay: Days by which the year is late.
        vigour: Factor of the seasons.
        offset_db: Summand of VV and of VH in dB.
    """

    delay: float = 0.0
    vigour: float = 1.0
    offset_db: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, year: int) -> Weather:
        """Returns the weather of a year, the same at all sites."""
        if year == YEAR:
            return cls()
        delay, vigour, vv, vh = np.random.default_rng([year, 1]).standard_normal(4).tolist()
        return cls(DELAY_DAYS * delay, 1 + YEAR_VIGOUR * vigour, (YEAR_OFFSET_DB * vv, YEAR_OFFSET_DB * vh))


@dataclass(frozen=True)
class Conditions:
    """The choices that a site is made with.

    Args:
        noise: Factor of how much objects, pixels and measurements vary: of the standard deviations between and within
            objects, of the sensors' noise, of the speckle's coefficient of variation, and of the share of clouds that
            the mask misses.
        labelled: Share of the objects of each class that have a polygon; three have at least.
        year: The year: another one has other passes, other clouds and other weather.
    """

    noise: float = 1.0
    labelled: float = LABELLED_SHARE
    year: int = YEAR

    @property
    def weather(self) -> Weather:
        """What all objects have in common."""
        return Weather.of(self.year)


USUAL = Conditions()
"""The conditions of the usual site."""
