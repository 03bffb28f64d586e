"""The model file: it comes back as it was, and what is none is refused."""

import contextlib
import json
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import date, timedelta

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.errors import InputError
from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.methods import METHODS, Method
from twinns_qgis.networks.classifiers import loss_weights
from twinns_qgis.networks.hyperparameters import Hyperparameters
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import Series
from twinns_qgis.training.history import Epoch
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import read_model, write_model

CLASSES = (LandCoverClass(3, "blé <dur>", "#112233"), LandCoverClass(9, "water", "#445566"))
HISTORY = [Epoch(1, 2.0, 0.5, 2.1, 0.4, 3.0)]


@pytest.fixture
def manifest(site):
    ranges = {"minimum": (0.0, 0.0), "maximum": (1.0, 1.0)}
    sensors = [
        replace(Sensor.of("sentinel1", Series.open(site.sentinel1)), **ranges),
        replace(Sensor.of("sentinel2", Series.open(site.sentinel2)), minimum=(0.0,) * 16, maximum=(1.0,) * 16),
    ]
    return Manifest(Method.of("TWINNS"), "small", tuple(sensors), CLASSES, settings={"seed": 7})


@pytest.fixture
def model(manifest, tmp_path):
    network = manifest.build()
    write_model(tmp_path / "model.twinns", manifest, TrainedNetwork(network), HISTORY)
    return tmp_path / "model.twinns", network


def rewrite(path, name, content):
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = content
    with zipfile.ZipFile(path, "w") as archive:
        for part, data in parts.items():
            archive.writestr(part, data)


def test_model_comes_back_as_it_was(model, manifest):
    path, network = model
    found = read_model(path)
    assert found.manifest == manifest
    assert list(found.history) == HISTORY
    for one, other in zip(found.classifier.network.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_hyperparameters_come_back(manifest, tmp_path):
    frozen = replace(manifest, hyperparameters=Hyperparameters(0.2, "frozen", 0.3))
    path = tmp_path / "frozen.twinns"
    write_model(path, frozen, TrainedNetwork(frozen.build()), HISTORY)
    network = read_model(path).classifier.network
    branch = network.get_layer("sentinel1_cnn_branch")
    assert [(block.dropout, block.batch_norm) for block in branch.blocks] == [(0.2, "frozen")] * 3
    assert loss_weights(network)["sentinel1_cnn"] == 0.3
    values = frozen.to_json()
    values["hyperparameters"]["batch_norm"] = "thawed"
    rewrite(path, "manifest.json", json.dumps(values))
    with pytest.raises(InputError, match=r"manifest of .* can't be used"):
        read_model(path)


def test_weights_are_stored_without_the_optimiser(model, manifest, tmp_path):
    _, network = model
    network.compile(keras.optimizers.Adam(), loss="mse")
    network.optimizer.build(network.trainable_variables)
    write_model(tmp_path / "compiled.twinns", manifest, TrainedNetwork(network), HISTORY)
    assert (tmp_path / "compiled.twinns").stat().st_size < 1.1 * (tmp_path / "model.twinns").stat().st_size


@pytest.fixture
def raw(manifest):
    """Random raw values of 40 patches."""
    random = np.random.default_rng(0)
    return {
        sensor.name: random.integers(1, 250, (40, 5, 5, len(sensor.dates), len(sensor.bands))).astype(sensor.dtype)
        for sensor in manifest.sensors
    }


@pytest.fixture
def make_forest_model(manifest, raw, tmp_path):
    """Returns a function that writes a model file of forests fitted on random values; it gives path and classifier."""

    def make(method):
        own = replace(manifest, method=Method.of(method))
        network = own.build() if own.method.network else None
        tables = own.method.tables(own.sensors, network)
        forests = {
            name: RandomForestClassifier(6, random_state=1).fit(table[:, 0, 0], np.arange(40) % 2)
            for name, table in tables(raw).items()
        }
        classifier = TrainedForests(tables, forests, network)
        write_model(tmp_path / "forest.twinns", own, classifier, HISTORY if network else [])
        return tmp_path / "forest.twinns", classifier

    return make


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.forests])
def test_stored_forests_give_the_same_scores_to_the_last_bit(make_forest_model, raw, method):
    path, classifier = make_forest_model(method)
    found = read_model(path)
    assert found.manifest.method.name == method
    assert np.ptp(classifier.scores(raw)[..., 0]) > 0
    np.testing.assert_array_equal(found.classifier.scores(raw), classifier.scores(raw))


