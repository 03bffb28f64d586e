"""The offset in the numbers of Sentinel-2 products that do not tell it themselves.

Since processing baseline 04.00, of 25 January 2022, reflectance is (number - 1000) / 10 000, before it is number / 10
000 (ESA, "Sentinel-2 Products Specification Document"). Products of earlier dates that were processed once more since,
Collection 1, have the offset too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from twinns_qgis.errors import InputError

SINCE = date(2022, 1, 25)
"""From this day on all products have the offset."""
OF_NEW_BASELINES = -1000.0
BY_USERS = "9999"
"""The baseline in the names of products that users made with Sen2Cor: it tells nothing of their offset."""
_FIRST_BASELINE = "0400"
_ALL_DATES = "all"


@dataclass(frozen=True)
class Offset:
    """What the user says is to be added to numbers whose offset nothing tells.

    Args:
        number: The summand, in digital numbers.
        all_dates: Whether it counts before 25 January 2022, too.
    """

    number: float
    all_dates: bool = False

    def on(self, day: date) -> float:
        """Returns the summand on a day of acquisition."""
        return self.number if self.all_dates or day >= SINCE else 0.0

    def __str__(self) -> str:
        return f"{self.number:g} {_ALL_DATES}" if self.all_dates else f"{self.number:g}"


def parse_offset(text: str) -> Offset | None:
    """Returns the offset in a text such as ``-1000`` or ``-1000 all``; None for ``auto``.

    Raises:
        InputError: It is neither.

    Example:
        >>> parse_offset("-1000 all")
        Offset(number=-1000.0, all_dates=True)
    """
    number, _, dates = text.strip().lower().partition(" ")
    if number in ("", "auto") and not dates:
        return None
    try:
        if dates not in ("", _ALL_DATES) or not abs(float(number)) <= 10_000:
            raise ValueError(text)
        return Offset(float(number), dates == _ALL_DATES)
    except ValueError as error:
        raise InputError(
            f"OFFSET is '{text}'.",
            "Give auto, or what is to be added to the digital numbers, such as -1000 or 0, from 25 January 2022 on; "
            "with 'all' behind it, such as -1000 all, at all dates.",
        ) from error


def of_baseline(baseline: str) -> float | None:
    """Returns the offset of a processing baseline, such as ``0400``; None if it is that of a user's own products."""
    if baseline == BY_USERS:
        return None
    return OF_NEW_BASELINES if baseline >= _FIRST_BASELINE else 0.0
