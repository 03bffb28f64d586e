"""Labelled pixels: those whose centre lies in a polygon, and those below a point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry import box

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.classes import Label
from twinns_qgis.samples.polygons import LabelledPolygons

_BLOCK = 2048


@dataclass(frozen=True)
class LabelledPixels:
    """The pixels that polygons label.

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


@dataclass(frozen=True)
class Contested:
    """Pixels that polygons of different classes claim.

    Args:
        count: How many there are.
        pairs: How many by pair of classes; one that three classes claim is in two pairs or three.
        objects: The objects all of whose pixels are such.
    """

    count: int = 0
    pairs: Mapping[tuple[Label, Label], int] = field(default_factory=dict)
    objects: frozenset[int] = frozenset()


def label_pixels(polygons: LabelledPolygons, grid: Grid) -> tuple[LabelledPixels, Contested]:
    """Returns the pixels of a grid that polygons label, and those that are contested; see `find_pixels`.

    Raises:
        InputError: No polygon holds the centre of a pixel, or all pixels are contested.
    """
    pixels, contested = find_pixels(polygons, grid)
    if not len(pixels):
        _refuse_no_pixel(polygons, grid, contested.count)
    return pixels, contested


def find_pixels(polygons: LabelledPolygons, grid: Grid) -> tuple[LabelledPixels, Contested]:
    """Returns the pixels of a grid whose centre lies in a polygon, or that hold a point, and those that are contested.

    A pixel that several polygons of one class claim is the later one's. One that polygons of different classes claim is
    nobody's: which of them is right can't be known. Polygons in another CRS are transformed. The grid is gone through
    block by block, so that memory does not grow with its area.
    """
    shapes = polygons.table.geometry.to_crs(grid.crs).reset_index(drop=True)
    none = np.empty(0, np.int64)
    found, count, pairs, claimants = [(none, none, none)], 0, Counter[tuple[Label, Label]](), set[int]()
    for window in grid.blocks(_BLOCK):
        block = grid.crop(window)
        nearby = np.sort(shapes.sindex.query(box(*block.bounds), predicate="intersects"))
        if not len(nearby):
            continue
        owner = np.zeros((block.height, block.width), np.int64)  # number of the polygon, from 1
        contested = np.zeros(owner.shape, bool)
        for label, own in _by_label(nearby, polygons.labels).items():
            burnt = rasterize(
                ((shapes.iloc[index], index + 1) for index in own),
                out_shape=owner.shape,
                transform=block.transform,
                dtype="int32",
            )
            both = (burnt > 0) & (owner > 0)
            if both.any():
                contested |= both
                pairs.update((polygons.labels[index - 1], label) for index in owner[both])
                claimants.update(polygons.objects[np.concatenate([owner[both], burnt[both]]) - 1].tolist())
            np.copyto(owner, burnt, where=owner == 0)
        count += int(np.count_nonzero(contested))
        owner[contested] = 0
        rows, columns = np.nonzero(owner)
        objects = polygons.objects[owner[rows, columns] - 1]
        found.append((rows + int(window.row_off), columns + int(window.col_off), objects))
    rows, columns, objects = (np.concatenate(part) for part in zip(*found, strict=True))
    left = claimants - set(np.unique(objects).tolist())
    return LabelledPixels(grid, rows, columns, objects), Contested(count, pairs, frozenset(left))


def _by_label(nearby: NDArray[np.int64], labels: Sequence[Label]) -> dict[Label, list[int]]:
    """Groups polygons, given by their numbers, by label, in the order of labels: so pairs are told one way round."""
    groups: dict[Label, list[int]] = {}
    for index in sorted(nearby.tolist(), key=lambda index: (str(labels[index]), index)):
        groups.setdefault(labels[index], []).append(index)
    return groups


def _refuse_no_pixel(polygons: LabelledPolygons, grid: Grid, contested: int) -> NoReturn:
    if contested:
        raise InputError(
            f"All {contested} pixels of the polygons of {polygons.source} are claimed by several classes.",
            "Correct the polygons where they overlap, or choose another CLASS_FIELD.",
        )
    spans = ", ".join(f"{value:.10g}" for value in polygons.table.to_crs(grid.crs).total_bounds)
    raise InputError(
        f"No polygon of {polygons.source} holds the centre of a pixel: they span {spans} (left, bottom, right, "
        f"top), the series {', '.join(f'{value:.10g}' for value in grid.bounds)}, both in {grid.crs}.",
        "Choose polygons within the series, and check both CRS.",
    )
