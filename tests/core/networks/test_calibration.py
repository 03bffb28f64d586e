"""Calibration recovers a temperature that is known, and changes no class."""

import numpy as np
import pytest

from twinns_qgis.networks.calibration import calibrate, fit_temperature, likeliest_temperature


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_blurred_the_scores_is_found(temperature):
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 5))
    truth = _softmax(logits)
    labels = (truth.cumsum(axis=1) > random.random((len(truth), 1))).argmax(axis=1)
    too_sure = _softmax(logits * temperature).astype("float32")
    assert likeliest_temperature(too_sure, labels) == pytest.approx(temperature, rel=0.05)
    assert fit_temperature(too_sure, labels, np.arange(len(labels))) == pytest.approx(temperature, rel=0.05)
    np.testing.assert_allclose(calibrate(too_sure, temperature), truth, atol=1e-4)


def test_no_class_changes_and_scores_still_sum_to_one():
    scores = np.random.default_rng(1).dirichlet(np.ones(7), (30, 40)).astype("float32")
    for temperature in (0.05, 0.7, 1.0, 3.0, 20.0):
        calibrated = calibrate(scores, temperature)
        np.testing.assert_array_equal(calibrated.argmax(axis=-1), scores.argmax(axis=-1))
        np.testing.assert_allclose(calibrated.sum(axis=-1), 1, atol=1e-5)


def test_scores_of_zero_and_one_give_numbers():
    scores = np.eye(3, dtype="float32")
    temperature = fit_temperature(scores, np.array([0, 1, 0]), np.arange(3))
    assert temperature > 1
    assert np.isfinite(calibrate(scores, temperature)).all()


def test_few_objects_that_are_all_right_do_not_make_scores_sure():
    """Their pixels are as one: a thousand of them are no proof."""
    scores, labels = np.tile(np.array([[0.6, 0.4]], "float32"), (3000, 1)), np.zeros(3000, int)
    assert likeliest_temperature(scores, labels) < 0.06
    fitted = [fit_temperature(scores, labels, np.arange(3000) % objects) for objects in (1, 3, 10, 1000)]
    assert fitted == sorted(fitted, reverse=True)
    assert fitted[0] > 0.8
    assert fitted[-1] < 0.2


def test_a_large_object_counts_as_a_small_one():
    scores = np.array([[0.9, 0.1]] * 100 + [[0.9, 0.1]], "float32")
    labels, objects = np.array([0] * 100 + [1]), np.array([0] * 100 + [1])
    once = fit_temperature(scores[[0, 100]], labels[[0, 100]], objects[[0, 100]])
    assert fit_temperature(scores, labels, objects) == pytest.approx(once, rel=1e-3)
