"""A network's inputs and its first layer: from a series' raw values to scaled variables (METHOD section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.indices import spectral_indices
from twinns_qgis.networks.sensor import Sensor


def physical_variables(raw: Tensor, bands: Sequence[str], scale: Sequence[float], offset: Sequence[float]) -> Tensor:
    """Turns raw values into bands in reflectance or decibels, followed by the spectral indices that they allow.

    Args:
        raw: Raw values, shape (..., B).
        bands: Names of the B bands.
        scale: Factor of each band.
        offset: Summand of each band.

    Returns:
        Variables, shape (..., V), float32.
    """
    values = ops.cast(raw, "float32") * ops.convert_to_tensor(scale, "float32") + ops.convert_to_tensor(
        offset, "float32"
    )
    indices = [ops.expand_dims(index, -1) for index in spectral_indices(values, bands)]
    return ops.concatenate([values, *indices], axis=-1)


@keras.saving.register_keras_serializable(package="twinns")
class ScaledVariables(keras.layers.Layer):
    """Scales each variable to [0, 1] by its range in the training series; dates with a missing band become 0.

    Args:
        bands: Names of the B bands.
        scale: Factor of each band, to reflectance or decibels.
        offset: Summand of each band.
        nodata: Raw value of missing pixels besides NaN, or None.
        minimum: What of each of the V variables becomes 0.
        maximum: What of each of the V variables becomes 1.
        clip: Whether values beyond become 0 and 1 too.

    Call arguments:
        raw: Raw values, shape (N, H, W, T, B).

    Output shape:
        (N, H, W, T, V), within [0, 1] wherever the values lie in the ranges of the training series.
    """

    def __init__(
        self,
        bands: Sequence[str],
        scale: Sequence[float],
        offset: Sequence[float],
        nodata: float | None,
        minimum: Sequence[float],
        maximum: Sequence[float],
        clip: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bands = tuple(bands)
        self.scale = tuple(scale)
        self.offset = tuple(offset)
        self.nodata = nodata
        self.minimum = tuple(minimum)
        self.maximum = tuple(maximum)
        self.clip = clip

    def call(self, raw: Tensor) -> Tensor:
        values = physical_variables(raw, self.bands, self.scale, self.offset)
        # A variable that never changes has no range: it becomes 0.
        factor = [1 / (high - low) if high > low else 0.0 for low, high in zip(self.minimum, self.maximum, strict=True)]
        scaled = (values - ops.convert_to_tensor(self.minimum, "float32")) * ops.convert_to_tensor(factor, "float32")
        if self.clip:
            scaled = ops.clip(scaled, 0.0, 1.0)
        raw = ops.cast(raw, "float32")
        present = ops.isfinite(raw)
        if self.nodata is not None:
            present = ops.logical_and(present, ops.not_equal(raw, self.nodata))
        return ops.where(ops.all(present, axis=-1, keepdims=True), scaled, 0.0)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], len(self.minimum))

    def get_config(self) -> dict[str, Any]:
        own = ("bands", "scale", "offset", "nodata", "minimum", "maximum", "clip")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def raw_input(sensor: Sensor) -> Tensor:
    """Returns an input of raw values, of shape (N, H, W, T, B)."""
    shape = (None, None, sensor.steps, len(sensor.bands))
    return keras.Input(shape, dtype=sensor.dtype, name=sensor.name)


def scaled_variables(sensor: Sensor, raw: Tensor) -> Tensor:
    """Returns the scaled variables of raw values, of shape (N, H, W, T, V)."""
    layer = ScaledVariables(
        sensor.bands,
        sensor.scale,
        sensor.offset,
        sensor.nodata,
        sensor.minimum,
        sensor.maximum,
        sensor.clip,
        name=f"{sensor.name}_variables",
        dtype="float32",  # raw values have more digits than bfloat16; what is scaled may be rounded
    )
    return layer(raw)
