"""What a classifier goes by: which dates a network attends to, and which dates and bands the accuracy rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from twinns_qgis.networks.convgru import AttentiveConvGRUBranch
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedClassifier
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.batches import gather

_AT_ONCE = 256
_PIXELS = 1000
"""Pixels that are looked at, of a larger part drawn at random: shares are then known to three points or better."""
_BRANCH = "_convgru_branch"


@dataclass(frozen=True)
class Importance:
    """How much of the accuracy rests on each date and band of a sensor.

    An importance is the accuracy that is lost when the values of a date, or a band, are those of another pixel, drawn
    at random (Breiman 2001, Random Forests, Machine Learning 45, section 10).

    Args:
        dates: Of each of the T dates; empty for what has none.
        bands: Of each of the B bands, at all dates.
        pixels: How many pixels it was measured on.
    """

    dates: tuple[float, ...]
    bands: tuple[float, ...]
    pixels: int


def some_of(samples: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Returns all of a part's pixels, or as many as are looked at, drawn at random."""
    if len(samples) <= _PIXELS:
        return samples
    return np.sort(np.random.default_rng(seed).choice(samples, _PIXELS, replace=False))


def attention_by_class(
    classifier: TrainedClassifier,
    stores: Mapping[str, SampleStore],
    samples: NDArray[np.int64],
    labels: NDArray[np.int64],
    classes: int,
) -> dict[str, NDArray[np.float64]]:
    """Returns the mean attention to each date by class (equation 8), for each sensor with an attentive ConvGRU.

    Args:
        classifier: The classifier.
        stores: The store of each sensor.
        samples: The N pixels to look at.
        labels: Class index of each labelled pixel.
        classes: Number K of classes.

    Returns:
        Shape (K, T), each row summing to 1, NaN for a class without a pixel; nothing for classifiers without attention.
    """
    network = classifier.network
    if network is None:
        return {}
    branches = [layer for layer in network.layers if isinstance(layer, AttentiveConvGRUBranch)]
    if not branches:
        return {}
    inputs = keras.Model(network.input, {branch.name: branch.input for branch in branches})
    found: dict[str, list[NDArray[np.float64]]] = {branch.name: [] for branch in branches}
    for start in range(0, len(samples), _AT_ONCE):
        variables = inputs.predict_on_batch(gather(stores, samples[start : start + _AT_ONCE]))
        for branch in branches:
            weights = keras.ops.convert_to_numpy(branch.attention_over_dates(variables[branch.name]))
            found[branch.name].append(weights[:, :, 0, 0].T.astype(np.float64))
    own = labels[samples]
    means = {}
    for name, parts in found.items():
        weights = np.concatenate(parts)
        means[name.removesuffix(_BRANCH)] = np.array(
            [
                weights[own == code].mean(axis=0) if (own == code).any() else np.full(weights.shape[1], np.nan)
                for code in range(classes)
            ]
        )
    return means


def permutation_importance(
    classifier: TrainedClassifier,
    sensors: Sequence[Sensor],
    stores: Mapping[str, SampleStore],
    samples: NDArray[np.int64],
    labels: NDArray[np.int64],
    seed: int,
    reporter: Reporter,
) -> dict[str, Importance]:
    """Returns how much accuracy is lost without each date, and without each band, of each sensor.

    Args:
        classifier: The classifier: a network or forests.
        sensors: Its inputs.
        stores: The store of each of them.
        samples: The N pixels to measure on: of the test part.
        labels: Class index of each labelled pixel.
        seed: Fixes the permutations.
        reporter: Receives the progress.

    Raises:
        Cancelled: The user stopped it.
    """
    raw, truth = gather(stores, samples), labels[samples]

    def accuracy(values: Mapping[str, NDArray[Any]]) -> float:
        classes = [
            classifier.scores({name: one[start : start + _AT_ONCE] for name, one in values.items()})[:, 0, 0].argmax(-1)
            for start in range(0, len(truth), _AT_ONCE)
        ]
        return float((np.concatenate(classes) == truth).mean())

    whole, random = accuracy(raw), np.random.default_rng(seed)
    places = [(sensor, place) for sensor in sensors for place in _places(sensor)]
    lost: dict[str, list[float]] = {sensor.name: [] for sensor in sensors}
    for number, (sensor, place) in enumerate(places):
        reporter.check_cancelled()
        reporter.progress(number / len(places), "Measuring the importance of dates and bands")
        values = raw[sensor.name].copy()
        values[place] = values[random.permutation(len(truth))][place]
        lost[sensor.name].append(whole - accuracy({**raw, sensor.name: values}))
    return {
        sensor.name: Importance(
            tuple(lost[sensor.name][: len(sensor.dates)]), tuple(lost[sensor.name][len(sensor.dates) :]), len(truth)
        )
        for sensor in sensors
    }


def _places(sensor: Sensor) -> Iterator[tuple[Any, ...]]:
    """Yields where the values of each date, then of each band, are in patches of shape (N, 5, 5, T, B)."""
    for number in range(len(sensor.dates)):
        yield (..., number, slice(None))
    for number in range(len(sensor.bands)):
        yield (..., number)


@dataclass(frozen=True)
class Insight:
    """What a report tells of what a classifier goes by.

    Args:
        dates: The dates of each sensor.
        bands: The bands of each sensor.
        attention: Mean attention by class and date, shape (K, T), of each sensor that has it.
        importance: What accuracy rests on, by sensor; empty if nobody asked.
    """

    dates: Mapping[str, tuple[date, ...]]
    bands: Mapping[str, tuple[str, ...]]
    attention: Mapping[str, NDArray[np.float64]]
    importance: Mapping[str, Importance]
