"""Fetching what a scene list leads to: the parts of its bands that an area needs, into a folder of items.

What is there already is checked by its checksum and not fetched again, so that a call that was killed goes on.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from twinns_qgis.errors import InputError
from twinns_qgis.locks import locked
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.blocks import Threads
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.remote.requesting import Watched
from twinns_qgis.reporter import Reporter, TimeLeft, in_bytes
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.names.layers import layer_described
from twinns_qgis.series.readers import stac_backscatter, stac_reflectance
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.stac_items import Item, ItemBand, origins_of
from twinns_qgis.series.scenes.kept import KeptScene, safe_name
from twinns_qgis.series.scenes.parts import Failed, Part
from twinns_qgis.series.scenes.windows import windows_of
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL2_BANDS

Result = TypeVar("Result")

_AT_ONCE = 4
"""Files that are fetched side by side: archives are for all."""
_MOST_FAILURES = 5
"""Scenes one after the other that can't be had, after which no other is asked for."""
_LAYERS = (*SENTINEL2_BANDS, *stac_reflectance.MASKS, *SENTINEL1_BANDS)
_LISTED = 5
_SAID_EVERY = 1.0
"""Seconds."""


@dataclass
class _Failures:
    """The scenes that can't be had, and why."""

    of: dict[str, InputError] = field(default_factory=dict)
    in_a_row: int = 0

    def note(self, scene: str, error: InputError) -> None:
        """Notes a scene.

        Raises:
            InputError: It is one too many.
        """
        if scene not in self.of:
            self.of[scene] = error
            self.in_a_row += 1
        if self.in_a_row >= _MOST_FAILURES:
            raise InputError(
                f"{self.in_a_row} scenes one after the other could not be had, and no other is asked for:{self}",
                f"{self.hint} Called again, it goes on with those that lack.",
            )

    @property
    def hint(self) -> str:
        """What to do."""
        return next(iter(self.of.values())).hint

    def __str__(self) -> str:
        told = [f"\n- {scene}: {error.message}" for scene, error in self.of.items()]
        return "".join(told[:_LISTED]) + (f"\n- and {len(told) - _LISTED} more" if len(told) > _LISTED else "")


class _State:
    """How far the download is, also told in the midst of a large file.

    Args:
        reporter: Hears it.
        count: Files to fetch.
        total: Their bytes.
    """

    def __init__(self, reporter: Reporter, count: int, total: float) -> None:
        self._reporter, self._count, self._total = reporter, count, total
        self._done, self._fetched = 0, 0.0
        self._clock, self._left, self._told = TimeLeft(), "", time.monotonic()

    def advance(self, size: float) -> None:
        """Tells that a file was fetched."""
        self._done, self._fetched = self._done + 1, self._fetched + size
        self._left = self._clock.after(self._fetched / self._total)
        self._tell()

    def tell(self) -> None:
        """Tells how far it is, if that was a second ago.

        Raises:
            Cancelled: The user asked the job to stop.
        """
        self._reporter.check_cancelled()
        if time.monotonic() > self._told + _SAID_EVERY:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        said = f"{self._done} of {self._count} files {self._left}".rstrip()
        self._reporter.progress(min(1.0, self._fetched / self._total), said)


