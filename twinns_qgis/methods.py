"""All that METHOD can be: what each method trains, and what it has a use for (METHOD section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import keras

from twinns_qgis.errors import InputError
from twinns_qgis.forests.tables import NetworkTables, SeriesTables, Tables
from twinns_qgis.networks.architectures import Architecture, architectures
from twinns_qgis.networks.hyperparameters import PAPER, Hyperparameters
from twinns_qgis.networks.sensor import Sensor

_OF_NETWORKS = frozenset(
    {
        "size", "epochs", "batch_size", "learning_rate", "optimizer", "schedule", "patience", "class_weights",
        "recipe", "warm_up", "label_smoothing", "smoothing", "augmentation", "date_dropout", "date_shift", "precision",
    }
)  # fmt: skip
_OF_FORESTS = frozenset({"trees", "depths"})
"""The parameters of a training that only networks, or only forests, have a use for."""


@dataclass(frozen=True)
class Method:
    """A method: the network that it trains, the forests that it fits, or a network whose features a forest sees.

    Args:
        name: Its name, the value of METHOD.
        paper_name: What the paper calls it.
        network: Builds its network; None if it has none.
        forests: How many forests it fits: none, ``one``, or ``one a sensor``, whose probabilities are summed.
    """

    name: str
    paper_name: str
    network: Architecture | None = None
    forests: str | None = None

    @classmethod
    def of(cls, name: str) -> Method:
        """Returns the method of a name, its own or the paper's.

        Example:
            >>> Method.of("RF(S1,S2)").name
            'RF'

        Raises:
            InputError: There is no such method.
        """
        found = next((method for method in METHODS.values() if name in (method.name, method.paper_name)), None)
        if found is None:
            raise InputError(f"There is no method '{name}'.", f"Choose one of {', '.join(METHODS)}.")
        return found

    @property
    def trained_network(self) -> Method | None:
        """The method that trains the same network and nothing else; None if there is no network."""
        alone = (method for method in METHODS.values() if method.network is self.network and not method.forests)
        return next(alone, None)

    @property
    def unused(self) -> frozenset[str]:
        """Names of the parameters of a training that it has no use for."""
        hyperparameters = frozenset(field.name for field in fields(Hyperparameters))
        of_network = self.network.unused if self.network else _OF_NETWORKS | hyperparameters
        return of_network if self.forests else of_network | _OF_FORESTS

    def title(self, size: str) -> str:
        """Returns it in words, such as ``TWINNS, size paper``; forests on series have no size."""
        return f"{self.paper_name}, size {size}" if self.network else self.paper_name

    def sees(self, sensor: str) -> bool:
        """Returns whether it takes the series of a sensor, if that is given."""
        return self.network is None or self.network.sees(sensor)

    def build(
        self, sensors: Sequence[Sensor], classes: int, size: str, hyperparameters: Hyperparameters = PAPER
    ) -> keras.Model:
        """Builds its network, with random weights; see `Architecture.build`.

        Raises:
            InputError: It has none.
        """
        if self.network is None:
            raise InputError(f"{self.paper_name} has no network.", "Choose a method that trains one.")
        return self.network.build(sensors, classes, size, hyperparameters)

    def least_weights(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns a number of weights that its network has at least; see `Architecture.least_weights`."""
        return self.network.least_weights(sensors, size) if self.network else 0

    def tables(self, sensors: Sequence[Sensor], network: keras.Model | None) -> Tables:
        """Returns what makes the variables of each of its forests from raw values.

        Args:
            sensors: The inputs, with the ranges of their variables.
            network: The trained network, if the forest sees features.
        """
        return NetworkTables(network) if network is not None else SeriesTables(sensors, self.forests == "one a sensor")

    def values_per_pixel(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many numbers are held at once for each pixel of a block while it is mapped.

        Forests on series hold their variables about four times: as physical values, as scaled ones, and side by side.
        The features of a network, that a forest sees, are no more than its insides.
        """
        if self.network is None:
            return 4 * sum(sensor.steps * len(sensor.variables) for sensor in sensors)
        return (2 if self.forests else 1) * self.network.values_per_pixel(sensors, size)


_NETWORKS = architectures()

METHODS = {
    method.name: method
    for method in (
        *(Method(name, name, network) for name, network in _NETWORKS.items()),
        Method("RF", "RF(S1,S2)", forests="one"),
        Method("RFLF", "RFLF(S1,S2)", forests="one a sensor"),
        Method("RF(TWINNS)", "RF(TWINNS)", _NETWORKS["TWINNS"], forests="one"),
    )
}
"""All methods by name, networks first."""
