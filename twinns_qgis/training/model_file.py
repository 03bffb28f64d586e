"""The model file ``.twinns``: a zip of a manifest, the weights or the forests, and the history of learning.

Reading it runs no code and trusts no path in it: the network is built from the manifest's description, and the weights
are read into it; of the forests only what forests are made of is read.
"""

from __future__ import annotations

import importlib
import json
import platform
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
import rasterio
import sklearn

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.files import sha256_of, whole_file
from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.methods import Method
from twinns_qgis.networks.hyperparameters import PAPER, SIZES, Hyperparameters
from twinns_qgis.networks.precision import computing_in
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedClassifier, TrainedNetwork
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.training.exit_curve import ExitCurve
from twinns_qgis.training.forest_file import read_forests, write_forests
from twinns_qgis.training.history import Epoch

FORMAT = 2
"""Version of the format; others are refused. Until 1, normalised differences were not clipped to [-1, 1]."""

_MANIFEST, _WEIGHTS, _FORESTS, _HISTORY = "manifest.json", "weights.keras", "forest.skops", "history.json"


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
    def from_json(cls, values: Mapping[str, Any]) -> Manifest:
        """Reads what `to_json` made."""
        return cls(
            method=Method.of(str(values["method"])),
            size=str(values["size"]),
            sensors=tuple(Sensor.from_json(sensor) for sensor in values["sensors"]),
            classes=tuple(
                LandCoverClass(int(item["code"]), str(item["name"]), str(item["color"])) for item in values["classes"]
            ),
            **{name: dict(values[name]) for name in ("split", "settings", "measures", "inputs", "versions")},
            hyperparameters=Hyperparameters(**values["hyperparameters"]),
            temperature=float(values["temperature"]),
            early_exit=ExitCurve.from_json(curve) if (curve := values.get("early_exit")) else None,
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


@dataclass(frozen=True)
class TrainedModel:
    """A model file's content.

    Args:
        path: The file.
        sha256: Its hash.
        manifest: What it says of the classifier.
        classifier: The network with its weights, or the forests.
        history: How the network learned; empty if there is none.
    """

    path: Path
    sha256: str
    manifest: Manifest
    classifier: TrainedClassifier
    history: tuple[Epoch, ...]


def write_model(path: Path, manifest: Manifest, classifier: TrainedClassifier, history: Sequence[Epoch]) -> None:
    """Writes a model file; whatever was at `path` stays until the new file is whole."""
    network = classifier.network
    with whole_file(path) as partial, tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        weights, forests = Path(folder) / _WEIGHTS, Path(folder) / _FORESTS
        if network is not None:
            _without_optimiser(network).save(weights)
        if classifier.forests:
            write_forests(forests, classifier.forests)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, json.dumps(manifest.to_json(), indent=1, ensure_ascii=False))
            archive.writestr(_HISTORY, json.dumps([asdict(epoch) for epoch in history], indent=1))
            if weights.exists():
                archive.write(weights, _WEIGHTS, compress_type=zipfile.ZIP_STORED)
            if forests.exists():
                archive.write(forests, _FORESTS, compress_type=zipfile.ZIP_STORED)


def is_untested(path: Path) -> bool:
    """Returns whether a file is a model that was not tested, as a cancelled training leaves it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not json.loads(archive.read(_MANIFEST))["measures"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError):
        return False


def read_model(path: Path, precision: str = "float32") -> TrainedModel:
    """Reads a model file.

    Args:
        path: The file.
        precision: What its network is to compute in, ``float32`` or ``bfloat16``.

    Raises:
        InputError: There is no such file, it is no model file, it is damaged, or a newer version wrote it.
    """
    if not path.is_file():
        raise InputError(f"The model {path} does not exist.", "Check the path, or train a model.")
    try:
        with zipfile.ZipFile(path) as archive:
            values = json.loads(archive.read(_MANIFEST))
            history = tuple(Epoch(**epoch) for epoch in json.loads(archive.read(_HISTORY)))
            parts = {name: archive.read(name) for name in (_WEIGHTS, _FORESTS) if name in archive.namelist()}
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no model of TWINNS, or it is damaged.", "Choose a .twinns file.") from error
    manifest = _check_manifest(path, values)
    with computing_in(precision):
        classifier = _read_classifier(path, manifest, parts)
    return TrainedModel(path, sha256_of(path), manifest, classifier, history)


def _read_classifier(path: Path, manifest: Manifest, parts: Mapping[str, bytes]) -> TrainedClassifier:
    """Builds what the manifest describes, and reads the numbers into it."""
    method = manifest.method
    for name, needed in ((_WEIGHTS, method.network), (_FORESTS, method.forests)):
        if needed and name not in parts:
            raise InputError(f"{path} lacks {name}, which {method.paper_name} needs.", "Train the model once more.")
    network = manifest.build() if method.network else None
    if network is not None:
        try:
            _load_weights(parts[_WEIGHTS], network)
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise InputError(f"The weights in {path} don't fit its manifest.", "Train the model once more.") from error
    if not method.forests:
        return TrainedNetwork(network)
    tables = method.tables(manifest.sensors, network)
    forests = read_forests(parts[_FORESTS], path, tables.variables, len(manifest.classes))
    return TrainedForests(tables, forests, network)


def load_weights(model: BinaryIO, network: keras.Model) -> None:
    """Gives a network the weights that `write_model` wrote of it."""
    with zipfile.ZipFile(model) as archive:
        _load_weights(archive.read(_WEIGHTS), network)


def _load_weights(weights: bytes, network: keras.Model) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / _WEIGHTS
        file.write_bytes(weights)
        _without_optimiser(network).load_weights(file)


def _without_optimiser(network: keras.Model) -> keras.Model:
    return keras.Model(network.input, network.output)


def _check_manifest(path: Path, values: Any) -> Manifest:
    found = values.get("format") if isinstance(values, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise InputError(f"{path} has format {found}; this version of TWINNS reads format {FORMAT}.", "Update TWINNS.")
    if found == 1:
        raise InputError(
            f"{path} was trained by an earlier version of TWINNS (format 1; this one reads format {FORMAT}), which "
            "computed the indices of water and shadow otherwise: its map would be wrong there.",
            "Train the model once more.",
        )
    try:
        manifest = Manifest.from_json(values)
        if found != FORMAT or manifest.size not in SIZES:
            raise ValueError(found)
    except (KeyError, ValueError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"The manifest of {path} can't be used.", "Train the model once more.") from error
    return manifest


def versions() -> dict[str, str]:
    """Returns the versions of what a model is trained with."""
    backend = keras.backend.backend()
    return {
        "twinns": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        backend: str(importlib.import_module(backend).__version__),
        "numpy": np.__version__,
        "rasterio": rasterio.__version__,
        "scikit-learn": sklearn.__version__,
    }
