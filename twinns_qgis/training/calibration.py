"""Calibration: scores that mean what they say (Guo et al. 2017, On Calibration of Modern Neural Networks, ICML).

A network is mostly surer than it is right. One number, the temperature T, mends that: the scores become
softmax(log(score) / T), see `networks.calibration`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from twinns_qgis.networks.calibration import SMALLEST

_BOUNDS = np.log(0.05), np.log(20.0)
"""Of the logarithm of the temperature."""


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Finds the temperature that makes the labels likeliest.

    Args:
        scores: Scores of N samples, shape (N, K), each summing to 1: of samples not trained on.
        labels: Their class indices, shape (N,).

    Returns:
        The temperature, 0.05 to 20: above 1 the scores were too sure, below 1 not sure enough.
    """
    logarithms = np.log(np.maximum(scores, SMALLEST).astype(np.float64))

    def surprise(log_temperature: float) -> float:
        logits = logarithms / np.exp(log_temperature)
        logits -= logits.max(axis=1, keepdims=True)
        likelihoods = logits[np.arange(len(labels)), labels] - np.log(np.exp(logits).sum(axis=1))
        return -float(likelihoods.mean())

    return float(np.exp(minimize_scalar(surprise, bounds=_BOUNDS, method="bounded").x))
