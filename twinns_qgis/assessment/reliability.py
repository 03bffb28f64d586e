"""Whether confidence is what it says: of the pixels mapped with 80 % confidence, 80 % should be right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, in bins of equal width from 0 to 1.

    Args:
        confidence: Mean confidence of each bin; NaN in an empty one.
        accuracy: Share of each bin's samples that are right; NaN in an empty one.
        count: Number of samples in each bin.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: the mean gap of confidence and accuracy, weighted by the samples of each bin.

        Source: Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.
        """
        filled = self.count > 0
        gaps = np.abs(self.confidence[filled] - self.accuracy[filled])
        return float(np.average(gaps, weights=self.count[filled]))


@dataclass(frozen=True)
class Trust:
    """What confidence is worth on the test part.

    Args:
        temperature: The temperature that was fitted on the validation part.
        objects: Number of objects of the validation part.
        raw: The reliability of the scores as they come.
        calibrated: The same with the temperature, as maps show it.
    """

    temperature: float
    objects: int
    raw: Reliability
    calibrated: Reliability


def reliability(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> Reliability:
    """Returns confidence and accuracy of scores in bins of confidence.

    Args:
        scores: Scores of N samples, shape (N, K), each summing to 1.
        labels: Their class indices, shape (N,).
    """
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return Reliability(
            np.bincount(bins, weights=confidence, minlength=BINS) / count,
            np.bincount(bins, weights=right, minlength=BINS) / count,
            count,
        )
