"""Sentinel-2 level 2A as GeoTIFFs of one band each, whose names begin alike and end in the band.

So are the archives of WorldCereal: ``S2B_L2A_20190904T074619_N9999R135T36MXB_36MXB_B02.tif`` and so on, with
``..._MASK.tif``. In 21 of its images of the tile 36MXB, MASK is 1 where the blue reflectance is that of land, in the
median 0.04, and 0 where it is that of clouds, from 0.1 to 1.0. So 1 is clear. Values are reflectance times 10 000, and
0 is missing, unless the file declares otherwise; B8A is not among the bands.

The name must tell Sentinel-2 and the level: Landsat's bands are named alike, and other wavelengths.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.product import MaskSource, Product
from twinns_qgis.series.readers.geotiff_bands import band_name, band_source
from twinns_qgis.series.readers.search import Search

LOOKED_FOR = "GeoTIFFs of one band each S2x_..._L2A_..._B02.tif, or S2x_MSIL2A_..., and _MASK.tif, _SCL.tif or _CLM.tif"

_LAYER = r"_(?P<layer>B\d{1,2}A?|SCL|CLM|MASK)(?:_\d+m)?"
_NAME = re.compile(r"(?P<product>S2[A-Z]_(?:\w+_)?(?:MSI)?L2A_.+)" + _LAYER)
_ANY_SENSOR = re.compile(r".+" + _LAYER)
_MASKS = ("SCL", "CLM", "MASK")


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the files that have the name of a band or mask of such a product."""
    return [file for file in files if is_geotiff(file) and _NAME.fullmatch(place(file).stem)]


def is_named_like_a_band(file: File) -> bool:
    """Whether a file has the name of a band or mask of this kind of product, whatever the sensor."""
    return _ANY_SENSOR.fullmatch(place(file).stem) is not None


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files that have such names, in the order of their names.

    Raises:
        InputError: A file can't be read, or two files hold the same band.
    """
    layers: defaultdict[Path, dict[str, File]] = defaultdict(dict)
    for file in files:
        match = _NAME.fullmatch(place(file).stem)
        if match is None:
            continue
        product = place(file).with_name(match["product"])
        name = band_name(match["layer"]) or match["layer"]
        other = layers[product].setdefault(name, file)
        if other is not file:
            raise InputError(f"Two files hold {name} of {product.name}: {other} and {file}.", "Keep one of them.")
    days = search.dates.of({product: {} for product in layers})
    return [
        Product(product.name, days[product], _bands(found), _masks(found)) for product, found in sorted(layers.items())
    ]


def _bands(layers: dict[str, File]) -> dict[str, BandSource]:
    bands = {}
    for name, file in layers.items():
        if band_name(name):
            with open_raster(file) as dataset:
                bands[name] = band_source(file, dataset, 1)
    return bands


def _masks(layers: dict[str, File]) -> tuple[MaskSource, ...]:
    return tuple(mask_source(layers[name], 1, name) for name in _MASKS if name in layers)
