"""How the scores of a map are computed, and the classifier that computes them in this process."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.scoring import Scorer
from twinns_qgis.networks.backend import describe_device, gpu_available, use_device
from twinns_qgis.networks.exit_rule import ExitRule

if TYPE_CHECKING:
    from twinns_qgis.training.model_file import TrainedModel

# Keras is imported where a model is read: on a worker of a cluster, the device must be chosen before.

_scorers: dict[Inference, Scorer] = {}
_loading = threading.Lock()


@dataclass(frozen=True)
class Inference:
    """How scores are computed: all that they depend on besides the series. It travels to the workers of a cluster.

    Args:
        path: The model file.
        model: Its SHA-256.
        chosen_device: Where to compute, as the user chose: ``auto``, ``cpu`` or ``gpu``.
        device: What computes: ``cpu`` or ``gpu``.
        library: What it computes with: Keras' backend and its version.
        precision: What the network's products are computed in, ``float32`` or ``bfloat16``.
        side: Side of the parts that go through the classifier at once.
        compiled: Whether there are so many parts that the program for them is compiled.
        early_exit: When pixels leave the network early; None if all go through all of it.
        by_sensor: Whether the sensors' own classifiers are asked too.
    """

    path: Path = field(compare=False)
    model: str
    chosen_device: str = field(compare=False)
    device: str
    library: str
    precision: str
    side: int
    compiled: bool
    early_exit: ExitRule | None = None
    by_sensor: bool = False

    def scorer(self) -> Scorer:
        """Returns the scorer of this process, which reads the model file once.

        Raises:
            InputError: The file can't be read, or is another one by now, or this machine has not the device.
        """
        with _loading:  # several threads of a cluster's worker may ask at once
            return _scorers.get(self) or self.keep(self._read())

    def keep(self, model: TrainedModel) -> Scorer:
        """Makes a model the one of this process, in the place of another, and returns its scorer.

        Args:
            model: The model, read in this precision.
        """
        _scorers.clear()
        return _scorers.setdefault(self, Scorer(model, self.side, self.compiled, self.early_exit, self.by_sensor))

    def _read(self) -> TrainedModel:
        use_device(self.chosen_device)
        describe_device(self.chosen_device)  # which refuses a worker of a cluster without the GPU that was asked for
        from twinns_qgis.training.model_file import read_model

        model = read_model(self.path, self.precision)
        if model.sha256 != self.model:
            raise InputError(
                f"{self.path} is not the model that the call began with: it has changed, or means another file on this "
                "machine.",
                "Start again, with one file that all machines see.",
            )
        found = "gpu" if gpu_available() else "cpu"
        if model.classifier.network is not None and found != self.device:
            raise InputError(
                f"A worker of the cluster computes on its {found.upper()}, the others on their {self.device.upper()}.",
                "Give DEVICE cpu or gpu, and start the workers anew: one that has computed can't change its device.",
            )
        return model
