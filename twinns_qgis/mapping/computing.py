"""How scores are computed: what is told to the workers, before they import Keras."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Computing:
    """How scores are computed.

    Args:
        device: ``cpu`` or ``gpu``.
        library: What computes, with its version.
        precision: What the network's products are computed in, ``float32`` or ``bfloat16``.
        side: Side of the parts that go through the classifier at once.
        compiled: Whether there are so many parts that the program for them is compiled.
        agreement: The share of pixels that an early exit is to leave their class; None for no early exit.
    """

    device: str
    library: str
    precision: str
    side: int
    compiled: bool
    agreement: float | None = None
