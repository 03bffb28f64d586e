"""THEIA products: Sentinel-2 level 2A as MAJA writes it, one folder a product, one file a band.

Format: THEIA, "Sentinel-2 L2A product format" (MUSCATE): FRE are reflectances corrected for slope, times 10 000, with
-10000 where missing; the masks CLM (clouds, shadows) and EDG (edge of the swath) are 0 where clear.
"""

from __future__ import annotations

import re
from pathlib import Path

from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.products.product import BandSource, MaskSource, Product
from twinns_qgis.series.products.selection import one_file
from twinns_qgis.series.series import SENTINEL2_BANDS

LOOKED_FOR = "THEIA folders SENTINEL2x_YYYYMMDD-hhmmss-nnn_L2A_Txxxxx_..."

_NAME = re.compile(r"SENTINEL2[A-Z]_\d{8}-\d{6}-\d{3}_L2A_T\d{2}[A-Z]{3}_[A-Z]_V\d+-\d+")
_SCALE = 0.0001
_NODATA = -10000
_CLEAR = frozenset({0})
_CLOUDY = frozenset(range(1, 256))


def find(inputs: Inputs, dates: AcquisitionDates, reporter: Reporter) -> list[Product]:
    """Returns the products below the folder, in the order of their names.

    Raises:
        InputError: A product lacks a file.
    """
    named = [folder for folder in inputs.folders() if _NAME.fullmatch(folder.name)]
    # Some archives unpack to a folder of the same name within the folder.
    folders = [folder for folder in named if not any(other.parent == folder for other in named)]
    days = dates.of({folder: {} for folder in folders})
    products = [
        Product(
            name=folder.name,
            date=days[folder],
            bands={
                band: BandSource(one_file(folder, f"*_FRE_{band}.tif"), scale=_SCALE, nodata=_NODATA)
                for band in SENTINEL2_BANDS
            },
            masks=_masks(folder),
        )
        for folder in folders
    ]
    return sorted(products, key=lambda product: product.name)


def _masks(folder: Path) -> tuple[MaskSource, ...]:
    clouds = MaskSource(one_file(folder, "MASKS/*_CLM_R1.tif"), 1, _CLEAR, _CLOUDY)
    edges = [MaskSource(path, 1, _CLEAR) for path in folder.glob("MASKS/*_EDG_R1.tif")]
    return (clouds, *edges)
