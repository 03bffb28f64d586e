"""Keeps the best epoch of a training on disk, so that neither a cancellation nor a crash loses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
from numpy.typing import NDArray

from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.training.history import Epoch
from twinns_qgis.training.model_file import Manifest, write_model


class BestEpoch:
    """The best epoch so far: in memory, and as a model file beside the one to come, ``NAME.best``.

    Args:
        model: The model file to come.
        manifest: What it says of the network.
        network: The network that is being fitted.
    """

    def __init__(self, model: Path, manifest: Manifest, network: keras.Model) -> None:
        self._model = model
        self._beside = model.with_name(f"{model.name}.best")
        self._manifest = manifest
        self._network = network
        self._weights: list[NDArray[Any]] = []
        self._accuracy = 0.0
        self.epoch = 0

    def keep(self, history: Sequence[Epoch]) -> None:
        """Keeps the network as it is after the last epoch of the history."""
        last = history[-1]
        settings = {**self._manifest.settings, "best_epoch": last.epoch}
        write_model(self._beside, replace(self._manifest, settings=settings), TrainedNetwork(self._network), history)
        self._weights = self._network.get_weights()
        self.epoch, self._accuracy = last.epoch, last.validation_accuracy

    def restore(self) -> None:
        """Gives the network the weights of the best epoch."""
        self._network.set_weights(self._weights)

    def finish(self) -> None:
        """Removes the file beside the model: it is no longer needed."""
        self._beside.unlink(missing_ok=True)

    def rescue(self) -> str:
        """Makes the best epoch the model file when training was cancelled; returns what was done."""
        if not self.epoch:
            return "No epoch was finished: there is no model."
        if not self._beside.exists():
            return f"{self._model} is written."
        self._beside.replace(self._model)
        return (
            f"The best epoch so far, {self.epoch}, with a validation accuracy of {self._accuracy:.4f}, is kept in "
            f"{self._model}; it was not tested."
        )
