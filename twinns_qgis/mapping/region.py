"""The part of a map that polygons choose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.polygons import read_table


@dataclass(frozen=True)
class Region:
    """What is mapped: the pixels whose centre lies in one of its polygons.

    Args:
        polygons: The polygons in the CRS of the map, as well-known binary.
    """

    polygons: tuple[bytes, ...]

    @classmethod
    def read(cls, source: str, grid: Grid, reporter: Reporter) -> Region:
        """Reads the polygons of a vector file that touch the map, in its CRS.

        Args:
            source: A vector file, or ``file|layername=name`` as QGIS writes it.
            grid: The map's grid.
            reporter: Receives a warning of features that are no polygons.

        Raises:
            InputError: The polygons can't be read, or none of them touches the map.
        """
        table, without_polygon = read_table(source)
        if without_polygon:
            reporter.warning(f"{without_polygon} features of MASK have no polygon that can be read.")
        shapes = table.geometry.to_crs(grid.crs)
        near = shapes[shapes.intersects(shapely.box(*grid.bounds))]
        if near.empty:
            left, bottom, right, top = shapes.total_bounds
            raise InputError(
                f"MASK, {source}, does not touch the map: it spans {left:.10g}, {bottom:.10g}, {right:.10g}, "
                f"{top:.10g}, the map {', '.join(f'{value:.10g}' for value in grid.bounds)} (left, bottom, right, top) "
                f"in {grid.crs}.",
                "Choose polygons within the map, and check their CRS.",
            )
        return cls(tuple(sorted(near.force_2d().to_wkb())))

    def holds(self, grid: Grid) -> NDArray[np.bool_]:
        """Returns which pixels of a grid, in the CRS of the map, are mapped, shape (height, width)."""
        shapes = shapely.from_wkb(self.polygons)
        near = shapes[shapely.intersects(shapely.box(*grid.bounds), shapely.envelope(shapes))]
        if not len(near):
            return np.zeros((grid.height, grid.width), bool)
        return geometry_mask(near, (grid.height, grid.width), grid.transform, invert=True)

    def pixels(self, grid: Grid, side: int) -> int:
        """Returns about how many pixels of the map are computed: those of the parts, side x side, that it touches."""
        shape = math.ceil(grid.height / side), math.ceil(grid.width / side)
        step_x, step_y = grid.resolution
        corners = from_origin(grid.transform.c, grid.transform.f, side * step_x, side * step_y)
        parts = geometry_mask(shapely.from_wkb(self.polygons), shape, corners, all_touched=True, invert=True)
        return min(int(parts.sum()) * side**2, grid.height * grid.width)
