"""Classifiers on features, what they vote for, and what they weigh in the loss (equations 10-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor

FUSION = "fusion"
"""Name of the classifier on all features."""
SCORE = "score"
"""Name of the output that all classifiers vote on."""
FEATURES = "features"
"""Name of the layer that holds all features side by side."""


def classify(
    features: Mapping[str, Tensor], classes: int, units: int, auxiliary_weight: float | None = None
) -> dict[str, Tensor]:
    """Puts classifiers on features.

    Args:
        features: Features of shape (..., C), by name.
        classes: Number K of classes.
        units: Units of the two dense layers before the classifier on all features.
        auxiliary_weight: Weight in the loss and in the score of a linear classifier on each of the features, or None:
            there are none.

    Returns:
        Logits of shape (..., K) by the classifier's name, and the score, which sums to 1.
    """
    outputs = {}
    if auxiliary_weight is not None:
        outputs = {name: _logits(classes, name)(feature) for name, feature in features.items()}
    fused = keras.layers.Identity(name=FEATURES)(_side_by_side(list(features.values())))
    for number in (1, 2):
        fused = keras.layers.Dense(units, activation="relu", name=f"{FUSION}_{number}")(fused)
    fusion = _logits(classes, FUSION)(fused)
    score = Score(auxiliary_weight or 0.0, name=SCORE, dtype="float32")([fusion, *outputs.values()])
    return {**outputs, FUSION: fusion, SCORE: score}


def loss_weights(network: keras.Model) -> dict[str, float]:
    """Returns the weight of each classifier in the loss (equations 10-11)."""
    auxiliary = network.get_layer(SCORE).auxiliary_weight
    return {name: 1.0 if name == FUSION else auxiliary for name in network.output if name != SCORE}


@keras.saving.register_keras_serializable(package="twinns")
class Score(keras.layers.Layer):
    """The vote of all classifiers (equation 12), divided by the sum of their weights, so that it sums to 1.

    Args:
        auxiliary_weight: Weight of each auxiliary classifier; the fusion classifier's is 1.

    Call arguments:
        logits: The logits of the fusion classifier, then those of the auxiliary ones, each of shape (..., K).

    Output shape:
        (..., K).
    """

    def __init__(self, auxiliary_weight: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.auxiliary_weight = auxiliary_weight

    def call(self, logits: Sequence[Tensor]) -> Tensor:
        fusion, *auxiliary = (ops.softmax(one) for one in logits)
        return (fusion + self.auxiliary_weight * sum(auxiliary)) / (1 + self.auxiliary_weight * len(auxiliary))

    def compute_output_shape(self, input_shape: Sequence[Sequence[int | None]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "auxiliary_weight": self.auxiliary_weight}


def _logits(classes: int, name: str) -> keras.layers.Layer:
    """Returns a linear classifier; losses and scores want all digits of float32, whatever precision is before."""
    return keras.layers.Dense(classes, name=name, dtype="float32")


def _side_by_side(features: Sequence[Tensor]) -> Tensor:
    return keras.layers.Concatenate()(features) if len(features) > 1 else features[0]
