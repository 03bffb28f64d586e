"""2ConvLSTM, the rival of the paper's section 4.3: a ConvLSTM for each sensor (METHOD section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.classifiers import classify
from twinns_qgis.networks.cnn import branch_shape
from twinns_qgis.networks.hyperparameters import PAPER, SIZES, Hyperparameters
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import raw_input, scaled_variables

_PATCH = 5


@dataclass(frozen=True)
class TwoConvLSTM:
    """A description of 2ConvLSTM."""

    unused = frozenset(hyperparameter.name for hyperparameter in fields(Hyperparameters))

    def sees(self, sensor: str) -> bool:
        """Whether the network takes the series of a sensor, if it is given: it takes all."""
        return True

    def build(
        self, sensors: Sequence[Sensor], classes: int, size: str, hyperparameters: Hyperparameters = PAPER
    ) -> keras.Model:
        """Builds the network, with random weights; see `Architecture.build`. It has no such hyperparameters."""
        width = SIZES[size]
        inputs = {sensor.name: raw_input(sensor) for sensor in sensors}
        features = {}
        for sensor in sensors:
            variables = scaled_variables(sensor, inputs[sensor.name])
            features[sensor.name] = ConvLSTMBranch(width.convlstm, name=f"{sensor.name}_convlstm_branch")(variables)
        return keras.Model(inputs, classify(features, classes, width.dense), name="two_convlstm")

    def least_weights(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many weights see the variables, in three gates and the cell; see `Architecture.least_weights`."""
        return sum(9 * 4 * SIZES[size].convlstm * len(sensor.variables) for sensor in sensors)

    def values_per_pixel(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many numbers are held at once for each pixel of a block: its patch, thrice, and the gates."""
        variables = max(sensor.steps * len(sensor.variables) for sensor in sensors)
        return _PATCH**2 * (3 * variables + 12 * SIZES[size].convlstm)


@keras.saving.register_keras_serializable(package="twinns")
class ConvLSTMBranch(keras.layers.Layer):
    """A ConvLSTM (Shi et al. 2015) over the dates of each pixel's patch, and the mean of its last state.

    Its convolutions are padded, so a patch's border matters: on a block, each pixel's 5 x 5 patch is gone through by
    itself, as in training.

    Args:
        filters: Number of filters.

    Call arguments:
        x: Variables, shape (N, H, W, T, V).

    Output shape:
        (N, H - 4, W - 4, filters).
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.recurrence = keras.layers.ConvLSTM2D(filters, 3, padding="same")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.recurrence.build((None, input_shape[3], _PATCH, _PATCH, input_shape[4]))
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        dates, variables = x.shape[3], x.shape[4]
        samples, height, width = ops.shape(x)[0], ops.shape(x)[1] - _PATCH + 1, ops.shape(x)[2] - _PATCH + 1
        # Patches as a stack of shifted views: (5, 5, N, H - 4, W - 4, T, V).
        shifted = ops.stack(
            [x[:, row : row + height, column : column + width] for row in range(_PATCH) for column in range(_PATCH)]
        )
        patches = ops.reshape(shifted, (_PATCH, _PATCH, -1, dates, variables))
        state = self.recurrence(ops.transpose(patches, (2, 3, 0, 1, 4)))
        return ops.reshape(ops.mean(state, axis=(1, 2)), (samples, height, width, self.filters))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return branch_shape(input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}


METHODS = {"2ConvLSTM": TwoConvLSTM()}
