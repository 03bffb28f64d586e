"""Backscatter: units, and decibels in 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.series.products.band_source import Possible
from twinns_qgis.series.series import SENTINEL1_NODATA

UNITS = ("auto", "dB", "power", "amplitude", "DN")
"""What values can be; ``auto`` means to find out, see `units`."""
DN_FORMULA = "dB = 20 log10(DN) - 83"
"""How WorldCereal and openEO's extractions write backscatter as whole numbers; 0 is missing."""
_DN_CALIBRATION_DB = -83.0
POSSIBLE_DB = (-60.0, 30.0)
"""What backscatter can be: the noise lies near -30 dB, and the brightest roof below 30."""


def to_power(values: NDArray[np.float32], units: str) -> NDArray[np.float32]:
    """Returns linear power; where that is not a positive number, NaN.

    Args:
        values: Backscatter, NaN where missing; any shape.
        units: One of `UNITS` but ``auto``. Decibels are 10 log10 of power, amplitude is its square root, and digital
            numbers (DN) are proportional to amplitude: see `DN_FORMULA`.
    """
    with np.errstate(over="ignore"):
        if units == "dB":
            power = np.exp(values * np.float32(np.log(10) / 10))  # several times as fast as a power of 10
        elif units in ("amplitude", "DN"):
            power = np.square(values)
            power[values < 0] = np.nan
            if units == "DN":
                power *= np.float32(10 ** (_DN_CALIBRATION_DB / 10))
        else:
            power = values.copy()
    power[~((power > 0) & (power < np.inf))] = np.nan
    return power


def possible_values(units: str) -> Possible:
    """Returns what backscatter can be in some units.

    Exactly 0 dB is what many programs write where there is nothing. Linear values may be 0 and slightly negative, where
    more noise was subtracted than there was: they are as good as missing, but not wrong.
    """
    if units == "dB":
        return Possible(*POSSIBLE_DB, zero=False)
    exponent, calibration = {"power": (10, 0.0), "amplitude": (20, 0.0), "DN": (20, _DN_CALIBRATION_DB)}[units]
    least, high = (10 ** ((edge - calibration) / exponent) for edge in POSSIBLE_DB)
    return Possible(-1.0, high, least)


def to_db(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the decibels of linear power, 10 log10."""
    return np.float32(10) * np.log10(power)


@dataclass(frozen=True)
class DbRange:
    """The decibels that the values 1 to 255 span; 0 is missing.

    Args:
        low: Decibels of the value 1, and of all below.
        high: Decibels of the value 255, and of all above.
    """

    low: float
    high: float

    @property
    def scale(self) -> float:
        """Decibels from one value to the next."""
        return (self.high - self.low) / 254

    @property
    def offset(self) -> float:
        """Decibels of the value 0, were it one: value * scale + offset gives decibels."""
        return self.low - self.scale

    def encode(self, backscatter_db: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Returns decibels, NaN where missing, as 8 bits; any shape."""
        values = (backscatter_db - self.low) / (self.high - self.low)
        values *= 254
        np.rint(values, out=values)
        values += 1
        np.clip(values, 1, 255, out=values)
        values[np.isnan(values)] = SENTINEL1_NODATA
        return values.astype(np.uint8)

    def clipped(self, backscatter_db: NDArray[np.float32]) -> int:
        """Returns how many pixels lie outside the range."""
        return int(np.count_nonzero((backscatter_db < self.low) | (backscatter_db > self.high)))