@pytest.mark.parametrize("name", ["weights.keras", "forest.skops"])
def test_a_model_that_lacks_a_part_is_refused(make_forest_model, name):
    path, _ = make_forest_model("RF(TWINNS)")
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist() if part != name}
    with zipfile.ZipFile(path, "w") as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    with pytest.raises(InputError, match=rf"lacks {name}, which RF\(TWINNS\) needs"):
        read_model(path)


@pytest.mark.parametrize("content", [b"no zip", b""])
def test_file_that_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "other.twinns").write_bytes(content)
    with pytest.raises(InputError, match=r"other\.twinns is no model"):
        read_model(tmp_path / "other.twinns")


def test_zip_without_a_manifest_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.twinns", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="is no model"):
        read_model(tmp_path / "other.twinns")


def test_missing_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.twinns does not exist"):
        read_model(tmp_path / "nowhere.twinns")


def test_truncated_model_is_refused(model):
    path, _ = model
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="is no model of TWINNS, or it is damaged"):
        read_model(path)


def test_newer_format_is_refused(model, manifest):
    path, _ = model
    rewrite(path, "manifest.json", json.dumps({**manifest.to_json(), "format": 99}))
    with pytest.raises(InputError, match=r"format 99.*Update"):
        read_model(path)


def test_a_model_whose_indices_were_not_clipped_is_refused(model, manifest):
    path, *_ = model
    rewrite(path, "manifest.json", json.dumps({**manifest.to_json(), "format": 1}))
    with pytest.raises(InputError, match=r"earlier version.*Train the model once more"):
        read_model(path)


@pytest.mark.parametrize("change", [{"size": "huge"}, {"method": "magic"}, {"sensors": [{}]}, {"classes": None}])
def test_manifest_that_makes_no_sense_is_refused(model, manifest, change):
    path, _ = model
    rewrite(path, "manifest.json", json.dumps({**manifest.to_json(), **change}))
    with pytest.raises(InputError, match=r"manifest of .* can't be used"):
        read_model(path)


def test_weights_of_another_network_are_refused(model, manifest):
    path, _ = model
    rewrite(path, "manifest.json", json.dumps({**manifest.to_json(), "size": "compact"}))
    with pytest.raises(InputError, match=r"weights in .* don't fit"):
        read_model(path)


def test_a_network_too_large_for_its_weights_is_not_built(model, manifest, monkeypatch):
    path, _ = model
    values = manifest.to_json()
    values["sensors"][1]["dates"] = [(date(1, 1, 1) + timedelta(days=day)).isoformat() for day in range(20_000)]
    rewrite(path, "manifest.json", json.dumps(values))
    monkeypatch.setattr(Manifest, "build", None)
    with pytest.raises(InputError, match=r"weights in .* don't fit"):
        read_model(path)


@pytest.mark.parametrize("name", ["history.json", "manifest.json", "weights.keras"])
def test_a_part_that_grows_beyond_measure_is_not_read(model, name):
    path, _ = model
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in {**parts, name: bytes(40 << 20)}.items():
            archive.writestr(part, data)
    tracemalloc.start()
    with pytest.raises(InputError, match="is no model of TWINNS, or it is damaged"):
        read_model(path)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_a_model_without_a_network_whose_manifest_is_damaged_is_refused(make_forest_model):
    path, _ = make_forest_model("RF")
    with zipfile.ZipFile(path) as archive:
        values = json.loads(archive.read("manifest.json"))
    values["sensors"][1]["minimum"].pop()
    rewrite(path, "manifest.json", json.dumps(values))
    with pytest.raises(InputError, match=r"manifest of .* can't be used.*'minimum'.*15 numbers; 16 belong"):
        read_model(path)


@pytest.fixture
def forest_model(make_forest_model):
    """The path of a model of forests, and its bytes."""
    path, _ = make_forest_model("RF")
    return path, path.read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_bytes_are_damaged_a_model_is_read_or_refused(forest_model, data):
    path, whole = forest_model
    content = bytearray(whole)
    place = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.sampled_from([1, 4, 100]))
    content[place : place + length] = data.draw(st.binary(min_size=length, max_size=length))
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        read_model(path)
