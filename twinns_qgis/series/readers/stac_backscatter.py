"""Sentinel-1 as items of STAC catalogues with their assets: terrain-corrected backscatter of the large archives.

Those of the Planetary Computer (``sentinel-1-rtc``), Digital Earth Africa (``s1_rtc``), Indigo Ag on AWS and OPERA
hold gamma nought as linear power, by their documentation; others tell units in their bands, names or metadata, or their
values settle them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.remote.opening import fetch_heads
from twinns_qgis.series.names.polarisations import polarisations
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.backscatter_metadata import is_companion, units_of
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.stac_items import ABSENT, Item, ItemBand, items_of
from twinns_qgis.series.series import SENTINEL1_BANDS

LOOKED_FOR = "STAC items, .json or .geojson, of calibrated Sentinel-1 images beside the files of their assets"

_SENSOR = re.compile(r"sentinel-?1|(?<![a-z0-9])s1[a-d]?(?![a-z0-9])|rtc-s1")
_POWER = re.compile(r"(?<![a-z0-9])rtc(?![a-z0-9])")


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the items of Sentinel-1 and the files of their assets."""
    items = of_sentinel1(files, search)
    return list(dict.fromkeys([item.source for item in items] + [file for item in items for file in item.rasters()]))


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns a product for each item that has a polarisation.

    Raises:
        InputError: An item tells no date, or its images lie in the geometry of the radar.
    """
    items = of_sentinel1(files, search)
    search.unrecognised.update({item.source: ABSENT for item in items if not item.rasters()})
    fetch_heads((band.file for item in items for band in layers_of(item).values()), search.reporter)
    found = [(item, _bands(item)) for item in items if item.rasters()]
    days = search.dates.of({item.place: item.tags for item, _ in found})
    return [Product(item.name, days[item.place], bands, orbit=item.orbit) for item, bands in found]


def of_sentinel1(files: Sequence[File], search: Search) -> list[Item]:
    """Returns the items of Sentinel-1 that tell polarisations, or whose files are not there, each once."""
    items = [item for item in items_of(files, search) if _SENSOR.search(item.sensor)]
    items = [item for item in items if layers_of(item) or not item.rasters()]
    return list({item.place: item for item in items}.values())


def layers_of(item: Item) -> dict[str, ItemBand]:
    """Returns the bands of an item by their polarisations."""
    return {name: band for band in item.bands() if (name := _polarisation(band))}


def _bands(item: Item) -> dict[str, BandSource]:
    return {name: _source(item, band) for name, band in layers_of(item).items()}


def _polarisation(band: ItemBand) -> str | None:
    if is_companion(place(band.file)):
        return None
    named = (polarisations(word) for word in band.words)
    found = next(filter(None, named), frozenset())
    return next(iter(found)) if len(found) == 1 and found <= set(SENTINEL1_BANDS) else None


def _source(item: Item, band: ItemBand) -> BandSource:
    with open_raster(band.file) as dataset:
        if dataset.crs is None and dataset.gcps[0]:
            raise InputError(
                f"{band.file} lies in the geometry of the radar: it is a product of level 1, not calibrated and not "
                "orthorectified.",
                "Take items of terrain-corrected images (RTC) instead.",
            )
        dtype, description = dataset.dtypes[band.index - 1], dataset.descriptions[band.index - 1] or ""
        unit = dataset.units[band.index - 1] or str(band.said.get("unit") or "")
        units = units_of(place(band.file), description, unit, dtype, dataset.tags())
        scale, offset = dataset.scales[band.index - 1], dataset.offsets[band.index - 1]
    if units is None and np.dtype(dtype).kind == "f" and _POWER.search(item.sensor):
        units = "power"
    if (scale, offset) == (1.0, 0.0):
        scale, offset = band.number("raster:scale", "scale") or 1.0, band.number("raster:offset", "offset") or 0.0
    return BandSource(band.file, band.index, scale, offset, nodata=band.number("nodata", "raster:nodata"), units=units)
