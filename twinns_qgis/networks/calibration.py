"""A temperature applied to scores (Guo et al. 2017, On Calibration of Modern Neural Networks, ICML)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-12
"""Scores below it count as it: a forest gives zeros, whose logarithm is no number."""


def calibrate(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Returns softmax(log(score) / T) of scores of shape (..., K), which sum to 1; their order stays as it is."""
    if temperature == 1:
        return scores
    logits = np.log(np.maximum(scores, np.float32(SMALLEST))) / np.float32(temperature)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
