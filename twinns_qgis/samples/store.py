"""A compact store of the raw values round the labelled pixels, from which batches gather their patches.

Patches of neighbouring pixels overlap: stored one by one they would take 25 times the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.rasters.layout import TILE
from twinns_qgis.reporter import Reporter, TimeLeft
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.series.series import Series

PATCH = 5
"""Side of the patch round the pixel to classify (paper, section 4.2)."""
MARGIN = PATCH // 2


@dataclass(frozen=True)
class SampleStore:
    """Raw values of one series at the pixels that patches need.

    Args:
        values: Raw values of the P distinct pixels, shape (P, T, B).
        patches: For each of N labelled pixels the index of its 5 x 5 pixels, row by row, shape (N, 5, 5).
    """

    values: NDArray[np.generic]
    patches: NDArray[np.int32]

    def gather(self, samples: NDArray[np.int64]) -> NDArray[np.generic]:
        """Returns the patches of some labelled pixels, shape (samples, 5, 5, T, B)."""
        return self.values[self.patches[samples]]


def read_samples(
    series: Series,
    pixels: LabelledPixels,
    reporter: Reporter,
    visit: Callable[[NDArray[np.generic]], None] = lambda values: None,
) -> SampleStore:
    """Reads the raw values round labelled pixels from a series into a store, in one pass, block by block.

    Beyond the raster's edge, patches repeat its nearest pixels, as mapping does.

    Args:
        series: The series.
        pixels: The labelled pixels, on its grid.
        reporter: Receives the progress.
        visit: Is given the raw values of every block, shape (height, width, T, B), labelled or not.
    """
    grid = series.grid
    positions, patches = _patch_positions(pixels)
    rows, columns = np.divmod(positions, grid.width)
    blocks_across = -(-grid.width // TILE)
    block_of = rows // TILE * blocks_across + columns // TILE
    by_block = np.argsort(block_of, kind="stable")
    starts = np.searchsorted(block_of[by_block], np.arange(blocks_across * -(-grid.height // TILE) + 1))
    values = np.empty((len(positions), series.steps, len(series.bands)), series.dtype)
    clock = TimeLeft()
    for number, window in enumerate(grid.blocks(TILE)):
        reporter.check_cancelled()
        block = series.read(window)
        visit(block)
        inside = by_block[starts[number] : starts[number + 1]]
        values[inside] = block[rows[inside] - int(window.row_off), columns[inside] - int(window.col_off)]
        done = (number + 1) / (len(starts) - 1)
        reporter.progress(done, f"Reading {series.path.name} {clock.after(done)}".rstrip())
    return SampleStore(values, patches)


def _patch_positions(pixels: LabelledPixels) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Returns the distinct pixels of all patches as flat positions, and each patch's indices into them."""
    grid = pixels.grid
    offsets = np.arange(-MARGIN, MARGIN + 1)
    rows = np.clip(pixels.rows[:, None, None] + offsets[:, None], 0, grid.height - 1)
    columns = np.clip(pixels.columns[:, None, None] + offsets[None, :], 0, grid.width - 1)
    positions, patches = np.unique(rows * grid.width + columns, return_inverse=True)
    return positions, patches.reshape(-1, PATCH, PATCH).astype(np.int32)
