"""The attentive ConvGRU branch: date after date (paper, equations 2-9; METHOD section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.cnn import ConvolutionBlock, branch_shape, is_patch
from twinns_qgis.networks.date_by_date import features_date_by_date
from twinns_qgis.networks.dropout import Dropout
from twinns_qgis.networks.recurrence import gated_recurrence


@keras.saving.register_keras_serializable(package="twinns")
class GatedRecurrentUnit(keras.layers.Layer):
    """A GRU whose reset gate acts before the recurrent product (equations 4-6).

    This is neither PyTorch's GRU nor Keras' default one, which reset after it.

    Args:
        units: Size of the state.

    Call arguments:
        x: Features, dates first, shape (T, ..., C).

    Output shape:
        (T, ..., units): the state after each date; before the first it is 0.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Sequence[int | None]) -> None:
        # The kernels of the gates z and r and of the candidate state stand side by side: one product serves all.
        self.input_kernel = self.add_weight((input_shape[-1], 3 * self.units), "glorot_uniform", name="input_kernel")
        self.gate_kernel = self.add_weight((self.units, 2 * self.units), "orthogonal", name="gate_kernel")
        self.state_kernel = self.add_weight((self.units, self.units), "orthogonal", name="state_kernel")
        self.bias = self.add_weight((3 * self.units,), "zeros", name="bias")
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        from_input = ops.cast(ops.matmul(x, self.input_kernel) + self.bias, "float32")
        gates, candidates = ops.split(from_input, [2 * self.units], axis=-1)
        # Outside a compiled function TensorFlow's variables are no tensors, and refused by what has its own gradient.
        kernels = (ops.copy(kernel) for kernel in (self.gate_kernel, self.state_kernel))
        return ops.cast(gated_recurrence(gates, candidates, *kernels), self.compute_dtype)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


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


@keras.saving.register_keras_serializable(package="twinns")
class AttentiveConvGRUBranch(keras.layers.Layer):
    """Two convolutions 3 x 3 on each date, with the same weights at every date, a GRU over the dates, attention.

    Args:
        filters: Number of filters l of the first convolution; the second has 2l, and so has the GRU's state.
        dropout: Share of the outputs of each block, and of the GRU's outputs, to drop in training; none of the state.
        batch_norm: ``real`` or ``frozen``, see `ConvolutionBlock`.

    Call arguments:
        x: Variables, shape (N, H, W, T, V).
        training: Whether batch statistics and dropout are in force.

    Output shape:
        (N, H - 4, W - 4, 2l).
    """

    def __init__(self, filters: int, dropout: float, batch_norm: str = "real", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.blocks = [
            ConvolutionBlock(filters, 3, dropout, batch_norm),
            ConvolutionBlock(2 * filters, 3, dropout, batch_norm),
        ]
        self.recurrence = GatedRecurrentUnit(2 * filters)
        self.drop = Dropout(dropout)
        self.attention = Attention()

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape: tuple[int | None, ...] = (*input_shape[:3], input_shape[4])
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        states = (input_shape[3], *shape)
        self.recurrence.build(states)
        self.attention.build(states)
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        if not training and not is_patch(x):
            return features_date_by_date(self, x)
        dates = x.shape[3]
        x = ops.transpose(x, (3, 0, 1, 2, 4))
        x = ops.reshape(x, (-1, *ops.shape(x)[2:]))
        for block in self.blocks:
            x = block(x, training=training)
        x = ops.reshape(x, (dates, -1, *ops.shape(x)[1:]))
        return self.attention(self.drop(self.recurrence(x), training=training))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return branch_shape(input_shape, 2 * self.filters)

    def get_config(self) -> dict[str, Any]:
        own = ("filters", "dropout", "batch_norm")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
