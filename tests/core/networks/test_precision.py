"""Precision: bfloat16 gives what float32 gives but for its digits, and what must keep its digits does."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks import precision
from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.classifiers import SCORE
from twinns_qgis.networks.precision import choose_precision, computing_in, product_rates
from twinns_qgis.networks.variables import ScaledVariables


@pytest.fixture
def sensors(make_sensors):
    return make_sensors(4, 5)


def build(method, sensors, name):
    with computing_in(name):
        return architectures()[method].build(sensors, 3, "small")


@pytest.mark.parametrize("method", ["TWINNS", "2ConvLSTM"])
def test_one_networks_scores_agree_in_both_precisions(sensors, make_values, randomise, method):
    exact, coarse = build(method, sensors, "float32"), build(method, sensors, "bfloat16")
    coarse.set_weights(randomise(exact).get_weights())
    raw = make_values(sensors, 300, 5, 5)
    one, other = (np.asarray(network.predict_on_batch(raw)[SCORE]) for network in (exact, coarse))
    assert one.dtype == other.dtype == np.float32
    np.testing.assert_allclose(one, other, atol=2e-2)
    assert not np.array_equal(one, other), "the products were computed in float32 all the same"
    sure = np.diff(np.sort(one, axis=-1)[..., -2:])[..., 0] > 2e-2
    np.testing.assert_array_equal(one.argmax(axis=-1)[sure], other.argmax(axis=-1)[sure])
    assert (one.argmax(axis=-1) == other.argmax(axis=-1)).mean() > 0.98


def test_raw_values_are_scaled_and_logits_given_in_all_digits(sensors, make_values):
    network = build("TWINNS", sensors, "bfloat16")
    raw = make_values(sensors, 3, 5, 5)
    for sensor in sensors:
        layer = network.get_layer(f"{sensor.name}_variables")
        assert isinstance(layer, ScaledVariables)
        config = {**layer.get_config(), "dtype": "float32"}
        same = ScaledVariables.from_config(config)(raw[sensor.name])
        np.testing.assert_array_equal(np.asarray(layer(raw[sensor.name])), np.asarray(same))
        # Values of a float series are not rounded on their way in.
        values = raw[sensor.name].astype("float32") + 0.1
        np.testing.assert_array_equal(
            np.asarray(layer(values)), np.asarray(ScaledVariables.from_config(config)(values))
        )
    assert {keras.backend.standardize_dtype(output.dtype) for output in network.output.values()} == {"float32"}
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert network.get_layer("fusion_1").compute_dtype == "bfloat16"


def test_the_precision_ends_with_its_context():
    before = keras.config.dtype_policy()
    with computing_in("bfloat16"):
        assert keras.config.dtype_policy().compute_dtype == "bfloat16"
    assert keras.config.dtype_policy() == before


@pytest.mark.parametrize("size", ["compact", "small"])
def test_a_processor_computes_in_float32_at_the_smaller_sizes(listener, monkeypatch, size):
    monkeypatch.setattr(precision, "gpu_available", lambda: False)
    monkeypatch.setattr(precision, "product_rates", None)
    assert choose_precision(size, 64, listener) == "float32"
    assert not listener.messages


@pytest.mark.parametrize("gpu", [True, False])
@pytest.mark.parametrize(("faster", "chosen"), [(2.0, "bfloat16"), (1.2, "float32"), (0.1, "float32")])
def test_the_paper_size_is_computed_in_bfloat16_if_that_is_clearly_faster(listener, monkeypatch, faster, chosen, gpu):
    monkeypatch.setattr(precision, "gpu_available", lambda: gpu)
    rates = {"float32": 4e12, "bfloat16": faster * 4e12}
    monkeypatch.setattr(precision, "product_rates", lambda size, batch_size: rates)
    assert choose_precision("paper", 64, listener) == chosen
    assert f"Computing in {chosen}" in listener.messages[0]
    assert "4 TFLOP/s in float32" in listener.messages[0]


def test_rates_are_measured_in_both_precisions():
    rates = product_rates("small", 8)
    assert set(rates) == {"float32", "bfloat16"}
    assert all(1e6 < rate < 1e15 for rate in rates.values())


@pytest.mark.parametrize(("gpu", "pixels"), [(False, 4096), (True, 65536)])
def test_a_map_is_timed_by_as_many_pixels_as_a_part_has(monkeypatch, gpu, pixels):
    asked = []
    monkeypatch.setattr(precision, "gpu_available", lambda: gpu)
    monkeypatch.setattr(
        precision, "product_rates", lambda size, batch: asked.append(32 * batch) or {"float32": 1.0, "bfloat16": 2.0}
    )
    assert precision.choose_mapping_precision("TWINNS", "paper") == "bfloat16"
    assert asked == [pixels]
