"""How a network learned, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training gave.

    Args:
        epoch: Its number, from 1.
        loss: Mean training loss (equations 10-11).
        accuracy: Accuracy of the score on the training part, 0 to 1.
        validation_loss: The loss on the validation part.
        validation_accuracy: Accuracy of the score on the validation part, 0 to 1.
        seconds: Time since training began, at the end of the epoch.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float
