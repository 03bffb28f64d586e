"""Trained forests against scikit-learn and plain numpy."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.forests import trained as trained_module
from twinns_qgis.forests.tables import SeriesTables
from twinns_qgis.forests.trained import TrainedForests, class_probabilities
from twinns_qgis.methods import Method


@pytest.fixture
def sensors(make_sensors):
    return make_sensors(3, 4)


@pytest.fixture
def make_forests(sensors, make_values):
    """Returns a function that fits the forests of a method on random values."""

    def make(method):
        tables = Method.of(method).tables(sensors, None)
        labels = np.arange(90) % 4
        rows = tables(make_values(sensors, 90, 5, 5, seed=8))
        forests = {
            name: RandomForestClassifier(15, max_depth=3, random_state=2).fit(table[:, 0, 0], labels)
            for name, table in rows.items()
        }
        return TrainedForests(tables, forests)

    return make


def test_probabilities_are_scikit_learns_to_the_last_bit(monkeypatch):
    monkeypatch.setattr(trained_module, "_ROWS", 100)
    random = np.random.default_rng(0)
    table = random.random((500, 12), np.float32)
    labels = random.integers(0, 5, 500)
    forest = RandomForestClassifier(30, max_depth=4, random_state=1).fit(table, labels)
    assert np.array_equal(class_probabilities(forest, table), forest.predict_proba(table))


def test_one_forest_scores_as_scikit_learn_on_the_table(make_forests, sensors, make_values):
    forests = make_forests("RF(S1,S2)")
    raw = make_values(sensors, 2, 8, 9)
    table = SeriesTables(sensors, per_sensor=False)(raw)["series"].reshape(-1, 3 * 2 + 4 * 16)
    expected = forests.forests["series"].predict_proba(table).reshape(2, 4, 5, 4)
    np.testing.assert_array_equal(forests.scores(raw), expected.astype(np.float32))


def test_forests_of_each_sensor_vote_by_the_sum_of_their_probabilities(make_forests, sensors, make_values):
    forests = make_forests("RFLF(S1,S2)")
    raw = make_values(sensors, 40, 5, 5)
    tables = SeriesTables(sensors, per_sensor=True)(raw)
    summed = np.zeros((40, 4))
    for name in ("sentinel1", "sentinel2"):
        for tree in forests.forests[name].estimators_:
            summed += tree.predict_proba(tables[name][:, 0, 0]) / 15
    found = forests.scores(raw)[:, 0, 0]
    np.testing.assert_allclose(found, summed / 2, atol=1e-6)
    np.testing.assert_array_equal(found.argmax(axis=-1), summed.argmax(axis=-1))


@pytest.mark.parametrize("method", ["RF(S1,S2)", "RFLF(S1,S2)"])
def test_patches_and_blocks_give_the_same_scores_to_the_last_bit(make_forests, sensors, make_values, method):
    forests = make_forests(method)
    block = make_values(sensors, 1, 21, 17)
    patches = {
        name: np.stack([values[0, row : row + 5, column : column + 5] for row in range(17) for column in range(13)])
        for name, values in block.items()
    }
    np.testing.assert_array_equal(forests.scores(block)[0].reshape(17 * 13, -1), forests.scores(patches)[:, 0, 0])


def test_scores_sum_to_one(make_forests, sensors, make_values):
    scores = make_forests("RFLF(S1,S2)").scores(make_values(sensors, 1, 9, 9))
    np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-6)
