"""One image a date, orbit and polarisation: images of a pass are averaged, so they must be its slices and no versions.

Slices, frames or bursts of a pass are of one program and resolution, lie side by side and overlap a little. A copy, a
filtered copy, or sigma and gamma nought of one image lie upon each other.
"""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
from rasterio.enums import Resampling
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.blocks import spread_windows
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.sentinel1.passes import Passes

_OVERLAP = 0.5
"""Share of the smaller of two slices that the other one shows too, at most: bursts share a fifth with the next one."""
_SAME_RESOLUTION = 0.01
_BEGAN = re.compile(r"(?<!\d)(\d{8})T(\d{6})(?!\d)", re.IGNORECASE)
_NUMBERS = re.compile(r"[0-9A-F]{4,}|\d+")


def check_slices(passes: Passes) -> None:
    """Checks that the images of each pass are its slices.

    Raises:
        InputError: Two images of a polarisation are of different programs or resolutions, or show the same place and
            nothing says that they began at different times; the message names both.
    """
    for _, of_day in passes:
        for images in of_day:
            for first, second in itertools.combinations(images, 2):
                for polarisation in sorted(set(first.bands) & set(second.bands)):
                    _check(first, second, polarisation)


def _check(first: Product, second: Product, polarisation: str) -> None:
    reason = _difference(first, second) or _identity(first, second, polarisation)
    if reason:
        names = [image.bands[polarisation].path for image in (first, second)]
        raise InputError(
            f"{names[0]} and {names[1]} both are {polarisation} of {first.date}, orbit {first.orbit}, and no slices of "
            f"one pass: {reason}.",
            "Keep one of them below FOLDER, such as gamma nought and not sigma nought, or the image and not its "
            "filtered copy; or give LAYERS. If they are of two passes, leave the times in the names, or choose with "
            "ORBIT.",
        )


def _difference(first: Product, second: Product) -> str:
    """Returns in what images differ as slices of one pass never do; empty if in nothing."""
    if first.writer != second.writer:
        return f"one is written by {first.writer or 'an unknown program'}, one by {second.writer or 'an unknown one'}"
    resolutions = [image.grid.resolution[0] for image in (first, second)]
    if not math.isclose(*resolutions, rel_tol=_SAME_RESOLUTION):
        return f"they are of different resolution, {resolutions[0]:.4g} and {resolutions[1]:.4g}"
    return ""


def _identity(first: Product, second: Product, polarisation: str) -> str:
    """Returns why images are taken for one; empty if they began at different times, or lie apart."""
    began = {_began(first), _began(second)}
    if len(began) == 2 and None not in began and _letters(first) == _letters(second):
        return ""
    if _common_area(first.grid, second.grid) <= _OVERLAP:
        return ""
    pairs = (first, second), (second, first)
    common = max(_common_values(one, other, polarisation) for one, other in pairs)
    return f"they show the same place, {common:.0%} of it" if common > _OVERLAP else ""


def _began(image: Product) -> str | None:
    """Returns the second at which an image began, if its name tells it; other times in it are those of processing."""
    times = (match[2] for match in _BEGAN.finditer(image.name) if match[1] == f"{image.date:%Y%m%d}")
    return next(times, None)


def _letters(image: Product) -> str:
    """Returns what of an image's name is the same in all slices: all but numbers, decimal and hexadecimal."""
    return _NUMBERS.sub("", image.name.upper())


def _common_area(first: Grid, second: Grid) -> float:
    """Returns the share of the smaller of two grids that lies within the other one, by their bounds."""
    bounds = second.bounds if first.crs == second.crs else transform_bounds(second.crs, first.crs, *second.bounds)
    left, bottom, right, top = zip(first.bounds, bounds, strict=True)
    common = max(0.0, min(right) - max(left)) * max(0.0, min(top) - max(bottom))
    return common / min((right[one] - left[one]) * (top[one] - bottom[one]) for one in (0, 1))


def _common_values(image: Product, other: Product, polarisation: str) -> float:
    """Returns the share of an image's values where the other one has a value too, by a sample."""
    source, theirs = image.bands[polarisation], other.bands[polarisation]
    shown = common = 0
    with image.open() as files, other.open() as their_files:
        grid = Grid.of(files[source.path])
        for window in spread_windows(Window(0, 0, grid.width, grid.height)):
            block = grid.crop(window)
            valid = ~np.isnan(source.read(files, block, Resampling.nearest))
            shown += int(valid.sum())
            common += int((valid & ~np.isnan(theirs.read(their_files, block, Resampling.nearest))).sum())
    return common / max(1, shown)
