"""What training leaves and mapping uses: a classifier that gives raw values their scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.networks.classifiers import SCORE
from twinns_qgis.networks.prediction import Predictor, as_float32
from twinns_qgis.networks.sensor import SENSORS, STATIC


class TrainedClassifier(Protocol):
    """A trained network or trained forests."""

    @property
    def network(self) -> keras.Model | None:
        """The network with its weights, or None."""

    @property
    def forests(self) -> Mapping[str, RandomForestClassifier]:
        """The forests by name, or none."""

    def scores(self, raw: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Returns the score of each class; the class of a pixel is the argmax.

        Args:
            raw: Raw values of each sensor's series, of shape (N, H, W, T, B).

        Returns:
            Scores of shape (N, H - 4, W - 4, K), which sum to 1 at each pixel.
        """

    def compile_for(self, side: int) -> None:
        """Prepares for many blocks whose scores are wanted on so many rows and columns."""


class TrainedNetwork:
    """A trained network; its score is the vote of its classifiers (equation 12).

    Args:
        network: The network, as an architecture builds it.
    """

    def __init__(self, network: keras.Model) -> None:
        self.forests: Mapping[str, RandomForestClassifier] = {}
        self.network = network
        self._score = Predictor(network.input, network.output[SCORE])

    def scores(self, raw: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Returns the score of each class; see `TrainedClassifier.scores`."""
        return as_float32(self._score(raw))

    def compile_for(self, side: int) -> None:
        """Prepares for many blocks of that side; see `TrainedClassifier.compile_for`."""
        self._score.compile_for(side)


class SensorVotes:
    """What each sensor's own classifiers say, beside the score of the whole network, in one pass.

    Args:
        network: The network, with auxiliary classifiers of two sensors.
    """

    def __init__(self, network: keras.Model) -> None:
        self.sensors = voting_sensors(network)
        outputs = {SCORE: network.output[SCORE]}
        for sensor in self.sensors:
            logits = [output for name, output in network.output.items() if name.startswith(f"{sensor}_")]
            outputs[sensor] = sum(ops.softmax(one) for one in logits) / len(logits)
        self._votes = Predictor(network.input, outputs)

    def compile_for(self, side: int) -> None:
        """Prepares for many blocks of that side; see `TrainedClassifier.compile_for`."""
        self._votes.compile_for(side)

    def __call__(self, raw: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Returns the score, as ``score``, and the mean of each sensor's classifiers, by sensor.

        Args:
            raw: Raw values of each sensor's series, of shape (N, H, W, T, B).

        Returns:
            Each of shape (N, H - 4, W - 4, K), and summing to 1 at each pixel.
        """
        return {name: as_float32(output) for name, output in self._votes(raw).items()}


def voting_sensors(network: keras.Model) -> tuple[str, ...]:
    """Returns the sensors that have classifiers of their own, in their order."""
    with_dates = (sensor for sensor in SENSORS if sensor != STATIC)
    return tuple(sensor for sensor in with_dates if any(name.startswith(f"{sensor}_") for name in network.output))
