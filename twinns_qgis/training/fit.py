"""Fitting a network (METHOD section 4)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.networks.backend import Tensor, compiles_training
from twinns_qgis.networks.classifiers import SCORE, loss_weights
from twinns_qgis.networks.several_gpus import shares
from twinns_qgis.networks.trained import TrainedClassifier
from twinns_qgis.reporter import Reporter, TimeLeft
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.augmentation import NO_AUGMENTATION, Augmentation
from twinns_qgis.training.batches import Batches, TrainingBatches, balanced_weights, gather
from twinns_qgis.training.history import Epoch, best_epoch, is_over

_ASSESSMENT_BATCH = 256
_SECONDS_BETWEEN_REPORTS = 0.5
_TOLD = 10
"""Epochs that are told of, besides the first one."""


_OPTIMIZERS: dict[str, Callable[[float], keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
}


@dataclass(frozen=True)
class Fitting:
    """How a network is fitted.

    Args:
        epochs: How often the network sees the training pixels, at most.
        batch_size: Pixels between two updates of the weights.
        learning_rate: Step size of the optimiser: of all epochs, or the largest one where it follows a schedule.
        seed: Fixes all that is drawn: the order of the pixels, and what dropout drops.
        optimizer: ``adam``, ``adamw`` or ``sgd`` (with Nesterov's momentum of 0.9).
        schedule: ``constant``, or ``cosine``: the step size falls to 0 along half a cosine over the epochs.
        warm_up: Share of the epochs in which the step size rises to what the schedule has.
        label_smoothing: Share of the target that goes to all classes alike (Szegedy et al. 2016, section 7).
        smoothing: Epochs whose validation accuracy is averaged to judge one; see `history.best_epoch`.
        patience: Epochs without a better validation accuracy after which training stops; 0 goes through all.
        precision: ``float32``, ``bfloat16``, or ``auto``: see `networks.precision.choose_precision`.
        class_weights: ``balanced`` lets each class count alike in the loss, ``none`` each sample.
        augmentation: How samples vary from epoch to epoch.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    optimizer: str = "adam"
    schedule: str = "constant"
    warm_up: float = 0.0
    label_smoothing: float = 0.0
    smoothing: int = 1
    patience: int = 0
    precision: str = "float32"
    class_weights: str = "none"
    augmentation: Augmentation = NO_AUGMENTATION

    def step_size(self, epoch: int) -> float:
        """Returns the step size of an epoch, counted from 1."""
        risen = min(1.0, (epoch - 0.5) / (self.warm_up * self.epochs)) if self.warm_up else 1.0
        left = (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2 if self.schedule == "cosine" else 1.0
        return self.learning_rate * risen * left

    def best(self, history: Sequence[Epoch]) -> Epoch:
        """Returns the best epoch of a history."""
        return best_epoch(history, self.smoothing)

    def is_over(self, history: Sequence[Epoch]) -> bool:
        """Returns whether training ends after these epochs."""
        return is_over(history, self.epochs, self.patience, self.smoothing)


def compile_network(network: keras.Model, fitting: Fitting) -> None:
    """Compiles a network with its optimiser and the loss of equations 10-11."""
    weights = loss_weights(network)
    network.compile(
        optimizer=_OPTIMIZERS[fitting.optimizer](fitting.learning_rate),
        loss={
            **dict.fromkeys(weights, _loss(fitting.label_smoothing)),
            SCORE: None,
        },
        loss_weights={**weights, SCORE: None},
        metrics={SCORE: keras.metrics.SparseCategoricalAccuracy(name="accuracy")},
        jit_compile=compiles_training(),
    )
    _make_variables(network)


def _loss(label_smoothing: float) -> keras.losses.Loss | Callable[[Tensor, Tensor], Tensor]:
    """Returns the cross-entropy of logits and class indices."""
    if not label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def smoothed(labels: Tensor, logits: Tensor) -> Tensor:
        targets = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
        return keras.losses.categorical_crossentropy(targets, logits, from_logits=True, label_smoothing=label_smoothing)

    return smoothed


def _make_variables(network: keras.Model) -> None:
    """Makes the variables of optimiser and loss: else TensorFlow makes the graph of a step twice, first for them."""
    network.optimizer.build(network.trainable_variables)
    scores = {name: keras.ops.zeros((1, 1, 1, output.shape[-1])) for name, output in network.output.items()}
    network.compute_loss(y={name: keras.ops.zeros((1, 1, 1), "int32") for name in scores}, y_pred=scores)
    network.reset_metrics()


def fit(
    network: keras.Model,
    training: TrainingBatches,
    validation: Batches,
    fitting: Fitting,
    *,
    reporter: Reporter,
    keep: Callable[[list[Epoch]], None],
    history: Sequence[Epoch] = (),
) -> list[Epoch]:
    """Fits a network.

    On one machine's processor the same data and seed give the same weights, whether or not training was interrupted.

    Args:
        network: The network, compiled; it ends with the weights of the last epoch.
        training: The batches to train on; see `make_batches`.
        validation: The batches to choose the best epoch by.
        fitting: How to do it.
        reporter: Receives the progress, and loss and accuracy of every epoch.
        keep: Called with the history so far after each epoch.
        history: The epochs that the network has gone through already.

    Returns:
        The whole history.

    Raises:
        Cancelled: The user stopped the training.
        InputError: The loss is no finite number after the first epoch.
    """
    follower = _Follower(network, fitting, reporter, keep, history)
    if fitting.is_over(history):
        return follower.history
    network.fit(
        training,
        validation_data=validation,
        epochs=fitting.epochs,
        initial_epoch=len(history),
        shuffle=False,  # the batches draw the order themselves
        callbacks=[follower],
        verbose=0,
    )
    return follower.history


def make_batches(
    network: keras.Model,
    stores: Mapping[str, SampleStore],
    labels: NDArray[np.int64],
    training: NDArray[np.int64],
    validation: NDArray[np.int64],
    fitting: Fitting,
    *,
    epoch: int = 1,
) -> tuple[TrainingBatches, Batches]:
    """Returns the batches that a network is trained on, and those of the validation part.

    Args:
        network: The network.
        stores: The store of each sensor.
        labels: Class index of each labelled pixel, shape (N,).
        training: Indices of the pixels to train on.
        validation: Indices of the pixels to choose the best epoch by.
        fitting: How the network is fitted.
        epoch: Number of the first epoch.
    """
    outputs = (*loss_weights(network), SCORE)
    classes = network.output[SCORE].shape[-1]
    weights = balanced_weights(labels[training], classes) if fitting.class_weights == "balanced" else None
    batches = TrainingBatches(
        stores,
        labels,
        training,
        fitting.batch_size,
        outputs,
        seed=fitting.seed,
        epoch=epoch,
        class_weights=weights,
        augmentation=fitting.augmentation,
        shares=shares(),
    )
    batch_size = _ASSESSMENT_BATCH // shares() * shares()
    return batches, Batches(stores, labels, validation, batch_size, outputs, shares=shares())


def predict_scores(
    classifier: TrainedClassifier, stores: Mapping[str, SampleStore], samples: NDArray[np.int64], reporter: Reporter
) -> NDArray[np.float32]:
    """Returns the score of some labelled pixels, shape (samples, K)."""
    scores = []
    for start in range(0, len(samples), _ASSESSMENT_BATCH):
        reporter.check_cancelled()
        batch = gather(stores, samples[start : start + _ASSESSMENT_BATCH])
        scores.append(classifier.scores(batch)[:, 0, 0])
        reporter.progress(start / len(samples), "Assessing")
    return np.concatenate(scores)


class _Follower(keras.callbacks.Callback):
    """Seeds, keeps and reports every epoch, and stops training in time or when the user cancels."""

    def __init__(
        self,
        network: keras.Model,
        fitting: Fitting,
        reporter: Reporter,
        keep: Callable[[list[Epoch]], None],
        history: Sequence[Epoch],
    ) -> None:
        super().__init__()
        self.history = list(history)
        self._random_states = _random_states(network)
        self._fitting = fitting
        self._reporter = reporter
        self._keep = keep
        self._clock = TimeLeft()
        self._before = history[-1].seconds if history else 0.0
        self._reported = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        _seed_epoch(self._random_states, self._fitting.seed, epoch + 1)
        self.model.optimizer.learning_rate = self._fitting.step_size(epoch + 1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._reporter.check_cancelled()
        now = time.monotonic()
        if now - self._reported > _SECONDS_BETWEEN_REPORTS:
            self._reported = now
            share = (batch + 1) / self.params["steps"]
            self._progress(len(self.history) + share)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._reporter.check_cancelled()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        record = Epoch(
            epoch=epoch + 1,
            loss=float(logs["loss"]),
            accuracy=float(logs[f"{SCORE}_accuracy"]),
            validation_loss=float(logs["val_loss"]),
            validation_accuracy=float(logs[f"val_{SCORE}_accuracy"]),
            seconds=self._before + self._clock.elapsed,
        )
        if not math.isfinite(record.loss + record.validation_loss):
            self._diverged(record)
            return
        self.history.append(record)
        self._keep(self.history)
        self._progress(epoch + 1)
        epochs, over = self._fitting.epochs, self._fitting.is_over(self.history)
        # Ten of them show how it goes; the report has all.
        if over or record.epoch == 1 or record.epoch * _TOLD // epochs > (record.epoch - 1) * _TOLD // epochs:
            best = self._fitting.best(self.history)
            place = "the best so far" if record is best else f"{best.validation_accuracy:.1%} in epoch {best.epoch}"
            self._reporter.info(
                f"Epoch {record.epoch} of {epochs}: accuracy {record.validation_accuracy:.1%} on the validation part "
                f"({place}), {record.accuracy:.1%} on the training part, loss {record.loss:.3g}"
            )
        if over:
            self.model.stop_training = True
            if record.epoch < epochs:
                self._reporter.info(f"No better epoch in {self._fitting.patience}: training stops.")

    def _diverged(self, record: Epoch) -> None:
        """Ends the training: a network with weights that are no numbers learns nothing more."""
        what = f"The loss of epoch {record.epoch} is {record.loss}, on the validation part {record.validation_loss}"
        if not self.history:
            raise InputError(f"{what}: the network learns nothing.", "Lower LEARNING_RATE, or use OPTIMIZER=adam.")
        best = self._fitting.best(self.history).epoch
        self._reporter.warning(f"{what}: training stops, and epoch {best} is the best. Lower LEARNING_RATE.")
        self.model.stop_training = True

    def _progress(self, done: float) -> None:
        epochs = self._fitting.epochs
        share = done / epochs
        parts = [f"Epoch {min(int(done) + 1, epochs)} of {epochs}"]
        if self.history:
            parts.append(f"validation accuracy {self.history[-1].validation_accuracy:.1%}")
        parts.append(self._clock.after(share))
        self._reporter.progress(share, ", ".join(filter(None, parts)))


def _random_states(network: keras.Model) -> list[Any]:
    """Returns the variables that dropout draws from."""
    weights = {id(weight) for weight in network.weights}
    return [variable for variable in network.variables if id(variable) not in weights]


def _seed_epoch(states: Sequence[Any], seed: int, epoch: int) -> None:
    """Makes all that dropout draws in an epoch follow from the seed and the epoch's number."""
    random = np.random.default_rng([seed, epoch])
    for state in states:
        state.assign(random.integers(2**32, size=state.shape, dtype=np.uint32))
