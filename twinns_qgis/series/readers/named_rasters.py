"""Sentinel-2 as rasters whose bands are named: by their descriptions, or by the names of files and folders.

So are the files of products copied out of an archive, what clouds, browsers and scripts export, patches of benchmark
archives, and WorldCereal's archives. `names` says how bands, masks and dates are written. A file of one band is named
by its own name, ``T31UES_20180305T105421_B04_10m.jp2``, or its folder's, ``B04/20180305.tif``. In a file of several
bands each has a description; with a date beside the band (``20180305_B02``) the file is a stack of several dates.

WorldCereal's MASK: in 21 of its images of the tile 36MXB it is 1 where the blue reflectance is that of land, in the
median 0.04, and 0 where it is that of clouds, from 0.1 to 1.0. So 1 is clear.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, ZipMember, place
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.names import origin
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.offset import SINCE
from twinns_qgis.series.products.product import MaskSource, Product
from twinns_qgis.series.readers.acquisitions import Acquisition, acquisitions_of, name_of, products_of
from twinns_qgis.series.readers.pieces import CODES, Piece, describe
from twinns_qgis.series.readers.search import Search

LOOKED_FOR = (
    "rasters of one band each, named as in T31UES_20180305T105421_B02_10m.tif, 20180305/red.tif, ..._SCL.tif or "
    "..._CLM.tif; rasters with bands described B02, B03, ... B12 and, if there is a mask, SCL or CLM"
)

_OTHER_RASTERS = (".jp2", ".img")
_WEAK_MASKS = ("QA60", "CLDPRB", "CLP")
"""Masks that count where there is no other: other masks are made from these, by more tests."""


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the rasters, of archives those that were not unpacked beside the archive as well.

    Of files named one by one all are held, whatever their names.
    """
    if search.chosen:
        return list(files)
    on_disk = {file for file in files if isinstance(file, Path)}
    return [
        file
        for file in files
        if (is_geotiff(file) or place(file).suffix.lower() in _OTHER_RASTERS)
        and not (isinstance(file, ZipMember) and _is_unpacked(file, on_disk))
    ]


def _is_unpacked(file: ZipMember, on_disk: set[Path]) -> bool:
    folders = (file.archive.parent, file.archive.with_suffix(""))
    return any(folder / file.member in on_disk for folder in folders)


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their dates; files without a known band are passed over.

    Raises:
        InputError: A file can't be read or has no date, or two files hold the same band of one date and place.
    """
    pieces = _of_level_2a([piece for file in files for piece in describe(file, search)], search)
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
    of_landsat = [piece for piece in pieces if origin.sensor_of(piece.path) in CODES]
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
