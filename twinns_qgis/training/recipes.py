"""What holds for the settings of a training that its user leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinns_qgis.training.size import AUTO


@dataclass(frozen=True)
class Recipe:
    """Settings of a training that go together.

    Args:
        settings: Values by the names that they have in `fit.Fitting`, and as parameters of a training.
        size: The size of the network.
    """

    settings: Mapping[str, Any]
    size: str = AUTO


RECIPES = {
    # Measured: docs/accuracy.md.
    "default": Recipe(
        {
            "epochs": 30, "learning_rate": 1e-3, "schedule": "cosine", "warm_up": 0.06, "label_smoothing": 0.1,
            "smoothing": 5,
        }
    ),
    # The paper is silent, and these are the settings of its authors' sibling code (METHOD section 4).
    "paper": Recipe(
        {
            "epochs": 300, "learning_rate": 2e-4, "schedule": "constant", "warm_up": 0.0, "label_smoothing": 0.0,
            "smoothing": 1,
        },
        size="paper",
    ),
}  # fmt: skip
