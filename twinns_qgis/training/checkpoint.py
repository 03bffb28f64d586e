"""A training on disk: what a killed process continues from, and what a cancelled one gives."""

from __future__ import annotations

import hashlib
import io
import json
import math
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.files import DAMAGE, whole_file
from twinns_qgis.networks.backend import gpu_available, gpus
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.training.fit import Fitting
from twinns_qgis.training.history import Epoch
from twinns_qgis.training.manifest import FORMAT, Manifest
from twinns_qgis.training.model_file import is_untested, load_weights, write_model

_STATE, _TRAINING, _BEST = "state.json", "training.weights.h5", "best.twinns"
_LONGEST, _SHARE = 60.0, 0.05
"""Seconds after which a training is written to the disk again, and the share of the time that this may take before."""
_FREE = ("call", "epochs", "patience", "trees", "depths")
"""Settings in which a training that is continued may differ: no epoch's result depends on them, but on the number of
epochs if the step size follows it."""


class Checkpoint:
    """A training after its last epoch and at its best one, in one file beside the model to come, ``NAME.checkpoint``.

    The file is a zip of the history and the fingerprint, of all weights with the optimiser's state, and of the best
    epoch as a model file. It is replaced as a whole, so its parts always belong together. Random numbers need no place
    in it: those of an epoch follow from the seed and the epoch's number.

    It is written once a minute at most, or as often as that takes a twentieth of the time: at the paper's size it takes
    seconds. The best epoch so far is always in memory.

    Args:
        model: The model file to come.
        manifest: What it says of the network.
        network: The network that is being fitted, compiled.
        fitting: How it is fitted.
        fingerprint: All that an epoch's result depends on, by name: only a training of the same is continued.
    """

    def __init__(
        self,
        model: Path,
        manifest: Manifest,
        network: keras.Model,
        fitting: Fitting,
        fingerprint: Mapping[str, str],
    ) -> None:
        self._model = model
        self._file = _file_of(model)
        self._manifest = manifest
        self._network = network
        self._fitting = fitting
        self._fingerprint = dict(fingerprint)
        self._best: tuple[Epoch, list[NDArray[Any]]] | None = None
        self._best_file: tuple[int, bytes] | None = None
        self._history: list[Epoch] = []
        self._written, self._cost = -math.inf, 0.0
        self._finished = False
        self._model_lock = threading.Lock()

    def resume(self, reporter: Reporter) -> list[Epoch]:
        """Loads the state in which an earlier call of the same training left the network.

        Of a training that went on for longer than this one shall, that is the part that this one has in common with it.

        Returns:
            The history so far; none if there is no such training, which the reporter hears of.

        Raises:
            InputError: The training went on for longer than this one shall, and its best epoch is of that time.
        """
        if not self._file.is_file():
            return []
        try:
            with zipfile.ZipFile(self._file) as archive:
                state = json.loads(archive.read(_STATE))
                changes = _differences(state["fingerprint"], self._fingerprint)
                history = [Epoch.from_json(epoch) for epoch in state["history"]]
                weights, best = archive.read(_TRAINING), archive.read(_BEST)
        except DAMAGE as error:
            reporter.warning(f"{self._file} can't be read ({error}): training starts anew.")
            return []
        if changes:
            reporter.warning(
                f"{self._file} is a training that differs in {', '.join(changes)}: this one starts anew, and its first "
                "epoch replaces that file."
            )
            return []
        load_weights(io.BytesIO(best), self._network)
        self._best = self._fitting.best(history), self._network.get_weights()
        self._best_file = self._best[0].epoch, best
        with tempfile.TemporaryDirectory() as folder:
            training = Path(folder) / _TRAINING
            training.write_bytes(weights)
            self._network.optimizer.build(self._network.trainable_variables)
            self._network.load_weights(training)
        history = self._history = self._until_over(history)
        reporter.info(f"Continuing after epoch {len(history)}, from {self._file}")
        return history

    def _until_over(self, history: list[Epoch]) -> list[Epoch]:
        ends = (number for number in range(1, len(history)) if self._fitting.is_over(history[:number]))
        end = next(ends, len(history))
        best = self._fitting.best(history).epoch
        if best > end:
            raise InputError(
                f"{self._file} is a training of {len(history)} epochs, the best of which is number {best}. With EPOCHS "
                f"and PATIENCE as given it would have ended after {end}, and the best epoch would be lost.",
                "Raise EPOCHS or PATIENCE, or remove that file to train anew.",
            )
        return history[:end]

    def keep(self, history: Sequence[Epoch]) -> None:
        """Keeps the network as it is after the last epoch of the history: in memory the best, on the disk now and then.

        Raises:
            InputError: The disk takes no more; the file is as it was.
        """
        self._history = list(history)
        if self._best is None or self._fitting.best(history) is history[-1]:
            self._best = history[-1], self._network.get_weights()
        begun = time.monotonic()
        if begun - self._written >= min(_LONGEST, self._cost / _SHARE):
            self._write(history)
            self._written = time.monotonic()
            self._cost = self._written - begun

    def _write(self, history: Sequence[Epoch]) -> None:
        with disk_errors(self._file), _folder_beside(self._file) as folder:
            training = folder / _TRAINING
            self._network.save_weights(training)
            with whole_file(self._file) as partial, zipfile.ZipFile(partial, "w") as archive:
                state = {"fingerprint": self._fingerprint, "history": [asdict(epoch) for epoch in history]}
                archive.writestr(_STATE, json.dumps(state, indent=1))
                archive.write(training, _TRAINING)
                archive.writestr(_BEST, self._best_as_file(history))

    def _best_as_file(self, history: Sequence[Epoch]) -> bytes:
        """Returns the model file of the best epoch; of one that is known already, the same bytes."""
        epoch, weights = self._best or (history[-1], self._network.get_weights())
        if self._best_file is None or self._best_file[0] != epoch.epoch:
            network = self._manifest.build()
            network.set_weights(weights)
            settings = {**self._manifest.settings, "best_epoch": epoch.epoch}
            until = [one for one in history if one.epoch <= epoch.epoch]
            with _folder_beside(self._file) as folder:
                model = folder / _BEST
                write_model(model, replace(self._manifest, settings=settings), TrainedNetwork(network), until)
                self._best_file = epoch.epoch, model.read_bytes()
        return self._best_file[1]

    def restore(self, network: keras.Model) -> None:
        """Loads the weights of the best epoch into a network."""
        if self._best is not None:
            network.set_weights(self._best[1])

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Lets the block write the tested model, which no `rescue` replaces, and removes the file of the training."""
        with self._model_lock:
            yield
            self._finished = True
            self._file.unlink(missing_ok=True)

    def rescue(self) -> str:
        """Makes the best epoch the model file when training was cancelled; returns what was done.

        A model that was there before and is no such one stays: the best epoch goes beside it then.
        """
        with self._model_lock:  # a job that is late to stop does this in a thread of its own
            if self._finished:
                return f"The tested model is kept in {self._model}."
            if self._best is None:
                return "No epoch was finished: there is no model."
            epoch, _ = self._best
            path = self._model
            if path.exists() and not is_untested(path):
                path = path.with_stem(f"{path.stem}_untested")
            with disk_errors(path), whole_file(path) as partial:
                partial.write_bytes(self._best_as_file(self._history))
        return (
            f"The best epoch so far, {epoch.epoch}, with a validation accuracy of {epoch.validation_accuracy:.4f}, is "
            f"kept in {path}; it was not tested. The same call continues the training."
        )


def earlier_precision(model: Path, fingerprint: Mapping[str, str]) -> str | None:
    """Returns the precision of the training of the same that an earlier call left; None if there is no such training.

    What is found by measuring may be found otherwise the next time: a training that is continued keeps to it.
    """
    try:
        with zipfile.ZipFile(_file_of(model)) as archive:
            earlier = json.loads(archive.read(_STATE))["fingerprint"]
            same = set(_differences(earlier, fingerprint)) <= {"precision"}
            return str(earlier["precision"]) if same else None
    except DAMAGE:
        return None  # `Checkpoint.resume` tells of a file that can't be read


def fingerprint(manifest: Manifest, samples: LabelledSamples) -> dict[str, str]:
    """Returns all that an epoch of a training depends on, by name.

    Of the polygons these are the labelled pixels, not the file: QGIS hands over a selection as a new file each time.
    """
    # Where the step size rises or falls with the share of the epochs that are over, their number counts.
    follows = manifest.settings.get("schedule") == "cosine" or bool(manifest.settings.get("warm_up"))
    free = [name for name in _FREE if name != "epochs" or not follows]
    pixels = hashlib.sha256(json.dumps([asdict(item) for item in manifest.classes]).encode())
    parts = (samples.part("train"), samples.part("validation"))
    for array in (samples.pixels.rows, samples.pixels.columns, samples.labels, *parts):
        pixels.update(array.tobytes())
    return {
        **{name: str(value) for name, value in manifest.settings.items() if name not in free},
        "device": "gpu" if gpu_available() else "cpu",
        "number of GPUs": str(len(gpus())),
        **{name: digest for name, digest in manifest.inputs.items() if name != "polygons"},
        "polygons": pixels.hexdigest(),
        **{f"version of {name}": version for name, version in manifest.versions.items()},
        "format of the model": str(FORMAT),
    }


@contextmanager
def _folder_beside(file: Path) -> Iterator[Path]:
    """Yields a folder for what is put together into a file: on its disk, as the system's own may have no room."""
    with tempfile.TemporaryDirectory(prefix=f"{file.name}.", dir=file.parent) as folder:
        yield Path(folder)


def _file_of(model: Path) -> Path:
    return model.with_name(f"{model.name}.checkpoint")


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
