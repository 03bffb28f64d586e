"""Finding the Sentinel-2 products that the user gives, of whatever kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs, is_geotiff
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.band_source import BandSource, Possible
from twinns_qgis.series.products.product import LeftOut, MaskSource, Product
from twinns_qgis.series.products.selection import warn_of_strangers
from twinns_qgis.series.readers import band_files, dated_geotiffs, safe, theia
from twinns_qgis.series.readers.search import Search, Sentinel2Options

_READERS = (theia, safe, band_files)
"""Modules that know a kind of product: by its name `holds` tells its files from others, `find` finds the products,
`LOOKED_FOR` says what it looks for. A file goes to the first that holds it, other rasters to `dated_geotiffs`."""
_IN_FOLDERS = (theia, safe)
"""Those that know a product by its folder: `folder` tells it, `is_part` whether a file is one that products have."""
POSSIBLE_REFLECTANCE = Possible(-0.2, 2.0)
"""What reflectance can be: slightly negative over dark water, and beyond 1 on clouds and snow in the sun."""
_LISTED = 10
_OTHER_RASTERS = (".jp2", ".img", ".vrt", ".nc", ".dim", ".hdf")


@dataclass(frozen=True)
class Found:
    """What a search found.

    Args:
        products: The products to use, in the order of their dates and names.
        left_out: Products that were found besides, with the reason why they are not used.
    """

    products: list[Product]
    left_out: list[LeftOut]


def find_sentinel2(inputs: Inputs, options: Sentinel2Options, period: Period, reporter: Reporter) -> Found:
    """Finds the products in a period.

    Args:
        inputs: Where to look.
        options: What the user chose.
        period: The dates wanted.
        reporter: Receives warnings.

    Raises:
        InputError: There is none, or one can't be used.
    """
    inputs.bands.check(dated_geotiffs.is_name)
    search = Search(AcquisitionDates(inputs.dates, reporter), options, reporter, bands=inputs.bands)
    readers = _READERS if inputs.folder else (band_files,)
    found, files, unread = _read_kinds(readers, inputs.files(), search)
    rasters = [file for file in files if is_geotiff(file)] if inputs.folder else files
    found += dated_geotiffs.find(rasters, search)
    known = {file for product in found for file in product.files}
    unknown = [file for file in rasters if file not in known]
    finished = [file for file in unknown if dated_geotiffs.is_series(file)]
    unknown = [file for file in unknown if file not in finished]
    unread += _of_other_formats(files) if inputs.folder else []
    looked_for = "; ".join(reader.LOOKED_FOR for reader in (*readers, dated_geotiffs))
    if finished and inputs.layers:
        raise InputError(
            f"{finished[0]} is a finished series.",
            "Training and mapping take it as it is; a series is prepared from products.",
        )
    if unknown and inputs.layers:
        raise InputError(
            f"These layers have no band that is recognised: {', '.join(map(str, unknown))}.",
            f"Expected are {looked_for}. Or name the bands in their order as BANDS, such as B2,B3,B4,B8.",
        )
    if not found:
        reasons = [_finished(finished), _undescribed(unknown), _unread(unread)]
        told = " ".join([f"No Sentinel-2 products were found in {inputs}.", *filter(None, reasons)])
        raise InputError(told, f"Looked for: {looked_for}.")
    if finished:
        reporter.info(_finished(finished))
    _warn_of_others(known, unknown, reporter)
    if unread:
        reporter.warning(_unread(unread))
    search.dates.warn_of_unused_rows()
    period.dates([product.date for product in found], Reporter())
    products = sorted(
        (product for product in found if product.date in period), key=lambda product: (product.date, product.name)
    )
    _warn_of_masks(products, options, reporter)
    search.left_out.extend(
        LeftOut(product.date, product.name, "outside the period") for product in found if product.date not in period
    )
    chosen = [
        replace(
            product,
            bands=_as_reflectance(product.bands),
            masks=tuple(_as_chosen(mask, options.clear) for mask in product.masks),
        )
        for product in products
    ]
    return Found(chosen, search.left_out)


def _read_kinds(
    readers: Sequence[ModuleType], files: list[File], search: Search
) -> tuple[list[Product], list[File], list[File]]:
    """Returns the products of agencies, the files that are of none, and GeoTIFFs of bands that lie among theirs."""
    instead = _instead_of_products(files)
    found: list[Product] = []
    unread: list[File] = []
    for reader in readers:
        by_folder = reader in _IN_FOLDERS
        held = [file for file in files if reader.holds(file) and not (by_folder and file in instead)]
        found += reader.find(held, search)
        files = sorted(set(files) - set(held), key=place)
        if by_folder:
            others = [file for file in held if is_geotiff(file) and not reader.is_part(file)]
            unread += [file for file in others if dated_geotiffs.has_bands(file)]
    return found, files, unread


def _instead_of_products(files: Iterable[File]) -> set[File]:
    """Returns what lies in folders that have the name of a product, and GeoTIFFs in place of its files."""
    folders: defaultdict[Path, list[File]] = defaultdict(list)
    whole: set[Path] = set()
    for file in files:
        for reader in _IN_FOLDERS:
            if folder := reader.folder(file):
                folders[folder].append(file)
                whole |= {folder} if reader.is_part(file) else set()
    emptied = [inside for folder, inside in folders.items() if folder not in whole and any(map(is_geotiff, inside))]
    return {file for inside in emptied for file in inside}


def _as_reflectance(bands: Mapping[str, BandSource]) -> dict[str, BandSource]:
    """Returns a product's bands, knowing each other and what they can be."""
    spectrum = tuple((band.path, band.index) for band in bands.values())
    return {name: replace(band, possible=POSSIBLE_REFLECTANCE, spectrum=spectrum) for name, band in bands.items()}


