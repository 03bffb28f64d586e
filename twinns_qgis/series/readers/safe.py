"""SAFE products: Sentinel-2 level 2A as ESA delivers it, a folder or archive a product, one JPEG 2000 a band.

Sen2Cor, run by users, writes the same, of the baseline 99.99; programs that convert or clip bands leave GeoTIFFs in
place of the JPEG 2000 files.

Format: ESA, "Sentinel-2 Products Specification Document": reflectance is (DN + BOA_ADD_OFFSET) divided by
BOA_QUANTIFICATION_VALUE, and DN 0 is missing. Both numbers are read from the product's metadata. The offset, one a
band, came with processing baseline 04.00; archives hold products of before and after it of the same dates, so it is
never concluded from the date. Products of users have it as the level 1C has it that they were made from, which the
metadata of the tile name with its baseline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.offset import of_baseline
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.product_folder import (
    ProductFolder,
    files_of_products,
    leave_out,
    newest,
    pass_over_bands,
    product_folders,
)
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.series import SENTINEL2_BANDS

LOOKED_FOR = "SAFE folders or archives S2x_MSIL2A_YYYYMMDDThhmmss_....SAFE"

_NAME = re.compile(
    r"S2(?P<platform>[A-Z])_MSIL2A_(?P<time>\d{8}T\d{6})_N(?P<baseline>\d{4})_R\d{3}_(?P<tile>T\d{2}[A-Z]{3})"
    r"_\d{8}T\d{6}"
)
_PASSED_OVER = re.compile(r"S2[A-Z]_(?:MSIL1C_\d{8}T\d{6}_N\d{4}|(?:OPER|USER)_PRD_MSIL(?:1C|2A))_\w+")
_BAND_IDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
"""Bands in the order of the metadata's ``band_id``."""
_FINE = ("B2", "B3", "B4", "B8")
_MISSING = 0
_OFFSET_SINCE, _BY_USERS = (4, 0), (99, 99)
_METADATA = re.compile(r"MTD_MSIL2[Aa]\.xml")
_OF_LEVEL_1C = re.compile(r"_N(\d\d)\.(\d\d)$")
_INSTEAD = (".tif", ".tiff")
"""Endings of files in place of JPEG 2000."""


@dataclass(frozen=True)
class _Radiometry:
    quantification: float
    offsets: dict[str, float]


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the files in folders that have the name of such a product; of files named one by one none."""
    return [] if search.chosen else files_of_products(files, _NAME, _PASSED_OVER, _is_product)


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their names.

    Raises:
        InputError: A product lacks a file, or its metadata don't tell how to get reflectance.
    """
    pass_over_bands([file for file in files if not _is_part(file)], search)
    others = product_folders(files, _PASSED_OVER, search.reporter)
    leave_out(others, "Level 2A of baseline 02.05 or later is expected, with _MSIL2A_ in the name", search)
    # Products of one baseline and acquisition that differ in their last time hold parts of the tile: all are kept.
    folders = newest(product_folders(files, _NAME, search.reporter), ("platform", "time", "tile"), "baseline", search)
    days = search.dates.of({folder.path: {} for folder in folders})
    products = [
        Product(
            name=folder.name,
            date=days[folder.path],
            bands=_bands(folder, _radiometry(folder, days[folder.path], search)),
            masks=(mask_source(_one(folder, "SCL", 20), 1, "SCL"),),
        )
        for folder in folders
    ]
    return sorted(products, key=lambda product: product.name)


def _is_part(file: File) -> bool:
    """Whether a file is one that products have: rasters of bands, and of quicklooks and auxiliary data."""
    path = place(file)
    return path.suffix.lower() == ".jp2" or not {"AUX_DATA", "IMG_DATA", "QI_DATA"}.isdisjoint(path.parts)


def _is_product(files: Sequence[File]) -> bool:
    """Whether files are those of a product: JPEG 2000, or GeoTIFFs in their place with the product's metadata."""
    described = any(_METADATA.fullmatch(place(file).name) for file in files)
    return any(_is_part(file) for file in files if described or not is_geotiff(file))


def _bands(folder: ProductFolder, radiometry: _Radiometry) -> dict[str, BandSource]:
    return {
        band: BandSource(
            _one(folder, _name_in_file(band), 10 if band in _FINE else 20),
            scale=1 / radiometry.quantification,
            offset=radiometry.offsets.get(band, 0.0) / radiometry.quantification,
            nodata=_MISSING,
        )
        for band in SENTINEL2_BANDS
    }


def _one(folder: ProductFolder, band: str, resolution: int) -> File:
    """Returns the file of a band, GeoTIFF where there is no JPEG 2000."""
    pattern = f"GRANULE/*/IMG_DATA/R{resolution}m/*_{band}_{resolution}m"
    found = [file for suffix in _INSTEAD for file in folder.find(f"{pattern}{suffix}")]
    return found[0] if len(found) == 1 and not folder.find(f"{pattern}.jp2") else folder.one(f"{pattern}.jp2")


def _name_in_file(band: str) -> str:
    return band if band.endswith("A") else f"B{int(band[1:]):02d}"


def _radiometry(folder: ProductFolder, day: date, search: Search) -> _Radiometry:
    metadata = folder.metadata("MTD_MSIL2[Aa].xml")
    try:
        quantification = [
            float(text)
            for name in ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE")  # the latter up to 02.07 or so
            for text in metadata.values(name)
        ]
        offsets = {
            _BAND_IDS[int(element.get("band_id", ""))]: float(element.text or "")
            for element in metadata.elements("BOA_ADD_OFFSET")
        }
        baseline = [tuple(map(int, text.split("."))) for text in metadata.values("PROCESSING_BASELINE")]
    except (ValueError, IndexError) as error:
        raise InputError(f"{metadata.file} can't be read: {error}.", "Download the product once more.") from error
    if len(quantification) != 1 or quantification[0] <= 0 or not baseline:
        raise InputError(
            f"{metadata.file} tells no BOA_QUANTIFICATION_VALUE and PROCESSING_BASELINE, which reflectance takes.",
            "Download the product once more.",
        )
    if set(SENTINEL2_BANDS) <= set(offsets) or baseline[0] < _OFFSET_SINCE:
        return _Radiometry(quantification[0], offsets)
    offset = _offset_of_user_s(folder, day, search) if baseline[0] == _BY_USERS else None
    if offset is None:
        of_user = baseline[0] == _BY_USERS
        raise InputError(
            f"{metadata.file} tells no BOA_ADD_OFFSET for each band, though it is of baseline {baseline[0][0]:02d}."
            f"{baseline[0][1]:02d}{', and no L1C_TILE_ID the baseline of its level 1C' if of_user else ''}: whether "
            "1000 is to be subtracted can't be known.",
            "Give OFFSET: -1000 if the level 1C was of baseline 04.00 or later, else 0."
            if of_user
            else "Download the product once more.",
        )
    return _Radiometry(quantification[0], dict.fromkeys(SENTINEL2_BANDS, offset))


def _offset_of_user_s(folder: ProductFolder, day: date, search: Search) -> float | None:
    """Returns the offset of a product of a user: that of its level 1C, else as the user says; None if unknown."""
    tiles = folder.find("GRANULE/*/MTD_TL.xml")
    told = folder.metadata("GRANULE/*/MTD_TL.xml").values("L1C_TILE_ID") if tiles else []
    baseline = next((match[1] + match[2] for text in told if (match := _OF_LEVEL_1C.search(text))), None)
    if baseline:
        return of_baseline(baseline)
    return search.options.offset.on(day) if search.options.offset else None
