"""SAFE products: Sentinel-2 level 2A as ESA delivers it, a folder or archive a product, one JPEG 2000 a band.

Format: ESA, "Sentinel-2 Products Specification Document": reflectance is (DN + BOA_ADD_OFFSET) divided by
BOA_QUANTIFICATION_VALUE, and DN 0 is missing. Both numbers are read from the product's metadata. The offset, one a
band, came with processing baseline 04.00; archives hold products of before and after it of the same dates, so it is
never concluded from the date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
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
_OFFSET_SINCE = (4, 0)


@dataclass(frozen=True)
class _Radiometry:
    quantification: float
    offsets: dict[str, float]


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the files in folders that have the name of such a product; of files named one by one none."""
    return [] if search.chosen else files_of_products(files, _NAME, _PASSED_OVER, _is_part)


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
            bands=_bands(folder, _radiometry(folder)),
            masks=(mask_source(folder.one(_pattern("SCL", 20)), 1, "SCL"),),
        )
        for folder in folders
    ]
    return sorted(products, key=lambda product: product.name)


def _is_part(file: File) -> bool:
    """Whether a file is one that products have: JPEG 2000, and GeoTIFFs of quicklooks and auxiliary data."""
    return place(file).suffix.lower() == ".jp2" or "AUX_DATA" in place(file).parts


def _bands(folder: ProductFolder, radiometry: _Radiometry) -> dict[str, BandSource]:
    return {
        band: BandSource(
            folder.one(_pattern(_name_in_file(band), 10 if band in _FINE else 20)),
            scale=1 / radiometry.quantification,
            offset=radiometry.offsets.get(band, 0.0) / radiometry.quantification,
            nodata=_MISSING,
        )
        for band in SENTINEL2_BANDS
    }


def _pattern(band: str, resolution: int) -> str:
    return f"GRANULE/*/IMG_DATA/R{resolution}m/*_{band}_{resolution}m.jp2"


def _name_in_file(band: str) -> str:
    return band if band.endswith("A") else f"B{int(band[1:]):02d}"


def _radiometry(folder: ProductFolder) -> _Radiometry:
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
    if baseline[0] >= _OFFSET_SINCE and not set(SENTINEL2_BANDS) <= set(offsets):
        raise InputError(
            f"{metadata.file} tells no BOA_ADD_OFFSET for each band, though it is of baseline {baseline[0][0]:02d}."
            f"{baseline[0][1]:02d}: whether 1000 is to be subtracted can't be known.",
            "Download the product once more.",
        )
    return _Radiometry(quantification[0], offsets)
