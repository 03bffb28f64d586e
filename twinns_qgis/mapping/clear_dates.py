"""How often each pixel was seen: the raster beside a Sentinel-2 series, which goes with the uncertainty of a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.layouts import PERCENT_NODATA
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.series.products.band_source import BandSource

_MANY = PERCENT_NODATA - 1
"""The largest number that is told: bands of a raster have one type, and one value for no data."""


@dataclass(frozen=True)
class ClearDates:
    """A raster of the number of clear dates.

    Args:
        path: The raster.
        grid: Its pixel grid.
        nodata: Its value of missing pixels, or None.
    """

    path: Path = field(compare=False)
    grid: Grid
    nodata: float | None

    @classmethod
    def open(cls, path: Path, area: Grid) -> ClearDates:
        """Reads the description of a raster, and checks that it can tell the clear dates of a map.

        Args:
            path: The raster.
            area: The grid of the map.

        Raises:
            InputError: It can't be read, has several bands, or lies elsewhere.
        """
        with open_raster(path) as dataset:
            if dataset.count != 1:
                raise InputError(
                    f"VALIDITY, {path}, has {dataset.count} bands; the number of clear dates is a single one.",
                    "Give the raster that Prepare Sentinel-2 series wrote as VALIDITY, not the series.",
                )
            found = cls(path, Grid.of(dataset), dataset.nodata)
        if source_window(found.grid, area) is None:
            raise InputError(
                f"VALIDITY, {path}, does not overlap the map: it has {found.grid}, the map {area}.",
                "Give the raster that was written with the Sentinel-2 series.",
            )
        return found

    def read(self, block: Grid) -> NDArray[np.uint8]:
        """Returns the numbers on a block of the map, shape (height, width): at most 254, and 255 where not known.

        Each is that of the nearest pixel, if the raster has another grid.

        Raises:
            InputError: The raster can't be read.
        """
        with open_raster(self.path) as dataset:
            found = BandSource(self.path).read({self.path: dataset}, block, Resampling.nearest)
        return np.where(np.isfinite(found), np.clip(found, 0, _MANY), PERCENT_NODATA).astype(np.uint8)
