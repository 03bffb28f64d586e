"""Sentinel-2 as rasters whose bands are named: by their descriptions, or by the names of files and folders.

So are the files of products copied out of an archive, what clouds, browsers and scripts export, patches of benchmark
archives, and WorldCereal's archives. `names` says how bands, masks and dates are written. A file of one band is named
by its own name, ``T31UES_20180305T105421_B04_10m.jp2``, or its folder's, ``B04/20180305.tif``. In a file of several
bands each has a description; with a date beside the band (``20180305_B02``) the file is a stack of several dates.

WorldCereal's MASK: in 21 of its images of the tile 36MXB it is 1 where the blue reflectance is that of land, in the
median 0.04, and 0 where it is that of clouds, from 0.1 to 1.0. So 1 is clear.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path, PurePath

from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import is_alpha, open_raster
from twinns_qgis.series.dates import day_described
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
)
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.offset import SINCE
from twinns_qgis.series.products.product import MaskSource, Product
from twinns_qgis.series.readers.acquisitions import Acquisition, Piece, acquisitions_of, name_of, products_of
from twinns_qgis.series.readers.geotiff_bands import Numbers
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.series import SENTINEL2_BANDS

LOOKED_FOR = (
    "rasters of one band each, named as in T31UES_20180305T105421_B02_10m.tif, 20180305/red.tif, ..._SCL.tif or "
    "..._CLM.tif; rasters with bands described B02, B03, ... B12 and, if there is a mask, SCL or CLM"
)

_OTHER_RASTERS = (".jp2", ".img")
_IN_SERIES = re.compile(r"\d{4}-\d{2}-\d{2} (?:B[1-9]\d*A?|(?P<radar>VV|VH))")
"""How the bands of a series are described that was prepared before."""
_TYPE_OF_SERIES = "int16"
_CODES = {origin.HLS_L30: HLS_L30, origin.OLI: LANDSAT_OLI, origin.TM: LANDSAT_TM}
_LEVELS = ("2A", None)
_WEAK_MASKS = ("QA60", "CLDPRB", "CLP")
"""Masks that count where there is no other: other masks are made from these, by more tests."""
_BROAD, _NIR = re.compile(r"broad_?nir", re.IGNORECASE), re.compile(r"(?<![A-Z])(?<!broad_)nir(?![A-Z0-9])", re.I)
"""FORCE calls B8 broad and B8A the near infrared."""
_UNCLEAR = ("MASK", "FMASK")
"""Masks that mean this here and that there: a band that is described so counts where CLEAR names it."""
_DATA_MASK = re.compile(r"data_?mask|dm", re.IGNORECASE)


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the rasters, of archives those that were not unpacked as well: with their folder, beside the archive.

    Of files named one by one all are held, whatever their names.
    """
    if search.chosen:
        return list(files)
    unpacked = {file.parts[-2:] for file in files if isinstance(file, Path)}
    return [
        file
        for file in files
        if (is_geotiff(file) or place(file).suffix.lower() in _OTHER_RASTERS)
        and (isinstance(file, Path) or place(file).parts[-2:] not in unpacked)
    ]


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their dates; files without a known band are passed over.

    Raises:
        InputError: A file can't be read or has no date, or two files hold the same band of one date and place.
    """
    pieces = _of_level_2a([piece for file in files for piece in _describe(file, search)], search)
    pieces = _of_one_sensor(pieces, search)
    days = search.dates.of({place(piece.file): piece.tags for piece in pieces if piece.day is None})
    by_day: defaultdict[date, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_day[piece.day or days[place(piece.file)]].append(piece)
    _tell_of_reprocessed(by_day, search)
    unknown: dict[File, None] = {}
    products = [
        _join(day, acquisitions, search, unknown)
        for day in sorted(by_day)
        for acquisitions in products_of(day, acquisitions_of(by_day[day]), search)
    ]
    if unknown:
        raise InputError(
            f"{len(unknown)} files are of 25 January 2022 or later, and nothing tells whether 1000 is to be subtracted "
            f"from their numbers, as in products since then, or was already: the first is {next(iter(unknown))}.",
            "If they were copied out of a product, give OFFSET -1000; if they come from a service that takes the "
            "offset off (Earth Engine's harmonised collections, Sentinel Hub, openEO), give OFFSET 0. Or keep the "
            "baseline in the name of a folder, such as N0400, as products have it.",
        )
    return products


def _tell_of_reprocessed(by_day: Mapping[date, Sequence[Piece]], search: Search) -> None:
    """Tells where the date alone says that numbers have no offset, as it does of all but products made anew since."""
    dated = [
        piece
        for day, pieces in by_day.items()
        for piece in pieces
        if day < SINCE and any(numbers.told_by_date(search.options.offset) for numbers in piece.bands.values())
    ]
    if dated:
        search.reporter.info(
            f"{len(dated)} files of before 25 January 2022 do not tell their offset, and are taken to have none, the "
            f"first being {dated[0].file}. If they were copied out of products of Collection 1, whose baseline is "
            "05.00 or later, give OFFSET '-1000 all'."
        )


def is_layer(description: str) -> bool:
    """Whether a description names a band or mask that this reader knows."""
    return _layer(description) is not None


def is_name(text: str) -> bool:
    """Whether a text is a name of a band, also of one that no series has."""
    return is_layer(text) or code_in(text) is not None


def has_bands(file: File) -> bool:
    """Whether a raster describes bands or masks that this reader knows; one that can't be read does not."""
    try:
        with open_raster(file) as dataset:
            return any(is_layer(description or "") for description in dataset.descriptions)
    except InputError:
        return False