def download_scenes(
    folder: Path,
    scenes: Path,
    reporter: Reporter,
    *,
    extent: Extent | None = None,
    bands: str = "",
    margin: float = 200.0,
) -> int:
    """Fetches the bands of scenes, as far as an area needs them, into a folder that the preparation reads.

    Args:
        folder: The folder, made if it is not there. What a former call left there is used.
        scenes: The scene list.
        reporter: Receives progress and warnings.
        extent: The area; None for whole bands, byte by byte as their archive has them.
        bands: Bands and masks to fetch, separated by commas; empty for all that a series can be made from.
        margin: Metres round the area that are fetched too.

    Returns:
        The number of scenes that the folder holds of the list.

    Raises:
        InputError: The list can't be used, the disk has no room, or scenes can't be had: the others are there then.
        Cancelled: The user asked the job to stop; what is fetched stays.
    """
    inputs = Inputs(scenes=scenes)
    wanted = parse_layers(bands)
    if origins := origins_of(scenes):
        reporter.info(f"Files are read from {', '.join(origins)}, and from nowhere else.")
    search = Search.among(inputs, reporter)
    found = _scenes(scenes, wanted, search)
    _make(folder)
    with locked([folder / "downloads"]), Threads(reporter, _AT_ONCE) as threads:
        parts = [part for item, layers in found for part in _parts(folder, item, layers, wanted)]
        download = _Download(folder, threads, Watched(reporter))
        needed = download.within(parts, extent, margin) if extent else parts
        download.fetch(needed, download.missing(needed))
        if others := _others(folder, found):
            reporter.warning(
                f"Of the scenes in {folder} {len(others)} are not on the list, such as {others[0]}. The preparation "
                "takes them too: remove them if they are not wanted."
            )
    failures, count = download.failures, len({part.scene for part in needed})
    if failures.of:
        raise InputError(
            f"{len(failures.of)} of {len(found)} scenes could not be had; the others are in {folder}:{failures}",
            f"{failures.hint} Called again, it goes on with those that lack.",
        )
    reporter.progress(1.0)
    return count


