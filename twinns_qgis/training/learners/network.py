"""A network that learns, and of which the best epoch is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import keras

from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.checkpoint import Checkpoint, fingerprint
from twinns_qgis.training.fit import Fitting, compile_network, fit
from twinns_qgis.training.history import best_epoch
from twinns_qgis.training.learners.learned import Learned
from twinns_qgis.training.model_file import Manifest


class NetworkLearner:
    """Fits the network of a manifest; see `Learner`.

    Args:
        model: The model file to come; a checkpoint is kept beside it.
        manifest: What it says of the network.
        fitting: How to fit it.
    """

    def __init__(self, model: Path, manifest: Manifest, fitting: Fitting) -> None:
        self._model = model
        self._manifest = manifest
        self._fitting = fitting
        keras.utils.set_random_seed(fitting.seed)
        self._network = manifest.build()
        compile_network(self._network, fitting)
        self._checkpoint: Checkpoint | None = None

    def learn(self, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter) -> Learned:
        """Fits the network, and gives it the weights of its best epoch; see `Learner.learn`."""
        weights = sum(math.prod(weight.shape) for weight in self._network.trainable_weights)
        reporter.info(f"{self._manifest.title}: {weights:,} trainable parameters")
        checkpoint = Checkpoint(self._model, self._manifest, self._network, fingerprint(self._manifest, samples))
        self._checkpoint = checkpoint
        earlier = checkpoint.resume(self._fitting, reporter)
        reporter.last_resort(self.rescue)
        history = fit(
            self._network,
            stores,
            samples.labels,
            samples.part("train"),
            samples.part("validation"),
            self._fitting,
            reporter=reporter,
            keep=checkpoint.keep,
            history=earlier,
        )
        checkpoint.restore()
        best = best_epoch(history).epoch
        return Learned(TrainedNetwork(self._network), f"epoch {best}", {"best_epoch": best}, history=tuple(history))

    def rescue(self) -> str:
        """Makes the best epoch so far the model file; see `Learner.rescue`."""
        return self._checkpoint.rescue() if self._checkpoint else "Training has not begun: there is no model."

    def finish(self) -> None:
        """Removes the checkpoint from beside the model file; see `Learner.finish`."""
        if self._checkpoint:
            self._checkpoint.finish()
