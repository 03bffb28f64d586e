"""Early exit: where the classifiers of the CNN branches agree and are sure, the ConvGRU branches are skipped.

The CNN branches cost a few percent of a network. What share of the pixels they can settle depends on the land; how sure
they have to be is fitted on the validation part (`training.exit_curve`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.classifiers import SCORE
from twinns_qgis.networks.exit_rule import ExitRule
from twinns_qgis.networks.prediction import Predictor
from twinns_qgis.networks.sensor import STATIC

_PLACES = "places"
_FINE = 4
"""Places are filled up to one of 2 ** (_FINE - 1) numbers between powers of two: each number is compiled once."""


def early_classifiers(network: keras.Model) -> dict[str, Tensor]:
    """Returns the scores of the CNN branches' classifiers by name; none if the network can't exit early.

    It can if it has both kinds of branches, and a classifier on each CNN branch. What has no dates has no vote: it may
    tell few classes apart.
    """
    names = {layer.name for layer in network.layers}
    if not any(name.endswith("_convgru_branch") for name in names):
        return {}
    return {name: ops.softmax(logits) for name, logits in network.output.items() if _votes(name)}


def _votes(classifier: str) -> bool:
    return classifier.endswith("_cnn") and not classifier.startswith(STATIC)


class ExitingNetwork:
    """A trained network whose ConvGRU branches go through those pixels alone that the CNN branches leave open.

    Args:
        network: The network, with classifiers on its CNN branches.
        rule: When pixels leave early.
    """

    def __init__(self, network: keras.Model, rule: ExitRule) -> None:
        self._rule = rule
        self._votes = early_classifiers(network)
        self._branches = [layer.name for layer in network.layers if layer.name.endswith("_cnn_branch")]
        features = {name: ops.cast(network.get_layer(name).output, "float32") for name in self._branches}
        self._first = Predictor(network.input, {**self._votes, **features})
        self._rest = Predictor(*_at_places(network, self._branches))

    def compile_for(self, side: int) -> None:
        """Prepares for many blocks; see `TrainedClassifier.compile_for`."""
        self._first.compile_for(side)

    def scores(
        self, raw: Mapping[str, NDArray[Any]], wanted: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Returns the scores of a block.

        Args:
            raw: Raw values of each sensor's series, of shape (1, H, W, T, B).
            wanted: The pixels whose scores are wanted, shape (H - 4, W - 4).

        Returns:
            Scores of shape (H - 4, W - 4, K), and which of the pixels wanted left early, shape (H - 4, W - 4).
        """
        first = self._first(raw)
        scores, sure = self._rule({name: np.asarray(first[name])[0] for name in self._votes})
        open_pixels = wanted & ~sure
        if open_pixels.any():
            places = np.flatnonzero(open_pixels)
            scores[open_pixels] = self._rest_of(raw, first, places)
        return scores, wanted & sure

    def _rest_of(
        self, raw: Mapping[str, NDArray[Any]], first: Mapping[str, Any], places: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Returns the scores of the whole network at some places of a block, shape (P, K)."""
        filled = np.resize(places, round_up(len(places))).astype(np.int32)
        features = {
            name: (values := np.asarray(first[name])).reshape(-1, values.shape[-1])[filled] for name in self._branches
        }
        return np.asarray(self._rest({**raw, _PLACES: filled, **features}))[: len(places), 0, 0]


def round_up(count: int) -> int:
    """Returns the next of few numbers, at most an eighth larger."""
    step = 2 ** max(0, count.bit_length() - _FINE)
    return -(-count // step) * step


def _at_places(network: keras.Model, known: list[str]) -> tuple[dict[str, Tensor], Tensor]:
    """Returns inputs and score of the network at some places of a block, with the features of some branches given.

    Args:
        network: The network.
        known: The branches whose features are given.

    Returns:
        Inputs: raw values (1, H, W, T, B), places (P,), features (P, C); and the score (P, 1, 1, K).
    """
    places = keras.Input((), dtype="int32", name=_PLACES)
    given = {name: keras.Input(network.get_layer(name).output.shape[-1:], name=name) for name in known}
    branches, features = [], []
    for layer in network.layers:
        if layer.name in given:
            found = given[layer.name]
        elif layer.name.endswith("_convgru_branch"):
            found = _AtPlaces(layer)(layer.input, places)
        else:
            continue
        branches.append(layer.output)
        features.append(ops.reshape(found, (-1, 1, 1, found.shape[-1])))
    classifiers = keras.Model(branches, network.output[SCORE])
    return {**network.input, _PLACES: places, **given}, classifiers(features)


class _AtPlaces(keras.layers.Layer):
    """An attentive ConvGRU branch at some places of a block; see `AttentiveConvGRUBranch.at_places`."""

    def __init__(self, branch: keras.layers.Layer) -> None:
        super().__init__(dtype=branch.dtype_policy)
        self._branch = branch

    def call(self, x: Tensor, places: Tensor) -> Tensor:
        return self._branch.at_places(x, places)

    def compute_output_shape(self, x_shape: tuple[int | None, ...], places_shape: tuple[int | None, ...]) -> Any:
        return (*places_shape, 2 * self._branch.filters)
