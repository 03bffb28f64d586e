"""Fitting: the loss is the equations', the best epoch is kept, the seed fixes the result, cancelling stops."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.networks import cnn
from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.classifiers import SCORE, Score
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.series.series import Series
from twinns_qgis.training.augmentation import Augmentation
from twinns_qgis.training.batches import TrainingBatches, balanced_weights
from twinns_qgis.training.fit import Fitting, _Follower, compile_network, fit, make_batches, predict_scores


@pytest.fixture
def sensors(site):
    radar, optical = Series.open(site.sentinel1), Series.open(site.sentinel2)
    return (
        replace(Sensor.of("sentinel1", radar), minimum=(-25.0, -32.0), maximum=(0.4, -6.6)),
        replace(Sensor.of("sentinel2", optical), minimum=(-1.0,) * 16, maximum=(1.0,) * 16),
    )


@pytest.fixture
def samples(make_samples):
    """Patches of 96 pixels, stored one by one, and their labels."""
    return make_samples(96)


@pytest.fixture
def make_samples(site):
    return lambda count: _samples(site, count)


def _samples(site, count):
    rows, columns = 2 + np.stack(np.divmod(np.random.default_rng(0).choice(56 * 56, count, replace=False), 56))
    stores = {}
    for name in ("sentinel1", "sentinel2"):
        values = Series.open(getattr(site, name)).read()
        patches = [
            values[row - 2 : row + 3, column - 2 : column + 3] for row, column in zip(rows, columns, strict=True)
        ]
        flat = np.concatenate([patch.reshape(25, *patch.shape[2:]) for patch in patches])
        stores[name] = SampleStore(flat, np.arange(len(flat), dtype=np.int32).reshape(-1, 5, 5))
    return stores, site.truth[rows, columns]


def run(sensors, samples, reporter=None, epochs=3, keep=lambda history: None, seed=5, **settings):
    stores, labels = samples
    keras.utils.set_random_seed(seed)
    network = architectures()["TWINNS"].build(sensors, 3, "small")
    fitting = Fitting(epochs, 32, 1e-3, seed, **settings)
    compile_network(network, fitting)
    batches = make_batches(network, stores, labels, np.arange(64), np.arange(64, 96), fitting)
    history = fit(network, *batches, fitting, reporter=reporter or Reporter(), keep=keep)
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


def test_training_convolves_patches_by_matrix_products(sensors, samples, monkeypatch):
    """Several times as fast on a processor; with one dimension that is not known, all would go the slow way."""

    def slow(*arguments, **options):
        raise AssertionError("a convolution of its own")

    monkeypatch.setattr(keras.layers.Conv2D, "call", slow)
    monkeypatch.setattr(cnn, "convolve", slow)
    _, history = run(sensors, samples, epochs=1)
    assert len(history) == 1


def test_the_graph_of_a_step_is_made_once(sensors, samples, monkeypatch):
    """It takes seconds; TensorFlow makes it again if the first time makes a variable."""
    made, train_step = [], keras.Model.train_step
    monkeypatch.setattr(keras.Model, "train_step", lambda self, data: made.append(data) or train_step(self, data))
    run(sensors, samples, epochs=2)
    assert len(made) == 1


def test_the_seed_fixes_every_bit_of_the_result(sensors, samples):
    weights, histories = zip(
        *[
            (network.get_weights(), [replace(epoch, seconds=0) for epoch in history])
            for network, history in (run(sensors, samples), run(sensors, samples), run(sensors, samples, seed=6))
        ],
        strict=True,
    )
    assert histories[0] == histories[1] != histories[2]
    for one, same in zip(weights[0], weights[1], strict=True):
        np.testing.assert_array_equal(one, same)


def test_every_epoch_is_kept_and_reported(sensors, samples, listener):
    kept = []
    _, history = run(sensors, samples, listener, keep=lambda history: kept.append([*history]))
    assert kept == [history[:1], history[:2], history]
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1
    assert len(listener.messages) == 3


def test_a_sample_weighs_in_the_loss_what_its_class_does():
    x = keras.Input((1, 1, 4))
    logits = {name: keras.layers.Dense(3, name=name)(x) for name in ("fusion", "auxiliary")}
    network = keras.Model(x, {**logits, SCORE: Score(name=SCORE)([*logits.values()])})
    compile_network(network, Fitting(1, 8, 1e-3, seed=0))
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 2])
    patches = np.random.default_rng(0).random((8, 1, 1, 4)).astype("float32")
    store = SampleStore(patches[:, 0], np.arange(8, dtype="int32").reshape(8, 1, 1))
    batches = TrainingBatches(
        {"only": store}, labels, np.arange(8), 8, tuple(network.output), seed=5,
        class_weights=balanced_weights(labels, 3),
    )  # fmt: skip
    _, targets, weights = batches[0]
    order = targets["fusion"].ravel()
    np.testing.assert_allclose(weights["fusion"].ravel(), compute_sample_weight("balanced", order), rtol=1e-6)
    outputs = network.predict_on_batch(patches)

    def loss(name):
        scores = softmax(outputs[name][:, 0, 0].astype(float))
        return -np.log(scores[np.arange(8), order]) * compute_sample_weight("balanced", order)

    expected = (loss("fusion") + 0.5 * loss("auxiliary")).mean()
    assert network.test_on_batch(patches, targets, weights, return_dict=True)["loss"] == pytest.approx(expected)


def test_what_varies_follows_from_the_seed_the_epoch_and_the_batch(samples):
    stores, labels = samples
    augmentation = Augmentation(symmetries=True, date_dropout=0.3, missing={"sentinel1": 0, "sentinel2": -32768})

    def batches(epoch):
        return TrainingBatches(
            stores, labels, np.arange(64), 16, ("fusion",), seed=1, epoch=epoch, augmentation=augmentation
        )

    first = batches(1)
    first.on_epoch_end()
    one, same, other = first[2][0], batches(2)[2][0], batches(3)[2][0]
    for name in stores:
        np.testing.assert_array_equal(one[name], same[name])
        assert not np.array_equal(one[name], other[name])


def test_cancelling_stops_between_two_batches(sensors, samples, listener):
    def stop(history):
        listener.stop = True

    with pytest.raises(Cancelled):
        run(sensors, samples, listener, epochs=50, keep=stop)


def test_a_loss_that_is_no_number_ends_training_and_keeps_the_epochs_before(sensors, samples, listener):
    network = architectures()["TWINNS"].build(sensors, 3, "small")
    compile_network(network, Fitting(5, 32, 1e-3, seed=0))

    def spoil(history=None):
        weight = network.trainable_weights[0]
        weight.assign(np.full(weight.shape, np.nan))

    def fit_network(keep):
        stores, labels = samples
        fitting = Fitting(5, 32, 1e-3, seed=0)
        batches = make_batches(network, stores, labels, np.arange(64), np.arange(64, 96), fitting)
        return fit(network, *batches, fitting, reporter=listener, keep=keep)

    assert len(fit_network(keep=spoil)) == 1
    assert "The loss of epoch 2 is nan" in listener.warnings[0]
    assert "epoch 1 is the best" in listener.warnings[0]
    with pytest.raises(InputError, match=r"The loss of epoch 1 is nan.*Lower LEARNING_RATE"):
        fit_network(keep=spoil)


def test_every_weight_is_trained(sensors, samples):
    keras.utils.set_random_seed(5)
    before = architectures()["TWINNS"].build(sensors, 3, "small").get_weights()
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
    batches = TrainingBatches(stores, labels, np.arange(10, 60), 16, ("fusion",), seed=1)

    def centres():
        return [
            int(patch[0, 0, 0, 0]) // 25 for index in range(len(batches)) for patch in batches[index][0]["sentinel1"]
        ]

    first = centres()
    batches.on_epoch_end()
    assert sorted(first) == sorted(centres()) == list(range(10, 60))
    assert first != centres()


def test_200_pixels_are_learned_by_heart(sensors, make_samples):
    stores, _ = make_samples(200)
    labels = np.random.default_rng(1).integers(3, size=200)  # that nothing explains
    keras.utils.set_random_seed(0)
    network = architectures()["TWINNS"].build(sensors, 3, "small")
    fitting = Fitting(100, 50, 1e-3, seed=0)
    compile_network(network, fitting)
    everything = np.arange(200)
    batches = make_batches(network, stores, labels, everything, everything, fitting)
    history = fit(network, *batches, fitting, reporter=Reporter(), keep=lambda history: None)
    assert fitting.best(history).validation_accuracy == 1


def test_a_cosine_takes_the_step_size_from_its_first_value_to_almost_none():
    fitting = Fitting(4, 32, 1e-3, seed=0, schedule="cosine")
    steps = [fitting.step_size(epoch) for epoch in (1, 2, 3, 4)]
    # Loshchilov and Hutter (2017), equation 5, without restarts
    np.testing.assert_allclose(steps, [1e-3 * 0.5 * (1 + np.cos(np.pi * t / 4)) for t in range(4)])
    assert Fitting(4, 32, 1e-3, seed=0).step_size(3) == 1e-3


def test_a_warm_up_raises_the_step_size_to_what_the_schedule_has():
    fitting = Fitting(8, 32, 1e-3, seed=0, schedule="cosine", warm_up=0.25)
    steps = [fitting.step_size(epoch) for epoch in range(1, 9)]
    cosine = [1e-3 * 0.5 * (1 + np.cos(np.pi * t / 8)) for t in range(8)]
    np.testing.assert_allclose(steps, np.array([0.25, 0.75, 1, 1, 1, 1, 1, 1]) * cosine)


def test_smoothed_labels_give_the_loss_of_the_formula(sensors):
    network = architectures()["TWINNSNoAux"].build(sensors, 3, "small")
    compile_network(network, Fitting(1, 32, 1e-3, seed=0, label_smoothing=0.3))
    logits, labels = np.random.default_rng(0).normal(size=(5, 1, 1, 3)), np.array([0, 1, 2, 2, 0]).reshape(-1, 1, 1)
    given = {name: logits.astype("float32") for name in network.output}
    found = network.compute_loss(y=dict.fromkeys(network.output, labels), y_pred=given)
    # Szegedy et al. (2016), equation 7, with the uniform distribution
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    target = 0.7 * np.eye(3)[labels] + 0.3 / 3
    assert float(found) == pytest.approx(-(target * np.log(probabilities)).sum(-1).mean(), rel=1e-5)


def test_of_many_epochs_the_first_and_ten_more_are_told(listener):
    class Network:
        layers, weights, variables = (), (), ()

    follower = _Follower(Network(), Fitting(25, 32, 1e-3, seed=0), listener, lambda history: None, ())
    for epoch in range(25):
        logs = {"loss": 1.0, f"{SCORE}_accuracy": 0.5, "val_loss": 1.0, f"val_{SCORE}_accuracy": 0.6 - epoch / 100}
        follower.set_model(Network())
        follower.on_epoch_end(epoch, logs)
    assert len(listener.messages) == 11
    assert listener.messages[0].startswith("Epoch 1 of 25: accuracy 60.0% on the validation part (the best so far)")
    assert listener.messages[-1].startswith("Epoch 25 of 25: accuracy 36.0% on the validation part (60.0% in epoch 1)")


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_each_optimiser_takes_the_step_size_of_the_schedule(sensors, samples, optimizer):
    network, _ = run(sensors, samples, epochs=2, optimizer=optimizer, schedule="cosine")
    assert type(network.optimizer).__name__.lower() == optimizer
    assert float(network.optimizer.learning_rate) == pytest.approx(0.5e-3)
