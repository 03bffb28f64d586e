"""A forest tells the classes of a pair apart with the cue that is meant for it, and guesses without."""

from dataclasses import dataclass

import numpy as np
import pytest
from rasterio.features import rasterize
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.demo.acquisitions import day_of_year, sentinel1_dates, sentinel2_overpasses
from twinns_qgis.demo.classes import OPTICAL_PAIR, ORDER_PAIR, RADAR_PAIR, SURROUNDINGS_PAIR
from twinns_qgis.demo.ground import Ground
from twinns_qgis.demo.landscape import draw_landscape
from twinns_qgis.demo.sentinel1 import LOOKS
from twinns_qgis.demo.sentinel2 import SENSOR_NOISE
from twinns_qgis.demo.site import site_grid

SIZE = 128
SEEDS = range(4)
TELLS_APART, GUESSES = 0.85, 0.65


@dataclass(frozen=True)
class Seen:
    """What both sensors see of a site under a clear sky, and the object and class of each pixel."""

    radar: np.ndarray
    optical: np.ndarray
    objects: np.ndarray
    codes: np.ndarray


def look_at(seed):
    grid = site_grid(SIZE)
    landscape = draw_landscape(grid, seed)
    ground = Ground(landscape, grid, seed)
    random = np.random.default_rng(seed)
    power = np.stack([ground.backscatter(day_of_year(day)) for day in sentinel1_dates()], axis=2)
    radar = 10 * np.log10(power * random.gamma(LOOKS, 1 / LOOKS, power.shape))
    optical = np.stack([ground.reflectance(day_of_year(item.day)) for item in sentinel2_overpasses()], axis=2)
    optical += SENSOR_NOISE * random.standard_normal(optical.shape)
    shapes = [(item.buffer(-10), index) for index, item in enumerate(landscape.objects, start=1)]
    shapes = [(item, index) for item, index in shapes if not item.is_empty]
    objects = rasterize(shapes, out_shape=(SIZE, SIZE), transform=grid.transform, dtype="int32")
    return Seen(radar, optical, objects, np.append(0, landscape.codes)[objects])


@pytest.fixture(scope="module")
def sites():
    return [look_at(seed) for seed in SEEDS]


def accuracy(sites, pair, features):
    """Returns the share of right pixels, of both classes alike, on the objects that a forest has not seen."""
    shares = []
    for seen in sites:
        values = features(seen).reshape(SIZE * SIZE, -1)
        codes, objects = seen.codes.ravel(), seen.objects.ravel()
        known = np.concatenate([np.unique(objects[codes == code])[::2] for code in pair])
        own = np.isin(codes, pair)
        train, test = own & np.isin(objects, known), own & ~np.isin(objects, known)
        forest = RandomForestClassifier(60, random_state=0, min_samples_leaf=3).fit(values[train], codes[train])
        right = forest.predict(values[test]) == codes[test]
        shares.append(np.mean([right[codes[test] == code].mean() for code in pair]))
    return np.mean(shares)


def radar(seen):
    return seen.radar


def optical(seen):
    return seen.optical


def over_the_year(seen):
    """The mean, spread, least and largest value of each band: none knows the order of the dates."""
    return np.concatenate(
        [
            pooled(values, axis=2)
            for values in (seen.radar, seen.optical)
            for pooled in (np.mean, np.std, np.min, np.max)
        ],
        axis=-1,
    )


def pixel(seen):
    return np.concatenate([values.reshape(SIZE, SIZE, -1) for values in (seen.radar, seen.optical)], axis=-1)


def surroundings(seen):
    """How far a pixel is from the mean of its neighbours along rows and along columns, in the year's mean red."""
    red = np.pad(seen.optical[..., 2].mean(axis=2), 1, mode="edge")
    across = np.abs(red[1:-1, :-2] + red[1:-1, 2:] - 2 * red[1:-1, 1:-1])
    along = np.abs(red[:-2, 1:-1] + red[2:, 1:-1] - 2 * red[1:-1, 1:-1])
    return np.stack([np.minimum(across, along), np.maximum(across, along)], axis=-1)


@pytest.mark.parametrize(
    ("pair", "cue", "without"),
    [
        pytest.param(RADAR_PAIR, radar, optical, id="only radar"),
        pytest.param(OPTICAL_PAIR, optical, radar, id="only the optical bands"),
        pytest.param(ORDER_PAIR, optical, over_the_year, id="only the order in time"),
        pytest.param(SURROUNDINGS_PAIR, surroundings, pixel, id="only the surroundings"),
    ],
)
def test_only_the_cue_tells_a_pair_apart(sites, pair, cue, without):
    assert accuracy(sites, pair, cue) > TELLS_APART
    assert accuracy(sites, pair, without) < GUESSES
