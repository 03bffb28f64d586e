"""How a classifier goes through a block: part by part, and with an early exit where there is one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.networks.backend import is_out_of_memory
from twinns_qgis.networks.exit_rule import ExitRule
from twinns_qgis.samples.store import MARGIN, PATCH

if TYPE_CHECKING:
    from twinns_qgis.training.model_file import TrainedModel

# Keras is imported where a model is read: on a worker of a cluster, the device must be chosen before.

SCORE = "score"
"""What the score of the whole network is called among votes, as in `networks.classifiers`."""
_LEAST = 4
"""Side of the smallest part that is tried when the device's memory runs out."""
_SAMPLE = 256
"""One pixel in so many is compared: by its patch, which costs the whole network about three times what a pixel of a
block does."""
_AT_ONCE = 64
"""Patches that are compared at once, and the fewest of a block."""


@dataclass(frozen=True)
class Scored:
    """The scores of a block, and how they came about.

    Args:
        scores: The score of each class, shape (height, width, K), 0 in parts that were left out.
        left: The pixels that left early, shape (height, width).
        computed: How many pixels the parts have that were not left out.
        seconds: The time that computing took, without waiting for other blocks.
        by_sensor: Index of the class by each sensor's own classifiers, shape (height, width); empty if nobody asked.
    """

    scores: NDArray[np.float32]
    left: NDArray[np.bool_]
    computed: int
    seconds: float
    by_sensor: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


