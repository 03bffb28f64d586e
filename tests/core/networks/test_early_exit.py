"""Early exit: who leaves has the score of the CNN branches, and who stays that of the whole network."""

import numpy as np
import pytest

from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.early_exit import ExitingNetwork, early_classifiers, round_up
from twinns_qgis.networks.exit_rule import ExitRule, vote
from twinns_qgis.networks.precision import computing_in
from twinns_qgis.networks.trained import TrainedNetwork


@pytest.fixture
def build(make_sensors, randomise):
    def build(method="TWINNS"):
        sensors = [sensor for sensor in make_sensors(3, 4) if architectures()[method].sees(sensor.name)]
        return randomise(architectures()[method].build(sensors, 3, "small"))

    return build


@pytest.fixture
def block(make_sensors, make_values):
    return make_values(make_sensors(3, 4), 1, 13, 16)


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("compiled", [True, False])
def test_pixels_leave_where_the_cnn_branches_agree_and_are_sure(build, block, compiled):
    block = {name: raw[:, :, :13] for name, raw in block.items()}
    network = build()
    for name in ("sentinel1_cnn", "sentinel2_cnn"):  # of two minds by chance alone, they would rarely agree
        network.get_layer(name).bias.assign([2.0, 0.0, 0.0])
    outputs = network.predict_on_batch(block)
    votes = [softmax(np.asarray(outputs[f"{name}_cnn"])[0]) for name in ("sentinel1", "sentinel2")]
    mean = (votes[0] + votes[1]) / 2
    agreeing = votes[0].argmax(axis=-1) == votes[1].argmax(axis=-1)
    sure = np.sort(mean.max(axis=-1)[agreeing])
    threshold = float(sure[len(sure) // 2 - 1 : len(sure) // 2 + 1].mean())  # between two, whatever the rounding
    exiting = ExitingNetwork(network, ExitRule(threshold, 1.0))
    if compiled:
        exiting.compile_for(9)
    wanted = np.random.default_rng(0).random((9, 9)) < 0.8
    scores, left = exiting.scores(block, wanted)
    np.testing.assert_array_equal(left, wanted & agreeing & (mean.max(axis=-1) >= threshold))
    assert 5 < np.count_nonzero(left) < np.count_nonzero(wanted) - 5
    np.testing.assert_allclose(scores[left], mean[left], atol=1e-5)
    stayed = wanted & ~left
    np.testing.assert_allclose(scores[stayed], TrainedNetwork(network).scores(block)[0][stayed], atol=1e-5)


@pytest.mark.parametrize("method", ["TWINNS(S1)", "TWINNS(S2)"])
def test_a_network_of_one_sensor_whose_pixels_all_stay_is_the_whole_network(build, block, method):
    network = build(method)
    raw = {name: block[name] for name in network.input}
    scores, left = ExitingNetwork(network, ExitRule(2.0, 1.0)).scores(raw, np.ones((9, 12), bool))
    assert not left.any()
    np.testing.assert_allclose(scores, TrainedNetwork(network).scores(raw)[0], atol=1e-5)


def test_bfloat16_changes_scores_by_its_rounding_alone(build, block, make_sensors):
    network = build()
    with computing_in("bfloat16"):
        coarse = architectures()["TWINNS"].build(make_sensors(3, 4), 3, "small")
        coarse.set_weights(network.get_weights())
        scores, _ = ExitingNetwork(coarse, ExitRule(2.0, 1.0)).scores(block, np.ones((9, 12), bool))
    expected = TrainedNetwork(network).scores(block)[0]
    assert 0 < np.abs(scores - expected).max() < 0.05


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("TWINNS", {"sentinel1_cnn", "sentinel2_cnn"}),
        ("TWINNS(S1)", {"sentinel1_cnn"}),
        ("FullCNN", set()),
        ("FullRNN", set()),
        ("TWINNSNoAux", set()),
        ("2ConvLSTM", set()),
    ],
)
def test_networks_with_both_branches_and_classifiers_on_them_can_exit(make_sensors, method, names):
    sensors = [sensor for sensor in make_sensors(2, 2) if architectures()[method].sees(sensor.name)]
    assert set(early_classifiers(architectures()[method].build(sensors, 3, "small"))) == names


def test_a_vote_is_the_mean_and_agrees_where_all_have_one_class():
    one, other = np.array([[0.9, 0.1], [0.2, 0.8]], "float32"), np.array([[0.7, 0.3], [0.6, 0.4]], "float32")
    scores, agreeing = vote({"a": one, "b": other})
    np.testing.assert_allclose(scores, [[0.8, 0.2], [0.4, 0.6]], atol=1e-6)
    assert agreeing.tolist() == [True, False]


def test_a_rule_calibrates_what_it_lets_go():
    scores, _ = ExitRule(0.5, 2.0)({"a": np.array([0.9, 0.1], "float32")})
    np.testing.assert_allclose(scores, [0.75, 0.25], atol=1e-6)  # the roots of 0.9 and 0.1 are as 3 to 1


def test_numbers_are_rounded_up_to_few_and_by_little():
    rounded = [round_up(count) for count in range(1, 5000)]
    assert all(count <= result <= 1.125 * count + 1 for count, result in enumerate(rounded, 1))
    assert len(set(rounded)) < 90
