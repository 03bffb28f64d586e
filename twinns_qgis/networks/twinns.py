"""TWINNS: two branches a sensor, a classifier on each, and one on all of them (paper, section 3; METHOD section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import ops

from twinns_qgis.networks.cnn import ConvolutionalBranch
from twinns_qgis.networks.convgru import AttentiveConvGRUBranch
from twinns_qgis.networks.indices import Tensor
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import ScaledVariables

FUSION = "fusion"
"""Name of the classifier on all branches."""
SCORE = "score"
"""Name of the output that all classifiers vote on."""

AUXILIARY_WEIGHT = 0.5
"""Weight of an auxiliary classifier in the loss and in the score (equations 10-12)."""

DROPOUT = 0.4


@dataclass(frozen=True)
class Size:
    """Width of a network.

    Args:
        filters: Filters l of the first convolutions, by sensor.
        fusion: Units of the two dense layers of the fusion classifier.
    """

    filters: dict[str, int]
    fusion: int


SIZES = {
    "paper": Size({"sentinel1": 256, "sentinel2": 512}, 1024),
    "compact": Size({"sentinel1": 64, "sentinel2": 128}, 256),
    "small": Size({"sentinel1": 32, "sentinel2": 64}, 128),
}


def build_twinns(sensors: Sequence[Sensor], classes: int, size: str) -> keras.Model:
    """Assembles the network.

    All convolutions are valid, so that one network serves training on 5 x 5 patches and mapping on whole blocks.

    Args:
        sensors: The inputs, with the ranges of their variables.
        classes: Number K of classes.
        size: ``paper``, ``compact`` or ``small``.

    Returns:
        A model from a dictionary of raw values, each of shape (N, H, W, T, B), to a dictionary of outputs, each of
        shape (N, H - 4, W - 4, K): the logits of `heads`, and the score, which sums to 1.
    """
    width = SIZES[size]
    inputs: dict[str, Tensor] = {}
    features: dict[str, Tensor] = {}
    for sensor in sensors:
        inputs[sensor.name] = keras.Input(
            (None, None, len(sensor.dates), len(sensor.bands)), dtype=sensor.dtype, name=sensor.name
        )
        variables = ScaledVariables(
            sensor.bands,
            sensor.scale,
            sensor.offset,
            sensor.nodata,
            sensor.minimum,
            sensor.maximum,
            name=f"{sensor.name}_variables",
        )(inputs[sensor.name])
        filters = width.filters[sensor.name]
        for name, branch in (("cnn", ConvolutionalBranch), ("convgru", AttentiveConvGRUBranch)):
            features[f"{sensor.name}_{name}"] = branch(filters, DROPOUT, name=f"{sensor.name}_{name}_branch")(variables)
    outputs = {name: keras.layers.Dense(classes, name=name)(feature) for name, feature in features.items()}
    fused = keras.layers.Concatenate(name="features")(list(features.values()))
    for number in (1, 2):
        fused = keras.layers.Dense(width.fusion, activation="relu", name=f"fusion_{number}")(fused)
    outputs[FUSION] = keras.layers.Dense(classes, name=FUSION)(fused)
    outputs[SCORE] = Score(name=SCORE)([outputs[FUSION], *(outputs[name] for name in features)])
    return keras.Model(inputs, outputs, name="twinns")


def loss_weights(network: keras.Model) -> dict[str, float]:
    """Returns the weight of each classifier in the loss (equations 10-11)."""
    return {name: 1.0 if name == FUSION else AUXILIARY_WEIGHT for name in network.output if name != SCORE}


@keras.saving.register_keras_serializable(package="twinns")
class Score(keras.layers.Layer):
    """The vote of all classifiers (equation 12), divided by the sum of their weights, so that it sums to 1.

    Call arguments:
        logits: The logits of the fusion classifier, then those of the auxiliary ones, each of shape (..., K).

    Output shape:
        (..., K).
    """

    def call(self, logits: Sequence[Tensor]) -> Tensor:
        fusion, *auxiliary = (ops.softmax(one) for one in logits)
        return (fusion + AUXILIARY_WEIGHT * sum(auxiliary)) / (1 + AUXILIARY_WEIGHT * len(auxiliary))

    def compute_output_shape(self, input_shape: Sequence[Sequence[int | None]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])
