"""Attention over dates (paper, equations 7-9)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor


@keras.saving.register_keras_serializable(package="twinns")
class Attention(keras.layers.Layer):
    """Attention over dates (equations 7-9): ``va = tanh(H Wa + ba)``, ``w = softmax(va . ua)``, ``sum w_t h_t``.

    Call arguments:
        states: Shape (T, ..., C).

    Output shape:
        (..., C).
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        units = input_shape[-1]
        normal = keras.initializers.RandomNormal(stddev=0.1)
        self.kernel = self.add_weight((units, units), normal, name="kernel")
        self.bias = self.add_weight((units,), normal.clone(), name="bias")
        self.context = self.add_weight((units,), normal.clone(), name="context")
        self.built = True

    def scores(self, states: Tensor) -> Tensor:
        """Returns the scores ``va . ua`` (equations 7 and 8) of states of shape (..., C), shape (...), float32."""
        alignment = ops.tanh(ops.matmul(states, self.kernel) + self.bias)
        return ops.sum(ops.cast(alignment * self.context, "float32"), axis=-1)

    def weights_over_dates(self, states: Tensor) -> Tensor:
        """Returns the attention weights, shape (T, ...); over the dates they sum to 1 (equation 8)."""
        return ops.softmax(self.scores(states), axis=0)

    def call(self, states: Tensor) -> Tensor:
        weights = ops.expand_dims(self.weights_over_dates(states), -1)
        return ops.cast(ops.sum(weights * ops.cast(states, "float32"), axis=0), self.compute_dtype)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(input_shape[1:])
