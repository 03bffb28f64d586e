"""MACCS' and MAJA's own products, in the Earth Explorer format: Sentinel-2 level 2A, one file a resolution.

Format: CNES and CESBIO, "MAJA User Manual", native format: ``NAME.DBL.DIR`` holds the bands of 10 m, B2 B3 B4 B8, in
``..._PDTIMG_L2VALD_TILE____DAY_FRE_R1.DBL.TIF``, those of 20 m, B5 B6 B7 B8A B11 B12, in ``R2``, and the clouds in
``..._PDTANX_..._CLD_R1.DBL.TIF``, 0 where clear. Reflectance is times 10 000, with -10000 where missing. SRE is surface
reflectance, FRE the same corrected for slope.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.search import Search

LOOKED_FOR = "MACCS folders S2x_OPER_SSC_L2VALD_....DBL.DIR"

_FILE = re.compile(
    r"(?P<satellite>S2[A-Z])_\w{4}_SSC_PDT(?:IMG|ANX)_L2VALD_(?P<tile>\w{5})_*(?P<day>\d{8})_(?P<layer>\w+_R[12])"
    r"\.DBL(?:\.TIFF?)?",
    re.IGNORECASE,
)
_BANDS = {"R1": ("B2", "B3", "B4", "B8"), "R2": ("B5", "B6", "B7", "B8A", "B11", "B12")}
"""The bands of the files of each resolution, in their order."""
_SCALE, _MISSING = 0.0001, -10000


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the files that have the name of a part of such a product; of files named one by one none."""
    return [] if search.chosen else [file for file in files if _FILE.fullmatch(place(file).name)]


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their names.

    Raises:
        InputError: A product lacks a file.
    """
    products: defaultdict[Path, dict[str, File]] = defaultdict(dict)
    for file in files:
        if match := _FILE.fullmatch(place(file).name):
            name = f"{match['satellite']}_{match['tile']}_{match['day']}".upper()
            products[place(file).parent / name][match["layer"].upper()] = file
    days = search.dates.of({product: {} for product in products})
    return [_product(path, days[path], layers, search.options.reflectance) for path, layers in sorted(products.items())]


def _product(path: Path, day: date, layers: dict[str, File], reflectance: str) -> Product:
    needed = [f"{reflectance}_{resolution}" for resolution in _BANDS] + ["CLD_R1"]
    lacking = [layer for layer in needed if layer not in layers]
    if lacking:
        raise InputError(
            f"The product {path.name} has no file of {', '.join(lacking)} in {path.parent}.",
            "Copy the product once more; where it has SRE alone, set REFLECTANCE to SRE.",
        )
    bands = {
        band: BandSource(layers[f"{reflectance}_{resolution}"], index, _SCALE, nodata=_MISSING)
        for resolution, of_file in _BANDS.items()
        for index, band in enumerate(of_file, start=1)
    }
    return Product(path.name, day, bands, (mask_source(layers["CLD_R1"], 1, "CLM"),))
