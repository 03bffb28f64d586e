"""Finding the Sentinel-2 products that the user gives, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, place
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs, is_geotiff
from twinns_qgis.series.period import Period
from twinns_qgis.series.products import band_files, dated_geotiffs, safe, theia
from twinns_qgis.series.products.band_source import BandSource, Possible
from twinns_qgis.series.products.product import LeftOut, MaskSource, Product
from twinns_qgis.series.products.search import Search, Sentinel2Options
from twinns_qgis.series.products.selection import warn_of_strangers

_READERS = (theia, safe, band_files)
"""Modules that know a kind of product: by its name `holds` tells its files from others, `find` finds the products,
`LOOKED_FOR` says what it looks for. A file goes to the first that holds it, other rasters to `dated_geotiffs`."""
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
        reporter: Hears of what is odd.

    Raises:
        InputError: There is none, or one can't be used.
    """
    search = Search(AcquisitionDates(inputs.dates, reporter), options, reporter)
    readers = _READERS if inputs.folder else (band_files,)
    files_given = files = inputs.files()
    found: list[Product] = []
    for reader in readers:
        found += reader.find([file for file in files if reader.holds(file)], search)
        files = [file for file in files if not reader.holds(file)]
    rasters = [file for file in files if is_geotiff(file)] if inputs.folder else files
    found += dated_geotiffs.find(rasters, search)
    known = {file for product in found for file in product.files}
    unknown = [file for file in rasters if file not in known]
    looked_for = "; ".join(reader.LOOKED_FOR for reader in (*readers, dated_geotiffs))
    if unknown and inputs.layers:
        raise InputError(
            f"These layers have no band that is recognised: {', '.join(map(str, unknown))}.",
            f"Expected are {looked_for}.",
        )
    if not found:
        raise InputError(
            f"No Sentinel-2 products were found in {inputs}.{_undescribed(unknown)}", f"Looked for: {looked_for}."
        )
    _warn_of_others(known, unknown, reporter)
    if inputs.folder:
        _warn_of_unread_bands(files_given, reporter)
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
    return (
        f" There are {len(rasters)} GeoTIFFs whose bands aren't described as Sentinel-2's, the first being "
        f"{rasters[0]}. Which band is which is never guessed: describe them, in QGIS or with gdal_edit.py."
    )


def _warn_of_others(known: Iterable[File], unknown: Iterable[File], reporter: Reporter) -> None:
    bands = [file for file in unknown if band_files.is_named_like_a_band(file)]
    if bands:
        reporter.warning(
            f"{len(bands)} rasters are named like a band, but not S2x_..._L2A_..., and are passed over: "
            f"{', '.join(str(file) for file in bands[:_LISTED])}{' ...' if len(bands) > _LISTED else ''}."
        )
    warn_of_strangers(known, [file for file in unknown if file not in bands], reporter)


def _warn_of_unread_bands(files: Iterable[File], reporter: Reporter) -> None:
    """Warns of Sentinel-2's bands that no reader is for: within the folder of a product, or in another format."""
    unread = []
    for file in files:
        in_product = next((reader for reader in (theia, safe) if reader.holds(file)), None)
        if is_geotiff(file):
            if in_product and not in_product.is_part(file) and dated_geotiffs.has_bands(file):
                unread.append(str(file))
        elif place(file).suffix.lower() in _OTHER_RASTERS and not in_product and band_files.is_named_like_a_band(file):
            unread.append(str(file))
    if unread:
        reporter.warning(
            f"{len(unread)} rasters hold bands, but are no part of a product that is known, and are passed over: "
            f"{', '.join(unread[:_LISTED])}{' ...' if len(unread) > _LISTED else ''}. GeoTIFFs with described bands "
            "are read outside of the folders of products."
        )


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
