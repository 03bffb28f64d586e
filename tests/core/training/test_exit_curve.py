"""The exit curve: shares by counting, the rule that skips most, and no curve where nothing agrees."""

import numpy as np
import pytest

from twinns_qgis.training.exit_curve import ExitCurve, measure_curve

random = np.random.default_rng(0)


@pytest.fixture
def scores():
    """Scores of 2000 pixels by two early classifiers and by the whole network, the truth, an object each."""
    truth = random.integers(0, 4, 2000)
    logits = [3 * np.eye(4)[truth] + random.normal(0, 2, (2000, 4)) for _ in range(3)]
    one, other, whole = (np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True) for x in logits)
    return {"a": one.astype("float32"), "b": other.astype("float32")}, whole.astype("float32"), truth, np.arange(2000)


def test_shares_are_those_that_counting_gives(scores):
    votes, whole, truth, objects = scores
    curve = measure_curve(votes, whole, truth, objects)
    mean = (votes["a"] + votes["b"]) / 2
    for threshold, skipped, agreement in list(zip(curve.thresholds, curve.skipped, curve.agreement, strict=True))[::20]:
        leaving = differing = 0
        for a, b, vote, score in zip(votes["a"], votes["b"], mean, whole, strict=True):
            if a.argmax() == b.argmax() and vote.max() >= threshold:
                leaving += 1
                differing += vote.argmax() != score.argmax()
        assert skipped == pytest.approx(leaving / 2000)
        assert agreement == pytest.approx(1 - differing / 2000)


def test_the_rule_is_the_one_that_skips_most_among_those_that_agree_enough(scores):
    curve = measure_curve(*scores)
    rule = curve.rule(0.95, temperature=2.0)
    number = curve.thresholds.index(rule.threshold)
    assert curve.agreement[number] >= 0.95 > curve.agreement[number - 1]
    assert rule.temperature == curve.temperature / 2
    assert curve.rule(0.5, 1.0).threshold == curve.thresholds[0]


def test_there_is_no_rule_that_agrees_better_than_the_curve_does(scores):
    votes, whole, truth, objects = scores
    curve = measure_curve(votes, np.roll(whole, 1, axis=-1), truth, objects)
    assert curve.rule(0.9999, 1.0) is None


def test_a_curve_survives_its_way_through_the_manifest(scores):
    curve = measure_curve(*scores)
    assert ExitCurve.from_json(curve.to_json()) == curve


def test_classifiers_that_agree_nowhere_have_no_curve():
    votes = {"a": np.array([[1.0, 0.0]], "float32"), "b": np.array([[0.0, 1.0]], "float32")}
    assert measure_curve(votes, votes["a"], np.array([0]), np.array([0])) is None
