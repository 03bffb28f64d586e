"""SNAP's own format, BEAM-DIMAP: ``NAME.dim``, which describes, and ``NAME.data`` with an ENVI file a band.

Format: SNAP, "BEAM-DIMAP data format" (snap-core, ``DimapProductConstants``): value = raw * SCALING_FACTOR +
SCALING_OFFSET, and NO_DATA_VALUE is of the raw numbers where NO_DATA_VALUE_USED. Calibrated bands are named
``Sigma0_VV`` and ``Gamma0_VH`` and are linear power, with ``_db`` decibels; those of a stack have their date at the
end, ``Sigma0_VV_slv1_27Mar2018``. Sentinel-2's bands are ``B2`` ... ``B12`` and ``quality_scene_classification``.

Without the ``.dim`` what the ENVI headers and the names tell is read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element  # nosec B405

import numpy as np
from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.files import crs_of
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.series.dates import Tags
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.products.offset import SINCE, Offset
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.backscatter_metadata import orbit_of
from twinns_qgis.series.readers.product_folder import Metadata, read_metadata
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.sensors import SENSORS, SENTINEL1, SENTINEL2, Layers, Sensor

_UNCALIBRATED = re.compile(r"(Intensity|Amplitude|Phase|Beta0|[iq])_", re.IGNORECASE)
_CALIBRATED = re.compile(r"(Sigma0|Gamma0)_", re.IGNORECASE)
_DECIBELS = re.compile(r"_db(?![A-Za-z0-9])", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)(\d{1,2})-?([A-Z]{3})-?(\d{4})(?!\d)", re.IGNORECASE)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LEVEL_1 = re.compile(r"Level-1|MSIL1C", re.IGNORECASE)
_BASELINE_OF_OFFSET = 4.0


class Dimap:
    """Reads what SNAP's products hold of a sensor; a reader, see `finding.Reader`.

    Args:
        sensor: The sensor.
    """

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        bands = "B2.img, ..." if sensor is SENTINEL2 else "Sigma0_VV.img or Gamma0_VV.img, ..."
        self.LOOKED_FOR = f"SNAP's products NAME.dim and NAME.data with {bands}"

    def held(self, files: Sequence[File], search: Search) -> list[File]:
        """Returns what is in folders ``NAME.data`` whose images are described or named as SNAP does, and the ``.dim``.

        GeoTIFFs in such a folder are none of SNAP's.
        """
        places = {place(file) for file in files}
        folders: defaultdict[Path, list[File]] = defaultdict(list)
        for file in files:
            if (folder := _data_folder(place(file))) and not is_geotiff(file):
                folders[folder].append(file)
        snaps = {
            folder: inside
            for folder, inside in folders.items()
            if folder.with_suffix(".dim") in places or any(_is_image(file) and _is_known(file) for file in inside)
        }
        described = {folder.with_suffix(".dim") for folder in snaps}
        dims = [file for file in files if place(file).suffix.lower() == ".dim"]
        return [
            *(file for inside in snaps.values() for file in inside),
            *(file for file in dims if search.chosen or place(file) in described),
        ]

    def find(self, files: Sequence[File], search: Search) -> list[Product]:
        """Returns a product for each folder, and for each date of a stack.

        Raises:
            InputError: A product has no date, lies in the geometry of the radar, or has two bands of one kind.
        """
        folders: defaultdict[Path, list[File]] = defaultdict(list)
        for file in _with_images(files):
            if _is_image(file):
                folders[place(file).parent].append(file)
        described = {place(file): file for file in files}
        products: list[Product] = []
        for folder, images in sorted(folders.items()):
            description = folder.with_suffix(".dim")
            dim = described.get(description) or (description if description.is_file() else None)
            products += self._products(folder, images, _Dim.read(dim) if dim else _Dim(), search)
        return products

    def _products(self, folder: Path, images: Sequence[File], dim: _Dim, search: Search) -> list[Product]:
        if self.sensor is SENTINEL2 and (_LEVEL_1.search(dim.kind) or _LEVEL_1.search(folder.name)):
            search.pass_over(images, "of level 1C, which is not corrected for the atmosphere: level 2A is expected")
            return []
        by_day: defaultdict[date | None, dict[str, _Image]] = defaultdict(dict)
        for file in images:
            name = place(file).stem
            day, layer = _day(name), self.sensor.layer(_DAY.sub("", name))
            if layer is None:
                continue
            if self.sensor is SENTINEL1 and _UNCALIBRATED.match(name):
                search.pass_over(
                    [file], "not calibrated, by its name: run Calibration in SNAP, then Terrain-Correction"
                )
                continue
            image = _Image(file, name, dim.bands.get(name, {}))
            other = by_day[day].get(layer)
            by_day[day][layer] = image if other is None else _preferred(other, image)
        if not by_day:
            if not any(map(_is_known, images)):
                search.unrecognised.update(dict.fromkeys(images, "no band of SNAP's that is known, by its name"))
            return []
        named = folder.with_suffix("")
        orbit = orbit_of(named, dim.tags)
        products = []
        for day, of_day in by_day.items():
            if day is None:
                name, taken = named.name, search.dates.of({named: dim.tags})[named]
            else:
                name, taken = f"{named.name} {day:%Y%m%d}", day
            layers = Layers()
            for layer, image in of_day.items():
                self._add(layers, layer, image, dim, taken, search)
            products.append(replace(layers.as_product(name, taken), orbit=orbit, writer="SNAP"))
        return products

    def _add(self, layers: Layers, layer: str, image: _Image, dim: _Dim, day: date, search: Search) -> None:
        with open_raster(image.file) as dataset:
            if dataset.crs is None and dataset.transform.is_identity:
                raise InputError(
                    f"{image.file} has no place on the map: it lies in the geometry of the sensor.",
                    "Run Terrain-Correction in SNAP (Sentinel-1), or Resampling and Reprojection (Sentinel-2).",
                )
            file = _with_crs(image.file, dataset, dim)
            layers.add(self.sensor, layer, file, dataset, 1, image.name)
            if layer in layers.bands:
                source = layers.bands[layer]
                if image.described:
                    scale, offset, nodata = _numbers(image)
                    source = replace(source, scale=scale, offset=offset, nodata=nodata)
                if self.sensor is SENTINEL1:
                    source = replace(source, units=_units(image) or source.units)
                elif np.dtype(dataset.dtypes[0]).kind in "iu" and source.offset == 0:
                    offset = _offset(image, dim, day, search.options.offset)
                    source = replace(source, offset=offset * source.scale)
                layers.bands[layer] = source


@dataclass(frozen=True)
class _Image:
    """A band's file, its name, and what the ``.dim`` says of it by the names of elements."""

    file: File
    name: str
    described: Mapping[str, str]


