"""Forests on disk: they come back as they were, and nothing else is read."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from twinns_qgis.errors import InputError
from twinns_qgis.training.forest_file import read_forests, write_forests

SOURCE = Path("model.twinns")
TRACES = []


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(0).random((200, 6), np.float32)


@pytest.fixture
def forest(table):
    return RandomForestClassifier(7, random_state=0).fit(table, np.arange(200) % 3)


@pytest.fixture
def written(tmp_path):
    """Returns a function from objects to the bytes that they are written as."""

    def written(objects):
        write_forests(tmp_path / "forest.skops", objects)
        return (tmp_path / "forest.skops").read_bytes()

    return written


def test_forests_come_back_with_the_same_probabilities_to_the_last_bit(forest, table, written):
    found = read_forests(written({"series": forest}), SOURCE, {"series": 6}, 3)
    np.testing.assert_array_equal(found["series"].predict_proba(table), forest.predict_proba(table))


def test_they_are_stored_compressed(forest, written):
    assert len(written({"series": forest})) < 0.5 * len(skops.io.dumps({"series": forest}))


class Harmful:
    """Were it built, there would be a trace of it."""

    def __setstate__(self, state):
        TRACES.append("built")


def test_a_foreign_type_is_refused_by_name_and_not_built(forest, written):
    harmful = Harmful()
    harmful.value = 1
    forest.extra = harmful
    with pytest.raises(InputError, match=r"model\.twinns hold .*Harmful, which no forest is made of"):
        read_forests(written({"series": forest}), SOURCE, {"series": 6}, 3)
    assert TRACES == []


def test_a_function_is_refused(forest, written):
    forest.extra = np.sum
    with pytest.raises(InputError, match=r"numpy\.sum|_ArrayFunctionDispatcher|function"):
        read_forests(written({"series": forest}), SOURCE, {"series": 6}, 3)


def test_other_models_of_scikit_learn_are_refused(table, written):
    other = LogisticRegression().fit(table, np.arange(200) % 3)
    with pytest.raises(InputError, match="LogisticRegression, which no forest is made of"):
        read_forests(written({"series": other}), SOURCE, {"series": 6}, 3)


@pytest.mark.parametrize(
    ("variables", "classes"),
    [({"series": 7}, 3), ({"series": 6}, 4), ({"features": 6}, 3), ({"series": 6, "features": 6}, 3)],
)
def test_forests_of_another_manifest_are_refused(forest, written, variables, classes):
    with pytest.raises(InputError, match="damaged, or don't fit its manifest"):
        read_forests(written({"series": forest}), SOURCE, variables, classes)


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10**6), ("right_child", 10**6), ("left_child", 0), ("feature", 6), ("feature", -2)],
)
def test_nodes_that_lead_out_of_the_tree_or_round_in_it_are_refused(forest, written, field, value):
    tree = forest.estimators_[3].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    nodes[field][0] = value
    tree.__setstate__({**state, "nodes": nodes})
    with pytest.raises(InputError, match="damaged, or don't fit its manifest"):
        read_forests(written({"series": forest}), SOURCE, {"series": 6}, 3)


@pytest.mark.parametrize("length", [0, 100, -1000])
def test_what_was_cut_short_is_refused(forest, written, length):
    with pytest.raises(InputError, match="damaged"):
        read_forests(written({"series": forest})[:length], SOURCE, {"series": 6}, 3)


@pytest.mark.parametrize("schema", [[], {}, {"__class__": "dict", "__module__": "builtins"}, "text"])
def test_a_schema_that_makes_no_sense_is_refused(schema):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(InputError, match="damaged"):
        read_forests(buffer.getvalue(), SOURCE, {"series": 6}, 3)


def test_no_forest_is_no_forest(written):
    with pytest.raises(InputError, match="damaged"):
        read_forests(skops.io.dumps({"series": [1, 2]}), SOURCE, {"series": 6}, 3)
