"""The pixel grid that the series of one site share, and extents given by users."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.io import DatasetReader
from rasterio.transform import Affine
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.retold import file_behind

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top, as rasterio has them."""


@dataclass(frozen=True)
class Grid:
    """A north-up pixel grid.

    Args:
        crs: Coordinate reference system.
        transform: From pixel to map coordinates; the origin is the upper left corner.
        width: Number of columns.
        height: Number of rows.
    """

    crs: CRS
    transform: Affine
    width: int
    height: int

    @classmethod
    def of(cls, dataset: DatasetReader) -> Grid:
        """Returns the grid of an open raster.

        Raises:
            InputError: The raster has no CRS or no position, is several, or is rotated, or south-up as only
                `open_raster` turns it.

        Example:
            >>> import rasterio
            >>> with rasterio.open("sentinel2.tif") as dataset:
            ...     print(Grid.of(dataset))
            60 x 60 pixels of 10 x 10 from 500000, 5600000 in EPSG:32631
        """
        if not dataset.count and dataset.subdatasets:
            raise InputError(
                f"{dataset.name} holds {len(dataset.subdatasets)} rasters, and none of them was named.",
                f"Name one, such as {dataset.subdatasets[0]}; in QGIS, add it as a layer, and choose that.",
            )
        if dataset.crs is None:
            raise InputError(
                f"{file_behind(dataset)} has no coordinate reference system.",
                "Assign one: in QGIS to the layer, with Layer CRS > Set Layer CRS, or to the file, with Raster > "
                "Projections > Assign Projection; else gdal_edit.py -a_srs EPSG:code FILE.",
            )
        transform = dataset.transform
        if transform.is_identity:
            raise InputError(
                f"{file_behind(dataset)} does not tell where it lies: it has a CRS, but no position and no pixel size.",
                "Give it these: in QGIS with Raster > Georeferencer, or from the raster that it was made from, with "
                "gdal_edit.py -a_ullr LEFT TOP RIGHT BOTTOM FILE.",
            )
        if transform.b or transform.d or transform.e >= 0 or transform.a <= 0:
            raise InputError(
                f"{file_behind(dataset)} is not north-up, but rotated.",
                "Warp it to a north-up grid: in QGIS with Raster > Projections > Warp, else gdalwarp -r near "
                f'"{file_behind(dataset)}" NEW.tif.',
            )
        return cls(dataset.crs, transform, dataset.width, dataset.height)

    @property
    def resolution(self) -> tuple[float, float]:
        """Pixel size along x and along y, in units of the CRS."""
        return self.transform.a, -self.transform.e

    @property
    def bounds(self) -> Bounds:
        """Left, bottom, right and top in map coordinates."""
        left, top = self.transform.c, self.transform.f
        return left, top + self.height * self.transform.e, left + self.width * self.transform.a, top

    def pixel_areas(self) -> NDArray[np.float64]:
        """Returns the area of a pixel of each row in square metres, shape (height,).

        In degrees that is the area between two meridians and two parallels of the ellipsoid, which shrinks towards the
        poles (Snyder 1987, Map Projections: A Working Manual, equation 3-12). In other CRS all are alike: a projection
        that does not keep areas is taken at its word, in UTM to a thousandth.
        """
        step_x, step_y = self.resolution
        if not self.crs.is_geographic:
            metres = self.crs.linear_units_factor[1]
            return np.full(self.height, step_x * step_y * metres**2)
        to_radians = self.crs.units_factor[1]
        axis, squared = _ellipsoid(self.crs)
        eccentricity = math.sqrt(squared)
        edges = (self.transform.f - np.arange(self.height + 1) * step_y) * to_radians
        sine = np.sin(np.clip(edges, -math.pi / 2, math.pi / 2))
        belt = sine / (1 - squared * sine**2) + (np.arctanh(eccentricity * sine) / eccentricity if squared else sine)
        return axis**2 * (1 - squared) / 2 * step_x * to_radians * -np.diff(belt)

    def same_as(self, other: Grid) -> bool:
        """Whether both grids have the same CRS, size and position (to a hundredth of a pixel)."""
        tolerance = 0.01 * self.transform.a
        return (
            (self.width, self.height) == (other.width, other.height)
            and self.crs == other.crs
            and all(abs(a - b) <= tolerance for a, b in zip(self.bounds, other.bounds, strict=True))
        )

    def crop(self, window: Window) -> Grid:
        """Returns the grid of a window of this one."""
        origin = self.transform
        left, top = origin.c + window.col_off * origin.a, origin.f + window.row_off * origin.e
        transform = Affine(origin.a, 0, left, 0, origin.e, top)
        return Grid(self.crs, transform, int(window.width), int(window.height))

    def every(self, step: int, first: int = 0) -> Grid:
        """Returns the grid whose pixels' centres are those of every `step`-th pixel along x and y, from `first` on."""
        width, height = (max(1, (size - 1 - first) // step + 1) for size in (self.width, self.height))
        shift = first + 0.5 - step / 2  # from the corner of a pixel to that of a larger one with the same centre
        left, top = self.transform.c + shift * self.transform.a, self.transform.f + shift * self.transform.e
        return Grid(self.crs, Affine(self.transform.a * step, 0, left, 0, self.transform.e * step, top), width, height)

    def window_of(self, extent: Extent) -> Window:
        """Returns the pixels that an extent touches, cut to this grid.

        Raises:
            InputError: They don't overlap.
        """
        bounds = extent.in_crs(self.crs)
        if not all(map(math.isfinite, bounds)):  # so far off that the CRS has no place for it
            raise self._apart(extent)
        left, bottom, right, top = bounds
        step_x, step_y = self.resolution
        snap = 1e-6  # of a pixel: an extent on pixel edges must not gain a row by rounding
        first_column = max(0, math.floor((left - self.transform.c) / step_x + snap))
        last_column = min(self.width, math.ceil((right - self.transform.c) / step_x - snap))
        first_row = max(0, math.floor((self.transform.f - top) / step_y + snap))
        last_row = min(self.height, math.ceil((self.transform.f - bottom) / step_y - snap))
        if first_column >= last_column or first_row >= last_row:
            raise self._apart(extent)
        return Window(first_column, first_row, last_column - first_column, last_row - first_row)

    def blocks(self, size: int) -> Iterator[Window]:
        """Yields windows of at most `size` x `size` pixels that cover the grid, row by row."""
        for row in range(0, self.height, size):
            for column in range(0, self.width, size):
                yield Window(column, row, min(size, self.width - column), min(size, self.height - row))

    def _apart(self, extent: Extent) -> InputError:
        return InputError(
            f"The extent {extent} does not overlap the raster, which spans "
            f"{', '.join(f'{value:.10g}' for value in self.bounds)} (left, bottom, right, top) in {self.crs}.",
            "Choose an extent within the raster, and check its CRS.",
        )

    def __str__(self) -> str:
        left, _, _, top = self.bounds
        step_x, step_y = self.resolution
        return (
            f"{self.width} x {self.height} pixels of {step_x:.10g} x {step_y:.10g} "
            f"from {left:.10g}, {top:.10g} in {self.crs}"
        )


def _ellipsoid(crs: CRS) -> tuple[float, float]:
    """Returns the semi-major axis of a geographic CRS's ellipsoid in metres, and its eccentricity squared."""
    described = crs.to_dict(projjson=True)
    described = described.get("source_crs", described)
    own = described.get("datum", described.get("datum_ensemble"))["ellipsoid"]
    sizes: dict[str, float] = {
        name: value["value"] * value["unit"]["conversion_factor"] if isinstance(value, dict) else value
        for name, value in own.items()
        if name not in ("name", "id")
    }
    axis = sizes["semi_major_axis"] if "semi_major_axis" in sizes else sizes["radius"]
    if "inverse_flattening" in sizes:
        flattening = 1 / sizes["inverse_flattening"]
    else:
        flattening = 1 - sizes.get("semi_minor_axis", axis) / axis
    return axis, flattening * (2 - flattening)


@dataclass(frozen=True)
class Extent:
    """A rectangle, written as QGIS does: ``xmin,xmax,ymin,ymax [EPSG:4326]``.

    Args:
        bounds: Left, bottom, right, top.
        crs: The CRS of the bounds; None means that of the raster that the extent is applied to.
    """

    bounds: Bounds
    crs: CRS | None = None

    @classmethod
    def parse(cls, text: str) -> Extent:
        """Returns the extent of a text as QGIS writes it.

        Raises:
            InputError: `text` is no extent.

        Example:
            >>> Extent.parse("500000,500200,5599900,5600000 [EPSG:32631]").bounds
            (500000.0, 5599900.0, 500200.0, 5600000.0)
        """
        match = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[(.+)\])?\s*", text)
        try:
            if match is None:
                raise ValueError(text)
            left, right, bottom, top = (float(number) for number in match[1].split(","))
            if not all(map(math.isfinite, (left, right, bottom, top))):
                raise ValueError(text)
            crs = CRS.from_user_input(match[2]) if match[2] else None
        except (ValueError, CRSError) as error:
            raise InputError(
                f"The extent '{text}' can't be read.", "Write it as xmin,xmax,ymin,ymax [EPSG:code]."
            ) from error
        if left > right and bottom < top and crs is not None and crs.is_geographic:
            raise InputError(
                f"The extent '{text}' reaches across 180 degrees.", "Give it in the CRS of the products instead."
            )
        if not (left < right and bottom < top):
            raise InputError(f"The extent '{text}' is empty.", "Write it as xmin,xmax,ymin,ymax [EPSG:code].")
        return cls((left, bottom, right, top), crs)

    def in_crs(self, crs: CRS) -> Bounds:
        """Returns the bounds in another CRS."""
        if self.crs is None or self.crs == crs:
            return self.bounds
        return transform_bounds(self.crs, crs, *self.bounds)

    def __str__(self) -> str:
        left, bottom, right, top = self.bounds
        crs = f" [{self.crs}]" if self.crs else ""
        return f"{left:.10g},{right:.10g},{bottom:.10g},{top:.10g}{crs}"