@dataclass(frozen=True)
class _Dim:
    """What a ``.dim`` tells.

    Args:
        kind: The type of the product.
        tags: Day and orbit, as `dates` and `backscatter_metadata` look for them.
        bands: What is said of each band, by the stem of its file and the name of the element.
        crs: Its CRS, as WKT.
        added: What level 2A adds to the numbers, by the metadata of ESA that it keeps; None where they are gone.
    """

    kind: str = ""
    tags: Tags = field(default_factory=dict)
    bands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    crs: str = ""
    added: float | None = None

    @classmethod
    def read(cls, file: File) -> _Dim:
        """Reads a ``.dim``.

        Raises:
            InputError: It is no XML.
        """
        metadata = read_metadata(file)
        attributes = {name: text for name, text in map(_attribute, metadata.elements("MDATTR")[::-1]) if text}
        started = (_first(metadata, "PRODUCT_SCENE_RASTER_START_TIME"), attributes.get("first_line_time", ""))
        day = next((found for text in started if (found := _day(text))), None)
        tags = {"ORBIT_DIRECTION": attributes.get("PASS", ""), "RELATIVE_ORBIT_NUMBER": attributes.get("REL_ORBIT", "")}
        if day:
            tags["ACQUISITION_STARTED"] = day.isoformat()
        files = {
            _child(element, "BAND_INDEX"): PurePosixPath(link.get("href", "")).stem
            for element in metadata.elements("Data_File")
            for link in element.iter("DATA_FILE_PATH")
        }
        bands = {
            files.get(_child(element, "BAND_INDEX"), _child(element, "BAND_NAME")): {
                child.tag: (child.text or "").strip() for child in element
            }
            for element in metadata.elements("Spectral_Band_Info")
        }
        return cls(_first(metadata, "PRODUCT_TYPE"), tags, bands, _first(metadata, "WKT"), _added(attributes))


def _added(attributes: Mapping[str, str]) -> float | None:
    try:
        if float(attributes["PROCESSING_BASELINE"]) < _BASELINE_OF_OFFSET:
            return 0.0
        return float(attributes["BOA_ADD_OFFSET"])
    except (KeyError, ValueError):
        return None


