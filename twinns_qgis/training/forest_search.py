"""Fitting random forests, and choosing their depth and number of trees (METHOD section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter, TimeLeft

_TREES_AT_ONCE = 20
"""Trees grown between two looks at whether the user cancelled."""


@dataclass(frozen=True)
class ForestGrid:
    """The depths and numbers of trees that are tried.

    Args:
        depths: Largest depths of the trees, ascending.
        trees: Numbers of trees, ascending.
    """

    depths: tuple[int, ...]
    trees: tuple[int, ...]

    @classmethod
    def parse(cls, depths: str, trees: str) -> ForestGrid:
        """Reads whole numbers separated by commas.

        Raises:
            InputError: They are no whole numbers, or not above 0.
        """
        return cls(_numbers("depths", depths), _numbers("trees", trees))


@dataclass(frozen=True)
class ForestTrial:
    """What one forest of the grid gave.

    Args:
        depth: The largest depth of its trees.
        trees: Number of trees.
        validation_accuracy: Accuracy on the validation part, 0 to 1.
    """

    depth: int
    trees: int
    validation_accuracy: float


@dataclass(frozen=True)
class Examples:
    """Pixels as forests see them.

    Args:
        table: Their variables, shape (N, V).
        labels: Their class indices, shape (N,).
    """

    table: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class SearchedForest:
    """The forest that is best on the validation part, and how it was found.

    Args:
        forest: The forest.
        best: What it gave: of equal ones the shallowest, then the smallest.
        trials: All that was tried.
    """

    forest: RandomForestClassifier
    best: ForestTrial
    trials: tuple[ForestTrial, ...]


def search_forest(
    training: Examples, validation: Examples, grid: ForestGrid, seed: int, reporter: Reporter
) -> SearchedForest:
    """Fits the forests of a grid, and returns the one with the best validation accuracy.

    The whole grid costs one forest a depth: the first trees of a forest are the forest of so many trees, as each draws
    its own seed in turn. And it ends with the first depth that no tree reaches, as larger ones change nothing.

    Args:
        training: What to fit on.
        validation: What to choose by.
        grid: What to try.
        seed: Fixes the forests.
        reporter: Receives the accuracy of every forest; a cancelled search stops between trees.

    Raises:
        Cancelled: The user stopped the search.
    """
    trials: list[ForestTrial] = []
    best, chosen = ForestTrial(0, 0, -1.0), RandomForestClassifier()
    for number, depth in enumerate(grid.depths):
        part = reporter.part(number / len(grid.depths), (number + 1) / len(grid.depths))
        forest, found = _fit_one_depth(training, validation, depth, grid.trees, seed, part)
        trials += found
        best_of_depth = max(found, key=lambda trial: trial.validation_accuracy)
        if best_of_depth.validation_accuracy > best.validation_accuracy:
            best, chosen = best_of_depth, forest
        deepest = max(tree.get_depth() for tree in forest.estimators_)
        deeper = grid.depths[number + 1 :]
        if deepest < depth and deeper:
            break  # they would give the same trees
    reporter.info(
        f"Best on the validation part of {len(trials)} forests: {best.trees} trees of depth {best.depth}, accuracy "
        f"{best.validation_accuracy:.1%}"
    )
    chosen.estimators_ = chosen.estimators_[: best.trees]
    chosen.set_params(n_estimators=best.trees, warm_start=False, n_jobs=None)
    return SearchedForest(chosen, best, tuple(trials))


def _fit_one_depth(
    training: Examples, validation: Examples, depth: int, counts: Sequence[int], seed: int, reporter: Reporter
) -> tuple[RandomForestClassifier, list[ForestTrial]]:
    """Grows one forest tree by tree, and assesses it at each number of trees."""
    forest = RandomForestClassifier(max_depth=depth, random_state=seed, warm_start=True, n_jobs=-1)
    summed = np.zeros((len(validation.labels), int(training.labels.max()) + 1))
    trials: list[ForestTrial] = []
    clock = TimeLeft()
    grown = 0
    while grown < counts[-1]:
        reporter.check_cancelled()
        target = min(count for count in counts if count > grown)
        total = min(grown + _TREES_AT_ONCE, target)
        forest.set_params(n_estimators=total).fit(training.table, training.labels)
        for tree in forest.estimators_[grown:]:
            summed += tree.tree_.predict(validation.table)
        grown = total
        share = grown / counts[-1]
        reporter.progress(share, f"Depth {depth}: {grown} trees {clock.after(share)}".rstrip())
        if grown == target:
            accuracy = float((summed.argmax(axis=1) == validation.labels).mean())
            trials.append(ForestTrial(depth, grown, accuracy))
    return forest, trials


def _numbers(name: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InputError(
            f"The parameter '{name}' is {text!r}.", "Expected whole numbers above 0, separated by commas: 100,200,300."
        )
    return tuple(sorted({int(part) for part in parts}))
