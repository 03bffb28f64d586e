"""Batches of patches, gathered from compact stores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinns_qgis.samples.store import SampleStore


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
        seed: Fixes the order, another one in each epoch; None keeps that of `samples`.
    """

    def __init__(
        self,
        stores: Mapping[str, SampleStore],
        labels: NDArray[np.int64],
        samples: NDArray[np.int64],
        batch_size: int,
        outputs: tuple[str, ...],
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._stores = stores
        self._labels = labels
        self._samples = samples
        self._batch_size = batch_size
        self._outputs = outputs
        self._random = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._samples) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        samples = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        # The network's outputs are maps; those of a patch are one pixel wide and high.
        target = self._labels[samples].reshape(-1, 1, 1)
        return gather(self._stores, samples), dict.fromkeys(self._outputs, target)

    def on_epoch_end(self) -> None:
        """Draws the order of the next epoch."""
        self._order = self._samples if self._random is None else self._random.permutation(self._samples)
