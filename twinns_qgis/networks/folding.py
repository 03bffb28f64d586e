"""Normalisation that costs nothing: outside training it is affine, and the next product takes it in."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor


@dataclass(frozen=True)
class Affine:
    """``scale * x + shift``, channel by channel.

    Args:
        scale: Shape (C,), float32.
        shift: Shape (C,), float32.
    """

    scale: Tensor
    shift: Tensor

    @classmethod
    def of(cls, normalisation: keras.layers.BatchNormalization) -> Affine:
        """Returns what batch normalisation does outside training, when its moving averages stand for the batch's."""
        scale = normalisation.gamma / ops.sqrt(normalisation.moving_variance + normalisation.epsilon)
        return cls(scale, normalisation.beta - normalisation.moving_mean * scale)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the image of x, shape (..., C), in its own type."""
        return x * ops.cast(self.scale, x.dtype) + ops.cast(self.shift, x.dtype)

    def into(self, kernel: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the kernel and the bias that give of x what those given do of ``scale * x + shift``.

        That holds for valid convolutions alone: of a padded one, the border would need another padding.

        Args:
            kernel: Shape (..., C, F): that of a convolution, or of a matrix product.
            bias: Shape (F,).
        """
        every_input = tuple(range(len(kernel.shape) - 1))
        shifted = ops.sum(kernel * ops.expand_dims(self.shift, -1), axis=every_input)
        folded = kernel * ops.expand_dims(self.scale, -1), bias + shifted
        return ops.cast(folded[0], kernel.dtype), ops.cast(folded[1], bias.dtype)
