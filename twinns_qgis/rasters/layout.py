"""Layouts of the GeoTIFFs that are made block by block: grid, bands, tiles, compression, metadata."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from joblib import cpu_count
from numpy.typing import NDArray
from rasterio.io import DatasetWriter

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.tile_tables import GdalError

TILE = 256
"""Side of a tile, in pixels: blocks that are multiples of it are read without waste."""


@dataclass(frozen=True)
class Layout:
    """All that a GeoTIFF has besides its pixels.

    Args:
        grid: Its pixel grid.
        dtype: Type of its values.
        nodata: The value of missing pixels, or None.
        descriptions: What each of its N bands holds.
        scales: Factor of each band, with `offsets` from values to what they mean; none by default.
        offsets: Summand of each band, after the factor.
        tags: Metadata of the file.
        tile: Side of a tile in pixels, a multiple of 16.
        units: Unit of each band; none by default.
        colors: Red, green, blue and opacity of each value of the only band; none by default.
        band_tags: Metadata of the first band.
    """

    grid: Grid
    dtype: str
    nodata: float | None
    descriptions: tuple[str, ...]
    scales: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    tile: int = TILE
    units: tuple[str, ...] = ()
    colors: Mapping[int, tuple[int, int, int, int]] = field(default_factory=dict)
    band_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all values before they are compressed."""
        return self.grid.width * self.grid.height * len(self.descriptions) * np.dtype(self.dtype).itemsize

    def tiles(self, grid: Grid) -> tuple[int, int, int]:
        """Returns the number of bands, and of tiles along y and x, of a part of the grid."""
        return len(self.descriptions), math.ceil(grid.height / self.tile), math.ceil(grid.width / self.tile)

    @contextmanager
    def create(self, path: Path, *, empty: bool = False) -> Iterator[DatasetWriter]:
        """Opens a new file of this layout for writing.

        Args:
            path: The file, replaced if it is there.
            empty: Leave out the tiles that nothing is written to.

        Raises:
            InputError: The disk takes no more.
        """
        with disk_errors(path), self._open(path, self.grid, {"sparse_ok": True} if empty else {}) as dataset:
            dataset.descriptions = self.descriptions
            if self.scales:
                dataset.scales, dataset.offsets = self.scales, self.offsets
            if self.units:
                dataset.units = self.units
            if self.colors:
                dataset.write_colormap(1, dict(self.colors))
            dataset.update_tags(**self.tags)
            dataset.update_tags(1, **self.band_tags)
            yield dataset
        # GDAL keeps what a GeoTIFF can't hold in a file beside it.
        path.with_name(f"{path.name}.aux.xml").unlink(missing_ok=True)

    def write_part(self, path: Path, grid: Grid, values: NDArray[np.generic]) -> None:
        """Writes values (N, height, width) of a part of the grid to a file of its own, tiled alike, without metadata.

        Raises:
            InputError: The disk takes no more.
        """
        with disk_errors(path), self._open(path, grid, {}) as dataset:
            dataset.write(values)

    def _open(self, path: Path, grid: Grid, options: Mapping[str, object]) -> DatasetWriter:
        return rasterio.open(
            path,
            "w",
            driver="GTiff",
            crs=grid.crs,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            count=len(self.descriptions),
            dtype=self.dtype,
            nodata=self.nodata,
            photometric="minisblack",  # three bands of bytes are dates or classes, not red, green and blue
            tiled=True,
            blockxsize=self.tile,
            blockysize=self.tile,
            interleave="band",
            compress="deflate",
            zlevel=1,
            predictor=2,
            bigtiff="if_safer",
            num_threads=str(cpu_count()),
            **options,
        )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raises `InputError` for the errors of a disk that takes no more, within its block."""
    try:
        yield
    except (OSError, GdalError) as error:
        raise InputError(
            f"{path} can't be written: {str(error).rstrip('.')}.",
            "Check that the disk has room. Free some space on the disk, or choose another one.",
        ) from error
