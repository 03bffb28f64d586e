"""THEIA products: Sentinel-2 level 2A as MAJA writes it, a folder or archive a product, one file a band.

Format: THEIA, "Sentinel-2 L2A product format" (MUSCATE): SRE is surface reflectance, FRE the same corrected for slope,
both times 10 000 with -10000 where missing, unless the metadata tell other numbers. The masks lie in MASKS, those of
10 m named R1, of 20 m R2; `masks` says what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source, saturation
from twinns_qgis.series.products.product import MaskSource, Product
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

LOOKED_FOR = "THEIA folders or archives SENTINEL2x_YYYYMMDD-hhmmss-nnn_L2A_Txxxxx_..."

_NAME = re.compile(
    r"SENTINEL2(?P<platform>[A-Z])_(?P<time>\d{8}-\d{6}-\d{3})_L2A_(?P<tile>T\d{2}[A-Z]{3})_[A-Z]"
    r"_V(?P<version>\d+(?:-\d+)+)(?!.*_PVD_ALL)"  # a folder within a product has this end
)
_ACQUISITION = ("platform", "time", "tile")
_OTHER_LEVEL = re.compile(r"SENTINEL2[A-Z]_\d{8}-\d{6}-\d{3}_L(?:1C|3A)_T\d{2}[A-Z]{3}_[A-Z]_V\d+(?:-\d+)+")
_SATURATED = {"R1": ("B2", "B3", "B4", "B8"), "R2": ("B5", "B6", "B7", "B8A", "B11", "B12")}
"""The bands of the bits of a mask SAT, from the lowest."""


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the files in folders that have the name of such a product; of files named one by one none."""
    return [] if search.chosen else files_of_products(files, _NAME, _OTHER_LEVEL, _is_product)


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their names.

    Raises:
        InputError: A product lacks a file, or its metadata contradict what it is.
    """
    pass_over_bands([file for file in files if not _is_part(file)], search)
    others = product_folders(files, _OTHER_LEVEL, search.reporter)
    leave_out(others, "Level 2A is expected, with L2A in the name", search)
    folders = newest(product_folders(files, _NAME, search.reporter), _ACQUISITION, "version", search)
    days = search.dates.of({folder.path: {} for folder in folders})
    products = [
        Product(
            name=folder.name,
            date=days[folder.path],
            bands=_bands(folder, search.options.reflectance),
            masks=_masks(folder),
        )
        for folder in folders
    ]
    return sorted(products, key=lambda product: product.name)


def _is_product(files: Sequence[File]) -> bool:
    return any(map(_is_part, files))


def _is_part(file: File) -> bool:
    """Whether a file in a product's folder is one that products have: its name begins as theirs does."""
    return place(file).name.startswith("SENTINEL2")


def _bands(folder: ProductFolder, reflectance: str) -> dict[str, BandSource]:
    scale, nodata = _radiometry(folder)
    return {
        band: BandSource(folder.one(f"*_{reflectance}_{band}.tif"), scale=scale, nodata=nodata)
        for band in SENTINEL2_BANDS
    }


def _radiometry(folder: ProductFolder) -> tuple[float, float]:
    """Returns the factor to reflectance and the value of missing pixels."""
    if not folder.find("*_MTD_ALL.xml"):
        return 0.0001, -10000
    metadata = folder.metadata("*_MTD_ALL.xml")
    # Further down it is there once more, for each product that this one was made from.
    identifier = next(iter(metadata.values("PRODUCT_ID")), "without a name")
    match = _NAME.match(identifier)
    if match is None or match.group(*_ACQUISITION) != folder.match.group(*_ACQUISITION):
        raise InputError(
            f"{metadata.file} is of the product {identifier}, but lies in {folder.name}.",
            "Download or unpack the product once more; don't rename its folder.",
        )
    try:
        (quantification,) = map(float, metadata.values("REFLECTANCE_QUANTIFICATION_VALUE"))
        (nodata,) = (
            float(element.text or "")
            for element in metadata.elements("SPECIAL_VALUE")
            if element.get("name") == "nodata"
        )
        return 1 / quantification, nodata
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"{metadata.file} tells no REFLECTANCE_QUANTIFICATION_VALUE and SPECIAL_VALUE nodata, which reflectance "
            "takes.",
            "Download the product once more.",
        ) from error


def _masks(folder: ProductFolder) -> tuple[MaskSource, ...]:
    geophysical, edges = folder.find("MASKS/*_MG2_R1.tif"), folder.find("MASKS/*_EDG_R1.tif")
    clouds = folder.find("MASKS/*_CLM_R1.tif")
    if not geophysical:
        clouds = [folder.one("MASKS/*_CLM_R1.tif")]
    named = (("CLM", clouds), ("MG2", geophysical), ("EDG", edges))
    return (
        *(mask_source(file, 1, name) for name, files in named for file in files),
        *(
            saturation(file, bit, band)
            for group, bands in _SATURATED.items()
            for file in folder.find(f"MASKS/*_SAT_{group}.tif")
            for bit, band in enumerate(bands)
        ),
    )
