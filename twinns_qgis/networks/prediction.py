"""Outputs of a network outside training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinns_qgis.networks.backend import compiles_blocks
from twinns_qgis.samples.store import MARGIN


class Predictor:
    """Computes outputs of a network for raw values.

    Args:
        inputs: The network's inputs, by name.
        outputs: Tensors of the network: one, or several by name.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self._model, self._compiled = keras.Model(inputs, outputs), keras.Model(inputs, outputs)
        self._compiled.jit_compile = compiles_blocks()
        self._model.jit_compile = False
        self._side = 0

    def compile_for(self, side: int) -> None:
        """Computes blocks of that side by a program compiled for them; others take no time to be compiled."""
        self._side = side

    def __call__(self, values: Mapping[str, NDArray[Any]]) -> Any:
        """Returns the outputs as arrays; the first of the inputs is raw values of shape (N, H, W, T, B)."""
        height, width = next(iter(values.values())).shape[1:3]
        full = height == width == self._side + 2 * MARGIN
        return (self._compiled if full else self._model).predict_on_batch(dict(values))


def as_float32(output: Any) -> NDArray[np.float32]:
    """Returns an output in float32, whatever the network computes in."""
    return np.asarray(output).astype(np.float32, copy=False)
