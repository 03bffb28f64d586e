"""The ground at 2.5 m, and the reflectance and backscatter of the 10 m pixels that mix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_bounds

from twinns_qgis.demo.classes import CLASSES, CODES, MARGIN, ROAD, Pattern
from twinns_qgis.demo.conditions import USUAL, Conditions
from twinns_qgis.demo.landscape import Landscape
from twinns_qgis.demo.noise import Stream, generator, smooth_noise
from twinns_qgis.demo.surfaces import Surface
from twinns_qgis.rasters.grid import Grid

SUBPIXELS = 4
"""A pixel of 10 m is mixed from this many parts along each side."""

SHIFT_DAYS = 6.0
"""Standard deviation, over objects, of how many days an object's year is late."""

VIGOUR = 0.08
"""Standard deviation, over objects, of the factor of an object's seasons."""

BRIGHTNESS = 0.03
"""Standard deviation, over objects, of the factor of an object's reflectance."""

OFFSET_DB = 0.5
"""Standard deviation, over objects, of what is added to an object's backscatter, VV and VH each, in dB."""

PIXEL_BRIGHTNESS = 0.06
"""Standard deviation, over pixels, of a factor of reflectance that varies smoothly in space and not in time."""

PIXEL_OFFSET_DB = 0.3
"""Standard deviation, over pixels, of what is added to both polarisations, likewise smooth, in dB."""

_HOUSES_SHARE = 0.4
_MARGIN_CODE, _ROAD_CODE = CODES["meadow"], CODES["built-up"]


@dataclass(frozen=True)
class Patches:
    """The pieces of ground that have one surface and one course of the year: an object has one, or two in a pattern.

    Args:
        surfaces: The distinct surfaces.
        surface: Index of the surface of each patch, shape (patches,).
        shift: Days by which the year of each patch is late, shape (patches,).
        vigour: Factor of its seasons, shape (patches,).
        brightness: Factor of its reflectance, shape (patches,).
        offset_db: Summand of its VV and VH in dB, shape (patches, 2).
    """

    surfaces: tuple[Surface, ...]
    surface: NDArray[np.intp]
    shift: NDArray[np.float64]
    vigour: NDArray[np.float64]
    brightness: NDArray[np.float64]
    offset_db: NDArray[np.float64]

    def reflectance(self, day: float) -> NDArray[np.float64]:
        """Returns the reflectance of the patches on a day of the year, shape (patches, 10)."""
        values = np.empty((len(self.surface), 10))
        for index, surface in enumerate(self.surfaces):
            own = self.surface == index
            values[own] = surface.reflectance(day - self.shift[own], self.vigour[own])
        return values * self.brightness[:, np.newaxis]

    def backscatter_db(self, day: float) -> NDArray[np.float64]:
        """Returns VV and VH of the patches on a day of the year in dB, shape (patches, 2)."""
        values = np.empty((len(self.surface), 2))
        for index, surface in enumerate(self.surfaces):
            own = self.surface == index
            values[own] = surface.backscatter_db(day - self.shift[own], self.vigour[own])
        return values + self.offset_db


