"""The classifier of a model in this process, and how it goes through a block."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.samples.store import MARGIN

if TYPE_CHECKING:
    from twinns_qgis.training.model_file import TrainedModel

# Keras is imported where a model is read: on a worker of a cluster, the device must be chosen before.

_LEAST = 4
"""Side of the smallest part that is tried when the device's memory runs out."""
_OUT_OF_MEMORY = {"ResourceExhaustedError", "OutOfMemoryError", "MemoryError"}
"""What TensorFlow, PyTorch and numpy raise when memory runs out; JAX writes it in the text of a general error."""

_scorers: dict[str, Scorer] = {}
_loading = threading.Lock()


def keep(model: TrainedModel) -> Scorer:
    """Makes a model the one of this process, in the place of another."""
    _scorers.clear()
    return _scorers.setdefault(model.sha256, Scorer(model))


def scorer(path: Path, sha256: str, device: str) -> Scorer:
    """Returns the scorer of a model file, which a process reads once.

    Args:
        path: The model file.
        sha256: Its hash.
        device: ``auto``, ``cpu`` or ``gpu``.

    Raises:
        InputError: The file can't be read, or is not the one of that hash, or this machine has not that device.
    """
    with _loading:  # several threads of a worker may ask at once
        return _scorers.get(sha256) or keep(_read(path, sha256, device))


def _read(path: Path, sha256: str, device: str) -> TrainedModel:
    from twinns_qgis.networks.backend import describe_device, use_device

    use_device(device)
    describe_device(device)  # which refuses a worker without the GPU that was asked for
    from twinns_qgis.training.model_file import read_model

    model = read_model(path)
    if model.sha256 != sha256:
        raise InputError(
            f"{path} is not the model that the call began with: it has changed, or means another file on this machine.",
            "Start again, with one file that all machines see.",
        )
    return model


class Scorer:
    """A model that goes through blocks part by part, one part at a time however many threads ask.

    Args:
        model: The model.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.limit = math.inf
        """Side of the parts that the memory of the device was found to suffice for."""
        self._device = threading.Lock()

    def scores(
        self, values: Mapping[str, NDArray[Any]], wanted: NDArray[np.bool_], side: int, between: Callable[[], None]
    ) -> NDArray[np.float32]:
        """Returns the score of each class; parts without a wanted pixel are left out.

        Args:
            values: Raw values of each sensor, of shape (height + 4, width + 4, T, B).
            wanted: The pixels whose scores are wanted, shape (height, width).
            side: Side of the parts that go through the classifier at once; halved when the device's memory runs out.
            between: Is called between two parts, and may raise.

        Returns:
            Scores of shape (height, width, K), 0 in parts that were left out.

        Raises:
            InputError: The memory of the device does not suffice for the smallest part.
        """
        scores = np.zeros((*wanted.shape, len(self.model.manifest.classes)), np.float32)
        parts = _parts(slice(0, wanted.shape[0]), slice(0, wanted.shape[1]), int(min(side, self.limit)))
        while parts:
            rows, columns = parts.pop()
            if not wanted[rows, columns].any():
                continue
            between()
            part = {name: _with_margin(raw, rows, columns) for name, raw in values.items()}
            try:
                with self._device:
                    scores[rows, columns] = self.model.classifier.scores(part)[0]
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
                half = max(rows.stop - rows.start, columns.stop - columns.start) // 2
                if half < _LEAST:
                    raise InputError(
                        f"The memory of the device does not suffice for {2 * half} x {2 * half} pixels: {error}.",
                        "Close other programs that use it, or choose DEVICE cpu.",
                    ) from error
                self.limit = min(self.limit, half)
                parts += _parts(rows, columns, half)
        return scores


def _parts(rows: slice, columns: slice, side: int) -> list[tuple[slice, slice]]:
    return [
        (slice(row, min(row + side, rows.stop)), slice(column, min(column + side, columns.stop)))
        for row in range(rows.start, rows.stop, side)
        for column in range(columns.start, columns.stop, side)
    ]


def _with_margin(values: NDArray[Any], rows: slice, columns: slice) -> NDArray[Any]:
    """Cuts a part with its margin out of values that have one; returns it as a batch of one."""
    return values[None, rows.start : rows.stop + 2 * MARGIN, columns.start : columns.stop + 2 * MARGIN]


def _is_out_of_memory(error: Exception) -> bool:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & _OUT_OF_MEMORY) or "RESOURCE_EXHAUSTED" in str(error)
