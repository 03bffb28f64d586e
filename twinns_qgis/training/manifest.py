"""The manifest of a model file: all that it says of its classifier, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import keras

from twinns_qgis.json_object import JsonObject
from twinns_qgis.methods import Method
from twinns_qgis.networks.calibration import LEAST_TEMPERATURE
from twinns_qgis.networks.hyperparameters import PAPER, SIZES, Hyperparameters
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.training.exit_curve import ExitCurve

FORMAT = 2
"""Version of the format; others are refused. Until 1, normalised differences were not clipped to [-1, 1]."""


@dataclass(frozen=True)
class Manifest:
    """All that a model file says of its classifier.

    Args:
        method: What it is.
        size: The size of its network, if it has one.
        sensors: Its inputs.
        classes: The K classes, in the order of the scores.
        split: How pixels were split, and how many each part has.
        settings: How it was trained.
        measures: What the test says of it; empty if training was stopped before the test.
        inputs: SHA-256 of the files it was trained on.
        versions: What it was trained with.
        hyperparameters: What its network is built with besides.
        temperature: What makes confidence of the scores; see `networks.calibration`.
        early_exit: What an early exit does on the validation part; None if the classifier has none.
    """

    method: Method
    size: str
    sensors: tuple[Sensor, ...]
    classes: tuple[LandCoverClass, ...]
    split: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: Hyperparameters = PAPER
    temperature: float = 1.0
    early_exit: ExitCurve | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values."""
        return {
            "format": FORMAT,
            "method": self.method.name,
            **{name: getattr(self, name) for name in ("size", "split", "settings", "measures", "inputs")},
            "sensors": [sensor.to_json() for sensor in self.sensors],
            "classes": [asdict(item) for item in self.classes],
            "versions": self.versions,
            "hyperparameters": asdict(self.hyperparameters),
            "temperature": self.temperature,
            "early_exit": self.early_exit.to_json() if self.early_exit else None,
        }

    @classmethod
    def from_json(cls, values: Any) -> Manifest:
        """Reads what `to_json` made, and checks it: any value may stand in a file.

        Raises:
            ValueError: A value is missing, or none that can stand there; the message says so in words.
            InputError: There is no such method.
        """
        own = JsonObject(values, "manifest")
        size = own.text("size")
        if size not in SIZES:
            raise ValueError(f"There is no size '{size}'.")
        sensors = tuple(Sensor.from_json(item) for item in own.items("sensors"))
        if len({sensor.name for sensor in sensors}) < len(sensors):
            raise ValueError("A sensor stands there twice.")
        classes = tuple(LandCoverClass.from_json(item) for item in own.items("classes"))
        if len({item.code for item in classes}) < len(classes):
            raise ValueError("Two classes have one code.")
        curve = own.value("early_exit")
        return cls(
            method=Method.of(own.text("method")),
            size=size,
            sensors=sensors,
            classes=classes,
            **{name: own.mapping(name) for name in ("split", "settings", "measures", "inputs", "versions")},
            hyperparameters=Hyperparameters.from_json(own.value("hyperparameters")),
            temperature=own.number("temperature", least=LEAST_TEMPERATURE),
            early_exit=None if curve is None else ExitCurve.from_json(curve),
        )

    @property
    def title(self) -> str:
        """The method in words, such as ``TWINNS, size paper``."""
        return self.method.title(self.size)

    def build(self) -> keras.Model:
        """Builds the network that the method trains, with random weights.

        Raises:
            InputError: It trains none.
        """
        return self.method.build(self.sensors, len(self.classes), self.size, self.hyperparameters)
