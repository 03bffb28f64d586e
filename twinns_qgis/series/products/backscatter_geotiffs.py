"""Sentinel-1 as calibrated, orthorectified GeoTIFFs: one file a date, or one a date and polarisation.

A band's polarisation is that in its description (``VV``, ``VV_dB``, ``Gamma0_VH``); a file of one band without a
telling description has it in its name (``s1a_31UES_vv_DES_110_20180103txxxxxx.tif``). So are the products of S1 Tiling,
OPERA, HyP3 and pyroSAR, and what clouds export.
"""

from __future__ import annotations

import re
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import is_alpha, open_raster
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates, Tags
from twinns_qgis.series.inputs import Inputs, is_geotiff
from twinns_qgis.series.products.backscatter_metadata import (
    is_companion,
    is_no_image,
    orbit_of,
    product_folder,
    units_of,
    with_acquisition,
)
from twinns_qgis.series.products.product import BandSource, Product
from twinns_qgis.series.products.selection import warn_of_strangers

LOOKED_FOR = "GeoTIFFs with VV or VH in the description of a band or, where they have one band, in their name"

_POLARISATION = re.compile(r"(?<![A-Z0-9])(VV|VH)(?![A-Z0-9])", re.IGNORECASE)
_BOTH = re.compile(r"(?<![A-Z0-9])(VV[-_+ ]?VH|VH[-_+ ]?VV)(?![A-Z0-9])", re.IGNORECASE)
_LISTED = 10
_DATED = re.compile(r"\d{4}-\d{2}-\d{2} ")


def find(inputs: Inputs, dates: AcquisitionDates, reporter: Reporter) -> list[Product]:
    """Returns a product for each file that is recognised as Sentinel-1, in the order of dates and names.

    Raises:
        InputError: A layer is not recognised, or a file has no date.
    """
    rasters = _rasters(inputs)
    others = [file for file in rasters if is_companion(place(file)) or is_no_image(_without_both(place(file)))]
    described = {file: _describe(file) for file in rasters if file not in others}
    files = {file: found for file, found in described.items() if found[0]}
    if others and inputs.layers:
        raise InputError(
            f"These layers are no images of backscatter, by their names: {', '.join(map(str, others))}.",
            "Leave them out, or, if they are, rename them.",
        )
    if made := [file for file in others if not is_companion(place(file))]:
        reporter.info(
            f"{len(made)} rasters are no images of backscatter, by their names, and are left out: "
            f"{', '.join(str(file) for file in made[:_LISTED])}{' ...' if len(made) > _LISTED else ''}."
        )
    unknown = [file for file in described if file not in files]
    if unknown and inputs.layers:
        raise InputError(
            f"These layers have no polarisation: {', '.join(map(str, unknown))}.", f"Expected are {LOOKED_FOR}."
        )
    warn_of_strangers(files, unknown, reporter)
    named = {place(file): found for file, found in files.items()}
    days = dates.of({path: with_acquisition(path, tags) for path, (_, tags) in named.items()})
    products = [
        Product(_name(path), days[path], bands, orbit=orbit_of(path, tags)) for path, (bands, tags) in named.items()
    ]
    return sorted(products, key=lambda product: (product.date, product.name))


def _rasters(inputs: Inputs) -> list[File]:
    """Returns the GeoTIFFs, of archives those that were not unpacked as well: with their folder, beside the archive."""
    files = [file for file in inputs.files() if is_geotiff(file)]
    unpacked = {file.parts[-2:] for file in files if isinstance(file, Path)}
    return [file for file in files if isinstance(file, Path) or place(file).parts[-2:] not in unpacked]


def _without_both(path: Path) -> str:
    """Returns a file's name without the polarisations, if it names both: files of two bands may be called so."""
    return _BOTH.sub("", path.stem)


def _name(path: Path) -> str:
    folder = product_folder(path)
    return str(path.relative_to(folder.parent)) if folder else path.name


def _describe(file: File) -> tuple[dict[str, BandSource], Tags]:
    bands: dict[str, BandSource] = {}
    path = place(file)
    with open_raster(file) as dataset:
        radar_geometry = dataset.crs is None and bool(dataset.gcps[0])
        shown = [index for index in range(1, dataset.count + 1) if not is_alpha(dataset, index)]
        for index in shown:
            description = dataset.descriptions[index - 1]
            if _DATED.match(description or ""):
                continue  # a series that was prepared before
            match = _POLARISATION.search(description or "")
            if match is not None and is_no_image(description or ""):
                continue
            if match is None and len(shown) == 1 and not is_no_image(path.stem):
                match = _POLARISATION.search(path.name)
            if match is None:
                continue
            name = match[1].upper()
            if name in bands:
                raise InputError(f"{path}: the bands {bands[name].index} and {index} are both {name}.", "Keep one.")
            unit, dtype = dataset.units[index - 1] or "", dataset.dtypes[index - 1]
            bands[name] = BandSource(
                file,
                index,
                dataset.scales[index - 1],
                dataset.offsets[index - 1],
                units=units_of(path, description or "", unit, dtype, dataset.tags()),
            )
        if bands and radar_geometry:
            raise InputError(
                f"{path} lies in the geometry of the radar: it is a product of level 1, not calibrated and not "
                "orthorectified.",
                "Calibrate it and correct it for terrain, with SNAP, S1 Tiling or pyroSAR, or order RTC products, and "
                "keep it out of FOLDER.",
            )
        return bands, dataset.tags()
