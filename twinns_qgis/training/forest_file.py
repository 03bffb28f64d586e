"""Forests on disk, by skops: arrays and settings, none of which is code.

skops builds objects of the types that a file names, and of no others than are trusted. Here these are the few that a
random forest is made of. As trees are gone through without a check of bounds, their nodes are checked too.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from twinns_qgis.errors import InputError
from twinns_qgis.files import DAMAGE

_TYPES = {
    "builtins.dict",
    "builtins.list",
    "builtins.str",
    "builtins.tuple",
    "numpy.int64",
    "numpy.ndarray",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._tree.Tree",
}
"""All that a forest is made of."""
_LEAF = -1


def write_forests(path: Path, forests: Mapping[str, RandomForestClassifier]) -> None:
    """Writes forests, by name."""
    skops.io.dump(dict(forests), path, compression=zipfile.ZIP_DEFLATED)  # it holds the whole file in memory


def read_forests(
    data: bytes, source: Path, variables: Mapping[str, int], classes: int
) -> dict[str, RandomForestClassifier]:
    """Reads forests without running code from them.

    Args:
        data: What `write_forests` wrote.
        source: The model file, for messages.
        variables: Number of variables that each forest must have, by its name.
        classes: Number K of classes that each must have.

    Raises:
        InputError: They hold anything but random forests, are damaged, or are not those of the manifest.
    """
    retrain = "Train the model once more, or get the file anew from where you trust it."
    try:
        foreign = sorted(set(_types(data)) - _TYPES)
        if foreign:
            raise InputError(
                f"The forests in {source} hold {', '.join(foreign)}, which no forest is made of: they are refused.",
                retrain,
            )
        forests = skops.io.loads(data, trusted=sorted(_TYPES))
        if not isinstance(forests, dict) or set(forests) != set(variables):
            raise ValueError(forests)
        for name, forest in forests.items():
            _check_forest(forest, variables[name], classes)
    except DAMAGE as error:
        raise InputError(f"The forests in {source} are damaged, or don't fit its manifest.", retrain) from error
    return forests


def _types(data: bytes) -> Iterator[str]:
    """Yields the names of all types that skops would build."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        remaining = [json.loads(archive.read("schema.json"))]
    while remaining:
        value = remaining.pop()
        if isinstance(value, dict):
            if "__class__" in value:
                yield f"{value['__module__']}.{value['__class__']}"
            remaining.extend(value.values())
        elif isinstance(value, list):
            remaining.extend(value)


def _check_forest(forest: Any, variables: int, classes: int) -> None:
    """Checks that every way through the trees stays within them and ends."""
    if type(forest) is not RandomForestClassifier or not forest.estimators_:
        raise ValueError("no forest")
    for estimator in forest.estimators_:
        if type(estimator) is not DecisionTreeClassifier:
            raise ValueError("no tree")
        tree = estimator.tree_
        if (tree.n_features, tree.n_outputs, tree.n_classes.tolist()) != (variables, 1, [classes]):
            raise ValueError("a tree of other variables or classes")
        nodes = np.arange(tree.node_count)
        inner = tree.children_left != _LEAF
        for child in (tree.children_left, tree.children_right):
            if not ((child > nodes) & (child < tree.node_count))[inner].all():
                raise ValueError("a node that leads nowhere")
        if not len(nodes) or not ((tree.feature >= 0) & (tree.feature < variables))[inner].all():
            raise ValueError("a node without a variable")
