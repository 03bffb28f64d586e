"""The random forests that can be chosen by METHOD (paper, section 4.1; METHOD section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from twinns_qgis.forests.tables import NetworkTables, SeriesTables, Tables
from twinns_qgis.networks.architectures import architecture
from twinns_qgis.networks.sensor import Sensor


@dataclass(frozen=True)
class ForestMethod:
    """A description of one forest or of several.

    Args:
        network: The method whose trained network gives the features that the forest sees; None means that forests see
            the series at the pixel itself.
        per_sensor: Whether each sensor has a forest of its own; their probabilities are summed.
    """

    network: str | None = None
    per_sensor: bool = False

    def sees(self, sensor: str) -> bool:
        """Whether the forests take the series of a sensor, if it is given."""
        return self.network is None or architecture(self.network).sees(sensor)

    def tables(self, sensors: Sequence[Sensor], network: keras.Model | None) -> Tables:
        """Returns what makes the variables of each forest from raw values.

        Args:
            sensors: The inputs, with the ranges of their variables.
            network: The trained network, if the forest sees features.
        """
        return SeriesTables(sensors, self.per_sensor) if network is None else NetworkTables(network)

    def values_per_pixel(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many numbers are held at once for each pixel of a block while it is mapped.

        The variables are held about four times: as physical values, as scaled ones, and side by side. The features of
        a network are no more than its insides.
        """
        if self.network is not None:
            return 2 * architecture(self.network).values_per_pixel(sensors, size)
        return 4 * sum(len(sensor.dates) * len(sensor.variables) for sensor in sensors)


METHODS = {
    "RF(S1,S2)": ForestMethod(),
    "RFLF(S1,S2)": ForestMethod(per_sensor=True),
    "RF(TWINNS)": ForestMethod(network="TWINNS"),
}
