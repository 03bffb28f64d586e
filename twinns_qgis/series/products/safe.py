"""SAFE products: Sentinel-2 level 2A as ESA delivers it, one folder a product, one JPEG 2000 a band and resolution.

Format: ESA, "Sentinel-2 Products Specification Document": reflectance is (DN + BOA_ADD_OFFSET) divided by
BOA_QUANTIFICATION_VALUE, and DN 0 is missing. Both numbers are read from the product's metadata. The offset, one a
band, came with processing baseline 04.00; archives hold products of before and after it of the same dates, so it is
never concluded from the date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Bandit: since version 2.4.1 (2021) the expat beneath bounds what entities expand to.
from xml.etree import ElementTree  # nosec B405

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.products.product import BandSource, MaskSource, Product
from twinns_qgis.series.products.scene_classification import CLEAR_SCENES
from twinns_qgis.series.products.selection import one_file
from twinns_qgis.series.series import SENTINEL2_BANDS

LOOKED_FOR = "SAFE folders S2x_MSIL2A_YYYYMMDDThhmmss_....SAFE"

_NAME = re.compile(r"S2[A-Z]_MSIL2A_\d{8}T\d{6}_.*\.SAFE")
_BAND_IDS = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
"""Bands in the order of the metadata's ``band_id``."""
_FINE = ("B2", "B3", "B4", "B8")
_MISSING = 0
_OFFSET_SINCE = (4, 0)


@dataclass(frozen=True)
class _Radiometry:
    quantification: float
    offsets: dict[str, float]


def find(inputs: Inputs, dates: AcquisitionDates, reporter: Reporter) -> list[Product]:
    """Returns the products below the folder, in the order of their names.

    Raises:
        InputError: A product lacks a file, or its metadata don't tell how to get reflectance.
    """
    folders = [folder for folder in inputs.folders() if _NAME.fullmatch(folder.name)]
    days = dates.of({folder: {} for folder in folders})
    products = [
        Product(
            name=folder.name,
            date=days[folder],
            bands=_bands(folder, _radiometry(folder)),
            masks=(MaskSource(one_file(folder, _pattern("SCL", 20)), 1, CLEAR_SCENES),),
        )
        for folder in folders
    ]
    return sorted(products, key=lambda product: product.name)


def _bands(folder: Path, radiometry: _Radiometry) -> dict[str, BandSource]:
    return {
        band: BandSource(
            one_file(folder, _pattern(_name_in_file(band), 10 if band in _FINE else 20)),
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


def _radiometry(folder: Path) -> _Radiometry:
    path = folder / "MTD_MSIL2A.xml"
    if not path.is_file():
        raise InputError(f"The product {folder.name} has no MTD_MSIL2A.xml in {folder}.", "Download it once more.")
    try:
        root = ElementTree.parse(path).getroot()  # nosec B314
        quantification = [float(text) for _, text in _values(root, "BOA_QUANTIFICATION_VALUE")]
        offsets = {
            _BAND_IDS[int(item.get("band_id", ""))]: float(text) for item, text in _values(root, "BOA_ADD_OFFSET")
        }
        baseline = [tuple(map(int, text.split("."))) for _, text in _values(root, "PROCESSING_BASELINE")]
    except (ElementTree.ParseError, ValueError, IndexError) as error:
        raise InputError(f"{path} can't be read: {error}.", "Download the product once more.") from error
    if len(quantification) != 1 or quantification[0] <= 0 or not baseline:
        raise InputError(
            f"{path} tells no BOA_QUANTIFICATION_VALUE and PROCESSING_BASELINE, which reflectance takes.",
            "Download the product once more.",
        )
    if baseline[0] >= _OFFSET_SINCE and not set(SENTINEL2_BANDS) <= set(offsets):
        raise InputError(
            f"{path} tells no BOA_ADD_OFFSET for each band, though it is of baseline {baseline[0][0]:02d}."
            f"{baseline[0][1]:02d}: whether 1000 is to be subtracted can't be known.",
            "Download the product once more.",
        )
    return _Radiometry(quantification[0], offsets)


def _values(root: ElementTree.Element, name: str) -> Iterator[tuple[ElementTree.Element, str]]:
    """Yields elements by their name, whatever namespace they are in, and their text."""
    for element in root.iter():
        if element.tag.rpartition("}")[2] == name:
            yield element, (element.text or "").strip()
