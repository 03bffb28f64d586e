"""What a raster holds of Sentinel-2: bands and masks of each date, by their descriptions or by names in its path."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePath

from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import describes, is_alpha, open_raster
from twinns_qgis.series.dates import Tags, day_described
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.names import origin
from twinns_qgis.series.names.days import days_in
from twinns_qgis.series.names.layers import (
    HLS_L30,
    LANDSAT_OLI,
    LANDSAT_TM,
    SENTINEL2,
    code_in,
    has_code,
    is_of_no_series,
    layer_described,
    layers_in,
    without_layer,
)
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.product import MaskSource
from twinns_qgis.series.readers.geotiff_bands import Numbers
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.series import OF_CLEAR_DATES, SENTINEL2_BANDS

CODES = {origin.HLS_L30: HLS_L30, origin.OLI: LANDSAT_OLI, origin.TM: LANDSAT_TM}
"""Codes of bands of other sensors that make a series."""
_IN_SERIES = re.compile(r"\d{4}-\d{2}-\d{2} (?:B[1-9]\d*A?|(?P<radar>VV|VH))")
"""How the bands of a series are described that was prepared before."""
_TYPE_OF_SERIES = "int16"
_LEVELS = ("2A", None)
_BROAD, _NIR = re.compile(r"broad_?nir", re.IGNORECASE), re.compile(r"(?<![A-Z])(?<!broad_)nir(?![A-Z0-9])", re.I)
"""FORCE calls B8 broad and B8A the near infrared."""
_UNCLEAR = ("MASK", "FMASK")
"""Masks that mean this here and that there: a band that is described so counts where CLEAR names it."""
_DATA_MASK = re.compile(r"data_?mask|dm", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Piece:
    """What a file holds of one date; of a file that is no stack, `day` is told by its metadata or name."""

    file: File
    path: PurePath
    day: date | None
    tags: Tags
    grid: Grid
    bands: dict[str, Numbers]
    masks: dict[str, MaskSource]
    single: bool

    @property
    def layers(self) -> frozenset[str]:
        """Its bands and masks."""
        return frozenset(self.bands) | frozenset(self.masks)

    @cached_property
    def acquisition(self) -> str:
        """What is the same in the paths of all files of an acquisition."""
        return without_layer(self.path) if self.single else str(self.path)


def is_layer(description: str) -> bool:
    """Whether a description names a band or mask that this reader knows."""
    return _layer(description) is not None


def is_name(text: str) -> bool:
    """Whether a text is a name of a band, also of one that no series has."""
    return is_layer(text) or code_in(text) is not None


def has_bands(file: File) -> bool:
    """Whether a raster describes bands or masks that this reader knows; one that can't be read does not."""
    return describes(file, is_layer)


def _is_series(dataset: DatasetReader) -> bool:
    matches = [_IN_SERIES.fullmatch(description or "") for description in dataset.descriptions]
    if not all(matches):
        return False
    return dataset.dtypes[0] == _TYPE_OF_SERIES or all(match and match["radar"] for match in matches)


def describe(file: File, search: Search) -> list[Piece]:
    """Returns what a file holds of each date; nothing if it holds no band that is known, or is an output of ours."""
    path = search.path_of(file)
    expected = search.chosen or is_geotiff(file) or _layers_of(path, search)
    if not expected and not _can_be_read(file):
        search.unrecognised[file] = "can't be read as a raster"
        return []
    with open_raster(file) as dataset:
        if _is_series(dataset) or dataset.descriptions == (OF_CLEAR_DATES,):
            search.finished.append(file)
            return []
        given = search.bands.of(file, dataset.descriptions, is_layer)
        layers = _described(file, given, search) or _named(file, path, dataset, search)
        by_user = any(name and name != own for name, own in zip(given, dataset.descriptions, strict=True))
        names = _layers_of(path, search) if len(_shown(dataset)) == 1 and not by_user else ()
        found = [_piece(file, path, dataset, day, of_day, bool(names)) for day, of_day in layers.items()]
    if reason := _unfit(found, names, search) if found else "":
        search.pass_over([file], reason)
        return []
    return found


def _can_be_read(file: File) -> bool:
    """Whether GDAL can open a file: endings such as .img are those of other things than rasters, too."""
    try:
        with open_raster(file):
            return True
    except InputError:
        return False


def _unfit(pieces: Sequence[Piece], names: Sequence[str], search: Search) -> str:
    """Returns why a file whose bands are known can't be used; an empty text if it can."""
    path, layers = pieces[0].path, pieces[0].layers
    if len(names) == 1 and len(pieces) == 1 and layers.isdisjoint(names):
        return f"{' and '.join(layers)} by its description, {names[0]} by its name; rename it, or name it as BANDS"
    if (level := origin.level_of(path)) not in _LEVELS:
        return f"of level {level} by its name; level 2A is expected"
    reflectance = origin.reflectance_of_theia(path)
    if reflectance not in (None, search.options.reflectance):
        return f"{reflectance}, where REFLECTANCE is {search.options.reflectance}"
    return ""


