"""How QGIS shows a series when it is opened: one of its dates, in the colours that the field knows it by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from twinns_qgis.files import kept_beside, whole_file
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.rasters.qgis_style import Stretched, composite_qml, grey_qml, style_path
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.series.series import Series

_COLOURS = (
    ("B4", "B3", "B2"),  # natural colours
    ("B8", "B4", "B3"),  # infrared ones, as of film
    ("VV", "VH", "VV"),
)
"""The bands that are red, green and blue; the first three that a series has."""
_SIDE = 512
"""Pixels of the overview that tells how to stretch the bands, at most, to a side."""
_SHARES = (2, 98)
"""The percentiles of a band that are shown dark and bright."""


def write_series_style(path: Path, day: date) -> None:
    """Writes the style of a series beside it.

    Sentinel-2 is shown in natural colours, Sentinel-1 as VV, VH, VV; one that has not these bands as its first one.

    Args:
        path: The series.
        day: The date to show; of the dates of the series, that which is nearest to it.

    Raises:
        InputError: The series can't be read, or the disk takes no more.
    """
    path = kept_beside(path) or path
    series = Series.open(path)
    shown = min(range(len(series.dates)), key=lambda order: abs(series.dates[order] - day))
    names = next((names for names in _COLOURS if set(names) <= set(series.bands)), series.bands[:1])
    stretched = _stretched(series, shown, names)
    text = composite_qml(*stretched) if len(stretched) == 3 else grey_qml(*stretched)
    style = style_path(path)
    with disk_errors(style), whole_file(style) as partial:
        partial.write_text(text, encoding="utf-8")


def _stretched(series: Series, shown: int, names: Sequence[str]) -> list[Stretched]:
    """Returns the bands of a date, with the percentiles of their values in reflectance or decibels."""
    orders = [series.bands.index(name) for name in names]
    numbers = [shown * len(series.bands) + order + 1 for order in orders]
    with open_raster(series.path) as dataset:
        shape = tuple(min(side, _SIDE) for side in dataset.shape)
        values = read_bands(dataset, indexes=numbers, out_shape=(len(numbers), *shape))
    stretched = []
    for number, order, raw in zip(numbers, orders, values, strict=True):
        seen = raw[(raw != series.nodata) & ~np.isnan(raw)]
        dark, bright = np.percentile(seen, _SHARES) if seen.size else (0, 1)
        scale, offset = series.scale[order], series.offset[order]
        stretched.append(Stretched(number, float(dark * scale + offset), float(bright * scale + offset)))
    return stretched
