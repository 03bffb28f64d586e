"""Calibration: scores that mean what they say (Guo et al. 2017, On Calibration of Modern Neural Networks, ICML).

A network is mostly surer than it is right. One number, the temperature T, mends that: the scores become
softmax(log(score) / T).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

_SMALLEST = 1e-12
"""Scores below it count as it: a forest gives zeros, whose logarithm is no number."""
LEAST_TEMPERATURE = 0.001
"""None that is fitted comes near it; far below, a quotient by it would be beyond float32."""
_SPREAD = 0.15
"""Measured over simulated sites with few objects, docs/accuracy.md: a wider one helps more on average, and does harm at
some sites; cross-validation over the objects is no better."""
_BOUNDS = np.log(0.05), np.log(20.0)
"""Of the logarithm of the temperature."""


def calibrate(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Returns softmax(log(score) / T) of scores of shape (..., K), which sum to 1; their order stays as it is."""
    if temperature == 1:
        return scores
    logits = np.log(np.maximum(scores, np.float32(_SMALLEST))) / np.float32(temperature)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64], objects: NDArray[np.int64]) -> float:
    """Finds the temperature that the samples bear: the likeliest one, drawn to 1 the more the fewer objects there are.

    Pixels of an object are right or wrong together, so each object counts as one sample, by the mean of its pixels.
    Before any is seen, the logarithm of the temperature is taken for normal, with mean 0 and a spread of 0.15.

    Args:
        scores: Scores of N samples, shape (N, K), each summing to 1: of samples not trained on.
        labels: Their class indices, shape (N,).
        objects: The object that each belongs to, shape (N,).

    Returns:
        The temperature, 0.05 to 20: above 1 the scores were too sure, below 1 not sure enough.
    """
    _, own, counts = np.unique(objects, return_inverse=True, return_counts=True)
    return _likeliest(scores, labels, 1 / counts[own], _SPREAD)


def likeliest_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Finds the temperature that makes the labels of N samples likeliest, each of them counting alike."""
    return _likeliest(scores, labels, np.ones(len(labels)), np.inf)


def _likeliest(
    scores: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64], spread: float
) -> float:
    logarithms = np.log(np.maximum(scores, _SMALLEST).astype(np.float64))

    def surprise(log_temperature: float) -> float:
        logits = logarithms / np.exp(log_temperature)
        logits -= logits.max(axis=1, keepdims=True)
        likelihoods = logits[np.arange(len(labels)), labels] - np.log(np.exp(logits).sum(axis=1))
        return float(-(weights * likelihoods).sum() + (log_temperature / spread) ** 2 / 2)

    return float(np.exp(minimize_scalar(surprise, bounds=_BOUNDS, method="bounded").x))
