"""The search for a forest, against scikit-learn's forests fitted one by one."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.training.forest_search import Examples, ForestGrid, search_forest


@pytest.fixture(scope="module")
def parts():
    """A training and a validation part of noisy classes, which take deep trees to learn."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 700)
    table = (labels[:, None] * 0.3 + random.normal(0, 1, (700, 15))).astype(np.float32)
    return Examples(table[:400], labels[:400]), Examples(table[400:], labels[400:])


def fitted(training, depth, trees, seed):
    return RandomForestClassifier(trees, max_depth=depth, random_state=seed).fit(training.table, training.labels)


def test_every_forest_of_the_grid_is_scikit_learns(parts):
    training, validation = parts
    found = search_forest(training, validation, ForestGrid((2, 5), (10, 25, 60)), 7, Reporter())
    assert [(trial.depth, trial.trees) for trial in found.trials] == [
        (depth, trees) for depth in (2, 5) for trees in (10, 25, 60)
    ]
    for trial in found.trials:
        forest = fitted(training, trial.depth, trial.trees, 7)
        assert trial.validation_accuracy == accuracy_score(validation.labels, forest.predict(validation.table))


def test_the_best_on_the_validation_part_is_chosen(parts):
    training, validation = parts
    found = search_forest(training, validation, ForestGrid((1, 2, 4, 8), (5, 15, 40)), 1, Reporter())
    assert found.best.validation_accuracy == max(trial.validation_accuracy for trial in found.trials)
    assert found.best == next(t for t in found.trials if t.validation_accuracy == found.best.validation_accuracy)
    same = fitted(training, found.best.depth, found.best.trees, 1)
    assert len(found.forest.estimators_) == found.forest.n_estimators == found.best.trees
    np.testing.assert_array_equal(found.forest.predict_proba(validation.table), same.predict_proba(validation.table))


def test_depths_that_no_tree_reaches_are_left_out_as_they_change_nothing(parts, listener):
    training, validation = parts
    found = search_forest(training, validation, ForestGrid((4, 60, 90), (8,)), 0, listener)
    assert {trial.depth for trial in found.trials} == {4, 60}
    assert any(message.startswith("Best on the validation part of 2 forests") for message in listener.messages)
    shallow, deep = (fitted(training, depth, 8, 0).predict_proba(validation.table) for depth in (60, 90))
    np.testing.assert_array_equal(shallow, deep)


def test_progress_is_told_while_trees_grow(parts, listener):
    search_forest(*parts, ForestGrid((2, 3), (50, 100)), 0, listener)
    assert listener.fractions == sorted(listener.fractions)
    assert len(listener.fractions) >= 10
    assert listener.fractions[-1] == 1


def test_cancelling_stops_between_trees(parts, listener):
    class Impatient(type(listener)):
        def progress(self, fraction, message=""):
            super().progress(fraction, message)
            self.stop = True

    impatient = Impatient()
    with pytest.raises(Cancelled):
        search_forest(*parts, ForestGrid((5,), (10_000,)), 0, impatient)
    assert len(impatient.fractions) == 1


def test_the_grid_is_read_in_order_and_without_repetitions():
    assert ForestGrid.parse("40, 20,40", "300") == ForestGrid((20, 40), (300,))


@pytest.mark.parametrize("text", ["", "10,", "ten", "0,10", "-5", "1.5", "²"])
def test_a_grid_of_other_than_whole_numbers_is_refused(text):
    with pytest.raises(InputError, match=r"The parameter 'trees' is .*whole numbers above 0"):
        ForestGrid.parse("20", text)
