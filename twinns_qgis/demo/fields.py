"""Polygons of fields with margins between them, of roads and of a river."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from shapely import Geometry, LineString, MultiLineString, Polygon, box
from shapely.affinity import rotate
from shapely.ops import split

from twinns_qgis.rasters.grid import Bounds

_ROAD_HALF_WIDTH = 4.0
_RIVER_HALF_WIDTH = 14.0
_MARGIN_HALF_WIDTHS = (1.25, 3.0)
_SMALLEST_FIELD = 1500.0
# A cut through ground for as many fields as this is a road, a lesser one a strip of grass.
_FIELDS_ALONG_A_ROAD = 40


@dataclass(frozen=True)
class LandParcels:
    """Polygons in metres that don't overlap; what none covers is grass.

    Args:
        fields: Ground that has one owner and one use.
        reaches: The river, in stretches.
        roads: All roads.
    """

    fields: tuple[Polygon, ...]
    reaches: tuple[Polygon, ...]
    roads: Geometry


def draw_parcels(rng: np.random.Generator, bounds: Bounds, fields: int, reaches: int) -> LandParcels:
    """Returns random fields, roads and a river: the ground is cut in two again and again, along or across one line.

    Args:
        rng: Where the random numbers come from.
        bounds: Left, bottom, right, top of the site in metres.
        fields: Number of fields to cut; those that river and roads leave too small are dropped.
        reaches: Number of stretches of the river.
    """
    cells: list[Polygon] = []
    roads: list[Geometry] = []
    direction = rng.uniform(12, 33)
    _cut(rng, box(*bounds), fields, direction, cells, roads)
    road = MultiLineString([part for line in roads for part in _lines(line)]).buffer(_ROAD_HALF_WIDTH)
    stretches = _reaches(rng, bounds, reaches)
    taken = road.union(_union(stretches))
    usable = []
    for cell in cells:
        field = cell.buffer(-rng.uniform(*_MARGIN_HALF_WIDTHS), join_style="mitre").difference(taken)
        largest = largest_part(field)
        if largest.area >= _SMALLEST_FIELD:
            usable.append(largest)
    return LandParcels(tuple(usable), tuple(largest_part(stretch.difference(road)) for stretch in stretches), road)


def largest_part(geometry: Geometry) -> Polygon:
    """Returns the largest polygon of a geometry, an empty one where it has none."""
    parts = [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area, default=Polygon())


def _cut(
    rng: np.random.Generator,
    ground: Polygon,
    fields: int,
    direction: float,
    cells: list[Polygon],
    roads: list[Geometry],
) -> None:
    """Cuts the ground into cells, across its longer side each time."""
    if fields == 1:
        cells.append(ground)
        return
    left, bottom, right, top = rotate(ground, -direction, origin=(0, 0)).bounds
    first = fields // 2
    share = first / fields * rng.uniform(0.85, 1.15)
    slant = rng.uniform(-5, 5)
    reach = right - left + top - bottom
    if right - left > top - bottom:
        x, y = left + share * (right - left), (bottom + top) / 2
        across = LineString([(x, y - reach), (x, y + reach)])
    else:
        x, y = (left + right) / 2, bottom + share * (top - bottom)
        across = LineString([(x - reach, y), (x + reach, y)])
    cut = rotate(rotate(across, slant), direction, origin=(0, 0))
    if fields >= _FIELDS_ALONG_A_ROAD:
        roads.append(cut.intersection(ground))
    halves = sorted(split(ground, cut).geoms, key=lambda half: _along(half, direction, right - left > top - bottom))
    for half, count in zip(halves, (first, fields - first), strict=True):
        _cut(rng, half, count, direction, cells, roads)


def _along(ground: Polygon, direction: float, horizontally: bool) -> float:
    centre = rotate(ground.centroid, -direction, origin=(0, 0))
    return centre.x if horizontally else centre.y


def _reaches(rng: np.random.Generator, bounds: Bounds, count: int) -> list[Polygon]:
    """Returns the stretches of a river that winds from west to east."""
    left, bottom, right, top = bounds
    x = np.linspace(left - 50, right + 50, 200)
    y = np.full_like(x, bottom + rng.uniform(0.35, 0.65) * (top - bottom))
    for amplitude, length in ((0.08 * (top - bottom), 1.1 * (right - left)), (15.0, 260.0)):
        y += amplitude * np.sin(2 * math.pi * x / length + rng.uniform(0, 2 * math.pi))
    river = LineString(np.column_stack([x, y])).buffer(_RIVER_HALF_WIDTH)
    edges = np.linspace(left, right, count + 1)
    return [river.intersection(box(a, bottom, b, top)) for a, b in pairwise(edges)]


def _union(polygons: list[Polygon]) -> Geometry:
    union: Geometry = Polygon()
    for polygon in polygons:
        union = union.union(polygon)
    return union


def _lines(geometry: Geometry) -> list[LineString]:
    return [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, LineString)]
