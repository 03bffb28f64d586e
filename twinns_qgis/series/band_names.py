"""The names of bands that files do not tell: by their order, or by a table of files."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place

_HINT = (
    "BANDS are names in the order of the bands, such as B2,B3,B4,B8 or VV,VH, with - for a band that is not wanted and "
    "; between files with more and with fewer bands; or the path of a CSV table with the columns file, band (its "
    "number, from 1) and name."
)
_UNWANTED = "-"


@dataclass(frozen=True)
class BandNames:
    """Names of bands.

    Args:
        in_order: Those of all files that have as many bands and describe none of them, by their number.
        by_file: Those of single files, by name or absolute path, and then by number from 1.
    """

    in_order: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    by_file: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> BandNames:
        """Reads names separated by commas, of several kinds of files by semicolons, or the CSV table of that path.

        Raises:
            InputError: Two kinds of files have as many bands; or the table can't be read, and the message names the
                line.

        Example:
            >>> BandNames.parse("B2,B3,B4,B8; SCL").in_order
            {4: ('B2', 'B3', 'B4', 'B8'), 1: ('SCL',)}
        """
        if text.strip().lower().endswith(".csv"):
            return cls(by_file=_read_table(Path(text.strip())))
        lists = [tuple(name.strip() for name in part.split(",")) for part in text.split(";") if part.strip()]
        in_order = {len(names): names for names in lists}
        if len(in_order) < len(lists):
            raise InputError(f"BANDS is '{text}': two lists have as many names as each other.", _HINT)
        return cls(in_order)

    def check(self, known: Callable[[str], bool]) -> None:
        """Checks that each name is one that is known.

        Raises:
            InputError: One is not.
        """
        lists = (*self.in_order.values(), *(bands.values() for bands in self.by_file.values()))
        named = [name for names in lists for name in names]
        unknown = [name for name in named if name != _UNWANTED and not known(name)]
        if unknown:
            raise InputError(f"BANDS names '{unknown[0]}', which is no band that is known.", _HINT)

    def of(self, file: File, descriptions: Sequence[str | None], known: Callable[[str], bool]) -> tuple[str, ...]:
        """Returns the description of each band of a file: as given for it, else its own.

        Args:
            file: The file.
            descriptions: What the file says of its bands.
            known: Whether a description names a band.
        """
        own = tuple(description or "" for description in descriptions)
        path = place(file)
        named = self.by_file.get(str(path.resolve()), self.by_file.get(path.name))
        if named is not None:
            return tuple(named.get(number, "") for number in range(1, len(own) + 1))
        return own if any(map(known, own)) else self.in_order.get(len(own), own)


def _read_table(path: Path) -> dict[str, dict[int, str]]:
    names: defaultdict[str, dict[int, str]] = defaultdict(dict)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if missing := {"file", "band", "name"} - set(reader.fieldnames or ()):
                raise InputError(f"{path} has no column {' and no column '.join(sorted(missing))}.", _HINT)
            for row in reader:
                file, band, name = ((row[column] or "").strip() for column in ("file", "band", "name"))
                if not file or not name or not band.isdecimal() or int(band) < 1:
                    where = f"{path}, line {reader.line_num}: file '{file}', band '{band}', name '{name}'."
                    raise InputError(where, _HINT)
                key = file if Path(file).name == file else str((path.parent / file).resolve())
                if names[key].setdefault(int(band), name) != name:
                    raise InputError(f"{path}, line {reader.line_num}: band {band} of {file} has two names.", _HINT)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table of bands {path} can't be read: {error}.", _HINT) from error
    return dict(names)
