"""The forecast of a training's time: it is that of the batches, leaves the network alone, and warns of long ones."""

import time

import keras
import numpy as np
import pytest

from twinns_qgis.errors import Cancelled
from twinns_qgis.networks.classifiers import SCORE, Score
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training import forecast as forecasts
from twinns_qgis.training.batches import Batches
from twinns_qgis.training.fit import Fitting, compile_network
from twinns_qgis.training.forecast import Pace, forecast, measure


class SlowBatches(Batches):
    """Batches that take a time that is known."""

    seconds = 0.02

    def __getitem__(self, index):
        time.sleep(self.seconds)
        return super().__getitem__(index)


@pytest.fixture
def network():
    x = keras.Input((1, 1, 4), name="only")
    logits = {name: keras.layers.Dense(3, name=name)(x) for name in ("fusion", "auxiliary")}
    network = keras.Model({"only": x}, {**logits, SCORE: Score(name=SCORE)([*logits.values()])})
    compile_network(network, Fitting(1, 8, 1e-3, seed=0))
    return network


def make(network, count, kind=SlowBatches):
    """So many batches of 8 pixels."""
    values = np.random.default_rng(0).random((8 * count, 4)).astype("float32")
    store = SampleStore(values, np.arange(8 * count, dtype="int32").reshape(-1, 1, 1))
    return kind({"only": store}, np.arange(8 * count) % 3, np.arange(8 * count), 8, tuple(network.output))


def test_an_epoch_takes_as_long_as_it_was_told(network):
    training, validation = make(network, 30), make(network, 10)
    told = measure(network, training, validation, 100, Reporter()).epoch
    ends = [time.monotonic()]
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.monotonic()))
    network.fit(training, validation_data=validation, epochs=3, callbacks=[note], verbose=0)
    assert told == pytest.approx(min(np.diff(ends)), rel=0.5)
    assert told > 40 * SlowBatches.seconds


@pytest.mark.parametrize("count", [1, 2])
def test_what_has_few_batches_is_measured_too(network, count):
    pace = measure(network, make(network, count), make(network, 1), 1, Reporter())
    assert pace.epoch > count * SlowBatches.seconds / 2


def test_measuring_leaves_weights_and_optimiser_as_they_were(network):
    batches = make(network, 5, Batches)
    network.fit(batches, verbose=0)

    def state():
        return [keras.ops.convert_to_numpy(variable) for variable in (*network.variables, *network.optimizer.variables)]

    before = state()
    measure(network, batches, batches, 1, Reporter())
    for one, other in zip(before, state(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_that_never_was_trained_begins_as_if_nothing_was_measured(network):
    batches = make(network, 5, Batches)
    weights = network.get_weights()
    network.fit(batches, verbose=0, shuffle=False)
    trained = network.get_weights()
    network.set_weights(weights)
    compile_network(network, Fitting(1, 8, 1e-3, seed=0))
    measure(network, batches, batches, 1, Reporter())
    network.fit(batches, verbose=0, shuffle=False)
    for one, other in zip(trained, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_cancelling_ends_the_measurement(network, listener):
    listener.stop = True
    with pytest.raises(Cancelled):
        measure(network, make(network, 5), make(network, 5), 1, listener)


@pytest.fixture
def told(monkeypatch, listener):
    """Returns a function that forecasts, where an epoch of each size takes so many seconds, and compiling others."""

    def tell(size, seconds, preparation, epochs=60):
        monkeypatch.setattr(forecasts, "measure", lambda network, *_: Pace(seconds[network], preparation))
        forecast(size, size, None, None, epochs, lambda other: other, listener)
        return listener.messages, listener.warnings

    return tell


def test_a_training_of_minutes_tells_what_smaller_sizes_would_take(told):
    messages, warnings = told("compact", {"compact": 35, "small": 9}, preparation=15)
    assert messages == [
        "Training will take about 35 min for 60 epochs on this processor; SIZE small about 9 min instead"
    ]
    assert not warnings


def test_where_measuring_smaller_sizes_would_take_a_good_part_of_the_training_they_are_estimated(told):
    messages, _ = told("paper", {"paper": 50}, preparation=60)
    assert "50 min for 60 epochs on this processor; SIZE compact about 5 min and SIZE small about 2 min" in messages[0]


def test_a_training_of_a_minute_needs_no_smaller_size(told):
    messages, _ = told("compact", {"compact": 1}, preparation=15)
    assert messages == ["Training will take about 1 min for 60 epochs on this processor"]


def test_on_a_gpu_smaller_sizes_are_told_where_they_are_measured_alone(told, monkeypatch):
    monkeypatch.setattr(forecasts, "gpu_available", lambda: True)
    messages, _ = told("compact", {"compact": 5}, preparation=15)
    assert messages == ["Training will take about 5 min for 60 epochs on this GPU"]


def test_a_run_of_a_day_is_a_warning_that_says_what_to_do(told):
    messages, warnings = told("paper", {"paper": 900, "compact": 60, "small": 15}, preparation=60, epochs=300)
    assert not messages
    assert "about 3.1 days for 300 epochs" in warnings[0]
    assert "SIZE compact about 5.0 h and SIZE small about 1.2 h instead" in warnings[0]
    assert "fewer EPOCHS" in warnings[0]
