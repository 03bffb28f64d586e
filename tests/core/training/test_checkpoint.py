"""The checkpoint: what it takes up, what it passes over, and what it leaves."""

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.methods import Method
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import Series
from twinns_qgis.training import checkpoint as checkpoint_module
from twinns_qgis.training.checkpoint import Checkpoint, earlier_precision, fingerprint
from twinns_qgis.training.fit import Fitting, compile_network
from twinns_qgis.training.history import Epoch
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import read_model, write_model

HISTORY = [Epoch(1, 2.0, 0.5, 2.1, 0.6, 3.0), Epoch(2, 1.0, 0.9, 2.4, 0.4, 6.0)]
BETTER = replace(HISTORY[1], validation_accuracy=0.7)
FINGERPRINT = {"seed": "0", "sentinel1": "abc"}
FITTING = Fitting(9, 32, 1e-3, seed=0)


@pytest.fixture(autouse=True)
def at_every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoint_module, "_LONGEST", 0.0)


@pytest.fixture
def manifest(site):
    sensor = replace(Sensor.of("sentinel1", Series.open(site.sentinel1)), minimum=(0.0, 0.0), maximum=(1.0, 1.0))
    return Manifest(
        Method.of("TWINNS(S1)"),
        "small",
        (sensor,),
        (LandCoverClass(1, "a", "#111111"), LandCoverClass(2, "b", "#222222")),
    )


@pytest.fixture
def network(manifest):
    return fresh(manifest)


def fresh(manifest):
    network = manifest.build()
    compile_network(network, FITTING)
    network.optimizer.build(network.trainable_variables)
    return network


def scramble(network):
    random = np.random.default_rng()
    for variable in [*network.weights, *network.optimizer.variables[2:]]:  # the count and the rate come first
        variable.assign(random.random(variable.shape))
    network.optimizer.iterations.assign(int(random.integers(1000)))


def state(network):
    return [keras.ops.convert_to_numpy(variable) for variable in [*network.weights, *network.optimizer.variables]]


def test_weights_optimiser_history_and_best_epoch_come_back(manifest, network, tmp_path, listener):
    checkpoint = Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT)
    scramble(network)
    best = network.get_weights()
    checkpoint.keep(HISTORY[:1])
    scramble(network)
    checkpoint.keep(HISTORY)

    other = fresh(manifest)
    found = Checkpoint(tmp_path / "m.twinns", manifest, other, FITTING, FINGERPRINT)
    assert found.resume(listener) == HISTORY
    for one, same in zip(state(other), state(network), strict=True):
        np.testing.assert_array_equal(one, same)
    found.restore(other)
    for one, same in zip(other.get_weights(), best, strict=True):
        np.testing.assert_array_equal(one, same)
    assert "epoch so far, 1, with a validation accuracy of 0.6000" in found.rescue()
    assert list(read_model(tmp_path / "m.twinns").history) == HISTORY[:1]
    with found.finishing():
        pass
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".tif"] == ["m.twinns"]


def test_without_an_epoch_there_is_nothing_to_rescue(manifest, network, tmp_path):
    assert "no model" in Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).rescue()
    assert not (tmp_path / "m.twinns").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": "1"}, "differs in seed"),
        ({"seed": "1", "sentinel1": "abd", "size": "small"}, "differs in seed, sentinel1, size"),
    ],
)
def test_another_training_is_passed_over_and_what_differs_is_told(manifest, network, tmp_path, listener, change, told):
    Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).keep(HISTORY[:1])
    before = state(network)
    other = Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, {**FINGERPRINT, **change})
    assert other.resume(listener) == []
    assert told in listener.warnings[0]
    for one, same in zip(state(network), before, strict=True):
        np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize(("epochs", "patience", "common"), [(2, 0, 2), (5, 2, 2), (1, 0, 1), (5, 1, 2)])
def test_epochs_and_patience_may_change_and_what_is_in_common_counts(
    manifest, network, tmp_path, listener, epochs, patience, common
):
    Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).keep(HISTORY)
    fitting = replace(FITTING, epochs=epochs, patience=patience)
    found = Checkpoint(tmp_path / "m.twinns", manifest, network, fitting, FINGERPRINT).resume(listener)
    assert found == HISTORY[:common]
    assert listener.warnings == []


def test_a_best_epoch_beyond_the_new_limits_is_not_thrown_away(manifest, network, tmp_path, listener):
    file = tmp_path / "m.twinns.checkpoint"
    Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).keep([HISTORY[0], BETTER])
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"best of which is number 2.*ended after 1,"):
        Checkpoint(tmp_path / "m.twinns", manifest, network, replace(FITTING, epochs=1), FINGERPRINT).resume(listener)
    assert file.read_bytes() == before


def test_a_tested_model_that_was_there_before_survives_a_cancelled_training(manifest, network, tmp_path):
    model = tmp_path / "m.twinns"
    tested = replace(manifest, measures={"accuracy": 0.9})
    write_model(model, tested, TrainedNetwork(network), HISTORY)
    before = model.read_bytes()
    checkpoint = Checkpoint(model, manifest, network, FITTING, FINGERPRINT)
    checkpoint.keep(HISTORY[:1])
    for _ in range(2):
        assert "kept in" in checkpoint.rescue()
        assert model.read_bytes() == before
        assert read_model(tmp_path / "m_untested.twinns").manifest.measures == {}


