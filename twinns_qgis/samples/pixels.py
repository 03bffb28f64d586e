"""Labelled pixels: those whose centre lies in a polygon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import box

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.polygons import LabelledPolygons

_BLOCK = 2048


@dataclass(frozen=True)
class LabelledPixels:
    """The pixels that lie in polygons.

    Args:
        grid: The grid they belong to.
        rows: Row of each pixel, shape (N,).
        columns: Column of each pixel, shape (N,).
        objects: Index of the object of each pixel, shape (N,).
    """

    grid: Grid
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    objects: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, mask: NDArray[np.bool_]) -> LabelledPixels:
        """Returns the pixels where `mask`, of shape (N,), is true."""
        return LabelledPixels(self.grid, self.rows[mask], self.columns[mask], self.objects[mask])


def label_pixels(polygons: LabelledPolygons, grid: Grid) -> LabelledPixels:
    """Returns the pixels of a grid whose centre lies in a polygon; where polygons overlap, the later one has it.

    Polygons in another CRS are transformed. The grid is gone through block by block, so that memory does not grow
    with its area.

    Raises:
        InputError: No polygon holds the centre of a pixel.
    """
    shapes = polygons.table.geometry.to_crs(grid.crs).reset_index(drop=True)
    found: list[tuple[NDArray[np.int64], ...]] = []
    for window in grid.blocks(_BLOCK):
        block = grid.crop(window)
        nearby = np.sort(shapes.sindex.query(box(*block.bounds), predicate="intersects"))
        if not len(nearby):
            continue
        burnt = rasterize(
            ((shapes.iloc[index], index + 1) for index in nearby),
            out_shape=(block.height, block.width),
            transform=block.transform,
            dtype="int32",
        )
        rows, columns = np.nonzero(burnt)
        objects = polygons.objects[burnt[rows, columns] - 1]
        found.append((rows + int(window.row_off), columns + int(window.col_off), objects))
    if not found or not sum(len(rows) for rows, _, _ in found):
        spans = ", ".join(f"{value:.10g}" for value in shapes.total_bounds)
        raise InputError(
            f"No polygon of {polygons.source} holds the centre of a pixel: they span {spans} (left, bottom, right, "
            f"top), the series {', '.join(f'{value:.10g}' for value in grid.bounds)}, both in {grid.crs}.",
            "Choose polygons within the series, and check both CRS.",
        )
    rows, columns, objects = (np.concatenate(part) for part in zip(*found, strict=True))
    return LabelledPixels(grid, rows, columns, objects)
