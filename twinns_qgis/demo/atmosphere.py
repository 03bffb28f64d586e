"""Clouds, their shadows, and the mask that a processor would make of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.demo.noise import smooth_noise

MISSED_SHARE = 0.03
"""Share of the pixels under clouds and shadows that the mask misses, in patches, date by date, usually."""

# Bits of the CLM mask as MAJA sets them: cloud or shadow, cloud, cloud by a threshold of one date, shadow of a cloud in
# the image, shadow of a cloud outside it.
CLOUD_BIT = 2
"""The bit of the mask that clouds have and shadows do not."""
_CLOUD = 1 | CLOUD_BIT | 4
_SHADOW = 1 | 32
_SHADOW_FROM_OUTSIDE = 1 | 64

_CLOUD_REFLECTANCE = np.array([0.56, 0.55, 0.56, 0.57, 0.58, 0.59, 0.59, 0.60, 0.46, 0.38])
_SHADOW_DEPTH = 0.55
_LEAST_OPACITY = 0.2
# Pixels from a cloud to its shadow, to the north-west, for the lowest and the highest clouds.
_SHADOW_DISTANCES = (4, 10)


@dataclass(frozen=True)
class Sky:
    """The clouds and shadows of one Sentinel-2 date, and their mask.

    Args:
        opacity: Share of the light that comes from clouds, 0 to 1, shape (size, size).
        shade: Share of the sunlight that clouds keep from the ground, 0 to 1, shape (size, size).
        mask: The CLM mask, shape (size, size), uint8: 0 is clear; `MISSED_SHARE` of it is wrongly so.
    """

    opacity: NDArray[np.float64]
    shade: NDArray[np.float64]
    mask: NDArray[np.uint8]

    def seen_through(self, reflectance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the ground's reflectance, shape (size, size, 10), as it is seen through this sky."""
        opacity = self.opacity[..., np.newaxis]
        return (1 - opacity) * (1 - self.shade[..., np.newaxis]) * reflectance + opacity * _CLOUD_REFLECTANCE


def draw_sky(rng: np.random.Generator, size: int, cloud_cover: float, missed_share: float = MISSED_SHARE) -> Sky:
    """Returns random clouds and shadows of one date.

    Args:
        rng: Where the random numbers come from.
        size: Width and height of the site in pixels.
        cloud_cover: Share of the site under clouds, shadows not counted.
        missed_share: Share of the pixels under clouds and shadows that the mask misses.
    """
    # Beyond the southern and eastern edge lie clouds too, whose shadows fall on the site.
    canvas = size + _SHADOW_DISTANCES[1]
    depth = smooth_noise(rng, canvas, 14) + 0.3 * smooth_noise(rng, canvas, 3)
    depth -= np.quantile(depth[:size, :size], 1 - cloud_cover)
    thickness = np.where(depth > 0, _LEAST_OPACITY + (1 - _LEAST_OPACITY) * np.clip(depth / 0.4, 0, 1), 0)
    down, right = rng.integers(_SHADOW_DISTANCES[0], _SHADOW_DISTANCES[1] + 1, size=2)
    opacity = thickness[:size, :size]
    shade = np.where(opacity == 0, _SHADOW_DEPTH * thickness[down : down + size, right : right + size], 0)
    mask = _mask(opacity > 0, shade > 0, int(down), int(right))
    affected = np.flatnonzero(mask)
    elusive = smooth_noise(rng, canvas, 2)[:size, :size].ravel()[affected]
    missed = affected[np.argsort(elusive, kind="stable")[: round(missed_share * len(affected))]]
    mask.ravel()[missed] = 0
    return Sky(opacity, shade, mask)


def _mask(cloud: NDArray[np.bool_], shadow: NDArray[np.bool_], down: int, right: int) -> NDArray[np.uint8]:
    """Returns the mask without misses; shadows within `down` and `right` of the edges come from beyond them."""
    mask = np.zeros(cloud.shape, np.uint8)
    mask[cloud] = _CLOUD
    mask[shadow] = _SHADOW
    outside = np.zeros(cloud.shape, bool)
    outside[-down:] = True
    outside[:, -right:] = True
    mask[shadow & outside] = _SHADOW_FROM_OUTSIDE
    return mask
