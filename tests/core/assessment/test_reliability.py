"""Confidence against accuracy."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from twinns_qgis.assessment.reliability import reliability


@pytest.fixture
def drawn():
    random = np.random.default_rng(0)
    scores = random.dirichlet([0.5, 0.5, 0.5], 5000)
    labels = (scores.cumsum(axis=1) > random.random((len(scores), 1))).argmax(axis=1)
    return scores, labels


def test_bins_are_those_of_scikit_learn(drawn):
    scores, labels = drawn
    found = reliability(scores, labels)
    right, confidence = calibration_curve(scores.argmax(axis=1) == labels, scores.max(axis=1), n_bins=10)
    filled = found.count > 0
    np.testing.assert_allclose(found.accuracy[filled], right)
    np.testing.assert_allclose(found.confidence[filled], confidence)
    assert found.count.sum() == 5000


def test_the_expected_error_is_that_of_its_formula(drawn):
    scores, labels = drawn
    assert reliability(scores, labels).expected_error < 0.02
    sure = np.full((100, 2), [1.0, 0.0])
    halves = np.arange(100) % 2
    assert reliability(sure, halves).expected_error == pytest.approx(0.5)
