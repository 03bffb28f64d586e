"""Spectral indices, computed from the bands of a Sentinel-2 series (METHOD section 1)."""

from __future__ import annotations

from collections.abc import Sequence

from keras import ops

from twinns_qgis.networks.backend import Tensor
from twinns_qgis.series.series import SENTINEL2_BANDS

NORMALISED_DIFFERENCES = {
    "NDVI": ("B8", "B4"),
    "NDWI": ("B3", "B8"),
    "MNDVI": ("B8", "B11"),
    "MNDWI": ("B3", "B11"),
    "RNDVI": ("B8", "B5"),
}
"""Index: bands a and b of (a - b) / (a + b), within [-1, 1]. NDWI: McFeeters 1996; MNDWI: Xu 2006."""

BRIGHTNESS = "BI"
"""Square root of the sum over the ten bands of reflectance squared (Inglada et al. 2017)."""

INDICES = ("NDVI", "NDWI", BRIGHTNESS, "MNDVI", "MNDWI", "RNDVI")


def indices_for(bands: Sequence[str]) -> tuple[str, ...]:
    """Returns the indices that can be computed from some bands; the others are left out."""

    def needed(index: str) -> Sequence[str]:
        return SENTINEL2_BANDS if index == BRIGHTNESS else NORMALISED_DIFFERENCES[index]

    return tuple(index for index in INDICES if set(needed(index)) <= set(bands))


def spectral_indices(reflectance: Tensor, bands: Sequence[str]) -> list[Tensor]:
    """Computes the indices that the bands allow.

    Args:
        reflectance: Reflectance, shape (..., B).
        bands: Names of the B bands.

    Returns:
        The indices of `indices_for`, in that order, each of shape (...). A zero denominator gives 0.
    """
    band = {name: reflectance[..., position] for position, name in enumerate(bands)}
    return [
        brightness([band[name] for name in SENTINEL2_BANDS])
        if index == BRIGHTNESS
        else normalised_difference(*(band[name] for name in NORMALISED_DIFFERENCES[index]))
        for index in indices_for(bands)
    ]


def normalised_difference(a: Tensor, b: Tensor) -> Tensor:
    """Returns (a - b) / (a + b) clipped to [-1, 1], and 0 where a + b is 0.

    Reflectance of dark water is slightly negative since Sentinel-2's baseline 04.00: there the quotient runs to
    hundreds, and would leave all other values a thousandth of the range that is scaled to [0, 1].
    """
    return ops.clip(ops.divide_no_nan(a - b, a + b), -1.0, 1.0)


def brightness(bands: Sequence[Tensor]) -> Tensor:
    """Returns the square root of the sum of the squares of some bands."""
    return ops.sqrt(sum(band * band for band in bands))
