"""The dates of acquisition of both sensors.

Both sets of dates are symmetric about one day. A class whose curves are those of another mirrored about that day then
shows the same values on the same number of dates, in another order: nothing but the order tells the two apart. The
cloud cover is symmetric too, so that gaps and their filling don't give the order away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

MIDPOINT = date(2018, 7, 3)
"""The day that both sensors' dates are symmetric about."""

# Days from the midpoint, each on both sides, and the share of the site that clouds cover then. Sentinel-2 passes every
# five days; as in an archive, some passes are missing.
_SENTINEL2_PASSES = (
    (5, 0.10), (20, 0.35), (25, 0.15), (40, 0.90), (55, 0.05), (65, 0.25),
    (80, 0.12), (95, 0.30), (110, 0.92), (125, 0.10), (145, 0.25), (170, 0.15),
)  # fmt: skip
_SENTINEL1_PASSES = range(-174, 175, 12)


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


def sentinel2_overpasses() -> tuple[Overpass, ...]:
    """Returns the 24 Sentinel-2 acquisitions, in the order of their dates."""
    offsets = sorted((sign * offset, cover) for offset, cover in _SENTINEL2_PASSES for sign in (-1, 1))
    return tuple(
        Overpass(MIDPOINT + timedelta(offset), "A" if offset % 10 == 0 else "B", cover) for offset, cover in offsets
    )


def sentinel1_dates() -> tuple[date, ...]:
    """Returns the 30 Sentinel-1 dates, twelve days apart, ascending."""
    return tuple(MIDPOINT + timedelta(offset) for offset in _SENTINEL1_PASSES)


def day_of_year(day: date) -> int:
    """Returns the day's number in its year, 1 for 1 January."""
    return day.timetuple().tm_yday
