"""Finished blocks on disk: a job that was killed goes on from them, and its rasters are put together from them.

Each block of a raster is a small GeoTIFF of the raster's own tiling. In the end GDAL writes the raster without any
tile, and the blocks' compressed tiles are appended as they are: nothing is compressed twice, and the raster's bytes
depend neither on the order in which blocks were finished nor on who finished them.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from twinns_qgis.rasters.fingerprint import differences, hashed
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout, disk_errors
from twinns_qgis.rasters.tile_tables import append_tiles, check_tiles, set_tiles
from twinns_qgis.reporter import Reporter

_CHUNK = 2**22


@dataclass(frozen=True)
class Block:
    """The values of a block of each raster, and what was counted in it.

    Args:
        rasters: Values of shape (N, height, width), by the raster's name.
        tally: What was counted, by name: numbers, or lists of numbers, that add up over the blocks.
    """

    rasters: Mapping[str, NDArray[np.generic]]
    tally: Mapping[str, Any]


@dataclass(frozen=True)
class BlockStore:
    """The finished blocks of the rasters that a job writes, which keeps other processes from them.

    Args:
        folder: Where they lie, beside the output.
        layouts: The rasters by name, all on one grid.
        windows: The blocks, which cover the grid; their corners are multiples of the rasters' tiles.
        fingerprint: All that blocks depend on, by name: tells whether finished ones are those of the same job.
    """

    folder: Path
    layouts: Mapping[str, Layout]
    windows: tuple[Window, ...]
    fingerprint: Mapping[str, str]

    @contextmanager
    def open(self, reporter: Reporter) -> Iterator[frozenset[int]]:
        """Yields the numbers of the blocks that are finished already.

        Blocks that were left for another fingerprint are removed. So is the folder, once the `with` block has ended
        well; after an error it stays, if it holds a finished block.

        Args:
            reporter: Receives a warning of blocks of another job, and of what differs.

        Raises:
            InputError: The disk takes no more.
        """
        with disk_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
        ended_well = False
        try:
            self._adopt(reporter)
            yield frozenset(number for number in range(len(self.windows)) if self._is_whole(number))
            ended_well = True
        finally:
            if ended_well or not self.finished:
                self.remove()

    @property
    def finished(self) -> int:
        """Number of blocks that are finished."""
        return len(list(self._blocks.glob("*.json")))

    @property
    def left(self) -> dict[str, str]:
        """The fingerprint of the blocks in the folder; empty if it can't be read."""
        try:
            return dict(json.loads(self._known.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    @property
    def _known(self) -> Path:
        return self.folder / "fingerprint"

    @property
    def _blocks(self) -> Path:
        # Of each job elsewhere: a worker of a cluster may go on with a block of one that was stopped.
        return self.folder / hashed(self.fingerprint)[:16]

    @property
    def bytes(self) -> int:
        """Size of the blocks on the disk."""
        return sum(path.stat().st_size for path in self._blocks.glob("*.tif"))

    def save(self, number: int, block: Block) -> None:
        """Writes a finished block; it counts as finished once all of it is on the disk.

        Raises:
            InputError: The disk takes no more.
        """
        grid = self.grid.crop(self.windows[number])
        checksums = {}
        for name, layout in self.layouts.items():
            with _whole(self._part(number, name)) as partial:
                layout.write_part(partial, grid, block.rasters[name])
                check_tiles(partial)
                checksums[name] = _checksum(partial)
        with _whole(self._record(number)) as partial:
            partial.write_text(json.dumps({"checksums": checksums, "tally": dict(block.tally)}), encoding="utf-8")

    def tally(self) -> dict[str, Any]:
        """Returns the sums of what was counted in the blocks, all of which are finished."""
        total: dict[str, Any] = {}
        for number in range(len(self.windows)):
            for name, counted in self._read_record(number)["tally"].items():
                total[name] = total[name] + np.asarray(counted) if name in total else np.asarray(counted)
        return {name: counted.tolist() for name, counted in total.items()}

    def assemble(self, name: str, path: Path) -> None:
        """Puts a raster together from its blocks, all of which are finished.

        Args:
            name: The raster.
            path: The file to write.

        Raises:
            InputError: The disk takes no more.
        """
        layout = self.layouts[name]
        with layout.create(path, empty=True):
            pass
        places, sizes = (np.zeros(layout.tiles(self.grid), np.int64) for _ in range(2))
        with disk_errors(path):
            with path.open("ab") as raster:
                for number, window in enumerate(self.windows):
                    row, column = int(window.row_off) // layout.tile, int(window.col_off) // layout.tile
                    _, height, width = layout.tiles(self.grid.crop(window))
                    here = slice(None), slice(row, row + height), slice(column, column + width)
                    places[here], sizes[here] = append_tiles(self._part(number, name), raster, places[here].shape)
            set_tiles(path, places, sizes)
        check_tiles(path)

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def grid(self) -> Grid:
        """The grid that the blocks cover."""
        return next(iter(self.layouts.values())).grid

    def _adopt(self, reporter: Reporter) -> None:
        left, blocks = self.left, len(list(self.folder.glob("*/*.json")))
        if left != self.fingerprint:
            if blocks:
                what = ", ".join(differences(left, self.fingerprint)) if left else "what it is made from"
                reporter.warning(
                    f"The {blocks} finished blocks in {self.folder} are of a call that differs in {what}: this one "
                    "starts anew."
                )
            for path in self.folder.iterdir():
                if path.is_dir():  # a worker of a cluster may still be writing there
                    shutil.rmtree(path, ignore_errors=True)
        with disk_errors(self.folder):
            for path in self.folder.iterdir():
                if path.is_file() and path != self._known:  # what a killed call needed meanwhile
                    path.unlink()
            self._blocks.mkdir(exist_ok=True)
        if left != self.fingerprint:
            with _whole(self._known) as partial:
                partial.write_text(json.dumps(dict(self.fingerprint), indent=1), encoding="utf-8")

    def _is_whole(self, number: int) -> bool:
        """Whether a block is finished and as it was written: a power cut can leave a file with its name and size."""
        try:
            checksums = self._read_record(number)["checksums"]
            return all(_checksum(self._part(number, name)) == checksums[name] for name in self.layouts)
        except (OSError, ValueError, KeyError):
            self._record(number).unlink(missing_ok=True)
            return False

    def _read_record(self, number: int) -> dict[str, Any]:
        return json.loads(self._record(number).read_text(encoding="utf-8"))

    def _record(self, number: int) -> Path:
        return self._blocks / f"{number:06d}.json"

    def _part(self, number: int, name: str) -> Path:
        return self._blocks / f"{number:06d}.{name}.tif"


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yields a name to write to, and moves the file to `path`: another process may be writing the same block."""
    partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        with disk_errors(path):
            yield partial
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
