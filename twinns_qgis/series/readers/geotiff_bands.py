"""What GeoTIFFs that aren't an agency's products tell of their bands."""

from __future__ import annotations

import re

import numpy as np
from rasterio.io import DatasetReader

from twinns_qgis.rasters.archives import File
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.series import SENTINEL2_BANDS

_BAND = re.compile(r"B0?(\d{1,2}A?)", re.IGNORECASE)


def band_name(text: str) -> str | None:
    """Returns the band that a text such as ``B02``, ``B2`` or ``b8a`` names; None if it names none."""
    match = _BAND.fullmatch(text)
    name = f"B{match[1].upper()}" if match else None
    return name if name in SENTINEL2_BANDS else None


def band_source(file: File, dataset: DatasetReader, index: int) -> BandSource:
    """Returns a band of an open file, with what turns its values into reflectance.

    The scale and offset that the file declares count, else whole numbers are reflectance times 10 000. Where unsigned
    numbers have no declared no data value it is 0, as in all products of Sentinel-2.
    """
    scale, offset = dataset.scales[index - 1], dataset.offsets[index - 1]
    kind = np.dtype(dataset.dtypes[index - 1]).kind
    if (scale, offset) == (1.0, 0.0) and kind in "iu":
        scale = 0.0001
    return BandSource(
        file, index, scale, offset, nodata=0 if kind == "u" and dataset.nodatavals[index - 1] is None else None
    )
