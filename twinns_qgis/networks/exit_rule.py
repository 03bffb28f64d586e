"""When a pixel leaves a network early: where the classifiers of the CNN branches agree, and are sure enough.

This module does without Keras: the rule travels to the workers of a cluster, where the device must be chosen before
Keras is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.networks.calibration import calibrate


@dataclass(frozen=True)
class ExitRule:
    """When a pixel leaves early, and with which score.

    Args:
        threshold: How sure the vote must be of its class, where all classifiers agree.
        temperature: What makes the vote's score comparable to that of the whole network.

    Example:
        >>> rule = ExitRule(threshold=0.9, temperature=1.0)
        >>> votes = np.array([[0.95, 0.05], [0.6, 0.4]], "float32")  # of two pixels, the first one sure
        >>> scores, leaves = rule({"sentinel1_cnn": votes, "sentinel2_cnn": votes})
        >>> leaves.tolist()
        [True, False]
    """

    threshold: float
    temperature: float

    def __call__(self, votes: Mapping[str, NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Returns the scores (..., K) that the classifiers' scores give, and which pixels (...) may leave with them."""
        scores, agreeing = vote(votes)
        return calibrate(scores, self.temperature), agreeing & (scores.max(axis=-1) >= self.threshold)


def vote(votes: Mapping[str, NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Returns the mean of classifiers' scores (..., K), and where (...) all are for one class."""
    scores = np.stack(list(votes.values()))
    classes = scores.argmax(axis=-1)
    return scores.mean(axis=0), (classes == classes[0]).all(axis=0)
