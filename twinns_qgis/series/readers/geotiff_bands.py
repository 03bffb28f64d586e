"""How the numbers of rasters that aren't an agency's products become reflectance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath

import numpy as np
from rasterio.io import DatasetReader

from twinns_qgis.rasters.archives import File
from twinns_qgis.series.names import origin
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.offset import SINCE, Offset, of_baseline

_SCALE = 0.0001
_OF_LANDSAT = {"uint16": (0.0000275, -0.2), "int16": (_SCALE, 0.0)}
"""Scale and offset of Landsat's collections 2 (USGS, "Landsat Collection 2 Level 2 Science Product Guide") and 1, by
the type of their numbers."""
_HIGHEST_OF_BROWSER = {"uint8": 255, "uint16": 65535}


def band_source(file: File, dataset: DatasetReader, index: int) -> BandSource:
    """Returns a band of an open file, with what turns its values into reflectance.

    The scale and offset that the file declares count, else whole numbers are reflectance times 10 000. Where unsigned
    numbers have no declared no data value it is 0, as in all products of Sentinel-2.
    """
    scale, offset = dataset.scales[index - 1], dataset.offsets[index - 1]
    kind = np.dtype(dataset.dtypes[index - 1]).kind
    if (scale, offset) == (1.0, 0.0) and kind in "iu":
        scale = _SCALE
    return BandSource(
        file, index, scale, offset, nodata=0 if kind == "u" and dataset.nodatavals[index - 1] is None else None
    )


def highest_of_raw(path: PurePath, dtype: str) -> int:
    """Returns what 1 is in a raw band that EO Browser or the Copernicus Browser downloaded; 1 for all other files."""
    return _HIGHEST_OF_BROWSER.get(dtype, 1) if origin.is_raw_of_browser(path) else 1


@dataclass(frozen=True)
class Numbers:
    """The numbers of a file's band, and what its path says of them.

    Args:
        source: The band, as `band_source` has it.
        dtype: The type of its values, as numpy names it.
        declared: Whether the file declares a scale or an offset.
        path: The part of its path whose names may tell something.
        single: Whether it is a file of one band, named by the file's name, as the files in products are. Files of
            several bands are exports, and programs may have taken off the offset that a baseline in their name tells.
    """

    source: BandSource
    dtype: str
    declared: bool
    path: PurePath
    single: bool

    @classmethod
    def of(cls, file: File, dataset: DatasetReader, index: int, path: PurePath, *, single: bool) -> Numbers:
        """Returns the numbers of a band of an open file."""
        declared = (dataset.scales[index - 1], dataset.offsets[index - 1]) != (1.0, 0.0)
        return cls(band_source(file, dataset, index), dataset.dtypes[index - 1], declared, path, single)

    def as_reflectance(self, day: date, offset: Offset | None) -> BandSource | None:
        """Returns the band, with what turns its numbers into reflectance; None if its offset can't be known.

        Args:
            day: The day of acquisition.
            offset: What the user says is to be added where nothing tells it.
        """
        if self.declared or np.dtype(self.dtype).kind not in "iu":
            return self.source
        if (highest := highest_of_raw(self.path, self.dtype)) > 1:
            return replace(self.source, scale=1 / highest)
        sensor = origin.sensor_of(self.path)
        if sensor in (origin.OLI, origin.TM) and self.dtype in _OF_LANDSAT:
            scale, summand = _OF_LANDSAT[self.dtype]
            return replace(self.source, scale=scale, offset=summand)
        number = self._offset(day, offset)
        return None if number is None else replace(self.source, offset=number * _SCALE)

    def told_by_date(self, offset: Offset | None) -> bool:
        """Whether nothing but the day of acquisition tells the offset of a file of one band."""
        return self.single and offset is None and self.as_reflectance(SINCE, None) is None

    def _offset(self, day: date, given: Offset | None) -> float | None:
        """Returns what is to be added to the numbers; None if nothing tells it."""
        if origin.is_without_offset(self.path):
            return 0.0
        told = of_baseline(baseline) if (baseline := origin.baseline_of(self.path)) else None
        if told == 0 or (told and self.single):
            return told
        if given:
            return given.on(day)
        return 0.0 if day < SINCE else None
