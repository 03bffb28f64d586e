"""How sure the classifiers of the CNN branches must be for their class to be that of the whole network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.json_object import JsonObject
from twinns_qgis.networks.calibration import LEAST_TEMPERATURE, fit_temperature
from twinns_qgis.networks.early_exit import early_classifiers
from twinns_qgis.networks.exit_rule import ExitRule, vote
from twinns_qgis.networks.prediction import Predictor, as_float32
from twinns_qgis.networks.trained import TrainedClassifier, TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.batches import gather

_STEPS = 200
_BATCH = 1024


@dataclass(frozen=True)
class ExitCurve:
    """What early exit does on the validation part, by how sure the vote of the CNN branches must be.

    Args:
        temperature: What calibrates the vote; see `networks.calibration`.
        thresholds: Rising.
        skipped: Share of the pixels that leave early, for each threshold.
        agreement: Share of all pixels that have the class of the whole network, for each threshold.
    """

    temperature: float
    thresholds: tuple[float, ...]
    skipped: tuple[float, ...]
    agreement: tuple[float, ...]

    def rule(self, agreement: float, temperature: float) -> ExitRule | None:
        """Returns the rule that skips most.

        Args:
            agreement: The share of pixels that are to have the class of the whole network.
            temperature: What the whole network's scores are calibrated by.

        Returns:
            The rule, or None if every one that skips something agrees less.
        """
        enough = [number for number, reached in enumerate(self.agreement) if reached >= agreement]
        return ExitRule(self.thresholds[enough[0]], self.temperature / temperature) if enough else None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values for the manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> ExitCurve:
        """Reads what `to_json` made, and checks it.

        Raises:
            ValueError: A value is missing, or none that can stand there; the message says so in words.
        """
        own = JsonObject(values, "early exit")
        count = len(own.items("thresholds"))
        steps = {name: own.numbers(name, count) for name in ("thresholds", "skipped", "agreement")}
        return cls(own.number("temperature", least=LEAST_TEMPERATURE), **steps)


def exit_curve(
    classifier: TrainedClassifier, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter
) -> ExitCurve | None:
    """Returns how many pixels of the validation part leave early, and agree, by how sure the vote must be.

    Args:
        classifier: What was trained.
        stores: The store of each sensor.
        samples: The labelled pixels, their classes and parts.
        reporter: Receives the progress.

    Returns:
        The curve; None if the classifier can't exit early.

    Raises:
        Cancelled: The user stopped it.
    """
    network = classifier.network
    if network is None or not isinstance(classifier, TrainedNetwork) or not (early := early_classifiers(network)):
        return None
    classify = Predictor(network.input, early)
    held = samples.part("validation")
    votes: dict[str, list[NDArray[np.float32]]] = {name: [] for name in early}
    scores = []
    for start in range(0, len(held), _BATCH):
        reporter.check_cancelled()
        raw = gather(stores, held[start : start + _BATCH])
        scores.append(classifier.scores(raw)[:, 0, 0])
        for name, output in classify(raw).items():
            votes[name].append(as_float32(output)[:, 0, 0])
        reporter.progress(start / len(held), "Measuring the early exit")
    by_classifier = {name: np.concatenate(parts) for name, parts in votes.items()}
    return measure_curve(by_classifier, np.concatenate(scores), samples.labels[held], samples.pixels.objects[held])


def measure_curve(
    votes: Mapping[str, NDArray[np.float32]],
    scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    objects: NDArray[np.int64],
) -> ExitCurve | None:
    """Returns the shares of pixels that leave early, and that agree, for rising thresholds.

    Args:
        votes: Scores of N pixels by the classifiers of the CNN branches, each of shape (N, K).
        scores: Those by the whole network, shape (N, K).
        labels: The true class indices, shape (N,).
        objects: The object of each, shape (N,).

    Returns:
        The curve; None if the classifiers agree nowhere.
    """
    voted, agreeing = vote(votes)
    if not agreeing.any():
        return None
    certainty = np.where(agreeing, voted.max(axis=-1), -1.0)
    differs = voted.argmax(axis=-1) != scores.argmax(axis=-1)
    thresholds = np.unique(np.quantile(certainty[agreeing], np.linspace(0, 1, _STEPS), method="lower"))
    leaving = certainty >= thresholds[:, None]
    return ExitCurve(
        fit_temperature(voted[agreeing], labels[agreeing], objects[agreeing]),
        tuple(map(float, thresholds)),
        tuple(map(float, leaving.mean(axis=1))),
        tuple(map(float, 1 - (leaving & differs).mean(axis=1))),
    )
