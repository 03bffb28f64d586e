"""Sentinel-1 as calibrated, orthorectified GeoTIFFs: one a date, one a date and polarisation, or stacks of dates.

A band's polarisation is that in its description (``VV``, ``VV_dB``, ``Gamma0_VH``); a file of one band without a
telling description has it in its name (``s1a_31UES_vv_DES_110_20180103txxxxxx.tif``) or its folder's. With a date
beside the polarisation in each description (``20180315_VV``, ``Sigma0_VV_slv1_27Mar2018``) the file is a stack. So are
the products of S1 Tiling, OPERA, HyP3 and pyroSAR, and what clouds export. No image is a band of two polarisations,
such as ``VV/VH``, and what by `names.polarisations` was made from images.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import is_alpha, open_raster
from twinns_qgis.series.dates import Tags, day_described
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.names.origin import processed_of
from twinns_qgis.series.names.polarisations import is_made_from_images, polarisations
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.product import LeftOut, Product
from twinns_qgis.series.readers.backscatter_metadata import (
    is_companion,
    orbit_of,
    product_folder,
    units_of,
    with_acquisition,
    writer_of,
)
from twinns_qgis.series.readers.geotiff_bands import highest_of_raw
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.series import SENTINEL1_BANDS

LOOKED_FOR = "GeoTIFFs with VV or VH in the description of a band or, where they have one band, in their name"

_DATED = re.compile(r"\d{4}-\d{2}-\d{2} ")
_TYPE_OF_SERIES = "uint8"


@dataclass(frozen=True)
class _Described:
    """What a file holds: the images of backscatter in it, and whether it holds what was made from such.

    Args:
        images: By the date that descriptions tell; None if the file is of one date.
        names: Likewise, what may tell the orbit.
        made_from_images: Whether there is something made from images.
        tags: The file's metadata.
    """

    images: dict[date | None, dict[str, BandSource]]
    names: dict[date | None, str]
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
    described = {file: _describe(file, search) for file in files if file not in companions}
    for file, found in described.items():
        if not found.images and not found.made_from_images:
            search.unrecognised[file] = "no polarisation in its name or in descriptions, or cut short"
    made = [file for file, found in described.items() if found.made_from_images and not found.images]
    search.pass_over(
        [*made, *companions],
        "no image of backscatter, by its name or those of its bands, but made from such; if it is one, give it "
        "another name",
    )
    described = _newest({file: found for file, found in described.items() if found.images}, search)
    undated = {place(file): found for file, found in described.items() if None in found.images}
    days = search.dates.of({path: with_acquisition(path, found.tags) for path, found in undated.items()})
    return [
        _product(place(file), day or days[place(file)], found, day)
        for file, found in described.items()
        for day in found.images
    ]


def _newest(described: Mapping[File, _Described], search: Search) -> dict[File, _Described]:
    """Returns the files without older versions of an image, as far as their names tell when they were processed."""
    versions: defaultdict[tuple[str, frozenset[str]], dict[str, File]] = defaultdict(dict)
    for file, found in described.items():
        if processed := processed_of(PurePath(place(file).name)):
            image = place(file).stem.partition(processed)[0], frozenset().union(*found.images.values())
            versions[image][processed] = file
    older = {file: of[max(of)] for of in versions.values() for version, file in of.items() if version != max(of)}
    search.left_out.extend(LeftOut(None, str(file), f"{newer} is newer") for file, newer in older.items())
    if older:
        listed = "; ".join(f"{newer} is used, {file} is not" for file, newer in older.items())
        search.reporter.warning(f"Several versions of one image: {listed}.")
    return {file: found for file, found in described.items() if file not in older}


def _product(path: Path, day: date, found: _Described, told: date | None) -> Product:
    name = _name(path) if told is None else f"{_name(path)} of {day}"
    return Product(
        name,
        day,
        found.images[told],
        orbit=orbit_of(path, found.tags, found.names[told]),
        writer=writer_of(path, found.tags),
    )


def _name(path: Path) -> str:
    folder = product_folder(path)
    return str(path.relative_to(folder.parent)) if folder else path.name


def is_polarisation(description: str) -> bool:
    """Whether a description names a polarisation that a series can have."""
    return not polarisations(description).isdisjoint(SENTINEL1_BANDS)


def _describe(file: File, search: Search) -> _Described:
    images: defaultdict[date | None, dict[str, BandSource]] = defaultdict(dict)
    told: dict[date | None, str] = {}
    made_from_images = False
    path = place(file)
    with open_raster(file) as dataset:
        radar_geometry = dataset.crs is None and bool(dataset.gcps[0])
        descriptions = search.bands.of(file, dataset.descriptions, is_polarisation)
        shown = [index for index in range(1, dataset.count + 1) if not is_alpha(dataset, index)]
        for index in shown:
            description, dtype = descriptions[index - 1], dataset.dtypes[index - 1]
            if _DATED.match(description) and dtype == _TYPE_OF_SERIES:
                continue  # a series that was prepared before
            names = polarisations(description) or (_named(search.path_of(file)) if len(shown) == 1 else frozenset())
            if names.isdisjoint(SENTINEL1_BANDS):
                continue
            if len(names) > 1 or is_made_from_images(description) or is_made_from_images(path.stem):
                made_from_images = True
                continue
            (name,) = names
            day = day_described(file, index, description)
            if name in images[day]:
                raise InputError(
                    f"{path}: the bands {images[day][name].index} and {index} are both {name}"
                    f"{f' of {day}' if day else ''}.",
                    "Name the one that is wanted in a table of bands, as BANDS; in a stack of dates each description "
                    "holds a date too, such as 20180315_VV.",
                )
            told.setdefault(day, description)
            unit, scale = dataset.units[index - 1] or "", dataset.scales[index - 1]
            images[day][name] = BandSource(
                file,
                index,
                scale / highest_of_raw(path, dtype),
                dataset.offsets[index - 1],
                units=units_of(path, description, unit, dtype, dataset.tags()),
            )
        if any(images.values()) and radar_geometry:
            raise InputError(
                f"{path} lies in the geometry of the radar: it is a product of level 1, not calibrated and not "
                "orthorectified.",
                "Calibrate it and correct it for terrain, with SNAP, S1 Tiling or pyroSAR, or order RTC products, and "
                "keep it out of FOLDER.",
            )
        return _Described(
            {day: bands for day, bands in images.items() if bands}, told, made_from_images, dataset.tags()
        )


def _named(path: PurePath) -> frozenset[str]:
    """Returns the polarisations in a file's name, else that in the name of a folder that holds one alone."""
    folders = (polarisations(part) for part in path.parts[-2::-1] if not is_made_from_images(part))
    return polarisations(path.stem) or next((names for names in folders if len(names) == 1), frozenset())
