"""The files of an acquisition, and which acquisitions of a day are one product.

Files whose paths differ in nothing but band and resolution are one acquisition. The acquisitions of a day at one place
are one product if no band is there twice, so that bands of 10 m, of 20 m and the mask can lie in files of their own. If
bands are there twice they are products each, of which a pixel is taken from the first one that is clear there; of an
acquisition that was processed several times the newest version counts, as far as names tell it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import takewhile

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import place
from twinns_qgis.series.names import origin
from twinns_qgis.series.names.days import days_in
from twinns_qgis.series.names.layers import resolution_in
from twinns_qgis.series.products.product import LeftOut
from twinns_qgis.series.readers.pieces import Piece
from twinns_qgis.series.readers.search import Search

_UNFINISHED = re.compile(r"[^A-Za-z0-9]+[A-Za-z0-9]*$|[^A-Za-z0-9]+$")
_SAME_PLACE = 0.9
"""Share of the larger of two footprints that the files of one product have in common, at least: tiles overlap less."""


@dataclass(frozen=True, eq=False)
class Acquisition:
    """The files of an acquisition, as far as their names tell that they belong together."""

    pieces: tuple[Piece, ...]

    @property
    def first(self) -> Piece:
        """The file that stands for all."""
        return self.pieces[0]

    @cached_property
    def layers(self) -> frozenset[str]:
        """The bands and masks of its files."""
        return frozenset(layer for piece in self.pieces for layer in piece.layers)

    @property
    def files(self) -> str:
        """Its files, for messages."""
        return ", ".join(str(piece.file) for piece in self.pieces)

    @property
    def tile(self) -> str | None:
        """The tile, as far as names tell it."""
        return origin.tile_of(self.first.path)

    @property
    def taken(self) -> tuple[str | None, str | None]:
        """The satellite, and the time of the day."""
        return origin.platform_of(self.first.path), origin.time_of(self.first.path)

    @property
    def version(self) -> tuple[str, str]:
        """What ascends as an acquisition is processed again: its baseline, and the names that hold the time of it."""
        return origin.baseline_of(self.first.path) or "", origin.processed_of(self.first.path) or ""

    def lies_where(self, other: Acquisition) -> bool:
        """Whether both show the same place, but for the edges of pixels of different size."""
        if self.tile and other.tile and self.tile != other.tile:
            return False
        ours, theirs = self.first.grid, other.first.grid
        left, bottom, right, top = zip(ours.bounds, theirs.bounds, strict=True)
        common = max(0.0, min(right) - max(left)) * max(0.0, min(top) - max(bottom))
        larger = max((right[side] - left[side]) * (top[side] - bottom[side]) for side in (0, 1))
        return ours.crs == theirs.crs and common >= _SAME_PLACE * larger


def acquisitions_of(pieces: Sequence[Piece]) -> list[Acquisition]:
    """Returns the files of a day, those together whose paths differ in nothing but band and resolution.

    Raises:
        InputError: Two files of one resolution hold the same band.
    """
    groups: defaultdict[str, dict[str, Piece]] = defaultdict(dict)
    several: list[Acquisition] = []
    for piece in pieces:
        if not piece.single:
            several.append(Acquisition((piece,)))
            continue
        group = groups[piece.acquisition]
        for layer in piece.layers:
            known = group.setdefault(layer, piece)
            if known is not piece:
                group[layer] = _finer(known, piece, layer)
    return [*several, *(Acquisition(tuple(dict.fromkeys(group.values()))) for group in groups.values())]


def _finer(first: Piece, second: Piece, layer: str) -> Piece:
    """Returns the finer of two files of a band, as products hold bands in several resolutions.

    Raises:
        InputError: Their names don't tell which is.
    """
    resolutions = [resolution_in(piece.path) for piece in (first, second)]
    if None in resolutions or resolutions[0] == resolutions[1]:
        raise InputError(
            f"Two files hold {layer} of one acquisition: {first.file} and {second.file}.", "Keep one of them."
        )
    return min((first, second), key=lambda piece: resolution_in(piece.path) or 0)


def products_of(day: date, acquisitions: list[Acquisition], search: Search) -> list[list[Acquisition]]:
    """Returns the acquisitions of each product of a day: all if no band is there twice, else those of a place."""
    tiles = {acquisition.tile for acquisition in acquisitions} - {None}
    if len(tiles) < 2 and not _repeated(acquisitions):
        return [acquisitions]
    places: list[list[Acquisition]] = []
    for acquisition in acquisitions:
        same = next((same for same in places if acquisition.lies_where(same[0])), None)
        if same:
            same.append(acquisition)
        else:
            places.append([acquisition])
    return [product for same in places for product in _of_a_place(day, same, search)]


def _of_a_place(day: date, acquisitions: list[Acquisition], search: Search) -> list[list[Acquisition]]:
    if not _repeated(acquisitions):
        return [acquisitions]
    takes: defaultdict[tuple[str | None, str | None], list[Acquisition]] = defaultdict(list)
    for acquisition in acquisitions:
        takes[acquisition.taken].append(acquisition)
    if any(time is None for _, time in takes):
        return _twice(day, acquisitions, search)
    return [
        product for take in takes.values() for product in (_newest(day, take, search) if _repeated(take) else [take])
    ]


def _newest(day: date, acquisitions: list[Acquisition], search: Search) -> list[list[Acquisition]]:
    """Returns the newest of several versions of what was taken at one time, as far as their names tell them apart."""
    versions: defaultdict[tuple[str, str], list[Acquisition]] = defaultdict(list)
    for acquisition in acquisitions:
        versions[acquisition.version].append(acquisition)
    if len(versions) == 1:
        return _twice(day, acquisitions, search)
    newest = max(versions)
    for version, older in versions.items():
        if version != newest:
            used, left = versions[newest][0].first.file, older[0].first.file
            search.left_out.append(LeftOut(day, name_of(day, older), f"{used} is newer"))
            search.reporter.warning(
                f"Several versions of one acquisition: that of {used} is used, that of {left} is not."
            )
    latest = versions[newest]
    return _twice(day, latest, search) if _repeated(latest) else [latest]


def _twice(day: date, acquisitions: list[Acquisition], search: Search) -> list[list[Acquisition]]:
    """Returns acquisitions that hold the same bands as products each, and warns of them.

    Raises:
        InputError: They hold some bands in common, and others not.
    """
    repeated = _repeated(acquisitions)
    if any(acquisition.layers != acquisitions[0].layers for acquisition in acquisitions):
        first, second = (
            piece.file
            for piece in [piece for one in acquisitions for piece in one.pieces if repeated[0] in piece.layers][:2]
        )
        raise InputError(
            f"Two files hold {repeated[0]} of {day}, at the same place: {first} and {second}.",
            "Keep one of them: nothing tells which mask belongs to which.",
        )
    search.reporter.warning(
        f"The same date and place twice, {day}: {', '.join(one.files for one in acquisitions)}. A pixel is taken from "
        "the first one that is clear there."
    )
    return [[acquisition] for acquisition in acquisitions]


def _repeated(acquisitions: Sequence[Acquisition]) -> list[str]:
    """Returns the bands and masks that several acquisitions hold."""
    counts = Counter(layer for acquisition in acquisitions for layer in acquisition.layers)
    return sorted(layer for layer, count in counts.items() if count > 1)


def name_of(day: date, acquisitions: Sequence[Acquisition]) -> str:
    """Returns what the files' names have in common, or their folder's name, if that tells the day; else all names."""
    files = [piece.file for acquisition in acquisitions for piece in acquisition.pieces]
    if all(acquisition.first.single for acquisition in acquisitions):
        stems = [place(file).stem for file in files]
        common = stems[0] if len(stems) == 1 else _UNFINISHED.sub("", _common_beginning(stems))
        folder = place(files[0]).parent.name
        for name in (common, folder):
            if day in days_in(name):
                return name
    return f"{day} ({', '.join(file.name for file in files)})"


def _common_beginning(names: Sequence[str]) -> str:
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)
