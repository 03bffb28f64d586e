"""The images of one pass of Sentinel-1, and which pass comes first where two of a day see the same place.

Images of one pass are of one day and orbit: slices or frames of one geometry, that overlap a little. An ascending and a
descending pass of a day see a field from opposite sides, at other angles: the mean of both is what neither sees.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.product import Orbit, Product

Pass = tuple[Product, ...]
Passes = tuple[tuple[date, tuple[Pass, ...]], ...]
"""The passes of each date, dates ascending; of each date the one that comes first first."""

_STARTED = re.compile(r"(?<!\d)\d{8}T([01]\d|2[0-3])([0-5]\d)", re.IGNORECASE)
"""When an image begins; S1 Tiling writes x for what it put together from several."""
_LONGEST = 45
"""Minutes from image to image within a pass, at most: the next orbit is 99 minutes later."""
_UNTIMED = -10_000
_LISTED = 10


def by_pass(products: Iterable[Product], reporter: Reporter) -> Passes:
    """Returns the products of each date and pass.

    Products are of one pass if day and orbit are the same; where neither metadata nor names tell the orbit, if the
    times in their names are close. Of the passes of a day comes first the one whose orbit was taken at the most dates,
    so that the geometry of a place changes as seldom as it can; of several such the first by name.

    Args:
        products: Sentinel-1 images.
        reporter: Receives a warning of days with several passes.
    """
    days: defaultdict[date, list[Product]] = defaultdict(list)
    for product in sorted(products, key=lambda product: (_minute(product), product.name)):
        days[product.date].append(product)
    split = {day: _split(days[day]) for day in sorted(days)}
    dates_of = Counter(orbit for passes in split.values() for orbit in {images[0].orbit for images in passes})
    for passes in split.values():
        passes.sort(key=lambda images: (-dates_of[images[0].orbit], str(images[0].orbit)))
    _warn(split, reporter)
    return tuple((day, tuple(map(tuple, passes))) for day, passes in split.items())


def _split(products: Iterable[Product]) -> list[list[Product]]:
    passes: list[list[Product]] = []
    for product in products:
        same = next((images for images in passes if _is_of_one_pass(images[-1], product)), None)
        if same:
            same.append(product)
        else:
            passes.append([product])
    return passes


def _is_of_one_pass(before: Product, after: Product) -> bool:
    if before.orbit != after.orbit:
        return False
    apart = _minute(after) - _minute(before)
    return before.orbit != Orbit() or apart <= _LONGEST or _UNTIMED in (_minute(before), _minute(after))


def _minute(product: Product) -> int:
    """Returns the minute of the day at which an image begins, if its name tells it."""
    started = _STARTED.search(product.name)
    return 60 * int(started[1]) + int(started[2]) if started else _UNTIMED


def _warn(days: dict[date, list[list[Product]]], reporter: Reporter) -> None:
    several = [
        f"{day} ({', then '.join(_name(images) for images in passes)})"
        for day, passes in days.items()
        if len(passes) > 1
    ]
    if several:
        more = f" and {len(several) - _LISTED} more" if len(several) > _LISTED else ""
        reporter.warning(
            f"At {len(several)} of {len(days)} dates there are images of several orbits, that see a place from several "
            f"sides: {', '.join(several[:_LISTED])}{more}. They are not averaged: a pixel shows the first orbit that "
            "has a value there. ORBIT chooses one for all dates."
        )


def _name(images: Sequence[Product]) -> str:
    minute = _minute(images[0])
    if images[0].orbit == Orbit() and minute != _UNTIMED:
        return f"{minute // 60:02}:{minute % 60:02}"
    return str(images[0].orbit)
