"""When a file was acquired: by the table of dates, its metadata or its name."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path, PurePath

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.names.days import days_in, days_of

Tags = Mapping[str, str]
"""Metadata of a file, as rasterio gives them."""

_IN_VALUE = re.compile(r"\s*(\d{4})([-:/]?)(\d\d)\2(\d\d)(?!\d)")
_CREATION = "TIFFTAG_DATETIME"
_LISTED = 20
"""A message lists at most so many files."""


class AcquisitionDates:
    """Finds the date of acquisition of files: in the table of dates, in their names or in their metadata.

    In this order: by the table; by metadata on the acquisition; by the names of the file and its folders; by
    ``TIFFTAG_DATETIME``, which by the standard is the time of writing, and tells the acquisition in the files of some
    programs only.

    Args:
        table: A CSV table with the columns file and date, or None. A file is written with its path, absolute or
            from the table's folder, or by its name alone.
        reporter: Receives warnings.
        root: The folder above which no folder's name tells a date.

    Raises:
        InputError: The table can't be read; the message names the line.
    """

    def __init__(self, table: Path | None, reporter: Reporter, root: Path | None = None) -> None:
        self._path = table
        self._rows = _read_table(table) if table else {}
        self._by_path = {(table.parent / name).resolve(): name for name in self._rows} if table else {}
        self._used: set[str] = set()
        self._reporter = reporter
        self._root = root

    def of(self, files: Mapping[Path, Tags]) -> dict[Path, date]:
        """Returns the date of each file.

        Args:
            files: The files' metadata.

        Raises:
            InputError: Some files have no date, or several, and the message lists them all; or metadata give one date
                to files whose names tell several.
        """
        dates = {path: self.find(path, tags) for path, tags in files.items()}
        self._check_ambiguous([path for path, day in dates.items() if day is None])
        undated = [path for path, day in dates.items() if day is None]
        if undated:
            raise InputError(
                f"No date was found for {len(undated)} of {len(dates)} files, neither in their metadata nor in their "
                f"names: {', '.join(str(path) for path in undated)}.",
                "List them in a CSV table with the columns file and date (YYYY-MM-DD), and give it as DATES.",
            )
        self._check_against_names(files)
        self._warn_of_creation_dates(files)
        return {path: day for path, day in dates.items() if day is not None}

    def find(self, path: Path, tags: Tags) -> date | None:
        """Returns the date of a file; None if nothing tells one, or its name several."""
        return self._by_table(path) or by_acquisition(tags) or self._by_name(path) or _by_creation(tags)

    def warn_of_unused_rows(self) -> None:
        """Warns if the table names files that were not among the inputs: a misspelt name would go unnoticed."""
        unused = [name for name in self._rows if name not in self._used]
        if unused:
            self._reporter.warning(f"{self._path} gives dates to files that are not used: {_listing(unused)}.")

    def _by_table(self, path: Path) -> date | None:
        name = self._by_path.get(path.resolve(), path.name)
        if name not in self._rows:
            return None
        self._used.add(name)
        return self._rows[name]

    def _by_name(self, path: Path) -> date | None:
        return by_name(path_below(path, self._root))

    def _check_ambiguous(self, undated: Iterable[Path]) -> None:
        """Raises an error if the names of files that nothing else dates tell several dates."""
        several = {path: days for path in undated if len(days := days_of(path_below(path, self._root))) > 1}
        if several:
            listed = (f"{path} ({' or '.join(map(str, days))})" for path, days in several.items())
            raise InputError(
                f"The names of {len(several)} files tell several dates, and nothing which one is that of acquisition: "
                f"{_listing(listed)}.",
                "Give the right dates in a CSV table with the columns file and date (YYYY-MM-DD), as DATES.",
            )

    def _check_against_names(self, files: Mapping[Path, Tags]) -> None:
        """Raises an error if metadata make one date of files whose names tell several: one of the two must be wrong."""
        of_date: defaultdict[date, dict[date, Path]] = defaultdict(dict)
        for path, tags in files.items():
            acquired, named = by_acquisition(tags), self._by_name(path)
            if acquired and named and self._by_table(path) is None:
                of_date[acquired].setdefault(named, path)
        for acquired, names in of_date.items():
            if len(names) > 1:
                raise InputError(
                    f"By their metadata these files are all of {acquired}, by their names of {len(names)} dates: "
                    f"{_listing(str(path) for path in names.values())}.",
                    "Give the right dates in a CSV table with the columns file and date (YYYY-MM-DD), as DATES.",
                )

    def _warn_of_creation_dates(self, files: Mapping[Path, Tags]) -> None:
        used = [
            path.name
            for path, tags in files.items()
            if not (self._by_table(path) or by_acquisition(tags) or self._by_name(path)) and _by_creation(tags)
        ]
        if used:
            self._reporter.warning(
                f"The only date of {len(used)} files is {_CREATION} in their metadata, and was used; by the standard "
                f"it is the time of writing: {_listing(used)}. If it is, give the right dates in a table as DATES."
            )


def by_name(path: PurePath) -> date | None:
    """Returns the date that a path tells, see `names.days`; None if it tells none, or several."""
    days = days_of(path)
    return days[0] if len(days) == 1 else None


def day_described(file: File, index: int, description: str) -> date | None:
    """Returns the day in the description of a band; None if there is none.

    Raises:
        InputError: There are several, and nothing tells which is that of acquisition.
    """
    days = days_in(description)
    if len(days) > 1:
        raise InputError(
            f"{file}: the band {index}, described {description}, may be of {' or '.join(map(str, days))}.",
            "Name it with one date, such as 20180305_B02 or 20180305_VV, in a table of bands, as BANDS.",
        )
    return days[0] if days else None


def path_below(path: Path, root: Path | None) -> PurePath:
    """Returns what of a path lies below a folder; all of it if there is no such folder, or it lies elsewhere."""
    return path.relative_to(root) if root and path.is_relative_to(root) else path


def by_acquisition(tags: Tags) -> date | None:
    """Returns the date of acquisition in a file's metadata: that of the first tag with ACQUISITION in its name."""
    names = sorted(name for name in tags if "ACQUISITION" in name.upper())
    return next((day for name in names if (day := _parse(_IN_VALUE.match(tags[name])))), None)


def _by_creation(tags: Tags) -> date | None:
    return _parse(_IN_VALUE.match(tags.get(_CREATION, "")))


def _parse(match: re.Match[str] | None) -> date | None:
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None


def _read_table(path: Path) -> dict[str, date]:
    hint = "The table is CSV with the columns file and date, and dates are written YYYY-MM-DD."
    rows: dict[str, date] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = {"file", "date"} - set(reader.fieldnames or ())
            if missing:
                raise InputError(f"{path} has no column {' and no column '.join(sorted(missing))}.", hint)
            for row in reader:
                name, text = (row["file"] or "").strip(), (row["date"] or "").strip()
                day = _parse(_IN_VALUE.match(text))
                if not name or day is None:
                    raise InputError(f"{path}, line {reader.line_num}: file '{name}', date '{text}'.", hint)
                if rows.setdefault(name, day) != day:
                    raise InputError(f"{path}, line {reader.line_num}: {name} has two dates.", hint)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table of dates {path} can't be read: {error}.", hint) from error
    return rows


def _listing(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