def _is_series(dataset: DatasetReader) -> bool:
    matches = [_IN_SERIES.fullmatch(description or "") for description in dataset.descriptions]
    if not all(matches):
        return False
    return dataset.dtypes[0] == _TYPE_OF_SERIES or all(match and match["radar"] for match in matches)


def _describe(file: File, search: Search) -> list[Piece]:
    """Returns what a file holds of each date; nothing if it holds no band that is known, or is a series of ours."""
    path = search.path_of(file)
    try:
        with open_raster(file) as dataset:
            if _is_series(dataset):
                search.finished.append(file)
                return []
            given = search.bands.of(file, dataset.descriptions, is_layer)
            layers = _described(file, given, search) or _named(file, path, dataset, search)
            by_user = any(name and name != own for name, own in zip(given, dataset.descriptions, strict=True))
            names = _layers_of(path, search) if len(_shown(dataset)) == 1 and not by_user else ()
            found = [_piece(file, path, dataset, day, of_day, bool(names)) for day, of_day in layers.items()]
    except InputError:
        if search.chosen or is_geotiff(file) or _layers_of(path, search):
            raise
        search.unrecognised[file] = "can't be read as a raster"
        return []
    if reason := _unfit(found, names, search) if found else "":
        search.pass_over([file], reason)
        return []
    return found


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
    elif names and sensor == origin.OTHER:
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
    codes = _CODES.get(origin.sensor_of(path) or "", SENTINEL2)
    if named := layers_in(path.stem, codes):
        return _with_kind_of_mask(named, path, search)
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


def _of_level_2a(pieces: list[Piece], search: Search) -> list[Piece]:
    """Returns the files of level 2A: not those that have the names of level 1C, unless a mask of level 2A is beside."""
    masked = {piece.acquisition for piece in pieces if piece.masks}
    suspect = [
        piece
        for piece in pieces
        if piece.single
        and piece.acquisition not in masked
        and origin.is_granule_of_level_1c(piece.path)
        and origin.level_of(piece.path) is None
    ]
    search.pass_over(
        [piece.file for piece in suspect],
        "named as level 1C names its bands, those of level 2A end in the resolution; if it is of level 2A, put it into "
        "a folder with L2A in its name",
    )
    return [piece for piece in pieces if piece not in suspect]


def _of_one_sensor(pieces: list[Piece], search: Search) -> list[Piece]:
    """Returns the files of one sensor: those of Landsat make a series where there are none of Sentinel-2."""
    of_landsat = [piece for piece in pieces if origin.sensor_of(piece.path) in _CODES]
    others = [piece for piece in pieces if piece not in of_landsat]
    if of_landsat and others:
        search.pass_over([piece.file for piece in of_landsat], "named like a band, but of Landsat, among Sentinel-2")
        return others
    return pieces


def _join(day: date, acquisitions: Sequence[Acquisition], search: Search, unknown: dict[File, None]) -> Product:
    """Returns a product of some files, and notes those whose offset can't be known."""
    bands: dict[str, BandSource] = {}
    masks: dict[str, MaskSource] = {}
    for piece in (piece for acquisition in acquisitions for piece in acquisition.pieces):
        for name, numbers in piece.bands.items():
            source = numbers.as_reflectance(day, search.options.offset)
            if source:
                bands[name] = source
            else:
                unknown[piece.file] = None
        for name, mask in piece.masks.items():
            _check_mask(name, piece, search)
            masks[name] = mask
    strong = [mask for name, mask in masks.items() if name not in _WEAK_MASKS]
    return Product(name_of(day, acquisitions), day, bands, tuple(strong or masks.values()))


def _check_mask(name: str, piece: Piece, search: Search) -> None:
    if name == "MASK" and name not in search.options.clear and not origin.is_of_worldcereal(piece.path):
        raise InputError(
            f"{piece.file} is a mask, and nothing tells which values are clear: 1, as in WorldCereal's archives, or 0, "
            "as in most others.",
            "Give CLEAR, MASK=1 or MASK=0, or keep it out of FOLDER.",
        )