class Ground:
    """The site without an atmosphere and without noise.

    Args:
        landscape: The objects.
        grid: The pixels of 10 m.
        seed: Fixes the variation between and within objects.
        conditions: How much they vary, and the year's weather.

    Attributes:
        truth: Class code of most of each pixel, shape (height, width), uint8.
    """

    def __init__(self, landscape: Landscape, grid: Grid, seed: int, conditions: Conditions = USUAL) -> None:
        rng = generator(seed, Stream.VARIATION)
        self._shape = (grid.height, grid.width)
        self._patches, first_patch, codes = _draw_patches(rng, landscape, conditions)
        objects = _object_map(landscape, grid)
        second = _second_surface(rng, landscape, objects)
        patch_map = first_patch[objects] + second
        self.truth = _most_frequent(codes[patch_map])
        self._pixels, self._members, self._weights = _mixture(patch_map)
        self._brightness = 1 + conditions.noise * PIXEL_BRIGHTNESS * smooth_noise(rng, grid.width, 2.5)
        self._offset_db = conditions.noise * PIXEL_OFFSET_DB * smooth_noise(rng, grid.width, 2.5)

    def reflectance(self, day: float) -> NDArray[np.float64]:
        """Returns the reflectance of the pixels on a day of the year, shape (height, width, 10)."""
        return self._mix(self._patches.reflectance(day)) * self._brightness[..., np.newaxis]

    def backscatter(self, day: float) -> NDArray[np.float64]:
        """Returns VV and VH of the pixels on a day of the year in linear power, shape (height, width, 2)."""
        power = self._mix(10 ** (self._patches.backscatter_db(day) / 10))
        return power * 10 ** (self._offset_db[..., np.newaxis] / 10)

    def _mix(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Averages the patches' values, shape (patches, n), over the pixels."""
        mixed = np.add.reduceat(self._weights[:, np.newaxis] * values[self._members], self._pixels, axis=0)
        return mixed.reshape(*self._shape, -1)


def _draw_patches(
    rng: np.random.Generator, landscape: Landscape, conditions: Conditions
) -> tuple[Patches, NDArray[np.intp], NDArray[np.uint8]]:
    """Draws the variation between objects.

    Returns:
        The patches, the first patch of each object, and the class code of each patch. The margins and the roads are
        two objects more, after the others.
    """
    surfaces: list[Surface] = []
    surface: list[int] = []
    owner: list[int] = []
    codes = [*landscape.codes.tolist(), _MARGIN_CODE, _ROAD_CODE]
    own_surfaces = [*(CLASSES[code - 1].surfaces for code in landscape.codes), (MARGIN,), (ROAD,)]
    for index, members in enumerate(own_surfaces):
        for member in members:
            if member not in surfaces:
                surfaces.append(member)
            surface.append(surfaces.index(member))
            owner.append(index)
    count = len(codes)
    noise, weather = conditions.noise, conditions.weather
    patches = Patches(
        surfaces=tuple(surfaces),
        surface=np.array(surface),
        shift=(weather.delay + noise * SHIFT_DAYS * rng.standard_normal(count))[owner],
        vigour=(weather.vigour + noise * VIGOUR * rng.standard_normal(count))[owner],
        brightness=(1 + noise * BRIGHTNESS * rng.standard_normal(count))[owner],
        offset_db=(np.array(weather.offset_db) + noise * OFFSET_DB * rng.standard_normal((count, 2)))[owner],
    )
    first_patch = np.searchsorted(owner, np.arange(count))
    return patches, first_patch, np.array(codes, np.uint8)[owner]


def _object_map(landscape: Landscape, grid: Grid) -> NDArray[np.int32]:
    """Returns the index of the object of each part of a pixel."""
    margins, roads = len(landscape.objects), len(landscape.objects) + 1
    shapes = [(geometry, index) for index, geometry in enumerate(landscape.objects) if not geometry.is_empty]
    height, width = grid.height * SUBPIXELS, grid.width * SUBPIXELS
    return rasterize(
        [*shapes, (landscape.roads, roads)],
        out_shape=(height, width),
        fill=margins,
        transform=from_bounds(*grid.bounds, width, height),
        dtype="int32",
    )


def _second_surface(rng: np.random.Generator, landscape: Landscape, objects: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Returns where the second of an object's two surfaces lies, in the shape of `objects`.

    Rows and scattered patches put each surface on two pixels of every aligned 2 x 2: the pixels of 20 m, and whatever
    is interpolated from them, are then the same in both, and a single pixel of 10 m has either surface as often.
    """
    patterns = [*(CLASSES[code - 1].pattern for code in landscape.codes), Pattern.PLAIN, Pattern.PLAIN]
    rows, columns = np.indices((objects.shape[0] // SUBPIXELS, objects.shape[1] // SUBPIXELS))
    eastward = rng.integers(2, size=len(patterns)).astype(bool)
    phase = rng.integers(2, size=len(patterns))

    def finer(pixels: NDArray[Any]) -> NDArray[Any]:
        return pixels.repeat(SUBPIXELS, axis=0).repeat(SUBPIXELS, axis=1)

    in_rows = (np.where(eastward[objects], finer(rows), finer(columns)) + phase[objects]) % 2 == 1
    houses = rng.random(((objects.shape[0] + 2) // 3, (objects.shape[1] + 2) // 3)) >= _HOUSES_SHARE
    gardens = houses.repeat(3, axis=0).repeat(3, axis=1)[: objects.shape[0], : objects.shape[1]]

    def lies(pattern: Pattern) -> NDArray[np.bool_]:
        return np.array([own is pattern for own in patterns])[objects]

    scattered = finer(_two_of_four(rng, rows.shape))
    return (lies(Pattern.ROWS) & in_rows) | (lies(Pattern.SCATTERED) & scattered) | (lies(Pattern.HOUSES) & gardens)


def _two_of_four(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Returns pixels, two of which are set in every aligned 2 x 2, at random; the shape is even."""
    order = rng.random((shape[0] // 2, shape[1] // 2, 4)).argsort(axis=2)
    blocks = (order < 2).reshape(shape[0] // 2, shape[1] // 2, 2, 2)
    return blocks.transpose(0, 2, 1, 3).reshape(shape)


def _parts(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Returns the parts of each pixel in a row of their own, shape (pixels, parts)."""
    height, width = values.shape[0] // SUBPIXELS, values.shape[1] // SUBPIXELS
    blocks = values.reshape(height, SUBPIXELS, width, SUBPIXELS).transpose(0, 2, 1, 3)
    return blocks.reshape(height * width, SUBPIXELS**2)


def _most_frequent(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the code of most parts of each pixel, the lowest of those that are equal."""
    parts = _parts(codes)
    counts = np.stack([(parts == item.land_cover.code).sum(axis=1) for item in CLASSES])
    winners = np.array([item.land_cover.code for item in CLASSES], np.uint8)[counts.argmax(axis=0)]
    return winners.reshape(codes.shape[0] // SUBPIXELS, codes.shape[1] // SUBPIXELS)


def _mixture(
    patch_map: NDArray[np.integer],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Returns which patches each pixel mixes.

    Returns:
        The position in the next two of the first entry of each pixel, shape (pixels,); the patch of each entry; and its
        share of the pixel.
    """
    parts = np.sort(_parts(patch_map), axis=1)
    is_first = np.ones(parts.shape, bool)
    is_first[:, 1:] = parts[:, 1:] != parts[:, :-1]
    starts = np.flatnonzero(is_first)
    lengths = np.diff(starts, append=parts.size)
    pixels = np.concatenate([[0], np.cumsum(is_first.sum(axis=1))[:-1]])
    return pixels, parts.ravel()[starts], lengths / SUBPIXELS**2
