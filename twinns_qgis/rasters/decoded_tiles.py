"""Tiles of JPEG 2000 files that were decoded, kept on disk for the blocks that need them next.

To decode such a tile is dear, and it is decoded whole or not at all. A block holds all dates and bands of its pixels:
whether a date counts at a pixel takes all its bands, filling its gaps takes all dates. So blocks are lower than tiles,
each of which would be decoded for every block that lies on it, and for those whose kernels reach into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window

from twinns_qgis.files import scratch_file
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.rasters.warping import source_window

_DEAR = ("JP2", "JPEG2000")
"""How the names of GDAL's drivers of JPEG 2000 begin."""
_SLACK = 8
"""Pixels round those that the grid needs: who compares bands reads one more than who reads one."""


class DecodedTiles:
    """The decoded tiles of the rasters that blocks are made from, one row of blocks after the other.

    Of a tile the part that lies on the grid is kept, until no block of a row needed it. Leaving the context removes the
    rest.

    Args:
        folder: Where the tiles lie; it must be there when the first one is read.
        grid: What the blocks read.
        in_a_row: How many blocks lie side by side.
    """

    def __init__(self, folder: Path, grid: Grid, in_a_row: int) -> None:
        self._folder, self._grid, self._in_a_row = folder, grid, in_a_row
        self._block, self._names = 0, count()
        self._kept: dict[_Place, _Tile] = {}

    def __enter__(self) -> DecodedTiles:
        return self

    def __exit__(self, *error: object) -> None:
        self._forget(list(self._kept))

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Becomes None in another process: the blocks that it makes do not follow each other."""
        return type(None), ()

    def of(self, dataset: DatasetReader) -> DatasetReader:
        """Returns an open raster that reads its bands from these tiles, if decoding it is dear."""
        return _Kept(dataset, self) if dataset.driver.startswith(_DEAR) else dataset

    def next_block(self) -> None:
        """Forgets the tiles that the blocks of a row did not need; to be called between two blocks."""
        self._forget([place for place, tile in self._kept.items() if tile.block <= self._block - self._in_a_row])
        self._block += 1

    def read(self, dataset: DatasetReader, index: int, wanted: _Part) -> NDArray[np.generic]:
        """Returns a part of a band of an open raster.

        Raises:
            RasterioIOError: It can't be decoded.
            InputError: The disk takes no more.
        """
        values = np.empty(wanted.shape, dataset.dtypes[index - 1])
        needed = self._needed(dataset)
        for tile in wanted.tiles(dataset.block_shapes[index - 1]):
            piece, part = tile.common(wanted), tile.common(needed)
            if part.common(piece) == piece:
                values[piece.within(wanted)] = self._read(dataset, _Place(dataset.name, index, part), piece)
            else:  # a mask that is widened beyond the grid
                values[piece.within(wanted)] = dataset.read(index, window=piece.window)
        return values

    def _read(self, dataset: DatasetReader, place: _Place, piece: _Part) -> NDArray[np.generic]:
        """Returns a piece of the part of a tile that is kept, or will be now."""
        tile = self._kept.get(place)
        if tile is not None:
            self._kept[place] = tile._replace(block=self._block)
            return tile.read(piece)
        values = dataset.read(place.band, window=place.part.window)
        with ExitStack() as removing:
            path = removing.enter_context(scratch_file(self._folder / f"{next(self._names)}", "decoded"))
            with disk_errors(path):
                values.tofile(path)
            self._kept[place] = _Tile(path, place.part, values.dtype, self._block, removing.pop_all())
        return values[piece.within(place.part)]

    def _needed(self, dataset: DatasetReader) -> _Part:
        """Returns the part of a raster that the grid needs."""
        window = source_window(Grid.of(dataset), self._grid, Resampling.cubic)
        if window is None:
            return _Part(0, 0, 0, 0)
        top, left, bottom, right = _Part.of(window)
        return _Part(top - _SLACK, left - _SLACK, bottom + _SLACK, right + _SLACK).common(
            _Part(0, 0, dataset.height, dataset.width)
        )

    def _forget(self, places: Iterable[_Place]) -> None:
        for place in places:
            self._kept.pop(place).removing.close()


class _Kept:
    """An open raster that reads its bands from decoded tiles, and is as rasterio has it for the rest."""

    def __init__(self, dataset: DatasetReader, tiles: DecodedTiles) -> None:
        self._dataset, self._tiles = dataset, tiles

    def read(self, indexes: int, window: Window) -> NDArray[np.generic]:
        return self._tiles.read(self._dataset, indexes, _Part.of(window))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


class _Part(NamedTuple):
    """Rows and columns of a raster, the last ones not included."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, window: Window) -> _Part:
        rows, columns = window.toslices()
        return cls(rows.start, columns.start, rows.stop, columns.stop)

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    @property
    def window(self) -> Window:
        return Window(self.left, self.top, self.right - self.left, self.bottom - self.top)

    def common(self, other: _Part) -> _Part:
        return _Part(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def within(self, other: _Part) -> tuple[slice, slice]:
        """Returns where it lies in an array of another part."""
        rows = slice(self.top - other.top, self.bottom - other.top)
        return rows, slice(self.left - other.left, self.right - other.left)

    def tiles(self, shape: tuple[int, int]) -> Iterator[_Part]:
        """Yields the tiles of a shape on which it lies."""
        height, width = shape
        for top in range(self.top // height * height, self.bottom, height):
            for left in range(self.left // width * width, self.right, width):
                yield _Part(top, left, top + height, left + width)


class _Place(NamedTuple):
    """A part of a tile of a band."""

    file: str
    band: int
    part: _Part


class _Tile(NamedTuple):
    """What is kept of a tile: a file of its values, row by row, and the number of the block that needed it last."""

    path: Path
    part: _Part
    dtype: np.dtype[Any]
    block: int
    removing: ExitStack

    def read(self, piece: _Part) -> NDArray[np.generic]:
        rows, columns = piece.within(self.part)
        width = self.part.shape[1]
        before, size = rows.start * width * self.dtype.itemsize, (rows.stop - rows.start) * width
        return np.fromfile(self.path, self.dtype, size, offset=before).reshape(-1, width)[:, columns]