def _is_image(file: File) -> bool:
    return place(file).suffix.lower() == ".img" and _data_folder(place(file)) == place(file).parent


def _is_known(file: File) -> bool:
    return any(sensor.layer(_DAY.sub("", place(file).stem)) for sensor in SENSORS)


def _data_folder(path: Path) -> Path | None:
    return next((parent for parent in path.parents if parent.suffix.lower() == ".data"), None)


def _with_images(files: Sequence[File]) -> list[File]:
    """Returns files, with the images of each ``.dim`` that was named without them."""
    found = list(files)
    for file in files:
        folder = place(file).with_suffix(".data")
        if isinstance(file, Path) and file.suffix.lower() == ".dim" and folder.is_dir():
            found += [path for path in sorted(folder.iterdir()) if path not in found]
    return found


def _preferred(one: _Image, other: _Image) -> _Image:
    """Returns the image of power, where both are the same but for the other being in decibels.

    Raises:
        InputError: They differ in more.
    """
    for image, its_decibels in ((one, other), (other, one)):
        if _DECIBELS.sub("", its_decibels.name) == image.name:
            return image
    raise InputError(
        f"{one.file} and {other.file} are two images of one product and polarisation.",
        "Keep one of them, such as with BandSelect in SNAP, or give the files that are wanted as LAYERS.",
    )


def _with_crs(file: File, dataset: DatasetReader, dim: _Dim) -> File:
    """Returns a file with the CRS of the ``.dim`` where its own header has none."""
    known = dataset.crs is not None and (dataset.crs.is_projected or dataset.crs.is_geographic)
    if not known and dim.crs and isinstance(file, Path) and crs_of(file) is None:
        return Path(f"{file}|crs={' '.join(dim.crs.split())}")
    return file


def _numbers(image: _Image) -> tuple[float, float, float | None]:
    """Returns scale, offset and no data of the raw numbers.

    Raises:
        InputError: They are logarithms, or no numbers.
    """
    of = image.described
    if of.get("LOG10_SCALED", "false").lower() == "true":
        raise InputError(
            f"{image.file} holds logarithms (LOG10_SCALED in the .dim), which are not read.",
            "Write the band anew in SNAP, such as with Band Maths.",
        )
    try:
        nodata = float(of["NO_DATA_VALUE"]) if of.get("NO_DATA_VALUE_USED", "").lower() == "true" else None
        return float(of.get("SCALING_FACTOR") or 1), float(of.get("SCALING_OFFSET") or 0), nodata
    except (KeyError, ValueError) as error:
        raise InputError(
            f"The .dim beside {image.file} has no number where one is expected: {error}.", "Write it anew in SNAP."
        ) from error


def _units(image: _Image) -> str | None:
    calibrated, unit = _CALIBRATED.match(image.name), image.described.get("PHYSICAL_UNIT", "").lower()
    if _DECIBELS.search(image.name) or unit in ("db", "intensity_db"):
        return "dB"
    if unit == "amplitude":
        return "amplitude"
    return "power" if calibrated or unit == "intensity" else None


def _offset(image: _Image, dim: _Dim, day: date, given: Offset | None) -> float:
    """Returns what is to be added to whole numbers of reflectance for which SNAP wrote no offset.

    Raises:
        InputError: Nothing tells it.
    """
    if dim.added is not None:
        return dim.added
    if given is not None:
        return given.on(day)
    if day < SINCE:
        return 0.0
    raise InputError(
        f"{image.file} is of {day}, and no .dim with ESA's metadata tells whether 1000 is to be subtracted from its "
        f"numbers, as it is from most since {SINCE}.",
        "Give OFFSET: -1000 if it is to be subtracted, else 0. Or put the .dim beside the folder .data, or write the "
        "product anew in SNAP 9 or later, with its metadata.",
    )


def _day(text: str) -> date | None:
    """Returns the first date in a text as SNAP writes it, 15-MAR-2018 or 15Mar2018."""
    for match in _DAY.finditer(text):
        if match[2].upper() in _MONTHS:
            try:
                return date(int(match[3]), _MONTHS.index(match[2].upper()) + 1, int(match[1]))
            except ValueError:
                continue
    return None


def _attribute(element: Element) -> tuple[str, str]:
    return element.get("name", ""), (element.text or "").strip()


def _first(metadata: Metadata, name: str) -> str:
    return next(iter(metadata.values(name)), "")


def _child(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
