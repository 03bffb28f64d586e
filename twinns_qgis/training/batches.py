"""Batches of patches, gathered from compact stores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.augmentation import NO_AUGMENTATION, Augmentation


def gather(stores: Mapping[str, SampleStore], samples: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Returns the patches of some labelled pixels, for each sensor of shape (samples, 5, 5, T, B)."""
    return {name: store.gather(samples) for name, store in stores.items()}


class Batches(keras.utils.PyDataset):
    """Batches of some labelled pixels.

    Args:
        stores: The store of each sensor.
        labels: Class index of each of the N labelled pixels, shape (N,).
        samples: Indices of the pixels to go through.
        batch_size: Pixels a batch.
        outputs: Names of the network's outputs that have the labels as target.
        shares: What the number of pixels in each batch is a multiple of, `batch_size` being one: the last batch is
            filled up with the first pixels once more.
    """

    def __init__(
        self,
        stores: Mapping[str, SampleStore],
        labels: NDArray[np.int64],
        samples: NDArray[np.int64],
        batch_size: int,
        outputs: tuple[str, ...],
        *,
        shares: int = 1,
    ) -> None:
        super().__init__()
        self._shares = shares
        self._stores = stores
        self._labels = labels
        self._samples = samples
        self._batch_size = batch_size
        self._outputs = outputs

    def __len__(self) -> int:
        return math.ceil(len(self._samples) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[Any]], ...]:
        samples = self._batch(index)
        return gather(self._stores, samples), self._targets(samples)

    def _batch(self, index: int) -> NDArray[np.int64]:
        batch = self._samples[index * self._batch_size : (index + 1) * self._batch_size]
        lacking = -len(batch) % self._shares
        return np.concatenate([batch, np.resize(self._samples, lacking)]) if lacking else batch

    def _targets(self, samples: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        # The network's outputs are maps; those of a patch are one pixel wide and high.
        return dict.fromkeys(self._outputs, self._labels[samples].reshape(-1, 1, 1))


class TrainingBatches(Batches):
    """Batches in an order of their own in each epoch, of samples that count by class and vary.

    All that is drawn follows from the seed, the epoch's number and the batch's: a training that is continued draws the
    same.

    Args:
        stores: The store of each sensor.
        labels: Class index of each of the N labelled pixels, shape (N,).
        samples: Indices of the pixels to go through.
        batch_size: Pixels a batch.
        outputs: Names of the network's outputs that have the labels as target.
        seed: Fixes what is drawn.
        epoch: Number of the first epoch.
        class_weights: What a sample of each of the K classes weighs in the loss, shape (K,); None for 1.
        augmentation: How samples vary.
        shares: See `Batches`.
    """

    def __init__(
        self,
        stores: Mapping[str, SampleStore],
        labels: NDArray[np.int64],
        samples: NDArray[np.int64],
        batch_size: int,
        outputs: tuple[str, ...],
        *,
        seed: int,
        epoch: int = 1,
        class_weights: NDArray[np.float32] | None = None,
        augmentation: Augmentation = NO_AUGMENTATION,
        shares: int = 1,
    ) -> None:
        super().__init__(stores, labels, np.sort(samples), batch_size, outputs, shares=shares)
        self._seed = seed
        self._epoch = epoch
        self._class_weights = class_weights
        self._augmentation = augmentation
        self._draw_order()

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[Any]], ...]:
        samples = self._batch(index)
        random = np.random.default_rng([self._seed, self._epoch, index])
        patches, targets = self._augmentation.gather(self._stores, samples, random), self._targets(samples)
        if self._class_weights is None:
            return patches, targets
        weights = self._class_weights[self._labels[samples]].reshape(-1, 1, 1)
        return patches, targets, dict.fromkeys(self._outputs, weights)

    def on_epoch_end(self) -> None:
        """Draws the order of the next epoch."""
        self._epoch += 1
        self._draw_order()

    def _draw_order(self) -> None:
        # From the pixels in a fixed order, not from the last epoch's: a training that is continued knows no last one.
        self._samples = np.random.default_rng([self._seed, self._epoch]).permutation(np.sort(self._samples))


def balanced_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Returns weights with which each class counts alike: N / (K n_k), whose mean over the samples is 1.

    Args:
        labels: Class indices of the N samples trained on, shape (N,); each class has one at least.
        classes: Number K of classes.

    Returns:
        The weight of each class, shape (K,).
    """
    return (len(labels) / (classes * np.bincount(labels, minlength=classes))).astype(np.float32)
