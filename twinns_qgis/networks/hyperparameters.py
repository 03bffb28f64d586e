"""What a network is built with besides its size; the defaults are the paper's (METHOD section 2)."""

from __future__ import annotations

from dataclasses import dataclass

BATCH_NORMS = ("real", "frozen")
"""The kinds of batch normalisation, see `networks.cnn.ConvolutionBlock`."""


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of TWINNS and its ablations; 2ConvLSTM has none of them.

    Args:
        dropout: Share of each block's outputs, and of the GRU's, that training drops, 0 to below 1.
        batch_norm: ``real`` or ``frozen``.
        auxiliary_weight: Weight of each auxiliary classifier in the loss and in the score (equations 10-12), from 0.
    """

    dropout: float = 0.4
    batch_norm: str = "real"
    auxiliary_weight: float = 0.5

    def __post_init__(self) -> None:
        if self.batch_norm not in BATCH_NORMS:
            raise ValueError(f"Batch normalisation is one of {', '.join(BATCH_NORMS)}, not {self.batch_norm}.")


PAPER = Hyperparameters()
