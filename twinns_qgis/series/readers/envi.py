"""ENVI files that tell their bands in the header, of either sensor: by names, or Sentinel-2's by wavelengths.

Format: NV5 Geospatial, "ENVI Header Files": ``band names``, ``wavelength``, ``acquisition time``, ``reflectance scale
factor``, ``data gain values`` and ``data ignore value``. The image is a file beside the header ``NAME.hdr``, of any
suffix or none. Headers that tell no band are left to the readers that know bands by the names of files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place, read_start
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.series.dates import Tags
from twinns_qgis.series.names.days import days_in
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.sensors import SENTINEL2, Layers, Sensor, joined

_SUFFIXES = ("", ".img", ".dat", ".bsq", ".bil", ".bip", ".raw", ".envi", ".bin")
_MOST = 1 << 20
"""Bytes of a header that are read."""
_WAVELENGTH = re.compile(r"\s*\([\d.]+ [A-Za-z]+\)$")
"""What GDAL adds to the name of a band."""
_CENTRES = {
    "B2": 492.4, "B3": 559.8, "B4": 664.6, "B5": 704.1, "B6": 740.5, "B7": 782.8,
    "B8": 832.8, "B8A": 864.7, "B11": 1613.7, "B12": 2202.4,
}  # fmt: skip
"""Nanometres (ESA, "Sentinel-2 Spectral Response Functions"); those of 2A, from which the others' differ by less than
`_NEAR`, but for B12."""
_NEAR = {"B8": 10.0, "B11": 6.0, "B12": 18.0}
_NEAR_OTHERS = 5.0
_LEAST = 3
"""Bands of other sensors have wavelengths of one or two of these too."""


class Envi:
    """Reads what ENVI files hold of a sensor; a reader, see `finding.Reader`.

    Args:
        sensor: The sensor.
    """

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.LOOKED_FOR = f"ENVI files with bands named {sensor.example} in their header"

    def held(self, files: Sequence[File], search: Search) -> list[File]:
        """Returns the images whose header tells bands of the sensor; of images nothing is opened."""
        places = {place(file): file for file in files}
        return [file for file in files if (header := _header(file, places)) and any(self._layers(header))]

    def find(self, files: Sequence[File], search: Search) -> list[Product]:
        """Returns a product for each date and folder.

        Raises:
            InputError: A file has no date, or names a band twice.
        """
        found: list[tuple[Path, date | None, Tags, Layers]] = []
        for file in files:
            with open_raster(file) as dataset:
                header = dataset.tags(ns="ENVI")
                by_day: defaultdict[date | None, Layers] = defaultdict(Layers)
                for index, (name, layer) in enumerate(self._named(header, dataset), start=1):
                    if layer is None:
                        continue
                    layers = by_day[next(iter(days_in(name)), None)]
                    if layer in layers.names:
                        raise InputError(
                            f"{file} names {layer} twice in its header.",
                            "Give the bands of each date in a file of their own, or with the date in their names.",
                        )
                    layers.add(self.sensor, layer, file, dataset, index, name)
                    _scale(layers, layer, header)
                tags = {"ACQUISITION_STARTED": header["acquisition_time"]} if "acquisition_time" in header else {}
                found += [(place(file), day, tags, layers) for day, layers in by_day.items()]
        days = search.dates.of({path: tags for path, day, tags, _ in found if day is None})
        grouped: defaultdict[tuple[Path, date], dict[str, list[Layers]]] = defaultdict(dict)
        for path, day, _, layers in found:
            grouped[path.parent, day or days[path]].setdefault(path.name, []).append(layers)
        return [
            layers.as_product(f"{name} {day}", day)
            for (_, day), by_file in sorted(grouped.items(), key=lambda group: group[0])
            for name, layers in joined(by_file)
        ]

    def _layers(self, header: Mapping[str, str]) -> Iterator[str | None]:
        return (layer for _, layer in self._named(header))

    def _named(
        self, header: Mapping[str, str], dataset: DatasetReader | None = None
    ) -> Iterator[tuple[str, str | None]]:
        """Yields the name of each band, and the layer that it is."""
        names = _list(header.get("band_names", ""))
        if dataset is not None and len(names) != dataset.count:
            names = [_WAVELENGTH.sub("", text or "") for text in dataset.descriptions]
        layers = [self.sensor.layer(name) for name in names]
        if not any(layers) and self.sensor is SENTINEL2:
            layers = _by_wavelength(header)
            names = names if len(names) == len(layers) else [""] * len(layers)
        return zip(names, layers, strict=True)


def _header(file: File, places: Mapping[Path, File]) -> dict[str, str]:
    """Returns the fields of the ENVI header beside a file, by names with underscores; none where there is none."""
    path = place(file)
    if path.suffix.lower() not in _SUFFIXES:
        return {}
    for name in (path.with_suffix(".hdr"), path.with_name(f"{path.name}.hdr")):
        header = places.get(name) or (name if name.is_file() else None)
        if header is not None and header is not file and not isinstance(header, RemoteFile):
            text = read_start(header, _MOST).decode("utf-8", errors="replace")
            if text.lstrip("\ufeff").startswith("ENVI"):
                fields = re.findall(r"^\s*([\w ]+?)\s*=\s*(\{[^}]*\}|.*)", text, re.MULTILINE)
                return {key.lower().replace(" ", "_"): value.strip() for key, value in fields}
    return {}


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.strip().strip("{}").split(",")] if text.strip().strip("{}").strip() else []


def _by_wavelength(header: Mapping[str, str]) -> list[str | None]:
    """Returns Sentinel-2's bands of the wavelengths in a header; none unless each is one, but for those it lacks."""
    try:
        wavelengths = [float(text) for text in _list(header.get("wavelength", ""))]
    except ValueError:
        return []
    if wavelengths and max(wavelengths) < 10:
        wavelengths = [1000 * value for value in wavelengths]  # micrometres
    layers = [
        next(
            (band for band, centre in _CENTRES.items() if abs(value - centre) <= _NEAR.get(band, _NEAR_OTHERS)),
            None,
        )
        for value in wavelengths
    ]
    known = [layer for layer in layers if layer]
    return list(layers) if len(known) == len(layers) >= _LEAST and len(set(known)) == len(known) else []


def _scale(layers: Layers, layer: str, header: Mapping[str, str]) -> None:
    """Sets the factor that a header gives as the number that stands for a reflectance of 1."""
    factor = header.get("reflectance_scale_factor", "")
    try:
        if layer in layers.bands and float(factor) > 0:
            layers.bands[layer] = replace(layers.bands[layer], scale=1 / float(factor))
    except ValueError:
        pass
