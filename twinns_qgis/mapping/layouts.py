"""The rasters of a map: their names, no data values and GeoTIFF layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import rasterio

from twinns_qgis.mapping.styles import rgb
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import OF_CLEAR_DATES

COVER, CONFIDENCE, PROBABILITIES = "map", "confidence", "probabilities"
UNCERTAINTY, SENSOR_CLASSES = "uncertainty", "sensor classes"
"""The rasters that mapping makes."""
AGREE, DISAGREE = 1, 2
"""What the last band of the sensors' classes holds."""
MAP_NODATA = 0
PERCENT_NODATA = 255

TILE = 512

_NAME_TAG = "CLASS_"
_OF_SENSORS = ("class by Sentinel-1", "class by Sentinel-2", f"agreement: {AGREE} yes, {DISAGREE} no")


def cover_layout(grid: Grid, classes: Sequence[LandCoverClass], tags: Mapping[str, str]) -> Layout:
    """Returns the layout of a land cover map.

    The GeoTIFF holds class codes with 0 for no data, the colour table, and the classes' names as tags of the band
    (``CLASS_12`` for code 12).

    Args:
        grid: Its pixel grid.
        classes: The classes.
        tags: Metadata of the file: how it was made.
    """
    # 0 is listed too: GDAL paints codes that have no colour black.
    colors = {MAP_NODATA: (0, 0, 0, 0), **{item.code: (*rgb(item.color), 255) for item in classes}}
    return Layout(
        grid, "uint8", MAP_NODATA, ("land cover",), tags=tags, tile=TILE, colors=colors, band_tags=_names(classes)
    )


def class_names(dataset: rasterio.DatasetReader) -> dict[int, str]:
    """Returns the classes' names by code that `cover_layout` writes into a map; of another raster, none."""
    tags = dataset.tags(1).items()
    names = {key.removeprefix(_NAME_TAG): name for key, name in tags if key.startswith(_NAME_TAG)}
    return {int(code): name for code, name in names.items() if code.isdecimal()}


def percent_layout(grid: Grid, descriptions: Sequence[str], tags: Mapping[str, str]) -> Layout:
    """Returns the layout of a raster of percentages, 0 to 100, no data 255; numbers of clear dates may go with them.

    Args:
        grid: Its pixel grid.
        descriptions: What each of the C bands holds.
        tags: Metadata of the file: how it was made.
    """
    units = tuple("" if name == OF_CLEAR_DATES else "%" for name in descriptions)
    return Layout(grid, "uint8", PERCENT_NODATA, tuple(descriptions), tags=tags, tile=TILE, units=units)


def sensor_classes_layout(grid: Grid, classes: Sequence[LandCoverClass], tags: Mapping[str, str]) -> Layout:
    """Returns the layout of the raster of each sensor's own class, and of whether they agree; no data is 0.

    The classes' names are tags of the first band, as in a map.

    Args:
        grid: Its pixel grid.
        classes: The classes.
        tags: Metadata of the file: how it was made.
    """
    return Layout(grid, "uint8", MAP_NODATA, _OF_SENSORS, tags=tags, tile=TILE, band_tags=_names(classes))


def _names(classes: Sequence[LandCoverClass]) -> dict[str, str]:
    return {f"{_NAME_TAG}{item.code}": item.name for item in classes}
