"""The variables that forests see: for each pixel a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from twinns_qgis.networks.classifiers import FEATURES
from twinns_qgis.networks.prediction import Predictor, as_float32
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.variables import scaled_variables
from twinns_qgis.samples.store import MARGIN


class Tables(Protocol):
    """Makes the variables of each forest from raw values."""

    variables: Mapping[str, int]
    """Number V of variables of each forest, by its name."""

    def __call__(self, raw: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Returns the variables of each forest.

        Args:
            raw: Raw values of each sensor's series, of shape (N, H, W, T, B).

        Returns:
            An array of shape (N, H - 4, W - 4, V) for each forest, by its name.
        """

    def compile_for(self, side: int) -> None:
        """Prepares for many blocks; see `TrainedClassifier.compile_for`."""


class SeriesTables:
    """The series at the pixel itself: the scaled variables that networks see, date by date, sensor after sensor.

    The forests are called ``series``, or after their sensors.

    Args:
        sensors: The inputs, with the ranges of their variables.
        per_sensor: Whether each sensor has a forest of its own; else one forest sees all.
    """

    def __init__(self, sensors: Sequence[Sensor], per_sensor: bool) -> None:
        self._sensors = tuple(sensors)
        self._per_sensor = per_sensor
        counts = {sensor.name: sensor.steps * len(sensor.variables) for sensor in sensors}
        self.variables: Mapping[str, int] = counts if per_sensor else {"series": sum(counts.values())}

    def __call__(self, raw: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Returns the variables of each forest; see `Tables`."""
        tables = {sensor.name: _at_the_centre(sensor, raw[sensor.name]) for sensor in self._sensors}
        return tables if self._per_sensor else {"series": np.concatenate(list(tables.values()), axis=-1)}

    def compile_for(self, side: int) -> None:
        """Does nothing: there is nothing to prepare; see `Tables`."""


class NetworkTables:
    """The features of a trained network, in inference; the one forest is called ``features``.

    Args:
        network: The network with its weights.
    """

    def __init__(self, network: keras.Model) -> None:
        features = network.get_layer(FEATURES).output
        self._features = Predictor(network.input, features)
        self.variables: Mapping[str, int] = {"features": int(features.shape[-1])}

    def __call__(self, raw: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Returns the features; see `Tables`."""
        return {"features": as_float32(self._features(raw))}

    def compile_for(self, side: int) -> None:
        """Prepares the network for many blocks; see `Tables`."""
        self._features.compile_for(side)


def _at_the_centre(sensor: Sensor, raw: NDArray[Any]) -> NDArray[np.float32]:
    """Returns the variables of the pixels that have a whole patch, shape (N, H - 4, W - 4, T * V)."""
    centre = raw[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    variables = ops.convert_to_numpy(scaled_variables(sensor, centre))
    return variables.reshape(*centre.shape[:3], -1)
