"""The radar images of one day as one image of linear power, on the grid of a block."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.unpacking import Unpacked
from twinns_qgis.series.products.band_source import Seen
from twinns_qgis.series.sentinel1.backscatter import to_power
from twinns_qgis.series.sentinel1.passes import Pass


def read_day(
    passes: Sequence[Pass],
    polarisations: Sequence[str],
    block: Grid,
    resampling: Resampling = Resampling.bilinear,
    seen: Seen | None = None,
    unpacked: Unpacked | None = None,
) -> NDArray[np.float32]:
    """Reads the images of a day: each value is of the first pass that has one.

    Args:
        passes: The images of each pass of the day.
        polarisations: The P polarisations to read.
        block: The grid to read on.
        resampling: How images on another grid are resampled.
        seen: Counts the values, and those that are no backscatter.
        unpacked: What is unpacked of archives.

    Returns:
        Linear power of shape (P, height, width), NaN where missing.
    """
    power = _read_pass(passes[0], polarisations, block, resampling, seen, unpacked)
    for images in passes[1:]:
        if np.isnan(power).any():
            other = _read_pass(images, polarisations, block, resampling, seen, unpacked)
            power = np.where(np.isnan(power), other, power)
    return power


def _read_pass(
    products: Pass,
    polarisations: Sequence[str],
    block: Grid,
    resampling: Resampling,
    seen: Seen | None,
    unpacked: Unpacked | None,
) -> NDArray[np.float32]:
    """Returns the linear power of a pass on a block, of shape (P, height, width), NaN where missing.

    Where its images overlap, it is their mean.
    """
    found: list[list[NDArray[np.float32]]] = [[] for _ in polarisations]
    for product in products:
        with product.open(unpacked=unpacked) as files:
            for order, name in enumerate(polarisations):
                if name not in product.bands:
                    continue
                source = product.bands[name]
                in_power = partial(to_power, units=source.units or "power")
                found[order].append(source.read(files, block, resampling, in_power, seen))
    return np.stack([_mean(images) if images else _nothing(block) for images in found])


def _mean(images: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Returns the mean of images of shape (height, width) where they have a value, NaN where none has."""
    if len(images) == 1:
        return images[0]
    total, count = np.zeros_like(images[0]), np.zeros(images[0].shape, np.float32)
    for image in images:
        valid = ~np.isnan(image)
        np.add(total, image, out=total, where=valid)
        count += valid
    return np.divide(total, count, where=count > 0, out=np.full_like(total, np.nan))


def _nothing(block: Grid) -> NDArray[np.float32]:
    return np.full((block.height, block.width), np.nan, np.float32)