def _as_chosen(mask: MaskSource, clear: Mapping[str, frozenset[int]]) -> MaskSource:
    """Returns a mask with the clear values that the user chose; what is clear is no cloud that spreads."""
    chosen = clear.get(mask.name, mask.clear)
    return replace(mask, clear=chosen, spreads=mask.spreads - chosen)


def _undescribed(rasters: Sequence[File]) -> str:
    if not rasters:
        return ""
    with open_raster(rasters[0]) as dataset:
        count = dataset.count
    return (
        f"There are {len(rasters)} GeoTIFFs whose bands aren't described as Sentinel-2's, the first being "
        f"{rasters[0]}, with {count} band{'' if count == 1 else 's'}. Which band is which is never guessed: name them "
        "in their order as BANDS, such as B2,B3,B4,B8."
    )


def _warn_of_others(known: Iterable[File], unknown: Iterable[File], reporter: Reporter) -> None:
    bands = [file for file in unknown if band_files.is_named_like_a_band(file)]
    if bands:
        reporter.warning(
            f"{len(bands)} rasters are named like a band, but not S2x_..._L2A_..., and are passed over: "
            f"{_listed(bands)}."
        )
    warn_of_strangers(known, [file for file in unknown if file not in bands], reporter)


def _of_other_formats(files: Iterable[File]) -> list[File]:
    """Returns the rasters of bands, by their names or descriptions, in formats that no reader is for."""
    rasters = [file for file in files if place(file).suffix.lower() in _OTHER_RASTERS]
    return [file for file in rasters if band_files.is_named_like_a_band(file) or dated_geotiffs.has_bands(file)]


def _finished(series: Sequence[File]) -> str:
    if not series:
        return ""
    return f"Finished series, which training and mapping take as they are, are passed over: {_listed(series)}."


def _unread(files: Sequence[File]) -> str:
    if not files:
        return ""
    return (
        f"{len(files)} rasters hold bands, but are no part of a product that is known, and are passed over: "
        f"{_listed(files)}. GeoTIFFs with described bands are read outside of the folders of products."
    )


def _listed(files: Sequence[File]) -> str:
    return ", ".join(map(str, files[:_LISTED])) + (" ..." if len(files) > _LISTED else "")


def _warn_of_masks(products: Sequence[Product], options: Sentinel2Options, reporter: Reporter) -> None:
    unmasked = [product.name for product in products if not product.masks]
    if unmasked:
        reporter.warning(
            f"{len(unmasked)} of {len(products)} products have no cloud mask, and all their valid pixels are taken as "
            f"clear, the first being {unmasked[0]}. Masks are SCL, or CLM with 0 where clear: bands that are described "
            "so, or files that are named so."
        )
    unused = sorted(set(options.clear) - {mask.name for product in products for mask in product.masks})
    if unused:
        reporter.warning(f"CLEAR names {', '.join(unused)}, which no product has.")
