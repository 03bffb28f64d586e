"""TWINNS: branches for each sensor, a classifier on each, and one on all of them (paper, section 3; METHOD section 2).

Its ablations (paper, section 4.1; METHOD section 3) leave out a sensor, a kind of branch, or the auxiliary classifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from twinns_qgis.networks.classifiers import classify
from twinns_qgis.networks.cnn import ConvolutionalBranch
from twinns_qgis.networks.convgru import AttentiveConvGRUBranch
from twinns_qgis.networks.hyperparameters import PAPER, SIZES, Hyperparameters
from twinns_qgis.networks.sensor import STATIC, Sensor
from twinns_qgis.networks.variables import raw_input, scaled_variables

_HELD = 64
"""Numbers that a branch holds for each pixel of a block, in numbers of its filters; measured."""

_BRANCHES: dict[str, type[keras.layers.Layer]] = {"cnn": ConvolutionalBranch, "convgru": AttentiveConvGRUBranch}


@dataclass(frozen=True)
class Twinns:
    """A description of TWINNS or of one of its ablations.

    All convolutions are valid, so that one network serves training on 5 x 5 patches and mapping on whole blocks.

    Args:
        branches: The branches that each sensor has; what has no dates has a CNN alone.
        auxiliary: Whether each branch has a classifier of its own, in the loss and in the score.
        only: The one sensor that it sees, beside what has no dates; None means all that are given.
    """

    branches: tuple[str, ...] = ("cnn", "convgru")
    auxiliary: bool = True
    only: str | None = None

    @property
    def unused(self) -> frozenset[str]:
        """Names of the hyperparameters that the network has no use for."""
        return frozenset() if self.auxiliary else frozenset({"auxiliary_weight"})

    def sees(self, sensor: str) -> bool:
        """Whether the network takes the series of a sensor, if it is given."""
        return self.only in (None, sensor) or sensor == STATIC

    def build(
        self, sensors: Sequence[Sensor], classes: int, size: str, hyperparameters: Hyperparameters = PAPER
    ) -> keras.Model:
        """Builds the network, with random weights; see `Architecture.build`."""
        width = SIZES[size]
        inputs = {sensor.name: raw_input(sensor) for sensor in sensors}
        features = {}
        for sensor in sensors:
            variables = scaled_variables(sensor, inputs[sensor.name])
            for branch in self._branches_of(sensor):
                name = f"{sensor.name}_{branch}"
                layer = _BRANCHES[branch](
                    width.of(sensor.name), hyperparameters.dropout, hyperparameters.batch_norm, name=f"{name}_branch"
                )
                features[name] = layer(variables)
        auxiliary = hyperparameters.auxiliary_weight if self.auxiliary else None
        return keras.Model(inputs, classify(features, classes, width.dense, auxiliary), name="twinns")

    def least_weights(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many weights the first convolutions of all branches have; see `Architecture.least_weights`."""
        return sum(
            9 * SIZES[size].of(sensor.name) * len(sensor.variables) * (sensor.steps if branch == "cnn" else 1)
            for sensor in sensors
            for branch in self._branches_of(sensor)
        )

    def values_per_pixel(self, sensors: Sequence[Sensor], size: str) -> int:
        """Returns how many numbers are held at once for each pixel of a block while it is mapped.

        Those are the variables of all dates, twice, and what a branch holds at one date: some tens of times its
        filters, as up to ten dates are convolved before the recurrence comes to them.
        """
        variables = sum(sensor.steps * len(sensor.variables) for sensor in sensors)
        return 2 * variables + _HELD * max(SIZES[size].of(sensor.name) for sensor in sensors)

    def _branches_of(self, sensor: Sensor) -> tuple[str, ...]:
        return self.branches if sensor.dates else ("cnn",)


METHODS = {
    "TWINNS": Twinns(),
    "TWINNS(S1)": Twinns(only="sentinel1"),
    "TWINNS(S2)": Twinns(only="sentinel2"),
    "FullCNN": Twinns(branches=("cnn",)),
    "FullRNN": Twinns(branches=("convgru",)),
    "TWINNSNoAux": Twinns(auxiliary=False),
}
