"""From a map, and its probabilities, to a smoother map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import sieve
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import file_of
from twinns_qgis.mapping.classified import ClassifiedMap
from twinns_qgis.mapping.layouts import COVER, MAP_NODATA, PERCENT_NODATA, cover_layout
from twinns_qgis.mapping.outputs import CloudOptimised
from twinns_qgis.mapping.smoothing import Bayes, majority
from twinns_qgis.rasters.block_store import Block
from twinns_qgis.rasters.blocks import Threads, block_shape
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.production import Machine, make_rasters
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.reporter import Reporter, in_bytes
from twinns_qgis.samples.classes import MAX_CLASSES, LandCoverClass
from twinns_qgis.samples.palette import colors_of

_BYTES_PER_PIXEL = 64
"""What a pixel of a block takes besides its percentages: codes, logits, and those that are compared; about."""
_SIEVING = 6
"""Bytes for each pixel of a map that is sieved: its codes before and after, and the numbers of the patches."""


@dataclass(frozen=True)
class SmoothingPlan:
    """How a block of a smoothed map is made.

    Args:
        cover: The map.
        probabilities: Its probabilities in percent, for Bayesian smoothing; None for a majority filter.
        codes: Class code of each band of the probabilities.
        bayes: How they are smoothed; None for a majority filter.
        window: Side of the neighbourhood in pixels.
    """

    cover: ClassifiedMap
    probabilities: Path | None
    codes: tuple[int, ...]
    bayes: Bayes | None
    window: int

    def sources(self) -> Iterable[Path]:
        """Returns the files of the map and of the probabilities."""
        return map(file_of, [*self.cover.files, *([self.probabilities] if self.probabilities else [])])

    def block(self, window: Window, threads: Threads) -> Block:
        """Returns the smoothed map on a block, and how many of its pixels have another class now."""
        codes, there = self.cover.read(window)
        smoothed = self._majority(window) if self.bayes is None else self._bayes(self.bayes, window, threads)
        result = np.where(there, smoothed, np.uint8(MAP_NODATA))
        changed = int(np.count_nonzero(there & (smoothed != codes)))
        return Block({COVER: result[None]}, {"mapped": int(np.count_nonzero(there)), "changed": changed})

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Reports how many pixels have another class; warns of an empty map."""
        if not tally["mapped"]:
            reporter.warning("The map has no class anywhere: so has the smoothed one.")
            return
        share = tally["changed"] / tally["mapped"]
        reporter.info(f"{tally['changed']:,} of {tally['mapped']:,} pixels ({share:.1%}) have another class now.")

    def _majority(self, window: Window) -> NDArray[np.uint8]:
        around, frame = _around(window, self.window // 2, self.cover.grid)
        codes, there = self.cover.read(around)
        return majority(
            np.pad(codes.astype(np.uint8), frame, mode="symmetric"), np.pad(there, frame, mode="symmetric"), self.window
        )

    def _bayes(self, bayes: Bayes, window: Window, threads: Threads) -> NDArray[np.uint8]:
        if self.probabilities is None:
            raise ValueError("Bayesian smoothing needs probabilities.")
        around, frame = _around(window, self.window // 2, self.cover.grid)
        with open_raster(self.probabilities) as dataset:
            percents = read_bands(dataset, window=around).astype(np.uint8, copy=False)
        if percents[percents != PERCENT_NODATA].max(initial=0) > 100:
            raise InputError(
                f"{self.probabilities} holds the value {percents[percents != PERCENT_NODATA].max()}; probabilities are "
                "percentages, 0 to 100, and 255 where there are no data.",
                "Choose the raster that Map land cover wrote as PROBABILITIES.",
            )
        percents = np.pad(percents, ((0, 0), *frame), mode="symmetric")
        logits = np.concatenate(list(threads.map(lambda of_class: bayes(of_class[None]), percents)))
        return np.array(self.codes, np.uint8)[logits.argmax(axis=0)]


def _around(window: Window, leg: int, grid: Grid) -> tuple[Window, tuple[tuple[int, int], tuple[int, int]]]:
    """Returns a block with its neighbours as far as the raster has them, and what is mirrored at the raster's edge."""
    first_row, first_column = int(window.row_off) - leg, int(window.col_off) - leg
    last_row, last_column = int(window.row_off + window.height) + leg, int(window.col_off + window.width) + leg
    inside = Window.from_slices(
        (max(0, first_row), min(grid.height, last_row)), (max(0, first_column), min(grid.width, last_column))
    )
    rows = max(0, -first_row), max(0, last_row - grid.height)
    columns = max(0, -first_column), max(0, last_column - grid.width)
    return inside, (rows, columns)


class Sieved:
    """Takes patches below a minimum mapping unit into their largest neighbours; a `Finish`.

    Args:
        unit: The minimum mapping unit in pixels; patches of fewer go.
        finish: What becomes of the raster then.
        memory: Memory that may be used, in MB.
    """

    def __init__(self, unit: int, finish: CloudOptimised, memory: int) -> None:
        self.copies = finish.copies
        self._unit = unit
        self._finish = finish
        self._memory = memory

    @contextmanager
    def __call__(self, name: str, path: Path, assembled: Path) -> Iterator[None]:
        """Sieves the raster that was put together, and has it finished; see `Finish`."""
        with rasterio.open(assembled, "r+") as dataset:
            needed = _SIEVING * dataset.width * dataset.height
            if needed > self._memory * 2**20:
                raise InputError(
                    f"Patches are found in the map as a whole, which takes {in_bytes(needed)}; MEMORY is "
                    f"{self._memory} MB.",
                    f"Give MEMORY {needed // 2**20 + 1}, or MINIMUM_UNIT 0.",
                )
            codes = dataset.read(1)
            # Without data there is no patch, and none grows there.
            dataset.write(sieve(codes, self._unit, mask=codes != MAP_NODATA), 1)
        with self._finish(name, path, assembled):
            yield


def smooth_map(
    cover: Path,
    probabilities: Path | None,
    output: Path,
    *,
    bayes: Bayes | None,
    window: int,
    unit: int,
    memory: int,
    tags: Mapping[str, str],
    reporter: Reporter,
) -> None:
    """Writes a smoothed map, with the codes, names and colours of the map.

    Pixels without a class stay without, and have no say in the others'. At the edge of the raster neighbours are
    mirrored. Blocks that a stopped call left are used; see `make_rasters`.

    Args:
        cover: The map.
        probabilities: Its probabilities, for Bayesian smoothing.
        output: Where to write.
        bayes: How they are smoothed; None for a majority filter.
        window: Side of the neighbourhood in pixels, odd.
        unit: Minimum mapping unit in pixels; below 2 nothing is sieved.
        memory: Memory that may be used, in MB.
        tags: Metadata of the raster.
        reporter: Receives the progress.

    Raises:
        InputError: The map or the probabilities are none, lie on different grids, or have different classes.
        Cancelled: The user asked the job to stop.
    """
    opened = ClassifiedMap.open([cover])
    classes = _classes(cover, opened, reporter)
    codes = () if probabilities is None else _codes(probabilities, opened, classes)
    plan = SmoothingPlan(opened, probabilities, codes, bayes, window)
    layout = cover_layout(opened.grid, classes, tags)
    shape = block_shape(opened.grid, max(1, memory // 4), _BYTES_PER_PIXEL + 8 * max(1, len(codes)))
    finish = CloudOptimised(classes)
    make_rasters(
        plan,
        {COVER: layout},
        {COVER: output},
        shape,
        Machine(memory),
        reporter,
        Sieved(unit, finish, memory) if unit > 1 else finish,
    )


def _classes(path: Path, cover: ClassifiedMap, reporter: Reporter) -> list[LandCoverClass]:
    """Returns the classes of a map: those that it names, or those that it shows."""
    codes = sorted(code for code in cover.names if code != MAP_NODATA or cover.nodata[path] != MAP_NODATA)
    if not codes:
        codes = list(cover.extents(reporter.part(0, 0.1)))
    wrong = [code for code in codes if not 1 <= code <= MAX_CLASSES]
    if wrong:
        raise InputError(
            f"{path} has the class code {wrong[0]}; those of maps that are smoothed are 1 to {MAX_CLASSES}.",
            "Give its classes such codes, in QGIS with Reclassify by table.",
        )
    names = [cover.names.get(code, str(code)) for code in codes]
    colors = zip(codes, names, colors_of(names), strict=True)
    return [LandCoverClass(code, name, cover.colors.get(code, color)) for code, name, color in colors]


def _codes(path: Path, cover: ClassifiedMap, classes: list[LandCoverClass]) -> tuple[int, ...]:
    """Returns the code of the class of each band of probabilities."""
    with open_raster(path) as dataset:
        if not Grid.of(dataset).same_as(cover.grid):
            raise InputError(
                f"{path} has {Grid.of(dataset)}, the map {cover.grid}.",
                "Give the map and the probabilities of one run of Map land cover.",
            )
        if set(dataset.dtypes) != {"uint8"}:
            raise InputError(
                f"{path} holds {dataset.dtypes[0]} values; probabilities are whole percentages, in 8 bits.",
                "Choose the raster that Map land cover wrote as PROBABILITIES.",
            )
        described = [description or "" for description in dataset.descriptions]
    code_of = {item.name: item.code for item in classes}
    if lacking := [name for name in described if name not in code_of]:
        raise InputError(
            f"The bands of {path} are the classes {', '.join(described)}; the map has {', '.join(code_of)}: "
            f"'{lacking[0]}' is none of them.",
            "Give the map and the probabilities of one run of Map land cover.",
        )
    return tuple(code_of[name] for name in described)
