"""Sentinel-2 as GeoTIFFs of one date each, with named bands: what cloud services and scripts export.

A band is recognised by its description (``B02``, ``B2``, ``B8A``); ``SCL`` is Sen2Cor's scene classification, ``CLM``
a cloud mask that is 0 where clear. The files of one date and place together are one product, so that bands of 10 m and
of 20 m and the mask can lie in files of their own. A file whose descriptions hold a date beside the band
(``20180305_B02``) is a stack of several dates.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import Tags, in_text
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.product import MaskSource, Product
from twinns_qgis.series.readers.band_files import is_named_like_a_band
from twinns_qgis.series.readers.geotiff_bands import band_name, band_source
from twinns_qgis.series.readers.search import Search

LOOKED_FOR = "GeoTIFFs with bands described B02, B03, ... B12 and, if there is a mask, SCL or CLM"

_MASKS = ("SCL", "CLM")
_OTHER_BANDS = ("B1", "B9", "B10")
_WORDS = re.compile(r"[^A-Za-z0-9]+")
_IN_SERIES = re.compile(r"\d{4}-\d{2}-\d{2} (?:B[1-9]\d*A?|(?P<radar>VV|VH))")
"""How the bands of a series are described that was prepared before."""
_TYPE_OF_SERIES = "int16"
_SAME_PLACE = 0.9
"""Share of the larger of two footprints that the files of one product have in common, at least: tiles overlap less."""


@dataclass(frozen=True)
class _File:
    """What a file holds of one date; of a file that is no stack, `day` is told by its metadata or name."""

    file: File
    day: date | None
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


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the GeoTIFFs; of files named one by one all, whatever their names."""
    return [file for file in files if search.chosen or is_geotiff(file)]


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns the products among files, in the order of their dates; files without a known band are passed over.

    Raises:
        InputError: A file can't be read or has no date, or two files hold the same band of one date and place.
    """
    described = [found for file in files for found in _describe(file, search)]
    days = search.dates.of({place(found.file): found.tags for found in described if found.day is None})
    by_day: defaultdict[date, list[_File]] = defaultdict(list)
    for found in described:
        by_day[found.day or days[place(found.file)]].append(found)
    return [product for day in sorted(by_day) for product in _products(day, by_day[day], search.reporter)]


def has_bands(file: File) -> bool:
    """Whether a raster describes bands or masks that this reader knows; one that can't be read does not."""
    try:
        with open_raster(file) as dataset:
            return any(is_layer(description or "") for description in dataset.descriptions)
    except InputError:
        return False


def is_layer(description: str) -> bool:
    """Whether a description names a band or mask that this reader knows."""
    return _day_and_layer(description)[1] is not None


def is_name(text: str) -> bool:
    """Whether a text is a name of a band, also of one that no series has."""
    return is_layer(text) or text.upper().replace("B0", "B") in _OTHER_BANDS


def _is_series(dataset: DatasetReader) -> bool:
    matches = [_IN_SERIES.fullmatch(description or "") for description in dataset.descriptions]
    if not all(matches):
        return False
    return dataset.dtypes[0] == _TYPE_OF_SERIES or all(match and match["radar"] for match in matches)


def _describe(file: File, search: Search) -> list[_File]:
    """Returns what a file holds of each date; nothing if it holds no band that is known, or is a series of ours."""
    layers: defaultdict[date | None, dict[str, int]] = defaultdict(dict)
    with open_raster(file) as dataset:
        if _is_series(dataset):
            search.finished.append(file)
            return []
        for index, description in enumerate(search.bands.of(file, dataset.descriptions, is_layer), start=1):
            day, name = _day_and_layer(description)
            if name and layers[day].setdefault(name, index) != index:
                raise InputError(
                    f"{file}: the bands {layers[day][name]} and {index} are both described {name}"
                    f"{f' of {day}' if day else ''}.",
                    "A file holds each band once; or, as a stack of dates, each description holds a date too, such as "
                    "20180305_B02. Split the file by its dates, or name its bands in a table, as BANDS.",
                )
        found = [_of_date(file, dataset, day, of_day) for day, of_day in layers.items() if of_day]
        if not found:
            _pass_over(file, dataset.count, search)
        return found


def _pass_over(file: File, count: int, search: Search) -> None:
    if is_named_like_a_band(file):
        search.pass_over([file], "named like a band, but not S2x_..._L2A_...")
        return
    search.unrecognised[file] = (
        f"{count} band{'' if count == 1 else 's'}, not described as Sentinel-2's, or cut short; which band is "
        "which is never guessed: name them in their order as BANDS, such as B2,B3,B4,B8"
    )


def _day_and_layer(description: str) -> tuple[date | None, str | None]:
    """Returns the date in a description, if there is one, and the only band or mask that it names."""
    words = [word.upper() for word in _WORDS.split(description)]
    names = [name for word in words if (name := band_name(word) or (word if word in _MASKS else None))]
    day = in_text(description)
    alone = len(words) == 1 or day is not None
    return day, names[0] if alone and len(names) == 1 else None


def _of_date(file: File, dataset: DatasetReader, day: date | None, layers: Mapping[str, int]) -> _File:
    bands = {name: band_source(file, dataset, index) for name, index in layers.items() if name not in _MASKS}
    masks = {name: mask_source(file, index, name) for name, index in layers.items() if name in _MASKS}
    return _File(file, day, dataset.tags(), Grid.of(dataset), bands, masks)


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
