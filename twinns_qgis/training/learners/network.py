"""A network that learns, and of which the best epoch is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keras

from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.best_epoch import BestEpoch
from twinns_qgis.training.fit import fit
from twinns_qgis.training.learners.learned import Learned
from twinns_qgis.training.model_file import Manifest


@dataclass(frozen=True)
class Fitting:
    """How a network is fitted.

    Args:
        epochs: How often it sees the training pixels.
        batch_size: Pixels between two updates of the weights.
        learning_rate: Step size.
        seed: Fixes the initial weights and the order of the pixels.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


class NetworkLearner:
    """Fits the network of a manifest; see `Learner`.

    Args:
        model: The model file to come; the best epoch so far is kept beside it.
        manifest: What it says of the network.
        fitting: How to fit it.
    """

    def __init__(self, model: Path, manifest: Manifest, fitting: Fitting) -> None:
        self._manifest = manifest
        self._fitting = fitting
        keras.utils.set_random_seed(fitting.seed)
        self._network = manifest.build()
        self._best = BestEpoch(model, manifest, self._network)

    def learn(self, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter) -> Learned:
        """Fits the network, and gives it the weights of its best epoch; see `Learner.learn`."""
        weights = sum(math.prod(weight.shape) for weight in self._network.trainable_weights)
        reporter.info(f"{self._manifest.title}: {weights:,} trainable parameters")
        reporter.last_resort(self.rescue)
        history = fit(
            self._network,
            stores,
            samples.labels,
            samples.part("train"),
            samples.part("validation"),
            epochs=self._fitting.epochs,
            batch_size=self._fitting.batch_size,
            learning_rate=self._fitting.learning_rate,
            seed=self._fitting.seed,
            reporter=reporter,
            keep_best=self._best.keep,
        )
        self._best.restore()
        return Learned(
            TrainedNetwork(self._network),
            f"epoch {self._best.epoch}",
            {"best_epoch": self._best.epoch},
            history=tuple(history),
        )

    def rescue(self) -> str:
        """Makes the best epoch so far the model file; see `Learner.rescue`."""
        return self._best.rescue()

    def finish(self) -> None:
        """Removes the best epoch from beside the model file; see `Learner.finish`."""
        self._best.finish()
