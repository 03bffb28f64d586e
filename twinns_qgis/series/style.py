"""How QGIS shows a series when it is opened: one of its dates, in the colours that the field knows it by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.files import kept_beside, whole_file
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.rasters.qgis_style import Stretched, composite_qml, grey_qml, style_path
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.series.ratio_view import VIEWED_BANDS, remove_ratio_view, write_ratio_view
from twinns_qgis.series.series import SENTINEL1_BANDS, Series

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
    """Writes the style of a series beside it, and of Sentinel-1 the view as VV, VH and VV - VH.

    Sentinel-2 is shown in natural colours, Sentinel-1 itself as VV, VH, VV; a series that has not these bands as its
    first one.

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
    values = dict(zip(names, _overviews(series, shown, names), strict=True))
    first = shown * len(series.bands) + 1
    _write_style(path, [_stretched(first + series.bands.index(name), values[name]) for name in names])
    if not set(SENTINEL1_BANDS) <= set(series.bands):
        remove_ratio_view(path)
    elif view := write_ratio_view(series):
        vv, vh = (values[name] for name in SENTINEL1_BANDS)
        first = shown * len(VIEWED_BANDS) + 1
        _write_style(view, [_stretched(first + order, seen) for order, seen in enumerate((vv, vh, vv - vh))])


def _write_style(path: Path, bands: Sequence[Stretched]) -> None:
    style = style_path(path)
    with disk_errors(style), whole_file(style) as partial:
        partial.write_text(composite_qml(*bands) if len(bands) == 3 else grey_qml(*bands), encoding="utf-8")


def _overviews(series: Series, shown: int, names: Sequence[str]) -> NDArray[np.float64]:
    """Returns bands of a date, made smaller, in reflectance or decibels, NaN where missing."""
    orders = [series.bands.index(name) for name in names]
    numbers = [shown * len(series.bands) + order + 1 for order in orders]
    with open_raster(series.path) as dataset:
        shape = tuple(min(side, _SIDE) for side in dataset.shape)
        raw = read_bands(dataset, indexes=numbers, out_shape=(len(numbers), *shape))
    scale, offset = (np.array(one)[orders, None, None] for one in (series.scale, series.offset))
    return np.where(series.missing(raw), np.nan, raw * scale + offset)


def _stretched(number: int, values: NDArray[np.float64]) -> Stretched:
    """Returns a band with the percentiles of its values."""
    seen = values[~np.isnan(values)]
    dark, bright = np.percentile(seen, _SHARES) if seen.size else (0, 1)
    return Stretched(number, float(dark), float(bright))
