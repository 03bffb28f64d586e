"""Fitting: the loss is the equations', the best epoch is kept, the seed fixes the result, cancelling stops."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from twinns_qgis.errors import Cancelled
from twinns_qgis.networks.architectures import architecture
from twinns_qgis.networks.classifiers import SCORE
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.series.series import Series
from twinns_qgis.training.batches import Batches
from twinns_qgis.training.fit import fit, predict_scores


@pytest.fixture
def sensors(site):
    radar, optical = Series.open(site.sentinel1), Series.open(site.sentinel2)
    return (
        replace(Sensor.of("sentinel1", radar), minimum=(-25.0, -32.0), maximum=(0.4, -6.6)),
        replace(Sensor.of("sentinel2", optical), minimum=(-1.0,) * 16, maximum=(1.0,) * 16),
    )


@pytest.fixture
def samples(site):
    """Patches of 96 pixels, stored one by one, and their labels."""
    random = np.random.default_rng(0)
    rows, columns = random.integers(2, 58, (2, 96))
    stores = {}
    for name in ("sentinel1", "sentinel2"):
        values = Series.open(getattr(site, name)).read()
        patches = [
            values[row - 2 : row + 3, column - 2 : column + 3] for row, column in zip(rows, columns, strict=True)
        ]
        flat = np.concatenate([patch.reshape(25, *patch.shape[2:]) for patch in patches])
        stores[name] = SampleStore(flat, np.arange(len(flat), dtype=np.int32).reshape(-1, 5, 5))
    return stores, site.truth[rows, columns]


def run(sensors, samples, reporter=None, epochs=3, keep_best=lambda history: None):
    stores, labels = samples
    keras.utils.set_random_seed(5)
    network = architecture("TWINNS").build(sensors, 3, "small")
    history = fit(
        network, stores, labels, np.arange(64), np.arange(64, 96), epochs=epochs, batch_size=32, learning_rate=1e-3,
        seed=5, reporter=reporter or Reporter(), keep_best=keep_best,
    )  # fmt: skip
    return network, history


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_loss_and_accuracy_are_those_of_the_equations(sensors, samples):
    network, history = run(sensors, samples, epochs=1)
    stores, labels = samples
    heads = network.predict_on_batch({name: store.gather(np.arange(64, 96)) for name, store in stores.items()})
    targets = labels[64:]

    def cross_entropy(name):
        return -np.log(softmax(heads[name][:, 0, 0].astype(float))[np.arange(32), targets]).mean()

    auxiliary = [name for name in heads if name not in ("fusion", SCORE)]
    expected = cross_entropy("fusion") + 0.5 * sum(cross_entropy(name) for name in auxiliary)
    assert history[0].validation_loss == pytest.approx(expected, rel=1e-4)
    accuracy = (heads[SCORE][:, 0, 0].argmax(axis=-1) == targets).mean()
    assert history[0].validation_accuracy == pytest.approx(accuracy)


def test_seed_fixes_the_result(sensors, samples):
    (one, _), (other, _) = run(sensors, samples), run(sensors, samples)
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)


def test_best_epoch_is_kept_each_time_validation_improves(sensors, samples, listener):
    kept = []
    _, history = run(sensors, samples, listener, keep_best=lambda history: kept.append(len(history)))
    accuracies = [epoch.validation_accuracy for epoch in history]
    assert kept == [index + 1 for index, value in enumerate(accuracies) if value > max(accuracies[:index], default=-1)]
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1
    assert len(listener.messages) == 3


def test_cancelling_stops_between_two_batches(sensors, samples, listener):
    def stop(history):
        listener.stop = True

    with pytest.raises(Cancelled):
        run(sensors, samples, listener, epochs=50, keep_best=stop)


def test_every_weight_is_trained(sensors, samples):
    keras.utils.set_random_seed(5)
    before = architecture("TWINNS").build(sensors, 3, "small").get_weights()
    network, _ = run(sensors, samples, epochs=1)
    for weight, initial in zip(network.weights, before, strict=True):
        if weight.trainable:
            assert not np.array_equal(weight.numpy(), initial), weight.path


def test_predicted_scores_are_those_of_the_network(sensors, samples):
    network, _ = run(sensors, samples, epochs=1)
    stores, _ = samples
    order = np.array([5, 1, 70])
    expected = network.predict_on_batch({name: store.gather(order) for name, store in stores.items()})[SCORE]
    np.testing.assert_allclose(
        predict_scores(TrainedNetwork(network), stores, order, Reporter()), expected[:, 0, 0], atol=1e-6
    )


def test_epoch_goes_through_every_pixel_once_in_an_order_of_its_own(samples):
    stores, labels = samples
    stores = {
        name: replace(store, values=np.arange(len(store.values)).reshape(-1, 1, 1)) for name, store in stores.items()
    }
    batches = Batches(stores, labels, np.arange(10, 60), 16, ("fusion",), seed=1)

    def centres():
        return [
            int(patch[0, 0, 0, 0]) // 25 for index in range(len(batches)) for patch in batches[index][0]["sentinel1"]
        ]

    first = centres()
    batches.on_epoch_end()
    assert sorted(first) == sorted(centres()) == list(range(10, 60))
    assert first != centres()
