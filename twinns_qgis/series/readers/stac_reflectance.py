"""Sentinel-2 level 2A as items of STAC catalogues with their assets, as the large archives keep them.

Bands are known by their names (``B02``), the asset's key (``B02_10m``, ``blue``, ``rededge1``) or their common names.
Reflectance is ``raw * scale + offset``. The offset of -0.1 came with processing baseline 04.00, and archives differ:

- Element 84 takes it off as it makes its GeoTIFFs, and says so of each item in ``earthsearch:boa_offset_applied``, once
  ``sentinel:boa_offset_applied``. Its ``raster:bands`` tell -0.1 all the same. Digital Earth Africa copies both.
- The Copernicus Data Space and Element 84's collection 1 keep it, and tell it as the band's offset.
- The Planetary Computer keeps it, and tells only the baseline.

Items of HLS S30, HLS L30 and Landsat's Collection 2 level 2 are read as their files are by name: the bands of each mean
bands of a series, as `_KINDS` tells. They have no such offset (NASA, "HLS Product User Guide"; USGS, "Landsat
Collection 2 Level 2 Science Product Guide").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.remote.opening import fetch_heads
from twinns_qgis.series.names.layers import HLS_L30, layer_described
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.offset import SINCE, of_baseline
from twinns_qgis.series.products.product import LeftOut, Product
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.stac_items import ABSENT, Item, ItemBand, items_of
from twinns_qgis.series.series import SENTINEL2_BANDS

LOOKED_FOR = (
    "STAC items, .json or .geojson, of Sentinel-2 level 2A, HLS or Landsat level 2, beside the files of their assets"
)

_RED_EDGES = {"rededge071": "B5", "rededge075": "B6", "rededge078": "B7"}
"""Common names of eo 1.1; ``rededge`` alone, as in 1.0, is three bands, and names none."""
MASKS = ("SCL", "CLM", "FMASK", "QA_PIXEL")
"""The masks that items have: those of level 2A, HLS's and Landsat's."""
_SENSOR = re.compile(r"sentinel-?2|(?<![a-z0-9])s2[a-d]?(?![a-z0-9])")
_OTHER_SENSORS = re.compile(r"landsat|hls|sentinel-?[13]|modis|viirs|planetscope|(?<![a-z0-9])l[ceot]0\d-")
"""But for those of `_KINDS`."""


@dataclass(frozen=True)
class _Kind:
    """Items of other sensors that are read.

    Args:
        known: What finds them, in `Item.sensor`.
        layers: Which band or mask of a series a word for a band means.
        scale, offset: Reflectance is ``raw * scale + offset``, where neither item nor file says it.
        nodata: The number of no data, where neither does.
    """

    known: re.Pattern[str]
    layers: Mapping[str, str]
    scale: float
    offset: float
    nodata: float


_KINDS = (
    _Kind(
        re.compile(r"hls[.-]?s30|hls2-s30"),
        {**{name if name == "B8A" else f"B{int(name[1:]):02d}": name for name in SENTINEL2_BANDS}, "Fmask": "FMASK"},
        0.0001,
        0.0,
        -9999,
    ),
    _Kind(
        re.compile(r"hls[.-]?l30|hls2-l30"),
        {**{f"B{int(code[1:]):02d}": name for code, name in HLS_L30.items()}, "Fmask": "FMASK"},
        0.0001,
        0.0,
        -9999,
    ),
    _Kind(
        re.compile(r"landsat-c2-?l2(?!-(?:st|alb|ard))"),
        {
            "blue": "B2", "green": "B3", "red": "B4", "nir08": "B8", "swir16": "B11", "swir22": "B12",
            "qa_pixel": "QA_PIXEL",
        },
        2.75e-05,
        -0.2,
        0,
    ),
)  # fmt: skip
_OF_LANDSAT = _KINDS[1:]
_OTHER_LEVEL = re.compile(r"(?<![a-z0-9])(msi)?l(evel-)?1c(?![a-z0-9])|s2msi1c")
_BASELINE = re.compile(r"N?(\d{2})\.?(\d{2})")
_BASELINE_IN_NAME = re.compile(r"_N(\d{4})_")
_TILE = re.compile(r"\d{1,2}[A-Z]{3}")
_TILE_IN_NAME = re.compile(r"(?<![A-Z0-9])(?!1S[DS][HV]_)T?(\d{1,2}[A-Z]{3})(?![A-Z0-9])")
"""But for what Sentinel-1 has in its names: level 1, its class and its polarisations."""
OFFSET_APPLIED = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")
"""What says of an item's GeoTIFFs, and not of its JPEG 2000, that the offset was taken off already."""
_SCALE = 0.0001


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the items that tell bands of Sentinel-2, and the files of their assets."""
    items = _of_sentinel2(files, search)
    return list(dict.fromkeys([item.source for item in items] + [file for item in items for file in item.rasters()]))


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns a product for each item of level 2A.

    Raises:
        InputError: An item tells no date, or too little to know the offset.
    """
    items = level_2a(files, search)
    fetch_heads((band.file for item in items for band in layers_of(item).values()), search.reporter)
    products = [(item, _product(item, search)) for item in items]
    search.unrecognised.update({item.source: ABSENT for item, product in products if not product.bands})
    found = [(item, product) for item, product in products if product.bands]
    days = search.dates.of({item.place: item.tags for item, _ in found})
    return [replace(product, date=days[item.place]) for item, product in found]


