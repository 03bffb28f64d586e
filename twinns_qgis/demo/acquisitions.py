"""The dates of acquisition of both sensors.

Both sets of dates are symmetric about one day. A class whose curves are those of another mirrored about that day then
shows the same values on the same number of dates, in another order: nothing but the order tells the two apart. The
cloud cover is symmetric too, so that gaps and their filling don't give the order away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

YEAR = 2018
"""The usual year."""

MIDPOINT_DAY = 184
"""The day of the year that both sensors' dates are symmetric about: 3 July, in leap years the 2nd."""

# Days from the midpoint, each on both sides, and the share of the site that clouds cover then, in the usual year.
# Sentinel-2 passes every five days; as in an archive, some passes are missing.
_SENTINEL2_PASSES = (
    (5, 0.10), (20, 0.35), (25, 0.15), (40, 0.90), (55, 0.05), (65, 0.25),
    (80, 0.12), (95, 0.30), (110, 0.92), (125, 0.10), (145, 0.25), (170, 0.15),
)  # fmt: skip
_SENTINEL1_PASSES = range(-174, 175, 12)
_LAST_PASS = 175


@dataclass(frozen=True)
class Overpass:
    """A Sentinel-2 acquisition.

    Args:
        day: Its date.
        platform: ``A`` or ``B``: each returns every ten days.
        cloud_cover: Share of the site under clouds, 0 to 1, shadows not counted.
    """

    day: date
    platform: str
    cloud_cover: float


def midpoint(year: int = YEAR) -> date:
    """Returns the day that both sensors' dates are symmetric about."""
    return date(year, 1, 1) + timedelta(MIDPOINT_DAY - 1)


def sentinel2_overpasses(year: int = YEAR) -> tuple[Overpass, ...]:
    """Returns the 24 Sentinel-2 acquisitions, in the order of their dates; each year has its own passes and clouds."""
    passes = _SENTINEL2_PASSES if year == YEAR else _passes(year)
    offsets = sorted((sign * offset, cover) for offset, cover in passes for sign in (-1, 1))
    return tuple(
        Overpass(midpoint(year) + timedelta(offset), "A" if offset % 10 == 0 else "B", cover)
        for offset, cover in offsets
    )


def sentinel1_dates(year: int = YEAR) -> tuple[date, ...]:
    """Returns the 30 Sentinel-1 dates, twelve days apart, ascending."""
    return tuple(midpoint(year) + timedelta(offset) for offset in _SENTINEL1_PASSES)


def _passes(year: int) -> list[tuple[int, float]]:
    """Draws the passes of a year: the usual year's cloud covers, on days when Sentinel-1 does not look."""
    rng = np.random.default_rng(year)
    possible = [offset for offset in range(5, _LAST_PASS + 1, 5) if offset not in _SENTINEL1_PASSES]
    days = rng.choice(possible, len(_SENTINEL2_PASSES), replace=False)
    covers = rng.permutation([cover for _, cover in _SENTINEL2_PASSES])
    return list(zip(days.tolist(), covers.tolist(), strict=True))


def day_of_year(day: date) -> int:
    """Returns the day's number in its year, 1 for 1 January."""
    return day.timetuple().tm_yday
