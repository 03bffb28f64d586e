"""Which grid a series gets: the first product's, or one over several, of another resolution or in another CRS."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine
from rasterio.warp import calculate_default_transform, transform, transform_bounds

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Bounds, Extent, Grid
from twinns_qgis.rasters.tile_tables import GdalError

_SNAP = 1e-6
"""Of a pixel: bounds on pixel edges must not gain a row by rounding."""
_FINEST = 0.01
"""Of a product's pixel: a finer RESOLUTION is a slip, such as degrees for metres, and would fill any disk."""


@dataclass(frozen=True)
class Area:
    """The part of the world that a series shows.

    Args:
        extent: Its bounds; None means those of the first product.
        resolution: Size of a pixel, in units of the CRS; None means that of the first product.
        crs: Its CRS; None means that of the first product.
    """

    extent: Extent | None = None
    resolution: float | None = None
    crs: CRS | None = None

    def __post_init__(self) -> None:
        if self.resolution is not None and not 0 < self.resolution < math.inf:
            raise InputError(f"RESOLUTION is {self.resolution:g}.", "Give the size of a pixel, such as 10.")

    def grid(self, products: Iterable[Grid]) -> Grid:
        """Returns the grid of the series: whole pixels that cover the extent, as far as there are products.

        In the first product's CRS, pixel edges meet the first product's; in another CRS they lie at multiples of
        the resolution, so that the pixels of neighbouring areas meet.

        Args:
            products: The products' grids, the first product's first.

        Raises:
            InputError: No product overlaps the extent, the products can't be shown in the CRS, or the resolution
                does not go with them.
        """
        first, *others = products
        crs = self.crs or first.crs
        if crs == first.crs:
            anchor = first.transform.c, first.transform.f
            steps = (self.resolution, self.resolution) if self.resolution else first.resolution
        else:
            anchor = 0.0, 0.0
            step = self.resolution or _same_resolution(first, crs)
            steps = step, step
        for product in (first, *others):
            _check_wrap(product, crs)
        everything = _union([first, *others], crs)
        if not all(map(math.isfinite, everything)):
            raise InputError(f"The products lie outside of what {crs} can show.", "Choose a CRS of their place.")
        bounds = _common(self.extent, everything, crs) if self.extent else _in_crs(first, crs)
        if bounds[2] - bounds[0] > _turn(crs) / 2:
            raise InputError(
                f"In {crs} the area is wider than half of the earth: products lie on both sides of 180 degrees.",
                f"Choose a CRS whose middle is near, such as that of the first product, {first.crs}.",
            )
        if self.resolution:
            _check_resolution(self.resolution, bounds, _same_resolution(first, crs))
        return _covering(bounds, crs, anchor, steps)


def parse_crs(text: str) -> CRS:
    """Reads a CRS, such as ``EPSG:32631``.

    Raises:
        InputError: It can't be read, or is not one of maps.

    Example:
        >>> parse_crs("EPSG:32631").is_projected
        True
    """
    try:
        crs = CRS.from_user_input(text)
    except CRSError as error:
        raise InputError(f"The CRS '{text}' is not known.", "Write it as EPSG:32631, or as WKT.") from error
    if not (crs.is_projected or crs.is_geographic):
        raise InputError(
            f"The CRS '{text}' is none of maps: it is neither projected nor of longitude and latitude.",
            "Choose one such as EPSG:32631.",
        )
    return crs


def _check_resolution(resolution: float, bounds: Bounds, own: float) -> None:
    """Raises an error if pixels are wider than the area, or absurdly small against the products' own."""
    left, bottom, right, top = bounds
    if resolution > max(right - left, top - bottom):
        raise InputError(
            f"RESOLUTION, {resolution:g}, is more than the area, {right - left:.10g} x {top - bottom:.10g}, is wide.",
            "Give the size of a pixel in units of the CRS, such as 10 for metres.",
        )
    if resolution < _FINEST * own:
        raise InputError(
            f"RESOLUTION, {resolution:g}, is less than a hundredth of the products' pixels, {own:.10g}.",
            "Give the size of a pixel in units of the CRS, such as 10 for metres.",
        )


def _check_wrap(grid: Grid, crs: CRS) -> None:
    """Raises an error if a CRS cuts a product in two, as longitude and latitude do at 180 degrees.

    There neighbours are a world apart: bounds come out as nearly all of the earth, or inside out.
    """
    left, bottom, right, top = grid.bounds
    if grid.crs == crs:
        return
    middle = (left + right) / 2, (bottom + top) / 2
    corners = [(x, y) for x in (left, middle[0], right) for y in (bottom, middle[1], top)]
    try:
        xs, ys = transform(grid.crs, crs, *zip(*corners, strict=True))
    except GdalError:  # it has no place for a corner
        return
    steps = [abs(a - b) for places in (xs, ys) for a, b in itertools.pairwise(places) if math.isfinite(a - b)]
    if max(steps, default=0.0) > _turn(crs) / 4:  # a product is thousands of times narrower than a turn
        raise InputError(
            f"{crs} cuts the products in two: one reaches across its edge, at 180 degrees or at a pole.",
            f"Choose a CRS whose middle is near, such as that of the products, {grid.crs}.",
        )


def _turn(crs: CRS) -> float:
    """Returns the way round the earth in units of a CRS."""
    return 360.0 if crs.is_geographic else 40_000_000 / crs.linear_units_factor[1]


def _same_resolution(first: Grid, crs: CRS) -> float:
    """Returns the size that a pixel of the first product has in another CRS."""
    if first.crs.is_projected and crs.is_projected and first.crs.linear_units == crs.linear_units:
        return first.resolution[0]
    transform, _, _ = calculate_default_transform(first.crs, crs, first.width, first.height, *first.bounds)
    return transform.a


def _in_crs(grid: Grid, crs: CRS) -> Bounds:
    return grid.bounds if grid.crs == crs else transform_bounds(grid.crs, crs, *grid.bounds)


def _common(extent: Extent, products: Bounds, crs: CRS) -> Bounds:
    wanted = extent.in_crs(crs)
    left, bottom = max(wanted[0], products[0]), max(wanted[1], products[1])
    right, top = min(wanted[2], products[2]), min(wanted[3], products[3])
    if left >= right or bottom >= top:
        raise InputError(
            f"The extent {extent} does not overlap the products, which span "
            f"{', '.join(f'{value:.10g}' for value in products)} (left, bottom, right, top) in {crs}.",
            "Choose an extent within the products, and check its CRS.",
        )
    return left, bottom, right, top


def _union(grids: Iterable[Grid], crs: CRS) -> Bounds:
    lefts, bottoms, rights, tops = zip(*(_in_crs(grid, crs) for grid in grids), strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _covering(bounds: Bounds, crs: CRS, anchor: tuple[float, float], steps: tuple[float, float]) -> Grid:
    """Returns the grid of the whole pixels that touch the bounds; pixel edges meet the anchor."""
    (left, bottom, right, top), (x, y), (step_x, step_y) = bounds, anchor, steps
    first_column, last_column = math.floor((left - x) / step_x + _SNAP), math.ceil((right - x) / step_x - _SNAP)
    first_row, last_row = math.floor((y - top) / step_y + _SNAP), math.ceil((y - bottom) / step_y - _SNAP)
    transform = Affine(step_x, 0, x + first_column * step_x, 0, -step_y, y - first_row * step_y)
    return Grid(crs, transform, max(1, last_column - first_column), max(1, last_row - first_row))
