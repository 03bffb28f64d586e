"""What training returns, and what trains: the interface of networks and forests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from twinns_qgis.networks.trained import TrainedClassifier
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.forest_search import ForestTrial
from twinns_qgis.training.history import Epoch


@dataclass(frozen=True)
class Learned:
    """A trained classifier, and how it was chosen on the validation part.

    Args:
        classifier: The classifier.
        choice: What was chosen, in words, such as ``epoch 12``.
        settings: The same for the model file.
        history: The epochs of the network; empty if there is none.
        trials: The forests that were tried, by name; empty if there are none.
    """

    classifier: TrainedClassifier
    choice: str
    settings: Mapping[str, Any]
    history: tuple[Epoch, ...] = ()
    trials: Mapping[str, tuple[ForestTrial, ...]] = field(default_factory=dict)


class Learner(Protocol):
    """Trains a classifier from labelled pixels."""

    def learn(self, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter) -> Learned:
        """Trains on the training part, and returns the classifier that is best on the validation part.

        Args:
            stores: The store of each sensor.
            samples: The labelled pixels, their classes and parts.
            reporter: Receives the progress.

        Raises:
            Cancelled: The user stopped the training.
        """

    def rescue(self) -> str:
        """Writes the best classifier of a cancelled training so far as the model file; returns what was done."""

    def finishing(self) -> AbstractContextManager[None]:
        """Returns a context that writes the tested model: what was kept for `rescue` is needed no more after it."""
