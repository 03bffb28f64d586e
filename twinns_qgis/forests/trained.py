"""Trained forests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.forests.tables import Tables

_ROWS = 4096
"""Rows that a thread takes at once: their variables and a tree stay in the processor's cache."""


class TrainedForests:
    """Trained forests; their score is the mean of their class probabilities.

    Args:
        tables: Makes the variables of each forest.
        forests: The forests by name, fitted on class indices 0 to K - 1.
        network: The network whose features the forest sees, or None.
    """

    def __init__(
        self, tables: Tables, forests: Mapping[str, RandomForestClassifier], network: keras.Model | None = None
    ) -> None:
        self.forests = forests
        self.network = network
        self._tables = tables

    def scores(self, raw: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Returns the score of each class; see `TrainedClassifier.scores`."""
        tables = self._tables(raw)
        shape = next(iter(tables.values())).shape[:-1]
        probabilities = [
            class_probabilities(self.forests[name], table.reshape(-1, table.shape[-1]))
            for name, table in tables.items()
        ]
        return np.mean(probabilities, axis=0).astype(np.float32).reshape(*shape, -1)

    def compile_for(self, side: int) -> None:
        """Prepares for many blocks of that side; see `TrainedClassifier.compile_for`."""
        self._tables.compile_for(side)


def class_probabilities(forest: RandomForestClassifier, table: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the mean over the trees of the class shares in the leaf that each row falls into.

    It is the forest's `predict_proba`, but threads share the rows and not the trees: each row's sum has one order, so a
    pixel has the same probabilities, to the last bit, in whatever block it lies.

    Args:
        forest: The forest.
        table: Its variables, shape (rows, V).

    Returns:
        Probabilities of shape (rows, K).
    """

    def some(start: int) -> NDArray[np.float64]:
        return sum_of_trees(forest.estimators_, table[start : start + _ROWS]) / len(forest.estimators_)

    with ThreadPoolExecutor(cpu_count()) as threads:
        return np.concatenate(list(threads.map(some, range(0, len(table), _ROWS))))


def sum_of_trees(trees: Sequence[Any], table: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the sum over trees of the class shares in the leaf that each row falls into, shape (rows, K)."""
    total = trees[0].tree_.predict(table)
    for tree in trees[1:]:
        total += tree.tree_.predict(table)
    return total
