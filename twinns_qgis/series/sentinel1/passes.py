"""The images of one pass of Sentinel-1, and which pass comes first where two of a day see the same place.

Images of one pass are of one day and orbit: slices or frames of one geometry, that overlap a little. An ascending and a
descending pass of a day see a field from opposite sides, at other angles: the mean of both is what neither sees.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from rasterio.enums import Resampling

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.product import Orbit, Product

Pass = tuple[Product, ...]
Passes = tuple[tuple[date, tuple[Pass, ...]], ...]
"""The passes of each date, dates ascending; of each date the one that comes first first."""

_STARTED = re.compile(r"(?<!\d)\d{8}T([01]\d|2[0-3])([0-5]\d)", re.IGNORECASE)
_SECOND = re.compile(r"(?<!\d)\d{8}T(?:\d{6}|XXXXXX)", re.IGNORECASE)
"""When an image begins; S1 Tiling writes x for what it put together from several."""
_LONGEST = 45
"""Minutes from image to image within a pass, at most: the next orbit is 99 minutes later."""
_UNTIMED = -10_000
_LISTED = 10
_NUMBERS = re.compile(r"\d[0-9A-Fa-fT]*")
_HALF = 0.5
_POINTS = 8
"""Points along each side by which images are compared."""


def by_pass(products: Iterable[Product], reporter: Reporter) -> Passes:
    """Returns the products of each date and pass.

    Products are of one pass if day and orbit are the same; where neither metadata nor names tell the orbit, if the
    times in their names are close. Of the passes of a day comes first the one whose orbit was taken at the most dates,
    so that the geometry of a place changes as seldom as it can; of several such the first by name.

    Args:
        products: Sentinel-1 images.
        reporter: Is warned of days of several passes.

    Raises:
        InputError: An image is there in two versions, such as sigma and gamma nought.
    """
    days: defaultdict[date, list[Product]] = defaultdict(list)
    for product in sorted(products, key=lambda product: (_minute(product), product.name)):
        days[product.date].append(product)
    split = {day: _split(days[day]) for day in sorted(days)}
    dates_of = Counter(orbit for passes in split.values() for orbit in {images[0].orbit for images in passes})
    for passes in split.values():
        for images in passes:
            _check_versions(images)
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
    return before.orbit != Orbit() or _minute(after) - _minute(before) <= _LONGEST


def _check_versions(images: Iterable[Product]) -> None:
    known: dict[tuple[str, str], Product] = {}
    for image in images:
        if (began := _SECOND.search(image.name)) is None:
            continue
        for polarisation in image.bands:
            other = known.setdefault((polarisation, began[0].upper()), image)
            if other is not image and other.grid.same_as(image.grid):
                raise InputError(
                    f"{other.bands[polarisation].path} and {image.bands[polarisation].path} both are {polarisation} of "
                    f"the same acquisition, on the same grid: two versions of an image, or copies, were found.",
                    "Keep one of them below FOLDER, such as gamma nought and not sigma nought, or give LAYERS.",
                )


def check_slices(days: Passes) -> None:
    """Checks that the images of each pass are slices of it: else their mean would be none of them.

    Two images are slices if one program wrote them, by their names, at one resolution, and they begin at different
    times; or, where names tell no time, if one shows less than half of what the other does.

    Raises:
        InputError: They are not, such as a filtered copy beside its image, or two passes whose orbits nothing tells.
    """
    for _, passes in days:
        for images in passes:
            for one, other in itertools.combinations(images, 2):
                for polarisation in one.bands.keys() & other.bands.keys():
                    if not _are_slices(one, other, polarisation):
                        raise _no_slices(one, other, polarisation)


def _no_slices(one: Product, other: Product, polarisation: str) -> InputError:
    return InputError(
        f"{one.bands[polarisation].path} and {other.bands[polarisation].path} both are {polarisation} of {one.date}, "
        f"orbit {one.orbit}, and no slices of one pass: they show the same ground, or are of different resolution.",
        "Keep one of them below FOLDER, or give LAYERS. If they are of two passes, leave the times in the names, or "
        "choose one with ORBIT.",
    )


def _are_slices(one: Product, other: Product, polarisation: str) -> bool:
    steps = zip(one.grid.resolution, other.grid.resolution, strict=True)
    if one.grid.crs == other.grid.crs and not all(math.isclose(a, b, rel_tol=0.01) for a, b in steps):
        return _shared(one, other, polarisation) == 0
    begun = {match[0] for image in (one, other) if (match := _SECOND.search(image.name))}
    if len(begun) > 1 and _writer(one) == _writer(other):
        return True
    return _shared(one, other, polarisation) < _HALF


def _writer(image: Product) -> str:
    """Returns an image's name without what differs from slice to slice: times and other numbers."""
    return _NUMBERS.sub("", image.name)


def _shared(one: Product, other: Product, polarisation: str) -> float:
    """Returns the share of the smaller image's values where the other one has a value, by some points."""
    small, large = sorted((one, other), key=lambda image: _area(image.grid))
    if source_window(large.grid, small.grid) is None:
        return 0.0
    points = small.grid.every(max(1, max(small.grid.width, small.grid.height) // _POINTS))
    both = own = 0
    with small.open() as own_files, large.open() as other_files:
        for window in points.blocks(1):
            point = points.crop(window)
            if np.isnan(small.bands[polarisation].read(own_files, point, Resampling.nearest)).all():
                continue
            own += 1
            both += not np.isnan(large.bands[polarisation].read(other_files, point, Resampling.nearest)).all()
    return both / max(1, own)


def _area(grid: Grid) -> float:
    left, bottom, right, top = grid.bounds
    return (right - left) * (top - bottom)


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
