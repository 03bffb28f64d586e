"""Fitting a network (METHOD section 4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinns_qgis.networks.backend import gpu_available
from twinns_qgis.networks.classifiers import SCORE, loss_weights
from twinns_qgis.networks.trained import TrainedClassifier
from twinns_qgis.reporter import Reporter, TimeLeft
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.batches import Batches, gather
from twinns_qgis.training.history import Epoch

_ASSESSMENT_BATCH = 256
_SECONDS_BETWEEN_REPORTS = 0.5


def fit(
    network: keras.Model,
    stores: Mapping[str, SampleStore],
    labels: NDArray[np.int64],
    training: NDArray[np.int64],
    validation: NDArray[np.int64],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    reporter: Reporter,
    keep_best: Callable[[list[Epoch]], None],
) -> list[Epoch]:
    """Fits a network with Adam; its loss is that of equations 10-11.

    Args:
        network: The network; it ends with the weights of the last epoch.
        stores: The store of each sensor.
        labels: Class index of each labelled pixel, shape (N,).
        training: Indices of the pixels to train on.
        validation: Indices of the pixels to choose the best epoch by.
        epochs: How often the network sees the training pixels.
        batch_size: Pixels between two updates of the weights.
        learning_rate: Step size.
        seed: Fixes the order of the pixels.
        reporter: Hears of every epoch.
        keep_best: Called with the history so far after each epoch whose validation accuracy, of the score, is the
            best yet.

    Returns:
        The history.

    Raises:
        Cancelled: The user stopped the training.
    """
    weights = loss_weights(network)
    outputs = (*weights, SCORE)
    network.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss={
            **{name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in weights},
            SCORE: None,
        },
        loss_weights={**weights, SCORE: None},
        metrics={SCORE: keras.metrics.SparseCategoricalAccuracy(name="accuracy")},
        # Compiling by XLA makes training on the CPU slower, not faster.
        jit_compile=gpu_available(),
    )
    follower = _Follower(epochs, reporter, keep_best)
    network.fit(
        Batches(stores, labels, training, batch_size, outputs, seed),
        validation_data=Batches(stores, labels, validation, _ASSESSMENT_BATCH, outputs),
        epochs=epochs,
        shuffle=False,  # Batches draws the order itself
        callbacks=[follower],
        verbose=0,
    )
    return follower.history


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
    """Reports every epoch, keeps the history and the best epoch, and stops when the user cancels."""

    def __init__(self, epochs: int, reporter: Reporter, keep_best: Callable[[list[Epoch]], None]) -> None:
        super().__init__()
        self.history: list[Epoch] = []
        self._epochs = epochs
        self._reporter = reporter
        self._keep_best = keep_best
        self._best: Epoch | None = None
        self._clock = TimeLeft()
        self._reported = 0.0

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
            seconds=self._clock.elapsed,
        )
        self.history.append(record)
        if self._best is None or record.validation_accuracy > self._best.validation_accuracy:
            self._best = record
            self._keep_best(self.history)
        self._progress(epoch + 1)
        self._reporter.info(
            f"Epoch {record.epoch} of {self._epochs}: loss {record.loss:.4f}, accuracy {record.accuracy:.4f}, "
            f"validation loss {record.validation_loss:.4f}, validation accuracy {record.validation_accuracy:.4f}"
            f"{' (best so far)' if record is self._best else ''}"
        )

    def _progress(self, epochs: float) -> None:
        share = epochs / self._epochs
        parts = [f"Epoch {min(int(epochs) + 1, self._epochs)} of {self._epochs}"]
        if self.history:
            last = self.history[-1]
            parts += [f"loss {last.loss:.4f}", f"validation accuracy {last.validation_accuracy:.4f}"]
        parts.append(self._clock.after(share))
        self._reporter.progress(share, ", ".join(filter(None, parts)))