class Scorer:
    """Computes the scores of blocks part by part, one part at a time however many threads ask.

    Args:
        model: The model.
        side: Side of the parts.
        compiled: Whether its programs are compiled, which pays for many parts.
        early_exit: When pixels leave the network early; None if all go through all of it.
        by_sensor: Whether the sensors' own classifiers are asked too.
    """

    def __init__(
        self,
        model: TrainedModel,
        side: int,
        compiled: bool,
        early_exit: ExitRule | None = None,
        by_sensor: bool = False,
    ) -> None:
        self.model = model
        self.limit = math.inf
        """Side of the parts that the memory of the device was found to suffice for."""
        self._side = side
        self._device = threading.Lock()
        self._compiled = compiled
        self._exiting = None
        if early_exit:
            from twinns_qgis.networks.early_exit import ExitingNetwork

            self._exiting = ExitingNetwork(model.classifier.network, early_exit)
        self._votes = None
        if by_sensor:
            from twinns_qgis.networks.trained import SensorVotes

            self._votes = SensorVotes(model.classifier.network)
        self._prepare_for(side)

    def scores(
        self,
        values: Mapping[str, NDArray[Any]],
        wanted: NDArray[np.bool_],
        between: Callable[[], None],
        whole: bool = False,
    ) -> Scored:
        """Returns the scores of each class on a block; parts without a wanted pixel are left out.

        Args:
            values: Raw values of each sensor, of shape (height + 4, width + 4, T, B).
            wanted: The pixels whose scores are wanted, shape (height, width).
            between: Is called between two parts, and may raise.
            whole: Whether no pixel may exit early.

        Raises:
            InputError: The memory of the device does not suffice for the smallest part.
        """
        scores = np.zeros((*wanted.shape, len(self.model.manifest.classes)), np.float32)
        sensors = self._votes.sensors if self._votes else ()
        by_sensor = {sensor: np.zeros(wanted.shape, np.uint8) for sensor in sensors}
        left, computed, seconds = np.zeros(wanted.shape, bool), 0, 0.0
        side = int(min(self._side, self.limit))
        parts = _parts(slice(0, wanted.shape[0]), slice(0, wanted.shape[1]), side)
        while parts:
            rows, columns = parts.pop()
            if not wanted[rows, columns].any():
                continue
            between()
            part = {name: _with_margin(raw, rows, columns) for name, raw in values.items()}
            try:
                with self._device:
                    start = time.monotonic()
                    if self._votes:
                        votes = self._votes(part)
                        scores[rows, columns] = votes[SCORE][0]
                        for sensor, of_sensor in by_sensor.items():
                            of_sensor[rows, columns] = votes[sensor][0].argmax(axis=-1)
                    else:
                        scores[rows, columns], left[rows, columns] = self._classify(part, wanted[rows, columns], whole)
                    seconds += time.monotonic() - start
                computed += wanted[rows, columns].size
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                half = max(rows.stop - rows.start, columns.stop - columns.start) // 2
                if half < _LEAST:
                    raise InputError(
                        f"The memory of the device does not suffice for {2 * half} x {2 * half} pixels: {error}.",
                        "Close other programs that use it, or choose DEVICE cpu.",
                    ) from error
                if half < self.limit:
                    self.limit = half
                    self._prepare_for(half)
                parts += _parts(rows, columns, half)
        return Scored(scores, left, computed, seconds, by_sensor)

    def compare_sample(
        self,
        values: Mapping[str, NDArray[Any]],
        wanted: NDArray[np.bool_],
        scores: NDArray[np.float32],
        between: Callable[[], None],
    ) -> dict[str, int]:
        """Returns how many of a sample of a block's pixels have the class that the whole network gives them.

        Args:
            values: Raw values of each sensor, of shape (height + 4, width + 4, T, B).
            wanted: The pixels that are mapped, shape (height, width); at least one.
            scores: Their scores, shape (height, width, K).
            between: Is called now and then, and may raise.

        Returns:
            How many pixels were compared, and how many agree.
        """
        mapped = np.flatnonzero(wanted)
        count = min(len(mapped), max(_AT_ONCE, len(mapped) // _SAMPLE))
        drawn = np.random.default_rng(0).choice(mapped, count, replace=False)  # the same whenever the block is made
        rows, columns = np.divmod(drawn, wanted.shape[1])
        found = scores[rows, columns].argmax(axis=-1)
        agreeing = 0
        for start in range(0, count, _AT_ONCE):
            some = np.resize(np.arange(start, min(start + _AT_ONCE, count)), _AT_ONCE)  # what the network is ready for
            patches = {name: _patches(raw, rows[some], columns[some]) for name, raw in values.items()}
            between()
            with self._device:
                expected = self.model.classifier.scores(patches)[:, 0, 0].argmax(axis=-1)
            agreeing += int(np.count_nonzero((expected == found[some])[: count - start]))
        return {"sampled": count, "agreeing": agreeing}

    def _prepare_for(self, side: int) -> None:
        if self._compiled:
            self.model.classifier.compile_for(side)
            for one in (self._exiting, self._votes):
                if one:
                    one.compile_for(side)

    def _classify(
        self, part: Mapping[str, NDArray[Any]], wanted: NDArray[np.bool_], whole: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        if self._exiting is None or whole:
            return self.model.classifier.scores(part)[0], np.zeros(wanted.shape, bool)
        return self._exiting.scores(part, wanted)


def _parts(rows: slice, columns: slice, side: int) -> list[tuple[slice, slice]]:
    return [
        (slice(row, min(row + side, rows.stop)), slice(column, min(column + side, columns.stop)))
        for row in range(rows.start, rows.stop, side)
        for column in range(columns.start, columns.stop, side)
    ]


def _with_margin(values: NDArray[Any], rows: slice, columns: slice) -> NDArray[Any]:
    """Cuts a part with its margin out of values that have one; returns it as a batch of one."""
    return values[None, rows.start : rows.stop + 2 * MARGIN, columns.start : columns.stop + 2 * MARGIN]


def _patches(values: NDArray[Any], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
    """Cuts the patches of some pixels, shape (P, 5, 5, T, B), out of values that have a margin."""
    offsets = np.arange(PATCH)
    return values[rows[:, None, None] + offsets[:, None], columns[:, None, None] + offsets]
