"""What a network is built with: its size and its hyperparameters, by default the paper's (METHOD section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinns_qgis.json_object import JsonObject

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

    @classmethod
    def from_json(cls, values: Any) -> Hyperparameters:
        """Reads the fields, as `dataclasses.asdict` gives them.

        Raises:
            ValueError: One is missing, or none that can stand there; the message says so in words.
        """
        own = JsonObject(values, "hyperparameters")
        batch_norm = own.text("batch_norm")
        if batch_norm not in BATCH_NORMS:
            raise ValueError(f"Batch normalisation is one of {', '.join(BATCH_NORMS)}, not '{batch_norm}'.")
        return cls(own.number("dropout", least=0, below=1), batch_norm, own.number("auxiliary_weight", least=0))


PAPER = Hyperparameters()


@dataclass(frozen=True)
class Width:
    """Width of a network.

    Args:
        filters: Filters l of the first convolutions, by sensor.
        other: The same for any other sensor.
        dense: Units of the dense layers that see all sensors.
        convlstm: Filters of a ConvLSTM.
    """

    filters: Mapping[str, int]
    other: int
    dense: int
    convlstm: int

    def of(self, sensor: str) -> int:
        """Returns the filters l of a sensor's first convolutions."""
        return self.filters.get(sensor, self.other)


SIZES = {
    "paper": Width({"sentinel1": 256, "sentinel2": 512}, 512, 1024, 256),
    "compact": Width({"sentinel1": 64, "sentinel2": 128}, 128, 256, 64),
    "small": Width({"sentinel1": 32, "sentinel2": 64}, 64, 128, 32),
}
"""By name; ``paper`` is METHOD section 2, the others shrink all of it alike."""
