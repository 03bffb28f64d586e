"""What QGIS can tell of a series and of a model: by the names of a layer's bands, and by the model's manifest."""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from dataclasses import dataclass

from qgis.core import QgsMapLayer, QgsRasterLayer

from .translation import tr

SENSORS = {"SENTINEL1": "Sentinel-1", "SENTINEL2": "Sentinel-2"}
"""The parameters that take a series, and whose it is."""
STATIC = "STATIC"
"""The parameter that takes rasters without dates."""
_BAND = re.compile(r": (\d{4}-\d{2}-\d{2}) (\S+)$")
"""How QGIS names a band that is described by its date and its name."""
_EXAMPLES = {"SENTINEL1": "2018-05-07 VV", "SENTINEL2": "2018-05-07 B4"}
_OF_THE_OTHER = {"SENTINEL1": re.compile(r"B\d"), "SENTINEL2": re.compile("V[VH]$")}
"""Names of bands that only the other sensor has."""
_RATIO = "VV-VH"
"""The band that the view of a Sentinel-1 series has besides."""
_VIEW = ".vrt"
"""What the name of a view has besides that of its series."""
_LONGEST = 16 << 20
"""Bytes of a manifest that are read."""
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, RuntimeError,
)  # fmt: skip
"""What a file raises that is damaged, or no model."""


@dataclass(frozen=True)
class Contents:
    """What a series holds, or rasters without dates.

    Args:
        dates: The number of its dates, 0 of rasters without.
        bands: The names of the bands of each date.
    """

    dates: int
    bands: tuple[str, ...]

    def __str__(self) -> str:
        return tr("{} dates of {}").format(self.dates, " ".join(self.bands))


def dated_bands(layer: QgsRasterLayer) -> dict[int, re.Match[str]]:
    """Returns the bands that are described by a date and a name, by their numbers: these are the groups of each."""
    found = {number: _BAND.search(name) for number, name in enumerate(_band_names(layer), start=1)}
    return {number: match for number, match in found.items() if match}


def view_of(path: str) -> str:
    """Returns what QGIS is to show of the raster at `path`: the view of a Sentinel-1 series, else itself."""
    view = path + _VIEW
    is_there = os.path.isfile(view) and viewed_series(QgsRasterLayer(view, ""))  # noqa: PTH113
    return view if is_there else path


def viewed_series(layer: QgsMapLayer) -> str:
    """Returns the file of the series whose view a layer is, nothing of any other layer."""
    path = layer.source().split("|")[0]
    if not path.endswith(_VIEW) or not isinstance(layer, QgsRasterLayer):
        return ""
    return path.removesuffix(_VIEW) if any(match[2] == _RATIO for match in dated_bands(layer).values()) else ""


def contents_of_series(layer: QgsRasterLayer) -> Contents:
    """Returns what a layer holds that is a series, or the view of one."""
    found = dated_bands(layer).values()
    bands = dict.fromkeys(match[2] for match in found)
    if viewed_series(layer):
        del bands[_RATIO]
    return Contents(len({match[1] for match in found}), tuple(bands))


def contents_of_model(path: str) -> dict[str, Contents] | None:
    """Returns what a model was trained on, by the names of the parameters, None if the file is no model."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("manifest.json") as file:
            sensors = json.loads(file.read(_LONGEST))["sensors"]
        contents = {one["name"].upper(): Contents(len(one["dates"]), tuple(map(str, one["bands"]))) for one in sensors}
    except _DAMAGE:
        return None
    return contents if contents and contents.keys() <= {*SENSORS, STATIC} else None


def why_no_series(layer: QgsRasterLayer, parameter: str) -> str:
    """Returns why a layer is not the series that a parameter takes, and what to do; nothing if it looks like one."""
    sensor = SENSORS[parameter]
    for name in _band_names(layer):
        found = _BAND.search(name)
        if found is None:
            wrong = tr("'{}' is no series: its band '{}' is not described by a date and a band, such as '{}'.")
            what_to_do = tr("Make a series with the algorithm 'Prepare {} series'.").format(sensor)
            return wrong.format(layer.name(), name, _EXAMPLES[parameter]) + "\n" + what_to_do
        if _OF_THE_OTHER[parameter].match(found[2]):
            wrong = tr("'{}' is no {} series: it has the band '{}'.").format(layer.name(), sensor, name)
            return wrong + "\n" + tr("Choose the series of each sensor in its own place.")
    return ""


def _band_names(layer: QgsRasterLayer) -> list[str]:
    return [layer.bandName(number) for number in range(1, layer.bandCount() + 1)]
