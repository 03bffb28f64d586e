"""The CNN branch: all dates at once, as channels (paper, section 3.2; METHOD section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.dropout import Dropout
from twinns_qgis.networks.folding import Affine

_PATCH = 5
"""Images up to this side, those that training sees, are convolved by matrix products."""

BATCH_NORM_MOMENTUM = 0.9
"""The moving statistics follow the last ten batches or so. Keras' 0.99 takes hundreds of batches to forget the initial
ones: with the few polygons that users have, that is many epochs in which validation measures nothing."""


@keras.saving.register_keras_serializable(package="twinns")
class ConvolutionBlock(keras.layers.Layer):
    """Valid convolution, ReLU, batch normalisation, dropout.

    Args:
        filters: Number of filters.
        kernel_size: Side of the kernel.
        dropout: Share of the outputs to drop in training.
        batch_norm: ``real`` normalises by the statistics of the batch in training, and by their moving averages later;
            ``frozen`` by mean 0 and variance 1 throughout, so that scale and shift alone are left.

    Call arguments:
        x: Shape (N, H, W, C).
        training: Whether dropout and, if real, batch statistics are in force.

    Output shape:
        (N, H - kernel_size + 1, W - kernel_size + 1, filters).
    """

    def __init__(self, filters: int, kernel_size: int, dropout: float, batch_norm: str = "real", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.convolution = keras.layers.Conv2D(filters, kernel_size, padding="valid", activation="relu")
        self.normalisation = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)
        self.drop = Dropout(dropout)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.convolution.build(input_shape)
        self.normalisation.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        # Outside training the layer uses its moving averages: these are 0 and 1 as long as nothing moves them.
        by_batch = False if self.batch_norm == "frozen" else training
        return self.drop(self.normalisation(self._convolve(x), training=by_batch), training=training)

    def affine(self) -> Affine:
        """Returns what the normalisation does outside training."""
        return Affine.of(self.normalisation)

    def after(self, before: Affine | None) -> tuple[Tensor, Tensor]:
        """Returns the kernel and the bias, with the normalisation of the block before folded into them."""
        kernel, bias = self.convolution.kernel, self.convolution.bias
        return before.into(kernel, bias) if before else (kernel, bias)

    def _convolve(self, x: Tensor) -> Tensor:
        """Returns what the convolution gives; of patches as matrix products, which small images are faster by."""
        if not is_patch(x):
            return self.convolution(x)
        kernel = ops.reshape(self.convolution.kernel, (-1, self.filters))
        return ops.relu(ops.matmul(self._windows(x), kernel) + self.convolution.bias)

    def _windows(self, x: Tensor) -> Tensor:
        """Returns what the kernel sees at each of its places, side by side."""
        height, width = x.shape[1:3]
        rows, columns = height - self.kernel_size + 1, width - self.kernel_size + 1
        if rows == columns == 1:  # as it lies: slices would cost as much as the product, for their gradients
            return ops.reshape(x, (-1, 1, 1, height * width * x.shape[3]))
        shifts = range(self.kernel_size)
        windows = [x[:, row : row + rows, column : column + columns] for row in shifts for column in shifts]
        return ops.concatenate(windows, axis=-1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(self.convolution.compute_output_shape(input_shape))

    def get_config(self) -> dict[str, Any]:
        own = ("filters", "kernel_size", "dropout", "batch_norm")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


@keras.saving.register_keras_serializable(package="twinns")
class ConvolutionalBranch(keras.layers.Layer):
    """Dates stacked on the channels, date by date, then convolutions 3 x 3, 3 x 3 and 1 x 1.

    Args:
        filters: Number of filters l of the first convolution; the others have 2l.
        dropout: Share of the outputs of each block to drop in training.
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
            ConvolutionBlock(2 * filters, 1, dropout, batch_norm),
        ]

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = stacked(input_shape)
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        # H and W are known when the network runs, not when it is built.
        x = ops.reshape(x, (*ops.shape(x)[:3], stacked(x.shape)[-1]))
        if not training and not is_patch(x):
            return self._folded(x)
        for block in self.blocks:
            x = block(x, training=training)
        return x

    def _folded(self, x: Tensor) -> Tensor:
        """Returns the same outside training, with each normalisation within the next convolution."""
        before = None
        for block in self.blocks:
            x = convolve(x, *block.after(before))
            before = block.affine()
        return before(x) if before else x

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return branch_shape(input_shape, 2 * self.filters)

    def get_config(self) -> dict[str, Any]:
        own = ("filters", "dropout", "batch_norm")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def is_patch(x: Tensor) -> bool:
    """Returns whether images of shape (N, H, W, ...) are patches, as training has them, and no block of a map."""
    height, width = x.shape[1:3]
    return None not in (height, width) and max(height, width) <= _PATCH


def convolve(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Returns the ReLU of a valid convolution.

    Args:
        x: Shape (N, H, W, C).
        kernel: Shape (rows, columns, C, F).
        bias: Shape (F,).
    """
    return ops.relu(ops.conv(x, kernel, padding="valid") + bias)


def stacked(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """Returns the shape of variables (N, H, W, T, V) with the dates stacked on the channels, (N, H, W, T V)."""
    *space, dates, variables = shape
    if dates is None or variables is None:
        raise ValueError(f"The number of dates and variables must be known, not {shape}.")
    return (*space, dates * variables)


def branch_shape(input_shape: Sequence[int | None], features: int) -> tuple[int | None, ...]:
    """Returns the shape of a branch's output: two valid 3 x 3 convolutions take 4 rows and 4 columns."""
    samples, height, width = input_shape[:3]
    return samples, None if height is None else height - 4, None if width is None else width - 4, features