def parse_layers(text: str) -> frozenset[str]:
    """Returns the bands and masks of a text, as a series names them.

    Raises:
        InputError: A name is none of them.

    Example:
        >>> sorted(parse_layers("B02, red, scl"))
        ['B2', 'B4', 'SCL']
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    layers = {word: layer_described(word) or word.upper() for word in words}
    unknown = [word for word, layer in layers.items() if layer not in _LAYERS]
    if unknown:
        raise InputError(
            f"BANDS names {', '.join(unknown)}, which no series is made from.", f"Give some of {', '.join(_LAYERS)}."
        )
    return frozenset(layers.values())


def _scenes(path: Path, wanted: frozenset[str], search: Search) -> list[tuple[Item, dict[str, ItemBand]]]:
    """Returns the scenes of a list, of each acquisition the newest, with their layers by name.

    Raises:
        InputError: There is none, none has a layer that is wanted, or two have one name.
    """
    found = [(item, stac_reflectance.layers_of(item)) for item in stac_reflectance.level_2a([path], search)]
    found += [(item, stac_backscatter.layers_of(item)) for item in stac_backscatter.of_sentinel1([path], search)]
    found = [(item, layers) for item, layers in found if layers]
    if not found:
        raise InputError(
            f"{path} has no scene of Sentinel-2 level 2A or Sentinel-1 whose files can be read.",
            f"Search once more, with findscenes. Looked for: {stac_reflectance.LOOKED_FOR}; "
            f"{stac_backscatter.LOOKED_FOR}.",
        )
    missing = wanted - {name for _, layers in found for name in layers}
    if missing:
        raise InputError(f"No scene of {path} has {', '.join(sorted(missing))}.", "Leave that out of BANDS.")
    (name, count), *_ = Counter(safe_name(item.name).casefold() for item, _ in found).most_common(1)
    if count > 1:
        raise InputError(
            f"{count} scenes of {path} are called {name}.", "Make a list of each collection, and a folder for each."
        )
    return found


def _parts(folder: Path, item: Item, layers: Mapping[str, ItemBand], wanted: frozenset[str]) -> list[Part]:
    """Returns the files of a scene: those of the layers that are wanted, and of those that are there already.

    So all files of a scene show the same area.
    """
    kept = KeptScene(folder, item)
    named = Counter(place(file).name.lower() for file in {band.file for band in layers.values()})
    keys: defaultdict[File, list[str]] = defaultdict(list)
    for name, band in layers.items():
        if not wanted or name in wanted or band.asset in kept.keys:
            keys[band.file].append(band.asset)
    parts = []
    for file, assets in keys.items():
        name = place(file).name
        unique = name if named[name.lower()] == 1 else f"{assets[0]}_{name}"
        told = item.assets()[assets[0]]
        parts.append(Part(item.name, kept, tuple(dict.fromkeys(assets)), file, safe_name(unique), told))
    return parts


def _others(folder: Path, found: Iterable[tuple[Item, Mapping[str, ItemBand]]]) -> list[str]:
    """Returns the names of the scenes in a folder that are not among those that were found."""
    names = {safe_name(item.name) for item, _ in found}
    return sorted(
        path.stem for path in folder.glob("*/*.json") if path.stem == path.parent.name and path.stem not in names
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {folder} can't be made: {error.strerror}.", "Choose a place that you may write to."
        ) from error


class _Download:
    """The steps from the files of scenes to those in a folder.

    Args:
        folder: The folder.
        threads: Ask for several files at once.
        reporter: Receives progress and warnings.
    """

    def __init__(self, folder: Path, threads: Threads, reporter: Reporter) -> None:
        self.failures = _Failures()
        self._folder = folder
        self._threads = threads
        self._reporter = reporter

    def within(self, parts: Sequence[Part], extent: Extent, margin: float) -> list[Part]:
        """Returns the parts that an area needs.

        Raises:
            InputError: No scene overlaps it.
        """
        looked_at = []
        for _, part in self._each(Part.looked_at, parts):
            looked_at.append(part)
            self._reporter.progress(0.0, f"Looked at {len(looked_at)} of {len(parts)} files")
        looked_at = self._without_failed(looked_at)
        windows = windows_of(extent, margin, [part.grid for part in looked_at if part.grid])
        found = [part.limited_to(window) for part, window in zip(looked_at, windows, strict=True) if window]
        outside = {part.scene for part in looked_at} - {part.scene for part in found}
        if outside:
            self._reporter.info(f"{len(outside)} scenes lie outside the area, such as {min(outside)}.")
        if looked_at and not found:
            raise InputError(f"No scene overlaps the extent {extent}.", "Check EXTENT with its CRS.")
        return found

    def missing(self, parts: Sequence[Part]) -> list[Part]:
        """Returns the parts that the folder does not hold, or not undamaged, and checks that they will fit into it.

        Raises:
            InputError: The disk has no room.
        """
        check, there = self._reporter.check_cancelled, []
        for is_there in self._threads.map(lambda part: part.is_there(check), parts):
            there.append(is_there)
            self._reporter.progress(0.0, f"Looked for {len(there)} of {len(parts)} files in the folder")
        wanted = [part for part, is_there in zip(parts, there, strict=True) if not is_there]
        missing = self._without_failed([part for _, part in self._each(Part.sized, wanted)])
        if any(there):
            self._reporter.info(f"{sum(there)} of {len(parts)} files are there, and as they were fetched.")
        needed, free = sum(part.size for part in missing), shutil.disk_usage(self._folder).free
        if needed > free:
            raise InputError(
                f"The disk of {self._folder} has {in_bytes(free)} free, and about {in_bytes(needed)} are needed.",
                "Free some space, choose another disk, or a smaller EXTENT or fewer BANDS.",
            )
        if missing:
            self._reporter.info(f"{len(missing)} files are to be fetched, about {in_bytes(needed)}.")
        return missing

    def fetch(self, parts: Sequence[Part], missing: Sequence[Part]) -> None:
        """Fetches parts, and finishes the scenes whose parts are all there then."""
        left = Counter(part.scene for part in missing)
        scenes = {part.scene: part.kept for part in parts}
        for scene in scenes.keys() - left.keys() - self.failures.of.keys():
            scenes[scene].finish()
        state = _State(self._reporter, len(missing), sum(part.size for part in missing) or 1.0)
        for part, _ in self._each(lambda part: part.fetch(state.tell), missing):
            left[part.scene] -= 1
            if not left[part.scene]:
                part.kept.finish()
            state.advance(part.size)

    def _each(self, do: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[tuple[Part, Result]]:
        """Yields the parts with what a step makes of them, but for scenes that can't be had."""

        def attempt(part: Part) -> Result | Failed:
            if part.scene in self.failures.of:
                return Failed(self.failures.of[part.scene])
            try:
                return do(part)
            except Failed as error:
                return error

        for part, made in zip(parts, self._threads.map(attempt, parts), strict=True):
            if isinstance(made, Failed):
                self.failures.note(part.scene, made.args[0])
            else:
                self.failures.in_a_row = 0
                yield part, made

    def _without_failed(self, parts: Sequence[Part]) -> list[Part]:
        return [part for part in parts if part.scene not in self.failures.of]
