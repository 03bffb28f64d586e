"""The attentive ConvGRU branch: date after date (paper, equations 2-9; METHOD section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.attention import Attention
from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.cnn import ConvolutionBlock, branch_shape, is_patch
from twinns_qgis.networks.date_by_date import features_date_by_date
from twinns_qgis.networks.dropout import Dropout
from twinns_qgis.networks.gru import GatedRecurrentUnit


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
            return self.at_places(x)
        return self.attention(self._states(x, training))

    def attention_over_dates(self, x: Tensor) -> Tensor:
        """Returns the attention weights outside training, shape (T, N, H - 4, W - 4); over the dates they sum to 1."""
        return self.attention.weights_over_dates(self._states(x, training=False))

    def _states(self, x: Tensor, training: bool | None) -> Tensor:
        """Returns what the GRU gives at each date, shape (T, N, H - 4, W - 4, 2l)."""
        dates = x.shape[3]
        x = ops.transpose(x, (3, 0, 1, 2, 4))
        x = ops.reshape(x, (-1, *ops.shape(x)[2:]))
        for block in self.blocks:
            x = block(x, training=training)
        x = ops.reshape(x, (dates, -1, *ops.shape(x)[1:]))
        return self.drop(self.recurrence(x), training=training)

    def at_places(self, x: Tensor, places: Tensor | None = None) -> Tensor:
        """Returns the features of a block outside training, all or some of them; see `features_date_by_date`."""
        first, second = self.blocks
        return features_date_by_date(first, second, self.recurrence, self.attention, x, places)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return branch_shape(input_shape, 2 * self.filters)

    def get_config(self) -> dict[str, Any]:
        own = ("filters", "dropout", "batch_norm")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
