"""Working through a grid block by block, so that memory does not grow with the area."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from joblib import cpu_count
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import TILE
from twinns_qgis.reporter import Reporter

Item = TypeVar("Item")
Result = TypeVar("Result")

_STRIP = 16384
"""Pixels that are interpolated at once: few enough to stay in the processor's cache."""
_SMALLEST = 32
"""Least side of a block: below it, margins would cost more than they spare."""
_POSITIONS, _SIDE = 4, 64
"""Windows of a sample along x and along y, and their side."""


def cache_bytes(memory: int) -> int:
    """Returns the share of `memory` (MB) that GDAL's cache of raster blocks gets, in bytes."""
    return memory * 2**20 // 4


def block_shape(grid: Grid, memory: int, bytes_per_pixel: int) -> tuple[int, int]:
    """Returns the height and width of blocks that fit into half of `memory` (MB).

    Blocks are wide, not square, as products are often stored by rows; their sides are multiples of a tile where
    memory allows it.

    Raises:
        InputError: `memory` is not positive.
    """
    if memory < 1:
        raise InputError(f"MEMORY is {memory} MB.", "Give 1 or more; 2048 serve well.")
    pixels = memory * 2**20 // 2 // bytes_per_pixel
    side = TILE
    while side > _SMALLEST and side * side > pixels:
        side //= 2
    height, width = side, max(side, pixels // side // side * side)
    if width >= grid.width:
        height = max(side, pixels // grid.width // side * side)
    return min(height, grid.height), min(width, grid.width)


def block_windows(grid: Grid, shape: tuple[int, int]) -> tuple[Window, ...]:
    """Returns the windows of a grid's blocks of at most `shape` (height, width), row by row."""
    height, width = shape
    return tuple(
        Window(column, row, min(width, grid.width - column), min(height, grid.height - row))
        for row in range(0, grid.height, height)
        for column in range(0, grid.width, width)
    )


def spread_windows(area: Window) -> list[Window]:
    """Returns 4 x 4 windows of 64 x 64 pixels, spread evenly over an area of a raster: a sample of few of its tiles."""
    rows, columns = _spread(area.row_off, area.height), _spread(area.col_off, area.width)
    return [Window.from_slices(row, column) for row in rows for column in columns]


def _spread(start: int, length: int) -> list[tuple[int, int]]:
    side = min(_SIDE, length)
    starts = {start + round(part * (length - side) / (_POSITIONS - 1)) for part in range(_POSITIONS)}
    return [(first, first + side) for first in sorted(starts)]


def strips(height: int, width: int, least: int = 1) -> list[slice]:
    """Returns the rows of a block in slices of few pixels, but of at least so many rows."""
    rows = max(1, least, _STRIP // width)
    return [slice(row, min(height, row + rows)) for row in range(0, height, rows)]


class Threads:
    """Threads that work on a block; GDAL and numpy release the interpreter meanwhile."""

    def __init__(self, reporter: Reporter, count: int | None = None) -> None:
        # Of the processors those that this process may use: a cluster gives 4 of 128.
        self._pool = ThreadPoolExecutor(count or cpu_count())
        self._reporter = reporter
        self._exit = ExitStack()

    def __enter__(self) -> Threads:
        self._exit.enter_context(warnings.catch_warnings())
        # rasterio silences it round every warp, in a way that threads undo for each other.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        self._exit.callback(self._pool.shutdown, cancel_futures=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    def check_cancelled(self) -> None:
        """Raises `Cancelled` if the user asked the job to stop: for long work on a block that is not in threads."""
        self._reporter.check_cancelled()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yields `function` of each item, in their order.

        Raises:
            Cancelled: The user asked the job to stop.
        """
        futures = [self._pool.submit(function, item) for item in items]
        for future in futures:
            self._reporter.check_cancelled()
            yield future.result()

    def run(self, function: Callable[[Item], None], items: Iterable[Item]) -> None:
        """Calls `function` with each item.

        Raises:
            Cancelled: The user asked the job to stop.
        """
        for _ in self.map(function, items):
            pass
