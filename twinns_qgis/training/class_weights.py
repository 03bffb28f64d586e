"""What a sample of each class weighs in the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def balanced_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Returns weights with which each class counts alike: N / (K n_k), whose mean over the samples is 1.

    Args:
        labels: Class indices of the N samples trained on, shape (N,); each class has one at least.
        classes: Number K of classes.

    Returns:
        The weight of each class, shape (K,).
    """
    return (len(labels) / (classes * np.bincount(labels, minlength=classes))).astype(np.float32)
