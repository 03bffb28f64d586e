"""Smoothing against plain loops over pixels and neighbours."""

import math
from statistics import fmean, variance

import numpy as np
import pytest

from twinns_qgis.mapping.smoothing import Bayes, majority


def logit(percent):
    share = min(max(percent, 0.5), 99.5) / 100
    return math.log(share / (1 - share))


def plain_bayes(percents, window, smoothness, share):
    """The formula as Camara et al. (2024) have it, pixel by pixel; NaN where there are no data."""
    height, width = (side - window + 1 for side in percents.shape)
    result = np.full((height, width), np.nan)
    for row in range(height):
        for column in range(width):
            centre = percents[row + window // 2, column + window // 2]
            if centre == 255:
                continue
            neighbours = percents[row : row + window, column : column + window].ravel()
            logits = sorted((logit(int(p)) for p in neighbours if p != 255), reverse=True)
            high = logits[: math.ceil(share * len(logits))]
            s = variance(high) if len(high) > 1 else 0.0
            weight = s / (s + smoothness)
            result[row, column] = weight * logit(int(centre)) + (1 - weight) * fmean(high)
    return result


@pytest.mark.parametrize(("window", "share", "missing"), [(3, 1.0, 0), (5, 0.5, 0), (7, 0.5, 0.3), (3, 0.2, 0.9)])
def test_bayesian_smoothing_is_the_published_formula(window, share, missing):
    random = np.random.default_rng(0)
    percents = random.integers(0, 101, (2, 14, 17)).astype("uint8")
    percents[:, random.random((14, 17)) < missing] = 255
    found = Bayes(window, 10.0, share)(percents)
    for own, of_class in zip(found, percents, strict=True):
        expected = plain_bayes(of_class, window, 10.0, share)
        known = np.isfinite(expected)
        np.testing.assert_allclose(own[known], expected[known], atol=2e-4)


def test_more_smoothness_draws_nearer_to_the_neighbours():
    percents = np.full((1, 7, 7), 90, "uint8")
    percents[0, 3, 3] = 10
    weak, strong = (float(Bayes(7, v, 1.0)(percents)[0, 0, 0]) for v in (0.1, 100.0))
    assert logit(10) < weak < 0 < strong < logit(90)


@pytest.mark.parametrize("window", [3, 5])
def test_the_majority_is_that_of_a_loop(window):
    random = np.random.default_rng(1)
    codes = random.choice([3, 8, 9], (15, 12)).astype("uint8")
    there = random.random(codes.shape) < 0.8
    found = majority(codes, there, window)
    leg = window // 2
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            near = np.s_[row : row + window, column : column + window]
            counts = {code: int(((codes[near] == code) & there[near]).sum()) for code in (3, 8, 9)}
            best = [code for code, count in counts.items() if count == max(counts.values())]
            own = codes[row + leg, column + leg]
            assert found[row, column] == (own if own in best else best[0])