def test_nothing_is_rescued_once_the_tested_model_is_there(manifest, network, tmp_path):
    model = tmp_path / "m.twinns"
    checkpoint = Checkpoint(model, manifest, network, FITTING, FINGERPRINT)
    checkpoint.keep(HISTORY[:1])
    with checkpoint.finishing():
        model.write_bytes(b"tested")
    assert checkpoint.rescue() == f"The tested model is kept in {model}."
    assert model.read_bytes() == b"tested"
    assert not (tmp_path / "m.twinns.checkpoint").exists()


def test_a_model_that_could_not_be_written_leaves_the_training(manifest, network, tmp_path):
    checkpoint = Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT)
    checkpoint.keep(HISTORY[:1])
    with pytest.raises(OSError, match="full"), checkpoint.finishing():
        raise OSError("full")
    assert (tmp_path / "m.twinns.checkpoint").exists()
    assert "best epoch so far" in checkpoint.rescue()


def test_a_full_disk_is_told_and_leaves_the_checkpoint_before(manifest, network, tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT)
    checkpoint.keep(HISTORY[:1])
    before = (tmp_path / "m.twinns.checkpoint").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zipfile.ZipFile.write", full)
    with pytest.raises(InputError, match=r"m.twinns.checkpoint can't be written: .*No space left"):
        checkpoint.keep(HISTORY)
    assert (tmp_path / "m.twinns.checkpoint").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "found"),
    [({}, "bfloat16"), ({"precision": "bfloat16"}, "bfloat16"), ({"seed": "1"}, None), ({"device": "gpu"}, None)],
)
def test_the_same_training_keeps_to_its_precision(manifest, network, tmp_path, change, found):
    model = tmp_path / "m.twinns"
    Checkpoint(model, manifest, network, FITTING, {**FINGERPRINT, "precision": "bfloat16"}).keep(HISTORY[:1])
    assert earlier_precision(model, {**FINGERPRINT, "precision": "auto", **change}) == found


def test_without_a_checkpoint_there_is_no_earlier_precision(tmp_path):
    assert earlier_precision(tmp_path / "m.twinns", FINGERPRINT) is None
    (tmp_path / "m.twinns.checkpoint").write_bytes(b"no zip")
    assert earlier_precision(tmp_path / "m.twinns", FINGERPRINT) is None


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_file_that_is_no_checkpoint_is_passed_over(manifest, network, tmp_path, listener, content):
    (tmp_path / "m.twinns.checkpoint").write_bytes(content)
    assert Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).resume(listener) == []
    assert "can't be read" in listener.warnings[0]


def test_a_checkpoint_that_was_cut_short_is_passed_over(manifest, network, tmp_path, listener):
    Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).keep(HISTORY[:1])
    file = tmp_path / "m.twinns.checkpoint"
    file.write_bytes(file.read_bytes()[:-500])
    assert Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT).resume(listener) == []
    assert "can't be read" in listener.warnings[0]


def test_the_disk_takes_no_more_than_its_share_of_the_time(manifest, network, tmp_path, monkeypatch):
    """After every epoch it took seconds at the paper's size; the best epoch is in memory all the same."""
    clock = iter(range(10_000))
    monkeypatch.setattr(checkpoint_module, "_LONGEST", 60.0)
    monkeypatch.setattr(checkpoint_module.time, "monotonic", lambda: now[0] + next(clock) * 1e-3)
    now, written = [0.0], []
    checkpoint = Checkpoint(tmp_path / "m.twinns", manifest, network, FITTING, FINGERPRINT)
    write = Checkpoint._write

    def slow(self, history):
        write(self, history)
        written.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(Checkpoint, "_write", slow)
    history = []
    for number in range(1, 31):
        now[0] += 5.0
        history.append(replace(HISTORY[0], epoch=number, validation_accuracy=number / 100))
        scramble(network)
        checkpoint.keep(history)
    assert written[0] == 5.0
    assert all(40 <= later - earlier <= 60 for earlier, later in itertools.pairwise(written))
    best = network.get_weights()
    scramble(network)
    checkpoint.restore(network)
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), best, strict=True))
    assert "best epoch so far, 30" in checkpoint.rescue()
    assert read_model(tmp_path / "m.twinns").manifest.settings["best_epoch"] == 30


def test_what_is_put_together_lies_on_the_disk_of_the_model(manifest, network, tmp_path, monkeypatch):
    """That of the system's own temporary files may have no room for hundreds of megabytes."""
    made = []

    class Watched(tempfile.TemporaryDirectory):
        def __init__(self, *names, **options):
            super().__init__(*names, **options)
            made.append(Path(self.name).parent)

    monkeypatch.setattr("tempfile.TemporaryDirectory", Watched)
    (tmp_path / "models").mkdir()
    checkpoint = Checkpoint(tmp_path / "models/m.twinns", manifest, network, FITTING, FINGERPRINT)
    checkpoint.keep(HISTORY)
    assert sum(tmp_path / "models" in (folder, *folder.parents) for folder in made) >= 3  # state, best epoch, weights
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["m.twinns.checkpoint"]


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"schedule": "constant", "warm_up": 0.0}, False),
        ({"schedule": "constant", "warm_up": 0.06}, True),
        ({"schedule": "cosine", "warm_up": 0.0}, True),
    ],
)
def test_epochs_count_where_step_sizes_follow_from_them(manifest, settings, count):
    pixels = SimpleNamespace(rows=np.arange(3), columns=np.arange(3))
    samples = SimpleNamespace(pixels=pixels, labels=np.arange(3), part=lambda name: np.arange(2))
    few, many = (fingerprint(replace(manifest, settings={**settings, "epochs": epochs}), samples) for epochs in (5, 50))
    assert (few != many) == count
