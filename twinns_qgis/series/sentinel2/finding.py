"""Finding the Sentinel-2 products that the user gives, and what their values and masks mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from twinns_qgis.reporter import Reporter
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.band_source import BandSource, Possible
from twinns_qgis.series.products.product import LeftOut, MaskSource, Product
from twinns_qgis.series.readers import maccs, named_rasters, safe, stac_reflectance, theia
from twinns_qgis.series.readers.dimap import Dimap
from twinns_qgis.series.readers.envi import Envi
from twinns_qgis.series.readers.finding import Readers, find_products
from twinns_qgis.series.readers.netcdf import Netcdf
from twinns_qgis.series.readers.pieces import is_layer, is_name
from twinns_qgis.series.readers.search import Search, Sentinel2Options
from twinns_qgis.series.readers.sensors import SENTINEL2

READERS = Readers(
    "Sentinel-2 products",
    (Dimap(SENTINEL2), theia, maccs, safe, stac_reflectance, Netcdf(SENTINEL2), Envi(SENTINEL2), named_rasters),
    is_name=is_name,
    is_band=is_layer,
    example="B2,B3,B4,B8",
)
POSSIBLE_REFLECTANCE = Possible(-0.2, 2.0)
"""What reflectance can be: slightly negative over dark water, and beyond 1 on clouds and snow in the sun."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Args:
        products: The products to use, in the order of their dates and names.
        left_out: Products that were found besides, with the reason why they are not used.
        inputs: The files of all of them, and of what else was taken for an input.
    """

    products: list[Product]
    left_out: list[LeftOut]
    inputs: set[Path]


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
    search = Search.among(inputs, reporter, options)
    products = find_products(READERS, inputs, period, search)
    _warn_of_masks(products, options, reporter)
    chosen = [
        replace(
            product,
            bands=_as_reflectance(product.bands),
            masks=tuple(_as_chosen(mask, options.clear) for mask in product.masks),
        )
        for product in products
    ]
    return Found(chosen, search.left_out, search.inputs)


def _as_reflectance(bands: Mapping[str, BandSource]) -> dict[str, BandSource]:
    """Returns a product's bands, knowing each other and what they can be."""
    spectrum = tuple((band.path, band.index) for band in bands.values())
    return {name: replace(band, possible=POSSIBLE_REFLECTANCE, spectrum=spectrum) for name, band in bands.items()}


def _as_chosen(mask: MaskSource, clear: Mapping[str, frozenset[int]]) -> MaskSource:
    """Returns a mask with the clear values that the user chose; what is clear is no cloud that spreads."""
    chosen = clear.get(mask.name, mask.clear)
    return replace(mask, clear=chosen, spreads=mask.spreads - chosen)


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
