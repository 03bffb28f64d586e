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
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.dates import AcquisitionDates, Tags
from twinns_qgis.series.inputs import Inputs, is_geotiff
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.products.selection import warn_of_strangers
from twinns_qgis.series.readers.backscatter_metadata import (
    is_companion,
    orbit_of,
    product_folder,
    units_of,
    with_acquisition,
    writer_of,
)
from twinns_qgis.series.readers.backscatter_words import is_made_from_images, polarisations
from twinns_qgis.series.series import SENTINEL1_BANDS

LOOKED_FOR = "GeoTIFFs with VV or VH in the description of a band or, where they have one band, in their name"

_DATED = re.compile(r"\d{4}-\d{2}-\d{2} ")
_LISTED = 10


@dataclass(frozen=True)
class _Described:
    """What a file holds: the images of backscatter in it, and whether it holds what was made from such."""

    bands: dict[str, BandSource]
    made_from_images: bool
    tags: Tags


def find(inputs: Inputs, dates: AcquisitionDates, reporter: Reporter) -> list[Product]:
    """Returns a product for each file that is recognised as Sentinel-1, in the order of dates and names.

    Raises:
        InputError: A layer is not recognised, or a file has no date.
    """
    inputs.bands.check(_is_polarisation)
    rasters = _rasters(inputs)
    companions = [file for file in rasters if is_companion(place(file))]
    described = {file: _describe(file, inputs.bands) for file in rasters if file not in companions}
    files = {file: found for file, found in described.items() if found.bands}
    others = [file for file, found in described.items() if found.made_from_images and file not in files]
    unknown = [file for file in described if file not in files and file not in others]
    if unknown and inputs.layers:
        raise InputError(
            f"These layers have no polarisation: {', '.join(map(str, unknown))}.",
            f"Expected are {LOOKED_FOR}. Or name the bands in their order as BANDS, such as VV,VH.",
        )
    _leave_out([*others, *(companions if inputs.layers else ())], inputs, reporter)
    warn_of_strangers(files, unknown, reporter)
    named = {place(file): found for file, found in files.items()}
    days = dates.of({path: with_acquisition(path, found.tags) for path, found in named.items()})
    products = [
        Product(
            _name(path), days[path], found.bands, orbit=orbit_of(path, found.tags), writer=writer_of(path, found.tags)
        )
        for path, found in named.items()
    ]
    return sorted(products, key=lambda product: (product.date, product.name))


def _leave_out(others: Sequence[File], inputs: Inputs, reporter: Reporter) -> None:
    """Warns of rasters made from images, or refuses them among layers: the user chose these one by one."""
    if not others:
        return
    message = (
        f"{len(others)} rasters are no images of backscatter, by their names or those of their bands, but made from "
        f"such: {', '.join(map(str, others[:_LISTED]))}{' ...' if len(others) > _LISTED else ''}."
    )
    if inputs.layers:
        raise InputError(message, "Leave them out of LAYERS; if one is an image, give it another name.")
    reporter.warning(f"{message} They are left out; if one is an image, give it another name.")


def _rasters(inputs: Inputs) -> list[File]:
    """Returns the GeoTIFFs, of archives those that were not unpacked as well: with their folder, beside the archive."""
    files = [file for file in inputs.files() if is_geotiff(file)]
    unpacked = {file.parts[-2:] for file in files if isinstance(file, Path)}
    return [file for file in files if isinstance(file, Path) or place(file).parts[-2:] not in unpacked]


def _name(path: Path) -> str:
    folder = product_folder(path)
    return str(path.relative_to(folder.parent)) if folder else path.name


def _is_polarisation(description: str) -> bool:
    return not polarisations(description).isdisjoint(SENTINEL1_BANDS)


def _describe(file: File, names_given: BandNames) -> _Described:
    bands: dict[str, BandSource] = {}
    made_from_images = False
    path = place(file)
    with open_raster(file) as dataset:
        radar_geometry = dataset.crs is None and bool(dataset.gcps[0])
        descriptions = names_given.of(file, dataset.descriptions, _is_polarisation)
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
