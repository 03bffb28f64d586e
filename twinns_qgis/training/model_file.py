"""The model file ``.twinns``: a zip of a manifest, the weights or the forests, and the history of learning.

Reading it runs no code and trusts no path in it: the network is built from the manifest's description, and the weights
are read into it; of the forests only what forests are made of is read.
"""

from __future__ import annotations

import importlib
import io
import json
import platform
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
import rasterio
import sklearn

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.files import DAMAGE, sha256_of, whole_file
from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.networks.precision import computing_in
from twinns_qgis.networks.trained import TrainedClassifier, TrainedNetwork
from twinns_qgis.training.forest_file import read_forests, write_forests
from twinns_qgis.training.history import Epoch
from twinns_qgis.training.manifest import FORMAT, Manifest

_MANIFEST, _WEIGHTS, _FORESTS, _HISTORY = "manifest.json", "weights.keras", "forest.skops", "history.json"
_LONGEST = 16 << 20
"""Bytes that a compressed part may have: 254 classes and thousands of dates or epochs take less."""
_WEIGHT = 4
"""Bytes of a weight."""


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
            _check_sizes(archive)
            return not json.loads(archive.read(_MANIFEST))["measures"]
    except DAMAGE:
        return False


def read_model(path: Path, precision: str = "float32") -> TrainedModel:
    """Reads a model file.

    Args:
        path: The file.
        precision: What its network is to compute in, ``float32`` or ``bfloat16``.

    Raises:
        InputError: There is no such file, it is no model file, it is damaged, or a newer version wrote it.

    Example:
        >>> model = read_model(Path("model.twinns"))
        >>> [item.name for item in model.manifest.classes]
        ['water', 'wheat', 'wood']
    """
    _check_there(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            values = json.loads(archive.read(_MANIFEST))
            history = tuple(Epoch.from_json(epoch) for epoch in json.loads(archive.read(_HISTORY)))
            parts = {name: archive.read(name) for name in (_WEIGHTS, _FORESTS) if name in archive.namelist()}
    except DAMAGE as error:
        raise _no_model(path) from error
    manifest = _check_manifest(path, values)
    with computing_in(precision):
        classifier = _read_classifier(path, manifest, parts)
    return TrainedModel(path, sha256_of(path), manifest, classifier, history)


def read_manifest(path: Path) -> Manifest:
    """Reads what a model file says of its classifier, and not the classifier.

    Raises:
        InputError: There is no such file, it is no model file, it is damaged, or a newer version wrote it.
    """
    _check_there(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            values = json.loads(archive.read(_MANIFEST))
    except DAMAGE as error:
        raise _no_model(path) from error
    return _check_manifest(path, values)


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"The model {path} does not exist.", "Check the path, or train a model.")


def _no_model(path: Path) -> InputError:
    return InputError(f"{path} is no model of TWINNS, or it is damaged.", "Choose a .twinns file.")


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Checks that long parts are stored as they are: what is compressed may be of any size, whatever the file's."""
    for part in archive.infolist():
        if part.compress_type != zipfile.ZIP_STORED and part.file_size > _LONGEST:
            raise ValueError(f"{part.filename} is compressed and has {part.file_size} bytes.")


def _read_classifier(path: Path, manifest: Manifest, parts: Mapping[str, bytes]) -> TrainedClassifier:
    """Builds what the manifest describes, and reads the numbers into it."""
    method = manifest.method
    for name, needed in ((_WEIGHTS, method.network), (_FORESTS, method.forests)):
        if needed and name not in parts:
            raise InputError(f"{path} lacks {name}, which {method.paper_name} needs.", "Train the model once more.")
    network = _read_network(path, manifest, parts[_WEIGHTS]) if method.network else None
    if not method.forests:
        return TrainedNetwork(network)
    tables = method.tables(manifest.sensors, network)
    forests = read_forests(parts[_FORESTS], path, tables.variables, len(manifest.classes))
    return TrainedForests(tables, forests, network)


def _read_network(path: Path, manifest: Manifest, weights: bytes) -> keras.Model:
    """Builds a network and gives it its weights."""
    no_fit = InputError(f"The weights in {path} don't fit its manifest.", "Train the model once more.")
    # Before it is built: a manifest with many dates, right or wrong, may describe a network of any size.
    if len(weights) < _WEIGHT * manifest.method.least_weights(manifest.sensors, manifest.size):
        raise no_fit
    network = manifest.build()
    try:
        _load_weights(weights, network)
    except DAMAGE as error:
        raise no_fit from error
    return network


def load_weights(model: BinaryIO, network: keras.Model) -> None:
    """Loads weights that `write_model` wrote into a network."""
    with zipfile.ZipFile(model) as archive:
        _load_weights(archive.read(_WEIGHTS), network)


def _load_weights(weights: bytes, network: keras.Model) -> None:
    with zipfile.ZipFile(io.BytesIO(weights)) as archive:
        _check_sizes(archive)
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
    if found != FORMAT:
        raise InputError(f"The manifest of {path} tells no format of a model.", "Choose a .twinns file.")
    try:
        return Manifest.from_json(values)
    except (ValueError, InputError) as error:
        raise InputError(f"The manifest of {path} can't be used. {error}", "Train the model once more.") from error


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
