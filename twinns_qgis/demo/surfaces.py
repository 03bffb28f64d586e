"""Reflectance and backscatter of kinds of ground over the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.demo.phenology import Curve

# Reflectance in B2 B3 B4 B5 B6 B7 B8 B8A B11 B12: round numbers of the right order for each material.
_SPECTRA = {
    "soil": (0.08, 0.11, 0.15, 0.18, 0.20, 0.22, 0.25, 0.27, 0.34, 0.29),
    "straw": (0.08, 0.12, 0.16, 0.20, 0.23, 0.26, 0.29, 0.31, 0.36, 0.26),
    "litter": (0.05, 0.07, 0.08, 0.11, 0.15, 0.17, 0.19, 0.21, 0.24, 0.17),
    "grass": (0.04, 0.08, 0.06, 0.12, 0.24, 0.28, 0.31, 0.33, 0.23, 0.13),
    "crop": (0.03, 0.06, 0.03, 0.10, 0.31, 0.39, 0.42, 0.44, 0.20, 0.10),
    "legume": (0.03, 0.07, 0.04, 0.12, 0.33, 0.39, 0.42, 0.43, 0.22, 0.12),
    "yellow flowers": (0.05, 0.16, 0.15, 0.21, 0.36, 0.41, 0.44, 0.45, 0.22, 0.12),
    "leaves": (0.02, 0.04, 0.02, 0.08, 0.27, 0.35, 0.38, 0.40, 0.16, 0.07),
    "water": (0.05, 0.05, 0.03, 0.03, 0.02, 0.02, 0.02, 0.02, 0.01, 0.01),
    "roofs": (0.12, 0.14, 0.17, 0.18, 0.19, 0.20, 0.21, 0.22, 0.26, 0.25),
    "asphalt": (0.09, 0.10, 0.11, 0.11, 0.12, 0.12, 0.13, 0.13, 0.15, 0.15),
}


@dataclass(frozen=True)
class Surface:
    """A kind of ground with its course over the year.

    Args:
        ground: The material seen where nothing covers it.
        vv: Backscatter in VV, in dB.
        vh: Backscatter in VH, in dB.
        covers: Materials over it, and the share of the ground that each covers.
    """

    ground: str
    vv: Curve
    vh: Curve
    covers: tuple[tuple[str, Curve], ...] = ()

    def reflectance(self, days: NDArray[np.float64], vigour: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the linear mixture of the spectra of the ground and of what covers it.

        Args:
            days: Days of the year, shape (n,).
            vigour: Factor of the seasons, shape (n,).

        Returns:
            Reflectance in the ten bands of Sentinel-2, shape (n, 10).
        """
        if not self.covers:
            return np.tile(_SPECTRA[self.ground], (len(days), 1))
        shares = np.stack([curve.at(days, vigour) for _, curve in self.covers], axis=1).clip(0, 1)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
        bare = 1 - shares.sum(axis=1, keepdims=True)
        return bare * np.array(_SPECTRA[self.ground]) + shares @ np.array([_SPECTRA[name] for name, _ in self.covers])

    def backscatter_db(self, days: NDArray[np.float64], vigour: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns VV and VH in dB, shape (n, 2); the arguments are those of `reflectance`."""
        return np.stack([self.vv.at(days, vigour), self.vh.at(days, vigour)], axis=1)

    def mirrored(self, day: float) -> Surface:
        """Returns the surface that is on day `day` + d, to both sensors, what this one is on `day` - d."""
        covers = tuple((material, curve.mirrored(day)) for material, curve in self.covers)
        return Surface(self.ground, self.vv.mirrored(day), self.vh.mirrored(day), covers)