def level_2a(files: Sequence[File], search: Search) -> list[Item]:
    """Returns the items of level 2A, of each acquisition the newest, and notes why others are not used.

    Where there are none of Sentinel-2, to which HLS S30 counts, those of HLS L30 and Landsat.

    Raises:
        InputError: An item tells no date.
    """
    items = []
    found = _of_sentinel2(files, search)
    landsat_alone = all(_kind(item) in _OF_LANDSAT for item in found)
    for item in found:
        if not landsat_alone and _kind(item) in _OF_LANDSAT:
            search.left_out.append(LeftOut(item.day, item.name, "of Landsat, among Sentinel-2"))
            search.pass_over(item.rasters(), "of Landsat, by the STAC item, among Sentinel-2")
        elif _OTHER_LEVEL.search(item.sensor):
            search.left_out.append(LeftOut(item.day, item.name, "of another level"))
            search.pass_over(item.rasters(), "of level 1C, by the STAC item; level 2A is expected")
        else:
            items.append(item)
    return newest(items, search)


def _of_sentinel2(files: Sequence[File], search: Search) -> list[Item]:
    """Returns the items that tell bands of Sentinel-2, and those of Sentinel-2 whose files are not there."""
    return [
        item
        for item in items_of(files, search)
        if (_kind(item) or not _OTHER_SENSORS.search(item.sensor))
        and (layers_of(item) or ((_kind(item) or _SENSOR.search(item.sensor)) and not item.rasters()))
    ]


def _kind(item: Item) -> _Kind | None:
    return next((kind for kind in _KINDS if kind.known.search(item.sensor)), None)


def newest(items: Sequence[Item], search: Search) -> list[Item]:
    """Returns the items of the newest baseline of each acquisition, each once, and warns of the others."""
    versions: defaultdict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        tile = tile_of(item)
        platform = str(item.properties.get("platform"))
        versions[(tile, platform, _time(item)) if tile else (str(item.source), item.name)].append(item)
    kept: list[Item] = []
    for same in versions.values():
        latest = max(baseline_of(item) or "" for item in same)
        newest = {item.name: item for item in same if (baseline_of(item) or "") == latest}
        older = [item for item in same if (baseline_of(item) or "") != latest]
        kept.extend(newest.values())
        search.left_out.extend(LeftOut(item.day, item.name, f"{next(iter(newest))} is newer") for item in older)
        if older:
            search.reporter.warning(
                f"Several versions of one acquisition: {next(iter(newest))} is used, "
                f"{', '.join(item.name for item in older)} is not."
            )
    return kept


def _time(item: Item) -> str:
    """Returns when a take began: by that of the data take, else the day."""
    take = re.search(r"\d{8}T\d{6}", str(item.properties.get("s2:datatake_id", "")))
    return take[0] if take else item.day.isoformat()


def tile_of(item: Item) -> str | None:
    """Returns the tile of an item, such as ``31UES``, if it tells one."""
    properties = item.properties
    parts = [
        str(properties.get(f"{prefix}:{name}", ""))
        for prefix in ("mgrs", "sentinel")
        for name in ("utm_zone", "latitude_band", "grid_square")
    ]
    said = [
        properties.get("s2:mgrs_tile"),
        str(properties.get("grid:code", "")).removeprefix("MGRS-"),
        "".join(parts[:3]),
        "".join(parts[3:]),
        *_TILE_IN_NAME.findall(item.name),
    ]
    return next((text.zfill(5) for text in said if isinstance(text, str) and _TILE.fullmatch(text)), None)


