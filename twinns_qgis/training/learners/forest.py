"""Training of forests, each by itself, on a series or on the features of a network."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.forests.tables import Tables
from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.methods import Method
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.batches import gather
from twinns_qgis.training.forest_search import Examples, ForestGrid, search_forest
from twinns_qgis.training.learners.learned import Learned
from twinns_qgis.training.learners.network import NetworkLearner

_PATCHES_AT_ONCE = 1024
_SHARE_OF_NETWORK, _SHARE_OF_TABLES = 0.8, 0.05
"""Of the time, roughly: to fit a network whose features forests see; to make the tables."""


class ForestLearner:
    """Fits the forests of a method; see `Learner`.

    Args:
        method: What it fits.
        sensors: The inputs, with the ranges of their variables.
        grid: The depths and numbers of trees to choose from.
        seed: Fixes the forests.
        network: Fits the network whose features the forest sees, or None.
    """

    def __init__(
        self,
        method: Method,
        sensors: tuple[Sensor, ...],
        grid: ForestGrid,
        seed: int,
        network: NetworkLearner | None = None,
    ) -> None:
        self._method = method
        self._sensors = sensors
        self._grid = grid
        self._seed = seed
        self._network = network

    def learn(self, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter) -> Learned:
        """Fits the network, if there is one, and then the forests; see `Learner.learn`."""
        if self._network is None:
            return self._learn_forests(stores, samples, reporter)
        learned = self._network.learn(stores, samples, reporter.part(0, _SHARE_OF_NETWORK))
        return self._learn_forests(stores, samples, reporter.part(_SHARE_OF_NETWORK, 1), learned)

    def rescue(self) -> str:
        """Makes the network's best epoch the model file, if there is a network; see `Learner.rescue`."""
        return self._network.rescue() if self._network else "The forests were not finished: there is no model."

    def finishing(self) -> AbstractContextManager[None]:
        """Removes what was kept for `rescue`; see `Learner.finishing`."""
        return self._network.finishing() if self._network else nullcontext()

    def _learn_forests(
        self,
        stores: Mapping[str, SampleStore],
        samples: LabelledSamples,
        reporter: Reporter,
        learned: Learned | None = None,
    ) -> Learned:
        network = learned.classifier.network if learned else None
        tables = self._method.tables(self._sensors, network)
        parts = [samples.part("train"), samples.part("validation")]
        both = tabulate(tables, stores, np.concatenate(parts), reporter.part(0, _SHARE_OF_TABLES))
        searched = {}
        for number, (name, table) in enumerate(both.items()):
            reporter.info(f"Forest on {name}: {table.shape[1]:,} variables, {len(parts[0]):,} pixels")
            training, validation = (
                Examples(rows, samples.labels[part])
                for rows, part in zip(np.split(table, [len(parts[0])]), parts, strict=True)
            )
            step = (1 - _SHARE_OF_TABLES) / len(both)
            part = reporter.part(_SHARE_OF_TABLES + number * step, _SHARE_OF_TABLES + (number + 1) * step)
            searched[name] = search_forest(training, validation, self._grid, self._seed, part)
        forests = {name: one.forest for name, one in searched.items()}
        best = {name: one.best for name, one in searched.items()}
        choices = [f"{one.trees} trees of depth {one.depth} on {name}" for name, one in best.items()]
        return Learned(
            TrainedForests(tables, forests, network),
            ", ".join(choices),
            {
                **(learned.settings if learned else {}),
                "best_forests": {name: asdict(one) for name, one in best.items()},
            },
            history=learned.history if learned else (),
            trials={name: one.trials for name, one in searched.items()},
        )


def tabulate(
    tables: Tables, stores: Mapping[str, SampleStore], samples: NDArray[np.int64], reporter: Reporter
) -> dict[str, NDArray[np.float32]]:
    """Returns the variables of some labelled pixels for each forest, of shape (samples, V)."""
    rows = {name: np.empty((len(samples), count), np.float32) for name, count in tables.variables.items()}
    for start in range(0, len(samples), _PATCHES_AT_ONCE):
        reporter.check_cancelled()
        some = slice(start, start + _PATCHES_AT_ONCE)
        for name, table in tables(gather(stores, samples[some])).items():
            rows[name][some] = table[:, 0, 0]
        reporter.progress(start / len(samples), "Computing the forests' variables")
    return rows
