"""Days of acquisition in the names of files, folders and bands.

Written ``20180305``, ``2018-03-05``, ``2018_03_05``, ``2018.03.05``, ``05Mar2018``, as folders ``2018/3/5`` or
``year=2018/month=03/day=05``, with a time behind them or not; and as day of the year, ``2018064``, ``2018/064``, where
nothing else tells one.

Many names hold several dates. Acquisition is the one where archives have it, behind what begins the name of a product
or a tile; else the first, if one of them has a time of the day: of sensing, of its end, or of processing. Old products
of Sentinel-2 have it behind a V, and in the names of their granules the time of their making alone. A date behind a
word such as ``export`` or ``processed`` is none. Other names with several days are ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import PurePath
from typing import NamedTuple

_YEAR = r"(?P<year>20\d\d)"
_DATE = re.compile(
    rf"(?<!\d){_YEAR}(?P<mark>[-_.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?=\D|$|\d{{6}}(?!\d))"
    r"(?P<time>[Tt _-]?(?!000000|235959|00[:_]00[:_]00|23[:_]59[:_]59)"  # these are how periods begin and end
    r"(?:[01]\d|2[0-3])[:_]?[0-5]\d[:_]?[0-5]\d(?!\d))?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WITH_MONTH_S_NAME = re.compile(
    rf"(?<!\d)(?P<day>\d\d)[-_]?(?P<name>{'|'.join(_MONTHS)})[-_]?{_YEAR}(?!\d)", re.IGNORECASE
)
_DAY_OF_YEAR = re.compile(rf"(?:(?<!\d)|(?<=L[COETM]\d\d{{6}})){_YEAR}(?P<count>[0-3]\d\d)(?=\D|$|\d{{6}}(?!\d))")
_FOLDERS = re.compile(rf"(?:^|/)(?:year=)?{_YEAR}/(?:month=)?(?P<month>\d\d?)/(?:day=)?(?P<day>\d\d?)(?=/|$)")
_FOLDERS_OF_YEAR = re.compile(rf"(?:^|/)(?:year=)?{_YEAR}/(?:doy=)?(?P<count>[0-3]\d\d)(?=/|$)")

_VALIDITY = re.compile(r"_V(?=20\d{6}T)")
_GRANULE_OF_OLD = re.compile(r"S2[A-Z]_(?:OPER|USER)_(?:MSI|PVI|PRD)")
_PRODUCT = re.compile(r"(?:L[COETM]\d\d_\w{4}_\d{6}|MSIL\d[A-C]|_\d[A-Z]{3}|T\d{2}[A-Z]{3})_$", re.IGNORECASE)
"""What stands before the day of acquisition in the names of Landsat's and the Sentinels' products and tiles."""
_VERSION = re.compile(r"(?<![A-Z])v$", re.IGNORECASE)
_NOT_ACQUIRED = re.compile(
    r"(?:proc(?:ess(?:ed|ing)?)?|creat(?:ed?|ion)|gen(?:erated)?|export(?:ed)?|download(?:ed)?|deliver(?:y|ed)|order(?:ed)?"
    r"|run|upload(?:ed)?|backup|version|updated?|made|written|published)[-_. ]*$",
    re.IGNORECASE,
)


class _Found(NamedTuple):
    start: int
    day: date
    timed: bool


def days_in(text: str) -> tuple[date, ...]:
    """Returns the day of acquisition that a text tells: none, one, or the several that it may be.

    Example:
        >>> [str(day) for day in days_in("S2A_MSIL2A_20180305T105421_N0206_R051_T31UES_20190507T150000")]
        ['2018-03-05']
        >>> [str(day) for day in days_in("20180305_20180315_B04")]
        ['2018-03-05', '2018-03-15']
    """
    return _acquired(text, _written(text)) or _distinct(found.day for found in _counted(text))


def days_of(path: PurePath) -> tuple[date, ...]:
    """Returns the day of acquisition that a path tells: none, one, or the several that it may be.

    The file's name counts before its folders', the innermost folder before the others.

    Example:
        >>> [str(day) for day in days_of(PurePath("2018/3/5/0/B02.jp2"))]
        ['2018-03-05']
    """
    parts = path.parts[::-1]
    for part in parts:
        if told := _acquired(part, _written(part)):
            return told
    folders = PurePath(*path.parts[:-1]).as_posix() if len(parts) > 1 else ""
    last = next(iter(reversed([*_FOLDERS.finditer(folders)])), None)
    if last and (day := _day(last["year"], last["month"], last["day"])):
        return (day,)
    for part in parts:
        if counted := _distinct(found.day for found in _counted(part)):
            return counted
    match = next(iter(reversed([*_FOLDERS_OF_YEAR.finditer(folders)])), None)
    counted_day = _day_of_year(match["year"], match["count"]) if match else None
    return (counted_day,) if counted_day else ()


def _acquired(text: str, found: Iterable[_Found]) -> tuple[date, ...]:
    """Returns which of the dates in a text are, or may be, that of acquisition."""
    valid = _VALIDITY.search(text)
    if _GRANULE_OF_OLD.search(text):
        found = [one for one in found if valid and one.start >= valid.end()]
    found = [
        one
        for one in found
        if not _NOT_ACQUIRED.search(text[: one.start]) and (one.timed or not _VERSION.search(text[: one.start]))
    ]
    anchored = [one for one in found if _PRODUCT.search(text[: one.start])][:1]
    first = anchored or (found[:1] if any(one.timed for one in found) else [])
    return _distinct(one.day for one in first or found)


def _written(text: str) -> Iterator[_Found]:
    for match in (*_DATE.finditer(text), *_WITH_MONTH_S_NAME.finditer(text)):
        parts = match.groupdict()
        month = parts.get("month") or _MONTHS.index(parts["name"].lower()) + 1
        if day := _day(parts["year"], month, parts["day"]):
            yield _Found(match.start(), day, parts.get("time") is not None)


def _counted(text: str) -> Iterator[_Found]:
    for match in _DAY_OF_YEAR.finditer(text):
        if day := _day_of_year(match["year"], match["count"]):
            yield _Found(match.start(), day, False)


def _distinct(days: Iterable[date]) -> tuple[date, ...]:
    return tuple(dict.fromkeys(days))


def _day(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _day_of_year(year: str, count: str) -> date | None:
    day = date(int(year), 1, 1) + timedelta(int(count) - 1)
    return day if day.year == int(year) else None
