"""The networks that can be chosen by METHOD: a module each, whose `METHODS` names what it can build.

To add an architecture is to add a module here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Protocol

import keras

from twinns_qgis.networks.hyperparameters import PAPER, Hyperparameters
from twinns_qgis.networks.sensor import Sensor


class Architecture(Protocol):
    """Builds a network."""

    @property
    def unused(self) -> frozenset[str]:
        """Names of the hyperparameters that the network has no use for."""

    def sees(self, sensor: str) -> bool:
        """Whether the network takes the series of a sensor, if it is given."""

    def build(
        self, sensors: Sequence[Sensor], classes: int, size: str, hyperparameters: Hyperparameters = PAPER
    ) -> keras.Model:
        """Builds the network, with random weights.

        Args:
            sensors: Those inputs that it sees, with the ranges of their variables.
            classes: Number K of classes.
            size: ``paper``, ``compact`` or ``small``.
            hyperparameters: What it is built with besides.

        Returns:
            A model from a dictionary of raw values, each of shape (N, H, W, T, B), to a dictionary of outputs, each
            of shape (N, H - 4, W - 4, K): the logits of its classifiers, and the score, which sums to 1.
        """

    def least_weights(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns a number of weights that the network has at least, without building it.

        It grows as the network does with dates and variables: a file with fewer weights is not of this network, and
        need not be tried.
        """

    def values_per_pixel(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many numbers are held at once for each pixel of a block while it is mapped."""


def architectures() -> dict[str, Architecture]:
    """Returns all networks, by the name of the method that trains them."""
    modules = pkgutil.iter_modules(__path__, f"{__name__}.")
    return {
        name: network for module in modules for name, network in importlib.import_module(module.name).METHODS.items()
    }