def baseline_of(item: Item) -> str | None:
    """Returns the processing baseline of an item, such as ``0400``, if it tells one."""
    properties = item.properties
    for key in ("s2:processing_baseline", "sentinel:processing_baseline", "processing:version"):
        if match := _BASELINE.fullmatch(str(properties.get(key, ""))):
            return match[1] + match[2]
    for text in (properties.get("s2:product_uri"), properties.get("sentinel:product_id"), item.name):
        if match := _BASELINE_IN_NAME.search(str(text or "")):
            return match[1]
    return None


def layers_of(item: Item) -> dict[str, ItemBand]:
    """Returns the bands of a series and the masks that an item has, by their names, each once."""
    layers: defaultdict[str, list[ItemBand]] = defaultdict(list)
    for band in item.bands():
        if name := _layer(band, _kind(item)):
            layers[name].append(band)
    # The finest of several, and an archive's own files before the agency's.
    return {name: min(some, key=lambda band: (band.spacing, band.jpeg2000)) for name, some in layers.items()}


def _product(item: Item, search: Search) -> Product:
    chosen = layers_of(item)
    bands = {name: _source(item, band, search) for name, band in chosen.items() if name not in MASKS}
    masks = [mask_source(chosen[name].file, chosen[name].index, name) for name in MASKS if name in chosen]
    return Product(item.name, item.day, bands, tuple(masks))


def _layer(band: ItemBand, kind: _Kind | None) -> str | None:
    if kind:
        return next((kind.layers[word] for word in band.words if word in kind.layers), None)
    for word in band.words:
        name = _RED_EDGES.get(word) or layer_described(word)
        if name in SENTINEL2_BANDS or name in MASKS:
            return name
    return None


def _source(item: Item, band: ItemBand, search: Search) -> BandSource:
    with open_raster(band.file) as dataset:
        kind = np.dtype(dataset.dtypes[band.index - 1]).kind
        declared = dataset.scales[band.index - 1], dataset.offsets[band.index - 1]
        told = dataset.nodatavals[band.index - 1]
        file = _with_crs(band.file, item, band) if dataset.crs is None else band.file
    other = _kind(item)
    scale = band.number("raster:scale", "scale")
    offset = band.number("raster:offset", "offset")
    if scale is None and declared != (1.0, 0.0):
        scale, offset = declared
    elif kind == "f":
        scale, offset = scale if scale is not None else 1.0, offset or 0.0
    elif other:
        scale, offset = (other.scale, other.offset) if scale is None else (scale, offset or 0.0)
    else:
        scale = _SCALE if scale is None else scale
        offset = _offset(item, band, offset, search)
    nodata = band.number("nodata", "raster:nodata")
    if other and nodata is None and told is None:
        nodata = other.nodata
    if nodata is None and told is None and kind == "u":
        nodata = 0
    return BandSource(file, band.index, scale, offset, nodata=nodata)


def _with_crs(file: File, item: Item, band: ItemBand) -> File:
    """Returns a file that has no CRS with that which the item gives it."""
    code = band.said.get("proj:code", item.properties.get("proj:code"))
    number = band.said.get("proj:epsg", item.properties.get("proj:epsg"))
    code = code or (f"EPSG:{number}" if isinstance(number, int) else None)
    return Path(f"{file}|crs={code}") if isinstance(file, Path) and isinstance(code, str) else file


def _offset(item: Item, band: ItemBand, said: float | None, search: Search) -> float:
    """Returns the offset of whole numbers, as reflectance.

    Raises:
        InputError: It can't be known.
    """
    # What an asset says itself goes before what is said of all.
    flag = next((of[key] for of in (band.said, item.properties) for key in OFFSET_APPLIED if key in of), None)
    if flag is True and not band.jpeg2000:
        return 0.0
    if flag is None and said is not None:
        return said
    given, baseline = search.options.offset, baseline_of(item)
    number = of_baseline(baseline) if baseline else None
    if number is None and given is not None:
        number = given.on(item.day)
    if number is None and item.day < SINCE:
        number = 0.0
    if number is None:
        raise InputError(
            f"The STAC item {item.name} in {item.source} tells neither the offset of its bands nor their processing "
            "baseline: whether 1000 is to be subtracted from their numbers, as in products since 25 January 2022, or "
            "was already, can't be known.",
            "Give OFFSET: -1000 if it is to be subtracted, else 0.",
        )
    return number * _SCALE
