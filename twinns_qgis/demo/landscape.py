"""Objects with a class on the site, and which of them are labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely import Geometry, Polygon

from twinns_qgis.demo.classes import CLASSES, CODES
from twinns_qgis.demo.fields import LandParcels, draw_parcels, largest_part
from twinns_qgis.demo.noise import Stream, generator
from twinns_qgis.rasters.grid import Grid

LABELLED_SHARE = 0.6
"""Share of the objects of each class that have a polygon, usually."""

# At least this many polygons of each class: one each to train, to validate and to test.
_FEWEST_LABELLED = 3
# A polygon lies this far within its object: its border pixels are mixed, its others pure.
_INSET = 2.5
_SMALLEST_POLYGON = 600.0

_WATER, _BUILT_UP, _MEADOW = CODES["water"], CODES["built-up"], CODES["meadow"]
_FORESTS = (3, 4)
_BUILT_UP_SHARE = 0.08
_MEADOW_SHARE = 0.10


@dataclass(frozen=True)
class Landscape:
    """The objects of a site, their classes and their polygons.

    Args:
        objects: Geometry of each object, in metres in the CRS of the site.
        codes: Class code of each object, shape (objects,).
        roads: All roads; what neither they nor an object covers is grass.
        polygons: For each object its polygon, None where it is not labelled.
    """

    objects: tuple[Polygon, ...]
    codes: NDArray[np.uint8]
    roads: Geometry
    polygons: tuple[Polygon | None, ...]


def draw_landscape(grid: Grid, seed: int, labelled: float = LABELLED_SHARE) -> Landscape:
    """Returns random objects with a class for a site, a share of them labelled.

    The four pairs of classes that a cue sets apart share their ground: the two classes of a pair get as many fields,
    drawn from the same ones, so that neither number, size nor place tells them apart.

    Args:
        grid: The pixels of the site.
        seed: Fixes the draw.
        labelled: Share of the objects of each class that have a polygon; three have at least.
    """
    # Small sites have small fields, or they would have too few for three polygons of each class.
    side = min(15.0, 6.6 + grid.width / 32)
    parcels = draw_parcels(
        generator(seed, Stream.FIELDS), grid.bounds, round((grid.width / side) ** 2), max(5, grid.width // 16)
    )
    codes = np.concatenate(
        [_cover(generator(seed, Stream.COVER), parcels), np.full(len(parcels.reaches), _WATER, np.uint8)]
    )
    objects = (*parcels.fields, *parcels.reaches)
    polygons = _labelled(generator(seed, Stream.LABELS), objects, codes, labelled)
    return Landscape(objects, codes, parcels.roads, polygons)


def _cover(rng: np.random.Generator, parcels: LandParcels) -> NDArray[np.uint8]:
    """Draws the class of each field: villages and woods lie together, everything else anywhere."""
    centres = np.array([field.centroid.coords[0] for field in parcels.fields])
    codes = np.zeros(len(centres), np.uint8)
    counts = _counts(len(centres))
    for members in ((_BUILT_UP,), _FORESTS):
        wanted = sum(counts[code] for code in members)
        free = np.flatnonzero(codes == 0)
        nearest = free[np.argsort(_distance_to_kernels(rng, centres, free), kind="stable")[:wanted]]
        codes[nearest] = _shuffled(rng, {code: counts[code] for code in members})
    elsewhere = {code: count for code, count in counts.items() if code != _BUILT_UP and code not in _FORESTS}
    codes[codes == 0] = _shuffled(rng, elsewhere)
    return codes


def _counts(fields: int) -> dict[int, int]:
    """Returns the number of fields of each class but water: the same for all but settlements and meadows."""
    counts = {_BUILT_UP: max(4, round(_BUILT_UP_SHARE * fields))}
    others = [item.land_cover.code for item in CLASSES if item.land_cover.code not in (_WATER, _BUILT_UP, _MEADOW)]
    each = int((1 - _BUILT_UP_SHARE - _MEADOW_SHARE) * fields / len(others))
    counts.update(dict.fromkeys(others, each))
    counts[_MEADOW] = fields - sum(counts.values())
    return counts


def _distance_to_kernels(
    rng: np.random.Generator, centres: NDArray[np.float64], free: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Returns how far each free field is from the nearest of a few of them drawn at random."""
    kernels = centres[rng.choice(free, size=max(2, len(centres) // 60), replace=False)]
    offsets = centres[free, np.newaxis] - kernels[np.newaxis]
    return np.hypot(offsets[..., 0], offsets[..., 1]).min(axis=1)


def _shuffled(rng: np.random.Generator, counts: dict[int, int]) -> NDArray[np.uint8]:
    return rng.permutation(np.repeat(np.array(list(counts), np.uint8), list(counts.values())))


def _labelled(
    rng: np.random.Generator, objects: tuple[Polygon, ...], codes: NDArray[np.uint8], share: float
) -> tuple[Polygon | None, ...]:
    polygons: list[Polygon | None] = [None] * len(objects)
    inset = [largest_part(item.buffer(-_INSET, join_style="mitre")) for item in objects]
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        large = [index for index in own if inset[index].area >= _SMALLEST_POLYGON]
        wanted = max(_FEWEST_LABELLED, round(share * len(own)))
        for index in rng.permutation(large)[:wanted]:
            polygons[index] = inset[index]
    return tuple(polygons)
