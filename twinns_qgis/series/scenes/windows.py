"""Which part of each raster a series of an area is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from twinns_qgis.rasters.grid import Bounds, Extent, Grid
from twinns_qgis.rasters.tile_tables import GdalError
from twinns_qgis.rasters.warping import source_window

_DEGREE = 111_320.0
"""Metres of a degree of latitude, and of longitude on the equator."""
_LEAST = 2
"""Pixels of any margin: the grid of a series covers the area with whole ones, which another CRS turns."""
_LONGITUDE_LATITUDE = CRS.from_epsg(4326)


def windows_of(extent: Extent, margin: float, grids: Sequence[Grid]) -> list[Window | None]:
    """Returns the pixels of rasters that series of an area depend on, in whichever of the rasters' CRS they are made.

    A rectangle of one CRS is a larger one in another: the grid of a series covers the area in its own CRS, and the
    pixels of a raster have to cover that grid in the raster's. Where all rasters are in degrees, as radar images may
    be, the area's UTM zone counts too.

    Args:
        extent: The area; without a CRS of its own in that of the first raster.
        margin: Metres round it that are wanted too, besides what resampling takes.
        grids: The rasters' grids.

    Returns:
        A window for each raster, None where it lies outside the area.
    """
    if not grids:
        return []
    area = Extent(extent.bounds, extent.crs or grids[0].crs)
    overlap = [_overlaps(area, grid) for grid in grids]
    systems = dict.fromkeys(grid.crs for grid, inside in zip(grids, overlap, strict=True) if inside)
    if systems and not any(crs.is_projected for crs in systems):
        systems[_utm(area)] = None
    frames = [(crs, bounds) for crs in systems if (bounds := _bounds(area, crs))]
    return [_window(grid, frames, margin) if inside else None for grid, inside in zip(grids, overlap, strict=True)]


def _overlaps(area: Extent, grid: Grid) -> bool:
    bounds = _bounds(area, grid.crs)
    if bounds is None:
        return False
    left, bottom, right, top = grid.bounds
    return bounds[0] < right and left < bounds[2] and bounds[1] < top and bottom < bounds[3]


def _window(grid: Grid, frames: Sequence[tuple[CRS, Bounds]], margin: float) -> Window | None:
    seen = [bounds for crs, frame in frames if (bounds := _bounds(Extent(frame, crs), grid.crs))]
    lefts, bottoms, rights, tops = zip(*seen, strict=True)
    left, bottom, right, top = min(lefts), min(bottoms), max(rights), max(tops)
    step_x, step_y = grid.resolution
    margin_x, margin_y = _in_units(margin, grid, top)
    wide_x, wide_y = max(margin_x, _LEAST * step_x), max(margin_y, _LEAST * step_y)
    left, bottom, right, top = left - wide_x, bottom - wide_y, right + wide_x, top + wide_y
    columns, rows = math.ceil((right - left) / step_x), math.ceil((top - bottom) / step_y)
    around = Grid(grid.crs, Affine(step_x, 0, left, 0, -step_y, top), columns, rows)
    return source_window(grid, around, Resampling.cubic)


def _in_units(margin: float, grid: Grid, latitude: float) -> tuple[float, float]:
    """Returns metres along x and y in units of a grid's CRS."""
    if grid.crs.is_projected:
        units = margin / grid.crs.linear_units_factor[1]
        return units, units
    return margin / (_DEGREE * max(0.01, math.cos(math.radians(latitude)))), margin / _DEGREE


def _bounds(extent: Extent, crs: CRS) -> Bounds | None:
    """Returns the bounds of an area in a CRS; None if that has no place for it."""
    try:
        bounds = extent.in_crs(crs)
    except GdalError:
        return None
    return bounds if all(map(math.isfinite, bounds)) else None


def _utm(area: Extent) -> CRS:
    left, bottom, right, top = transform_bounds(area.crs, _LONGITUDE_LATITUDE, *area.bounds)
    zone = int(((left + right) / 2 + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if top + bottom >= 0 else 32700) + zone)
