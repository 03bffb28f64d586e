"""Outputs of a network outside training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinns_qgis.networks.backend import compiles_blocks, compiles_every_shape, predictor
from twinns_qgis.samples.store import MARGIN, PATCH


class Predictor:
    """Computes outputs of a network for raw values.

    Args:
        inputs: The network's inputs, by name.
        outputs: Tensors of the network: one, or several by name.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self._every_shape = compiles_every_shape()
        self._any = predictor(keras.Model(inputs, outputs), compiled=False)
        self._full = self._any if self._every_shape else predictor(keras.Model(inputs, outputs), compiles_blocks())
        self._side = 0

    def compile_for(self, side: int) -> None:
        """Computes blocks of that side by a program compiled for them.

        Smaller ones take no time to be compiled: where every shape would take some, they are filled up to that side.
        """
        self._side = side

    def __call__(self, values: Mapping[str, NDArray[Any]]) -> Any:
        """Returns the outputs as arrays; the first of the inputs is raw values of shape (N, H, W, T, B)."""
        height, width = next(iter(values.values())).shape[1:3]
        side = self._side + 2 * MARGIN
        if height == width == side:
            return self._full(dict(values))
        if self._every_shape and PATCH < max(height, width) <= side:
            outputs = self._full({name: _filled(one, side) for name, one in values.items()})
            inside = slice(height - 2 * MARGIN), slice(width - 2 * MARGIN)
            return keras.tree.map_structure(lambda output: output[(slice(None), *inside)], outputs)
        return self._any(dict(values))


def _filled(values: NDArray[Any], side: int) -> NDArray[Any]:
    """Returns a block with zeros beyond its last row and column, up to that side."""
    height, width = values.shape[1:3]
    return np.pad(values, [(0, 0), (0, side - height), (0, side - width), (0, 0), (0, 0)])


def as_float32(output: Any) -> NDArray[np.float32]:
    """Returns an output in float32, whatever the network computes in."""
    return np.asarray(output).astype(np.float32, copy=False)
