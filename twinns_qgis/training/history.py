"""Loss and accuracy of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

from twinns_qgis.json_object import JsonObject

_MOST = 10**9


@dataclass(frozen=True)
class Epoch:
    """Loss and accuracy of one epoch of training.

    Args:
        epoch: Its number, from 1.
        loss: Mean training loss (equations 10-11).
        accuracy: Accuracy of the score on the training part, 0 to 1.
        validation_loss: The loss on the validation part.
        validation_accuracy: Accuracy of the score on the validation part, 0 to 1.
        seconds: Time spent on training, at the end of the epoch.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float

    @classmethod
    def from_json(cls, values: Any) -> Epoch:
        """Reads the fields, as `dataclasses.asdict` gives them.

        Raises:
            ValueError: One is missing or no number; the message says so in words.
        """
        own = JsonObject(values, "epoch")
        number = own.whole_number("epoch", least=1, most=_MOST)
        return cls(number, **{item.name: own.number(item.name) for item in fields(cls) if item.name != "epoch"})


def best_epoch(history: Sequence[Epoch], smoothing: int) -> Epoch:
    """Returns the epoch with the best validation accuracy; of several, the first.

    Args:
        history: The epochs so far, one at least.
        smoothing: How many epochs, an epoch and those before it, count in the mean accuracy that it is judged by: that
            of a single one is noisy, and the best of many such numbers is the luckiest.
    """
    accuracies = [epoch.validation_accuracy for epoch in history]
    means = [fmean(accuracies[max(0, end - smoothing) : end]) for end in range(1, len(history) + 1)]
    return history[means.index(max(means))]


def is_over(history: Sequence[Epoch], epochs: int, patience: int, smoothing: int) -> bool:
    """Returns whether training ends after these epochs.

    Args:
        history: The epochs so far.
        epochs: The largest number of epochs.
        patience: How many epochs in a row may bring no better validation accuracy; 0 for any number.
        smoothing: See `best_epoch`.
    """
    if not history:
        return False
    waited = len(history) - best_epoch(history, smoothing).epoch
    return len(history) >= epochs or 0 < patience <= waited
