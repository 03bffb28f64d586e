"""How long a training will take, measured before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from twinns_qgis.networks.backend import gpu_available
from twinns_qgis.networks.hyperparameters import SIZES
from twinns_qgis.reporter import Reporter, duration
from twinns_qgis.training.batches import Batches

_SECONDS, _SHARE = 2.0, 0.01
"""A part of the measurement may last so long, or so large a share of the training."""
_SHARE_OF_SIZES = 0.03
"""Share of the training's time that measuring smaller sizes may take."""
_STEP = {"paper": 9.7, "compact": 1.0, "small": 0.48}
"""Time of a step on a processor, in that of ``compact``, where smaller sizes are not measured.

``small`` took 0.42 to 0.48 as measured for TWINNS with 8 and 30 dates, FullRNN and 2ConvLSTM, and 0.63 for FullCNN.
"""
_MINUTES = 120.0
"""Seconds from which on a training takes so long that a smaller size may be wanted instead."""
_LONG = 8 * 3600.0
"""Seconds from which on a training is a warning: longer than a working day, or a night."""


@dataclass(frozen=True)
class Pace:
    """How fast a network is trained.

    Args:
        epoch: Seconds of an epoch, validation included.
        preparation: Seconds that it took to load and compile, and to measure.
    """

    epoch: float
    preparation: float


def forecast(
    network: keras.Model,
    size: str,
    training: Batches,
    validation: Batches,
    epochs: int,
    build: Callable[[str], keras.Model],
    reporter: Reporter,
) -> None:
    """Reports how long a training will take, and where it takes minutes, how long networks of smaller sizes would.

    Args:
        network: The network to train, compiled; it ends as it was.
        size: Its size.
        training: The batches of an epoch.
        validation: The batches of the validation part.
        epochs: How many epochs there are to go.
        build: Builds and compiles a network of another size.
        reporter: Receives the time, as a warning if it is more than a working day.
    """
    reporter.progress(0, "Measuring how long training will take")
    pace = measure(network, training, validation, epochs, reporter)
    seconds = epochs * pace.epoch
    # Another size takes about as long to compile as this one did.
    smaller = list(SIZES)[list(SIZES).index(size) + 1 :]
    others: dict[str, float] = {}
    if len(smaller) * pace.preparation <= _SHARE_OF_SIZES * seconds:
        others = {one: epochs * measure(build(one), training, validation, epochs, reporter).epoch for one in smaller}
    elif seconds >= _MINUTES and not gpu_available():
        others = {one: seconds * _STEP[one] / _STEP[size] for one in smaller}
    device = "GPU" if gpu_available() else "processor"
    number = "1 epoch" if epochs == 1 else f"{epochs} epochs"
    text = f"Training will take about {duration(seconds)} for {number} on this {device}"
    if others:
        told = " and ".join(f"SIZE {one} about {duration(taken)}" for one, taken in others.items())
        text += f"; {told} instead"
    if seconds < _LONG:
        reporter.info(text)
    else:
        reporter.warning(
            f"{text}. To have a model sooner, cancel, and choose a smaller SIZE, fewer EPOCHS, or the METHOD RF, which "
            "takes minutes. A training that was cancelled can also go on: the same call continues it."
        )


def measure(network: keras.Model, training: Batches, validation: Batches, epochs: int, reporter: Reporter) -> Pace:
    """Measures how long an epoch takes, on a few of its batches.

    Args:
        network: The network, compiled; it ends as it was.
        training: The batches of an epoch.
        validation: The batches of the validation part.
        epochs: How many epochs there are to go.
        reporter: Knows whether the user cancelled.

    Raises:
        Cancelled: The user stopped it; the network is not as it was.
    """
    begun = time.monotonic()
    with _ending_as_it_was(network):
        seconds = _seconds_of_a_pass(network.fit, training, epochs, reporter)
        seconds += _seconds_of_a_pass(network.evaluate, validation, epochs, reporter)
    return Pace(seconds, time.monotonic() - begun)


def _seconds_of_a_pass(go: Callable[..., Any], batches: Batches, epochs: int, reporter: Reporter) -> float:
    """Returns the seconds that going through all batches takes.

    What `go` compiles, it compiles for the training to come too: nothing is done twice but the few batches.
    """
    count = len(batches)
    step, start = _timed(go, batches, 2, reporter)  # the start is that of the compiler
    few = int(min(_SECONDS, max(_SHARE * step * count * epochs, step)) / step)
    if few >= 2:
        step, start = _timed(go, batches, few + 1, reporter)
        return start + count * step
    return count * step


def _timed(go: Callable[..., Any], batches: Batches, count: int, reporter: Reporter) -> tuple[float, float]:
    """Returns the seconds of a batch, and those from the call to the first batch."""
    clock = _Clock(reporter)
    go(_Few(batches, count), callbacks=[clock], verbose=0)
    first, last = clock.times[0], clock.times[-1]
    step = (last - first) / (count - 1)
    return step, max(0.0, first - clock.begun - step)


class _Clock(keras.callbacks.Callback):
    """Notes when each batch was done."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__()
        self.times: list[float] = []
        self.begun = time.perf_counter()
        self._reporter = reporter

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._reporter.check_cancelled()
        float(logs["loss"])  # waits for the device
        self.times.append(time.perf_counter())

    on_test_batch_end = on_train_batch_end


class _Few(keras.utils.PyDataset):
    """A few batches of many: the first ones, again and again if need be."""

    def __init__(self, batches: Batches, count: int) -> None:
        super().__init__()
        self._batches = batches
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[dict[str, Any], ...]:
        # The last one is smaller, and would be compiled for itself.
        return self._batches[index % max(1, len(self._batches) - 1)]


@contextmanager
def _ending_as_it_was(network: keras.Model) -> Iterator[None]:
    """Gives a network and its optimiser the values back that they had."""
    network.optimizer.build(network.trainable_variables)
    variables = [*network.variables, *network.optimizer.variables]
    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    yield
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
