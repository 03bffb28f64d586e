"""Sentinel-2 as GeoTIFFs of one date each, with named bands: what cloud services and scripts export.

A band is recognised by its description (``B02``, ``B2``, ``B8A``); ``SCL`` is Sen2Cor's scene classification, ``CLM``
a cloud mask that is 0 where clear. The files of one date and place together are one product, so that bands of 10 m and
of 20 m and the mask can lie in files of their own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import Tags
from twinns_qgis.series.products.geotiff_bands import band_name, band_source
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.product import BandSource, MaskSource, Product
from twinns_qgis.series.products.search import Search

LOOKED_FOR = "GeoTIFFs with bands described B02, B03, ... B12 and, if there is a mask, SCL or CLM"

_MASKS = ("SCL", "CLM")
_SAME_PLACE = 0.9
"""Share of the larger of two footprints that the files of one product have in common, at least: tiles overlap less."""


@dataclass(frozen=True)
class _File:
    file: File
    tags: Tags
    grid: Grid
    bands: dict[str, BandSource]
    masks: dict[str, MaskSource]

    @property
    def layers(self) -> frozenset[str]:
        return frozenset(self.bands) | frozenset(self.masks)

    def lies_where(self, other: _File) -> bool:
        """Whether both show the same place, but for the edges of pixels of different size."""
        left, bottom, right, top = zip(self.grid.bounds, other.grid.bounds, strict=True)
        common = max(0.0, min(right) - max(left)) * max(0.0, min(top) - max(bottom))
        larger = max((right[side] - left[side]) * (top[side] - bottom[side]) for side in (0, 1))
        return self.grid.crs == other.grid.crs and common >= _SAME_PLACE * larger


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their dates; files without a known band are passed over.

    Raises:
        InputError: A file can't be read or has no date, or two files hold the same band of one date and place.
    """
    described = [found for found in map(_describe, files) if found]
    days = search.dates.of({place(found.file): found.tags for found in described})
    by_day: defaultdict[date, list[_File]] = defaultdict(list)
    for found in described:
        by_day[days[place(found.file)]].append(found)
    return [product for day in sorted(by_day) for product in _products(day, by_day[day], search.reporter)]


def _describe(file: File) -> _File | None:
    bands: dict[str, BandSource] = {}
    masks: dict[str, MaskSource] = {}
    with open_raster(file) as dataset:
        for index, description in enumerate(dataset.descriptions, start=1):
            name = (description or "").strip().upper()
            band = band_name(name)
            if band:
                bands[band] = band_source(file, dataset, index)
            elif name in _MASKS:
                masks[name] = mask_source(file, index, name)
        return _File(file, dataset.tags(), Grid.of(dataset), bands, masks) if bands or masks else None


def _products(day: date, files: list[_File], reporter: Reporter) -> list[Product]:
    """Returns the products of a day: one if no band is there twice, else one for each place."""
    if not _repeated(files):
        return [_join(day, files)]
    places: list[list[_File]] = []
    for file in files:
        for same in places:
            if file.lies_where(same[0]):
                same.append(file)
                break
        else:
            places.append([file])
    products: list[Product] = []
    for same in places:
        repeated = _repeated(same)
        if repeated and any(file.layers != same[0].layers for file in same):
            first, second = (file.file for file in same if repeated[0] in file.layers)
            raise InputError(
                f"Two files hold {repeated[0]} of {day}, at the same place: {first} and {second}.",
                "Keep one of them: nothing tells which mask belongs to which.",
            )
        if repeated:
            reporter.warning(
                f"The same date and place twice, {day}: {', '.join(str(file.file) for file in same)}. A pixel is taken "
                "from the first one that is clear there."
            )
        products.extend(_join(day, [file]) for file in same) if repeated else products.append(_join(day, same))
    return products


def _repeated(files: Sequence[_File]) -> list[str]:
    """Returns the bands and masks that several files hold."""
    counts = Counter(layer for file in files for layer in file.layers)
    return sorted(layer for layer, count in counts.items() if count > 1)


def _join(day: date, files: Sequence[_File]) -> Product:
    bands = {name: source for file in files for name, source in file.bands.items()}
    masks = [mask for file in files for mask in file.masks.values()]
    return Product(f"{day} ({', '.join(file.file.name for file in files)})", day, bands, tuple(masks))