def _described(file: File, descriptions: Sequence[str], search: Search) -> dict[date | None, dict[str, int]]:
    """Returns the bands of each date by their descriptions.

    Raises:
        InputError: A band is there twice.
    """
    layers: defaultdict[date | None, dict[str, int]] = defaultdict(dict)
    broad = any(_BROAD.search(description) for description in descriptions)
    for index, description in enumerate(descriptions, start=1):
        name = _layer(_NIR.sub("nir08", description) if broad else description)
        day = day_described(file, index, description) if name else None
        if name in _UNCLEAR and name not in search.options.clear:
            continue
        if name and layers[day].setdefault(name, index) != index:
            raise InputError(
                f"{file}: the bands {layers[day][name]} and {index} are both described {name}"
                f"{f' of {day}' if day else ''}.",
                "A file holds each band once; or, as a stack of dates, each description holds a date too, such as "
                "20180305_B02. Split the file by its dates, or name its bands in a table, as BANDS.",
            )
    return {day: of_day for day, of_day in layers.items() if of_day}


def _named(file: File, path: PurePath, dataset: DatasetReader, search: Search) -> dict[date | None, dict[str, int]]:
    """Returns the bands that the file's name tells; nothing if it tells none, or several, and notes why."""
    sensor = origin.sensor_of(path)
    of_sen2r = origin.bands_of_sen2r(path)
    if len(of_sen2r) == dataset.count:
        return {None: {name: index for index, name in enumerate(of_sen2r, start=1) if name in SENTINEL2_BANDS}}
    shown = _shown(dataset)
    names = _layers_of(path, search) if len(shown) == 1 else ()
    if len(names) > 1:
        search.pass_over(
            [file], f"either {' or '.join(names)} by its name; rename it, or name its band in a table, as BANDS"
        )
    elif names and (sensor == origin.OTHER or origin.is_landsat_of_others(path)):
        search.pass_over([file], "named like a band, but of another sensor")
    elif names and not (has_code(path.stem) or search.dates.find(place(file), dataset.tags())):
        search.unrecognised[file] = f"{names[0]} by its name, but nothing tells a date"
    elif names:
        return {None: {names[0]: shown[0]}}
    elif search.chosen or not is_of_no_series(path.stem):
        count = dataset.count
        search.unrecognised[file] = (
            f"{count} band{'' if count == 1 else 's'}, not described as Sentinel-2's, or cut short; which band is "
            "which is never guessed: name them in their order as BANDS, such as B2,B3,B4,B8"
        )
    return {}


def _shown(dataset: DatasetReader) -> list[int]:
    """Returns the numbers of the bands that are no alpha band and no mask of where there are data."""
    described = zip(dataset.indexes, dataset.descriptions, strict=True)
    return [
        index
        for index, description in described
        if not is_alpha(dataset, index) and not _DATA_MASK.fullmatch(description or "")
    ]


def _layers_of(path: PurePath, search: Search) -> tuple[str, ...]:
    """Returns the bands and masks that a path may name, by the file's name, else by a folder that is named so alone."""
    codes = CODES.get(origin.sensor_of(path) or "", SENTINEL2)
    if named := layers_in(path.stem, codes):
        return _with_kind_of_mask(named, path, search)
    if is_of_no_series(path.stem):
        return ()
    folders = (layer_described(part) for part in path.parts[-2::-1])
    return tuple(folder for folder in folders if folder)[:1]


def _with_kind_of_mask(named: tuple[str, ...], path: PurePath, search: Search) -> tuple[str, ...]:
    """Returns the names with that of the mask as its writer means it, as far as path or user tell it."""
    of_hls = origin.sensor_of(path) in (origin.HLS_S30, origin.HLS_L30)
    if named == ("FMASK",) and not of_hls and "FMASK" not in search.options.clear:
        return ("OA_FMASK",) if "oa_fmask" in path.stem.lower() else ("FMASK of HLS", "another program's Fmask")
    return named


def _layer(description: str) -> str | None:
    """Returns the only band or mask that a description names; with a date beside it, whatever else it says."""
    if not days_in(description):
        return layer_described(description)
    layers = layers_in(description)
    return layers[0] if len(layers) == 1 else None


def _piece(
    file: File, path: PurePath, dataset: DatasetReader, day: date | None, layers: Mapping[str, int], single: bool
) -> Piece:
    bands = {
        name: Numbers.of(file, dataset, index, path, single=single)
        for name, index in layers.items()
        if name in SENTINEL2_BANDS
    }
    masks = {name: mask_source(file, index, name) for name, index in layers.items() if name not in bands}
    return Piece(file, path, day, dataset.tags(), Grid.of(dataset), bands, masks, single)
