"""Sentinel-1 as calibrated, orthorectified GeoTIFFs: one file a date, or one a date and polarisation.

A band's polarisation is that in its description (``VV``, ``VV_dB``, ``Gamma0_VH``); a file of one band without a
telling description has it in its name (``s1a_31UES_vv_DES_110_20180103txxxxxx.tif``). So are the products of S1 Tiling,
OPERA, HyP3 and pyroSAR, and what clouds export. No image is a band of two polarisations, such as ``VV/VH``, and what
by `backscatter_words` was made from images.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import is_alpha, open_raster
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.dates import Tags
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.backscatter_metadata import (
    is_companion,
    orbit_of,
    product_folder,
    units_of,
    with_acquisition,
    writer_of,
)
from twinns_qgis.series.readers.backscatter_words import is_made_from_images, polarisations
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.series import SENTINEL1_BANDS

LOOKED_FOR = "GeoTIFFs with VV or VH in the description of a band or, where they have one band, in their name"

_DATED = re.compile(r"\d{4}-\d{2}-\d{2} ")


@dataclass(frozen=True)
class _Described:
    """What a file holds: the images of backscatter in it, and whether it holds what was made from such."""

    bands: dict[str, BandSource]
    made_from_images: bool
    tags: Tags


def held(files: Sequence[File], search: Search) -> list[File]:
    """Returns the GeoTIFFs, of archives those that were not unpacked as well: with their folder, beside the archive.

    What lies beside images is none; of files named one by one all are held, whatever their names.
    """
    if search.chosen:
        return list(files)
    unpacked = {file.parts[-2:] for file in files if isinstance(file, Path)}
    return [
        file
        for file in files
        if is_geotiff(file)
        and not is_companion(place(file))
        and (isinstance(file, Path) or place(file).parts[-2:] not in unpacked)
    ]


def find(files: Sequence[File], search: Search) -> list[Product]:
    """Returns a product for each file that is recognised as Sentinel-1.

    Raises:
        InputError: A file has no date, lies in the geometry of the radar, or has two bands of one polarisation.
    """
    companions = [file for file in files if is_companion(place(file))]
    described = {file: _describe(file, search.bands) for file in files if file not in companions}
    images = {place(file): found for file, found in described.items() if found.bands}
    for file, found in described.items():
        if not found.bands and not found.made_from_images:
            search.unrecognised[file] = "no polarisation in its name or in descriptions, or cut short"
    made = [file for file, found in described.items() if found.made_from_images and not found.bands]
    search.pass_over(
        [*made, *companions],
        "no image of backscatter, by its name or those of its bands, but made from such; if it is one, give it "
        "another name",
    )
    days = search.dates.of({path: with_acquisition(path, found.tags) for path, found in images.items()})
    return [
        Product(
            _name(path), days[path], found.bands, orbit=orbit_of(path, found.tags), writer=writer_of(path, found.tags)
        )
        for path, found in images.items()
    ]


def _name(path: Path) -> str:
    folder = product_folder(path)
    return str(path.relative_to(folder.parent)) if folder else path.name


def is_polarisation(description: str) -> bool:
    """Whether a description names a polarisation that a series can have."""
    return not polarisations(description).isdisjoint(SENTINEL1_BANDS)


def _describe(file: File, names_given: BandNames) -> _Described:
    bands: dict[str, BandSource] = {}
    made_from_images = False
    path = place(file)
    with open_raster(file) as dataset:
        radar_geometry = dataset.crs is None and bool(dataset.gcps[0])
        descriptions = names_given.of(file, dataset.descriptions, is_polarisation)
        shown = [index for index in range(1, dataset.count + 1) if not is_alpha(dataset, index)]
        for index in shown:
            description = descriptions[index - 1]
            if _DATED.match(description):
                continue  # a series that was prepared before
            names = polarisations(description) or (polarisations(path.stem) if len(shown) == 1 else frozenset())
            if names.isdisjoint(SENTINEL1_BANDS):
                continue
            if len(names) > 1 or is_made_from_images(description) or is_made_from_images(path.stem):
                made_from_images = True
                continue
            (name,) = names
            if name in bands:
                raise InputError(
                    f"{path}: the bands {bands[name].index} and {index} are both {name}.",
                    "Name the one that is wanted in a table of bands, as BANDS.",
                )
            unit, dtype = dataset.units[index - 1] or "", dataset.dtypes[index - 1]
            bands[name] = BandSource(
                file,
                index,
                dataset.scales[index - 1],
                dataset.offsets[index - 1],
                units=units_of(path, description, unit, dtype, dataset.tags()),
            )
        if bands and radar_geometry:
            raise InputError(
                f"{path} lies in the geometry of the radar: it is a product of level 1, not calibrated and not "
                "orthorectified.",
                "Calibrate it and correct it for terrain, with SNAP, S1 Tiling or pyroSAR, or order RTC products, and "
                "keep it out of FOLDER.",
            )
        return _Described(bands, made_from_images, dataset.tags())
