"""How a map can be computed on this machine, as far as the user leaves it open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import keras

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.devices import free_memory
from twinns_qgis.mapping.inference import Inference
from twinns_qgis.mapping.sizes import SIDES, Sizes, choose_sizes
from twinns_qgis.networks.backend import compiles_every_shape, gpu_available
from twinns_qgis.networks.exit_rule import ExitRule
from twinns_qgis.networks.precision import PRECISIONS, choose_mapping_precision
from twinns_qgis.networks.trained import voting_sensors
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import TrainedModel, versions

_WORTH_COMPILING = 16
"""Parts from which on compiling, a second or two, pays."""


@dataclass(frozen=True)
class Choice:
    """How the user wants scores to be computed.

    Args:
        device: Where: ``auto``, ``cpu`` or ``gpu``.
        precision: ``float32``, ``bfloat16``, or ``auto``: what is faster.
        agreement: The share of pixels that an early exit is to leave their class; None for no early exit.
        by_sensor: Whether the sensors' own classifiers are asked too.
    """

    device: str = "auto"
    precision: str = "auto"
    agreement: float | None = None
    by_sensor: bool = False


@dataclass(frozen=True)
class Way:
    """A way to compute a map.

    Args:
        inference: How its scores are computed.
        sizes: How large its blocks are.
    """

    inference: Inference
    sizes: Sizes


class Ways:
    """The ways to compute a map that the user's choice leaves open on this machine.

    Args:
        model: The model.
        series: Its series by sensor.
        grid: The grid of the map.
        machine: What may be used.
        choice: What the user chose.

    Raises:
        InputError: The model has no early exit as it is wanted, or no classifiers on each of two sensors.
    """

    def __init__(
        self, model: TrainedModel, series: Mapping[str, Series], grid: Grid, machine: Machine, choice: Choice
    ) -> None:
        self._model = model
        self._series = series
        self._grid = grid
        self._memory = machine.memory
        self._choice = choice
        network = model.classifier.network is not None
        self._device = _device(choice.device, machine) if network else "cpu"
        self._free = free_memory() if self._device == "gpu" and machine.scheduler is None else None
        self._precision = choice.precision if network else "float32"  # which forests are computed in
        self._early_exit = _exit_rule(model, choice.agreement) if choice.agreement else None
        if choice.by_sensor:
            check_votes(model)

    def all(self) -> Iterator[Way]:
        """Yields every way that an earlier call for the same map may have settled on."""
        precisions = PRECISIONS if self._precision == "auto" else (self._precision,)
        # What is free on a GPU differs from call to call, and the parts with it.
        sides = (None,) if self._free is None else SIDES
        return (self._way(precision, side) for precision, side in product(precisions, sides))

    def fastest(self) -> Way:
        """Returns the way that is fastest now; with ``auto`` the precisions are timed."""
        manifest = self._model.manifest
        if self._precision != "auto":
            return self._way(self._precision)
        return self._way(choose_mapping_precision(manifest.method.name, manifest.size))

    def _way(self, precision: str, side: int | None = None) -> Way:
        sizes = choose_sizes(
            self._model.manifest, self._series, self._grid, self._memory, self._device, precision, self._free
        )
        sizes = replace(sizes, side=side or sizes.side)
        parts = (self._grid.width // sizes.side) * (self._grid.height // sizes.side)
        backend = keras.backend.backend()
        inference = Inference(
            path=self._model.path,
            model=self._model.sha256,
            chosen_device=self._choice.device,
            device=self._device,
            library=f"{backend} {versions()[backend]}",
            precision=precision,
            side=sizes.side,
            compiled=compiles_every_shape() or parts >= _WORTH_COMPILING,
            early_exit=self._early_exit,
            by_sensor=self._choice.by_sensor,
        )
        return Way(inference, sizes)


def _device(device: str, machine: Machine) -> str:
    """Returns what computes, ``gpu`` or ``cpu``; with ``auto``, the workers of a cluster are taken to be alike."""
    if machine.scheduler is not None and device != "auto":
        return device
    return "gpu" if gpu_available() else "cpu"


def check_votes(model: TrainedModel) -> None:
    """Checks that a model has classifiers on each of two sensors.

    Raises:
        InputError: It has not.
    """
    network = model.classifier.network
    if network is None or model.classifier.forests or len(voting_sensors(network)) < 2:
        raise InputError(
            f"{model.path.name}, of method {model.manifest.method.paper_name}, has no classifiers on each of two "
            "sensors.",
            "Leave SENSOR_CLASSES out, or train TWINNS, FullCNN or FullRNN on both series.",
        )


def _exit_rule(model: TrainedModel, agreement: float) -> ExitRule:
    """Returns when pixels leave a model's network early, so that this share of them keeps its class.

    Raises:
        InputError: The model has no early exit, or none that agrees so well.
    """
    manifest, curve = model.manifest, model.manifest.early_exit
    if curve is None or model.classifier.network is None:
        raise InputError(
            f"{model.path.name}, of method {manifest.method.paper_name}, has no early exit.",
            "Turn EARLY_EXIT off, or train TWINNS, TWINNS(S1) or TWINNS(S2).",
        )
    rule = curve.rule(agreement, manifest.temperature)
    if rule is None:
        raise InputError(
            f"No early exit of {model.path.name} leaves {agreement:.2%} of the pixels their class: on the validation "
            f"part it is {max(curve.agreement):.2%} at best.",
            "Lower AGREEMENT, or turn EARLY_EXIT off.",
        )
    return rule
