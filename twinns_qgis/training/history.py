"""Loss and accuracy of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
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


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Returns the epoch with the best validation accuracy; of several, the first."""
    return max(history, key=lambda epoch: epoch.validation_accuracy)


def is_over(history: Sequence[Epoch], epochs: int, patience: int) -> bool:
    """Returns whether training ends after these epochs.

    Args:
        history: The epochs so far.
        epochs: The largest number of epochs.
        patience: How many epochs in a row may bring no better validation accuracy; 0 for any number.
    """
    if not history:
        return False
    waited = len(history) - best_epoch(history).epoch
    return len(history) >= epochs or 0 < patience <= waited
