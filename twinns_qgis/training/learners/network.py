"""Training of a network: it is fitted, and its best epoch is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import keras

from twinns_qgis.errors import InputError
from twinns_qgis.networks.backend import is_out_of_memory
from twinns_qgis.networks.precision import choose_precision, computing_in
from twinns_qgis.networks.several_gpus import gpus_to_train_on, sharing_batches
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.checkpoint import Checkpoint, earlier_precision, fingerprint
from twinns_qgis.training.fit import Fitting, compile_network, fit, make_batches
from twinns_qgis.training.forecast import forecast
from twinns_qgis.training.history import Epoch
from twinns_qgis.training.learners.learned import Learned
from twinns_qgis.training.manifest import Manifest

_TOLD = 300
"""Characters of the words for a lack of memory: TensorFlow has pages of them."""


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
        self._checkpoint: Checkpoint | None = None

    def learn(self, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter) -> Learned:
        """Fits the network, and returns it with the weights of its best epoch; see `Learner.learn`.

        Raises:
            InputError: Memory does not suffice.
        """
        precision = self._precision(samples, reporter)
        devices = gpus_to_train_on(self._fitting.batch_size, reporter)
        try:
            with computing_in(precision), sharing_batches(devices):
                checkpoint, history = self._fit(precision, stores, samples, reporter)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise InputError(
                f"Memory does not suffice to train {self._manifest.title} on batches of {self._fitting.batch_size}: "
                f"{str(error)[:_TOLD]}",
                "Lower BATCH_SIZE, choose a smaller SIZE or another DEVICE, or close programs that use the memory.",
            ) from error
        # As mapping will compute: in float32, on one device.
        network = self._manifest.build()
        checkpoint.restore(network)
        best = self._fitting.best(history).epoch
        settings = {"best_epoch": best, "precision": precision}
        return Learned(TrainedNetwork(network), f"epoch {best}", settings, history=tuple(history))

    def _precision(self, samples: LabelledSamples, reporter: Reporter) -> str:
        if self._fitting.precision != "auto":
            return self._fitting.precision
        earlier = earlier_precision(self._model, fingerprint(self._manifest, samples))
        return earlier or choose_precision(self._manifest.size, self._fitting.batch_size, reporter)

    def _fit(
        self, precision: str, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter
    ) -> tuple[Checkpoint, list[Epoch]]:
        manifest = replace(self._manifest, settings={**self._manifest.settings, "precision": precision})
        keras.utils.set_random_seed(self._fitting.seed)
        network = self._build(manifest.size)
        weights = sum(math.prod(weight.shape) for weight in network.trainable_weights)
        reporter.info(f"{manifest.title}: {weights:,} trainable parameters")
        checkpoint = Checkpoint(self._model, manifest, network, self._fitting, fingerprint(manifest, samples))
        self._checkpoint = checkpoint
        earlier = checkpoint.resume(reporter)
        parts = samples.part("train"), samples.part("validation")
        batches = make_batches(network, stores, samples.labels, *parts, self._fitting, epoch=len(earlier) + 1)
        if not self._fitting.is_over(earlier):
            epochs = self._fitting.epochs - len(earlier)
            forecast(network, manifest.size, *batches, epochs, self._build, reporter)
        history = fit(network, *batches, self._fitting, reporter=reporter, keep=checkpoint.keep, history=earlier)
        return checkpoint, history

    def _build(self, size: str) -> keras.Model:
        network = replace(self._manifest, size=size).build()
        compile_network(network, self._fitting)
        return network

    def rescue(self) -> str:
        """Makes the best epoch so far the model file; see `Learner.rescue`."""
        return self._checkpoint.rescue() if self._checkpoint else "Training has not begun: there is no model."

    def finishing(self) -> AbstractContextManager[None]:
        """Removes the checkpoint from beside the model file in the end; see `Learner.finishing`."""
        return self._checkpoint.finishing() if self._checkpoint else nullcontext()
