"""Area-adjusted accuracy against the published worked example, and against samples drawn from a known map."""

import numpy as np
import pytest

from twinns_qgis.assessment.area import area_adjusted

COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000, 150_000, 3_200_000, 6_450_000], float)
HECTARES = 30 * 30 / 10_000


def test_the_worked_example_of_olofsson_et_al_2014_comes_out_to_its_printed_digits():
    found = area_adjusted(COUNTS, PIXELS)
    assert round(float(found.accuracy.value), 3) == 0.947
    assert round(float(found.accuracy.half), 3) == 0.018
    assert np.round(found.users.value, 3).tolist() == [0.880, 0.733, 0.927, 0.963]
    assert np.round(found.users.half, 3).tolist() == [0.074, 0.101, 0.040, 0.021]
    assert np.round(found.producers.value, 3).tolist() == [0.749, 0.847, 0.935, 0.962]
    assert np.round(found.producers.half, 3).tolist() == [0.213, 0.254, 0.034, 0.018]
    assert round(float(found.areas.value[0])) == 235_086
    assert round(float(found.areas.half[0])) == 68_418
    in_hectares = area_adjusted(COUNTS, PIXELS * HECTARES).areas
    assert (round(float(in_hectares.value[0])), round(float(in_hectares.half[0]))) == (21_158, 6_158)
    assert found.proportions.sum() == pytest.approx(1)


def test_the_order_of_the_classes_means_nothing():
    order = [2, 0, 3, 1]
    one, other = area_adjusted(COUNTS, PIXELS), area_adjusted(COUNTS[np.ix_(order, order)], PIXELS[order])
    assert one.accuracy.error == pytest.approx(other.accuracy.error)
    for name in ("users", "producers", "areas"):
        np.testing.assert_allclose(getattr(one, name).value[order], getattr(other, name).value)
        np.testing.assert_allclose(getattr(one, name).error[order], getattr(other, name).error)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Strata of a map whose true classes are known, sampled a thousand times."""
    random = np.random.default_rng(0)
    true = np.array([[0.9, 0.08, 0.02], [0.1, 0.85, 0.05], [0.05, 0.15, 0.8]])
    pixels = np.array([10_000.0, 60_000.0, 30_000.0])
    area = (pixels[:, None] * true).sum(axis=0)
    accuracy = (pixels * true.diagonal()).sum() / pixels.sum()
    producers = pixels * true.diagonal() / area
    held = []
    for _ in range(1000):
        found = area_adjusted(np.stack([random.multinomial(200, shares) for shares in true]), pixels)
        held.append(
            [
                abs(found.accuracy.value - accuracy) <= found.accuracy.half,
                *(abs(found.areas.value - area) <= found.areas.half),
                *(abs(found.producers.value - producers) <= found.producers.half),
            ]
        )
    assert (np.mean(held, axis=0) > 0.9).all()


def test_a_class_that_the_reference_alone_has_gets_an_area():
    found = area_adjusted(np.array([[40, 0, 10], [0, 50, 0], [0, 0, 0]]), np.array([500.0, 500.0, 0.0]))
    np.testing.assert_allclose(found.areas.value, [400, 500, 100])
    assert np.isnan(found.users.value[2])
    assert found.producers.value[2] == 0
    assert not found.unsampled.any()


def test_a_class_of_the_map_without_a_sample_is_told_and_left_out():
    found = area_adjusted(np.array([[40, 10, 0], [0, 50, 0], [0, 0, 0]]), np.array([500.0, 500.0, 100.0]))
    assert found.unsampled.tolist() == [False, False, True]
    np.testing.assert_allclose(found.areas.value, [400, 600, 0])


def test_one_sample_of_a_class_tells_no_error():
    found = area_adjusted(np.array([[1, 0], [10, 40]]), np.array([100.0, 900.0]))
    assert np.isnan(found.users.error[0])
    assert np.isnan(found.accuracy.error)
    assert float(found.accuracy.value) == pytest.approx(0.1 + 0.9 * 0.8)
