"""The job that trains: what it writes, what it refuses, and what a cancellation leaves."""

import io
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.files import sha256_of
from twinns_qgis.jobs.declarations import METHODS
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.methods import METHODS as REGISTERED
from twinns_qgis.networks.hyperparameters import Hyperparameters
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series
from twinns_qgis.training.augmentation import Augmentation
from twinns_qgis.training.fit import Fitting
from twinns_qgis.training.learners import network as network_learner
from twinns_qgis.training.model_file import read_model

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def settings(site, tmp_path):
    return {
        "sentinel1": site.sentinel1,
        "sentinel2": site.sentinel2,
        "polygons": str(site.polygons),
        "class_field": "name",
        "size": "small",
        "epochs": 4,
        "learning_rate": 1e-3,
        "trees": "10,30",
        "depths": "3,20",
        "model": tmp_path / "model.twinns",
    }


def test_training_writes_model_report_and_split(settings, site, listener, tmp_path):
    outputs = TrainModel(**settings, report=tmp_path / "report.html", split=tmp_path / "split.gpkg").run(listener)
    assert outputs["accuracy"] > 0.9
    model = read_model(tmp_path / "model.twinns")
    manifest = model.manifest
    assert manifest.measures["accuracy"] == outputs["accuracy"]
    assert manifest.inputs["sentinel1"] == sha256_of(site.sentinel1)
    assert [item.name for item in manifest.classes] == ["water", "wheat", "wood"]
    assert len(model.history) == 4
    assert manifest.temperature > 0
    assert manifest.temperature != 1
    assert 0 <= manifest.measures["expected_calibration_error"] <= 1
    best = max(model.history, key=lambda epoch: epoch.validation_accuracy)
    assert manifest.settings["best_epoch"] == best.epoch
    assert sum(manifest.split["pixels"]["test"].values()) == np.sum(manifest.measures["confusion"])
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "wheat" in report
    assert f"{100 * outputs['accuracy']:.2f}" in report or f"{outputs['accuracy']:.3f}" in report
    assert set(geopandas.read_file(tmp_path / "split.gpkg")["split"]) == {"train", "validation", "test"}
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model.twinns", "report.html", "split.gpkg"}, "nothing is left beside the outputs"


def test_the_split_has_a_spatial_index(settings, tmp_path):
    settings = {**settings, "method": "RF", "split": tmp_path / "split.gpkg"}
    # Which SQLite GDAL takes is settled once in a process: this one's was settled by what was imported first.
    options = [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    subprocess.run([sys.executable, "-m", "twinns_qgis", "train-model", *options], cwd=ROOT, check=True)
    with closing(sqlite3.connect(tmp_path / "split.gpkg")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert "rtree_split_geom" in tables


def test_polygons_in_a_file_geodatabase_train(settings, site, listener, tmp_path):
    folder = tmp_path / "fields.gdb"
    geopandas.read_file(site.polygons).to_file(folder, driver="OpenFileGDB", layer="fields")
    changed = {"method": "RF", "polygons": f"{folder}|layername=fields", "split": tmp_path / "split.gpkg"}
    assert TrainModel(**{**settings, **changed}).run(listener)["accuracy"] > 0.5
    assert read_model(tmp_path / "model.twinns").manifest.inputs["polygons"] == sha256_of(folder)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_trained_stored_and_mapped(settings, site, listener, tmp_path, method):
    outputs = TrainModel(**{**settings, "method": method, "epochs": 4}).run(listener)
    assert outputs["accuracy"] > 0.5
    assert read_model(tmp_path / "model.twinns").manifest.method.name == method
    MapCover(
        model=tmp_path / "model.twinns", sentinel1=site.sentinel1, sentinel2=site.sentinel2, output=tmp_path / "map.tif"
    ).run(listener)
    with rasterio.open(tmp_path / "map.tif") as dataset:
        codes = dataset.read(1)
    assert (codes == site.truth + 1).mean() > 0.5


def test_every_choice_of_training_is_carried_out_and_told(settings, listener, monkeypatch):
    choices = {
        "patience": 5, "class_weights": "balanced", "augmentation": "symmetries", "date_dropout": 0.2,
        "date_shift": 6.0, "batch_norm": "frozen", "dropout": 0.3, "auxiliary_weight": 0.4, "scaling": "percentiles",
        "optimizer": "sgd", "schedule": "cosine", "warm_up": 0.5, "label_smoothing": 0.2, "smoothing": 2,
        "batch_size": 16, "learning_rate": 3e-4, "epochs": 1, "seed": 7,
    }  # fmt: skip
    fitted_by = []
    fit = network_learner.fit
    monkeypatch.setattr(
        network_learner, "fit", lambda *given, **more: fitted_by.append(given[3]) or fit(*given, **more)
    )
    TrainModel(**{**settings, **choices, "method": "FullCNN"}).run(listener)
    missing = {"sentinel1": 0.0, "sentinel2": -32768.0}
    dates = {name: Series.open(settings[name]).dates for name in missing}
    days = {name: tuple(day.toordinal() for day in own) for name, own in dates.items()}
    assert fitted_by == [
        Fitting(
            epochs=1, batch_size=16, learning_rate=3e-4, seed=7, optimizer="sgd", schedule="cosine", warm_up=0.5,
            label_smoothing=0.2, smoothing=2, patience=5,
            precision="auto", class_weights="balanced", augmentation=Augmentation(True, 0.2, 6.0, missing, days),
        )
    ]  # fmt: skip
    manifest = read_model(settings["model"]).manifest
    assert choices.items() <= dict(manifest.settings).items()
    assert manifest.hyperparameters == Hyperparameters(0.3, "frozen", 0.4)
    assert all(sensor.clip for sensor in manifest.sensors)


def open_settings(settings):
    return {name: value for name, value in settings.items() if name not in ("size", "epochs", "learning_rate")}


def test_what_is_left_open_is_decided_and_told(settings, listener, monkeypatch):
    fitted_by = []

    def fit(*given, **more):
        fitted_by.append(given[3])
        raise Cancelled

    monkeypatch.setattr(network_learner, "fit", fit)
    with pytest.raises(Cancelled):
        TrainModel(**open_settings(settings), method="TWINNS(S1)", device="cpu").run(listener)
    assert (fitted_by[0].epochs, fitted_by[0].schedule) == (30, "cosine")
    assert any("Size compact, as there is no GPU" in message for message in listener.messages)
    assert any("Training will take about" in message for message in listener.messages)


def test_the_papers_recipe_is_one_choice_of_which_any_part_may_be_another(settings, listener, monkeypatch):
    fitted_by = []

    def fit(network, *given, **more):
        fitted_by.append((network.count_params(), given[2]))
        raise Cancelled

    monkeypatch.setattr(network_learner, "fit", fit)
    for other in ({}, {"size": "small", "epochs": 5}):
        with pytest.raises(Cancelled):
            TrainModel(**open_settings(settings), **other, method="TWINNS(S1)", recipe="paper").run(listener)
    (large, paper), (small, changed) = fitted_by
    assert large > 10 * small
    assert (paper.epochs, paper.learning_rate, paper.schedule) == (300, 2e-4, "constant")
    assert (changed.epochs, changed.learning_rate, changed.schedule) == (5, 2e-4, "constant")


def test_the_model_tells_the_size_that_was_chosen(settings, listener):
    TrainModel(**{**settings, "size": "auto", "epochs": 1, "method": "TWINNS(S1)", "device": "cpu"}).run(listener)
    manifest = read_model(settings["model"]).manifest
    assert (manifest.size, manifest.settings["size"], manifest.settings["epochs"]) == ("compact", "compact", 1)
    assert "--size=compact" in manifest.settings["call"]


def test_forests_need_no_size_and_hear_of_none(settings, listener):
    TrainModel(**{**settings, "size": "auto", "method": "RF"}).run(listener)
    assert not [message for message in listener.messages if "Size" in message or "will take" in message]
    assert "size" not in read_model(settings["model"]).manifest.settings


@pytest.mark.parametrize(
    ("method", "unused"),
    [
        ("2ConvLSTM", "DROPOUT, AUXILIARY_WEIGHT, TREES"),
        ("TWINNSNoAux", "AUXILIARY_WEIGHT, TREES"),
        ("RF", "EPOCHS, DATE_DROPOUT, DROPOUT, AUXILIARY_WEIGHT"),
    ],
)
def test_a_parameter_that_the_method_has_no_use_for_is_told(settings, listener, method, unused):
    given = {"date_dropout": 0.1, "dropout": 0.9, "auxiliary_weight": 3.0, "trees": "10", "epochs": 1}
    settings = {name: value for name, value in settings.items() if name not in ("size", "learning_rate", "depths")}
    job = TrainModel(**{**settings, **given, "size": "small", "method": method})
    job.run(listener)
    words = f"{REGISTERED[method].paper_name} does not use "
    assert any(words in message and unused in message for message in listener.messages)
    told = read_model(settings["model"]).manifest.settings
    assert not {name.lower() for name in unused.split(", ")} & set(told)


def test_a_lack_of_memory_says_what_to_lower(settings, listener, monkeypatch):
    class ResourceExhaustedError(Exception):
        """Named as TensorFlow names it."""

    def exhaust(*_, **__):
        raise ResourceExhaustedError("OOM when allocating a tensor")

    monkeypatch.setattr(network_learner, "fit", exhaust)
    with pytest.raises(InputError, match=r"train FullCNN, size small on batches of 64: OOM.*Lower BATCH_SIZE"):
        TrainModel(**{**settings, "method": "FullCNN"}).run(listener)


def test_a_full_disk_at_the_end_is_told(settings, listener, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("twinns_qgis.jobs.experiment.write_model", full)
    with pytest.raises(InputError, match=r"model.twinns can't be written: .*No space left"):
        TrainModel(**{**settings, "method": "RF"}).run(listener)


@pytest.mark.parametrize("method", ["FullCNN", "RF"])
def test_a_report_that_the_disk_does_not_take_is_written_by_the_same_call(settings, listener, monkeypatch, method):
    def full(*_):
        raise InputError("report.html can't be written: No space left on device.", "Check that the disk has room.")

    settings |= {"method": method, "report": settings["model"].with_name("report.html")}
    with monkeypatch.context() as patch:
        patch.setattr("twinns_qgis.assessment.report.write_training_report", full)
        with pytest.raises(InputError, match=r"No space.* The model is whole.* The same call then writes the report"):
            TrainModel(**settings).run(listener)
    whole = read_model(settings["model"]).manifest.measures
    assert checkpoint_of(settings).exists() == (method == "FullCNN")
    TrainModel(**settings).run(listener)
    continued = any(message.startswith("Continuing after epoch") for message in listener.messages)
    assert continued == (method == "FullCNN")
    assert settings["report"].exists()
    assert read_model(settings["model"]).manifest.measures == whole
    assert not checkpoint_of(settings).exists()


def test_a_network_trained_in_bfloat16_is_read_and_tested_in_float32(settings, listener):
    outputs = TrainModel(**{**settings, "precision": "bfloat16", "method": "FullCNN"}).run(listener)
    assert outputs["accuracy"] > 0.9
    model = read_model(settings["model"])
    assert np.isfinite([(epoch.loss, epoch.validation_loss) for epoch in model.history]).all()
    assert model.manifest.settings["precision"] == "bfloat16"
    assert all(layer.compute_dtype == "float32" for layer in model.classifier.network.layers)
    with zipfile.ZipFile(settings["model"]) as archive:
        weights = archive.read("weights.keras")
    assert b"bfloat16" not in zipfile.ZipFile(io.BytesIO(weights)).read("config.json")


def test_the_precision_that_was_chosen_is_told_in_the_model(settings, listener):
    TrainModel(**{**settings, "epochs": 1, "device": "cpu", "method": "FullCNN"}).run(listener)
    assert read_model(settings["model"]).manifest.settings["precision"] == "float32"


def test_the_methods_listed_are_those_that_can_be_built():
    assert list(METHODS) == list(REGISTERED)


@pytest.mark.parametrize("method", ["RF", "RFLF", "RF(TWINNS)"])
def test_forests_tell_in_model_and_report_what_was_chosen(settings, listener, tmp_path, method):
    TrainModel(**{**settings, "method": method, "epochs": 1}, report=tmp_path / "report.html").run(listener)
    model = read_model(tmp_path / "model.twinns")
    chosen = model.manifest.settings["best_forests"]
    for name, forest in model.classifier.forests.items():
        assert len(forest.estimators_) == chosen[name]["trees"]
        assert forest.max_depth == chosen[name]["depth"]
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f"Validation accuracy of the forest on {name}" in report for name in chosen)
    assert ("Loss" in report) == (method == "RF(TWINNS)")
    assert len(model.history) == (method == "RF(TWINNS)")
    assert not checkpoint_of(settings).exists()


def test_cancelled_forests_on_features_leave_the_network_as_a_model(settings, site, listener, tmp_path):
    class Impatient(type(listener)):
        def info(self, message):
            self.stop = message.startswith("Forest on features")

    with pytest.raises(Cancelled, match="The best epoch so far"):
        TrainModel(**{**settings, "method": "RF(TWINNS)", "epochs": 1}).run(Impatient())
    model = read_model(tmp_path / "model.twinns")
    assert model.manifest.method.name == "TWINNS"
    assert not model.classifier.forests
    series = {"sentinel1": site.sentinel1, "sentinel2": site.sentinel2}
    MapCover(model=tmp_path / "model.twinns", **series, output=tmp_path / "map.tif").run(listener)


def test_cancelled_forests_on_series_leave_no_model(settings, listener, tmp_path):
    class Impatient(type(listener)):
        def info(self, message):
            self.stop = message.startswith("Forest on series")

    with pytest.raises(Cancelled, match="there is no model"):
        TrainModel(**{**settings, "method": "RF"}).run(Impatient())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sensor", ["sentinel1", "sentinel2"])
@pytest.mark.parametrize("method", ["TWINNS", "RF"])
def test_one_series_is_enough_for_the_methods_that_can_do_with_it(settings, listener, tmp_path, method, sensor):
    other = {"sentinel1": "sentinel2", "sentinel2": "sentinel1"}[sensor]
    TrainModel(**{**settings, "method": method, other: None, "epochs": 1}).run(listener)
    assert [one.name for one in read_model(tmp_path / "model.twinns").manifest.sensors] == [sensor]


def test_a_method_without_its_series_says_which_it_needs(settings, listener):
    with pytest.raises(InputError, match=r"TWINNS\(S1\) needs a series: SENTINEL1"):
        TrainModel(**{**settings, "method": "TWINNS(S1)", "sentinel1": None}).run(listener)
    with pytest.raises(InputError, match="TWINNS needs a series: SENTINEL1 or SENTINEL2"):
        TrainModel(**{**settings, "sentinel1": None, "sentinel2": None}).run(listener)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentinel1": Path("nowhere.tif")}, "nowhere.tif does not exist"),
        ({"model": Path("/nowhere/model.twinns")}, "folder /nowhere of the output model.twinns does not exist"),
        ({"report": Path("/nowhere/report.html")}, "folder /nowhere of the output report.html does not exist"),
        ({"class_field": "crop"}, "has no field 'crop'"),
        ({"epochs": 0}, "'epochs' is 0"),
        ({"learning_rate": 0.0}, "'learning_rate' is 0.0"),
        ({"seed": -1}, "'seed' is -1"),
        ({"seed": 2**32}, "'seed' is 4294967296"),
        ({"train_share": float("nan")}, "'train_share' is nan"),
        ({"validation_share": 0.0}, "'validation_share' is 0.0"),
        ({"trees": "many"}, "'trees' is 'many'"),
        ({"depths": "20;40"}, "'depths' is '20;40'"),
        ({"patience": -1}, "'patience' is -1"),
        ({"date_dropout": 1.0}, "'date_dropout' is 1.0"),
        ({"dropout": -0.1}, "'dropout' is -0.1"),
        ({"auxiliary_weight": -1.0}, "'auxiliary_weight' is -1.0"),
    ],
)
def test_what_cannot_be_used_is_refused_before_training(settings, listener, change, message):
    with pytest.raises(InputError, match=message):
        TrainModel(**{**settings, **change}).run(listener)


@pytest.mark.parametrize(
    ("output", "at", "message"),
    [
        ("report", "model", "Two outputs have the same name"),
        ("split", "polygons", "is one of the inputs"),
        ("model", "sentinel1", "is one of the inputs"),
        ("report", "sentinel2", "is one of the inputs"),
    ],
)
def test_no_output_replaces_another_or_an_input(settings, listener, output, at, message):
    settings["polygons"] = f"{settings['polygons']}|layername=polygons"
    path = Path(str(settings[at]).split("|")[0])
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(InputError, match=message):
        TrainModel(**{**settings, output: path}).run(listener)
    assert (path.read_bytes() if path.exists() else None) == before


def test_raster_that_is_no_series_is_refused(settings, listener, make_series):
    import rasterio

    path = make_series("plain.tif", np.ones((60, 60, 4, 2), "uint8"))
    with rasterio.open(path, "r+") as dataset:
        dataset.set_band_description(3, "band 3")
    with pytest.raises(InputError, match=r"plain.tif is no series: band 3 is described 'band 3'"):
        TrainModel(**{**settings, "sentinel1": path}).run(listener)


@pytest.fixture
def start_worker():
    """Returns a function that starts the worker on a training and returns it after two epochs."""
    processes = []

    def start(settings):
        parameters = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "twinns_qgis", "worker"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        processes.append(process)
        process.stdin.write(json.dumps({"job": "trainmodel", "parameters": parameters}) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            message = json.loads(line)
            assert message["type"] != "error", message
            under_way = re.match(r"Epoch (\d+) of", message.get("message", ""))
            if message["type"] == "progress" and under_way and int(under_way[1]) > 2:
                break
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_cancelling_keeps_the_best_epoch_within_two_seconds(start_worker, settings):
    worker = start_worker({**settings, "method": "FullCNN", "epochs": 100_000})
    start = time.monotonic()
    worker.stdin.write('{"type": "cancel"}\n')
    worker.stdin.flush()
    last = json.loads(worker.stdout.read().splitlines()[-1])
    worker.wait(5)
    assert time.monotonic() - start < 2
    assert (last["type"], last["kind"]) == ("error", "cancelled")
    assert "The best epoch so far" in last["message"]
    assert read_model(settings["model"]).manifest.measures == {}
    assert checkpoint_of(settings).exists(), "the same call continues"


def test_a_killed_training_continues_to_the_same_bits(start_worker, settings, listener, tmp_path):
    settings = {**settings, "epochs": 6, "method": "TWINNS(S1)"}
    worker = start_worker(settings)
    worker.send_signal(signal.SIGKILL)  # in the midst of the third epoch
    worker.wait(5)
    assert not settings["model"].exists()
    assert checkpoint_of(settings).exists()
    TrainModel(**settings).run(listener)
    assert not checkpoint_of(settings).exists()
    assert any("Continuing after epoch" in message for message in listener.messages)
    assert not any(message.startswith("Epoch 1 ") for message in listener.messages)
    assert listener.warnings == []

    TrainModel(**{**settings, "model": tmp_path / "undisturbed.twinns"}).run(Reporter())
    one, other = read_model(settings["model"]), read_model(tmp_path / "undisturbed.twinns")
    assert [replace(epoch, seconds=0) for epoch in one.history] == [
        replace(epoch, seconds=0) for epoch in other.history
    ]
    for continued, undisturbed in zip(
        one.classifier.network.get_weights(), other.classifier.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(continued, undisturbed)
    assert one.manifest.measures == other.manifest.measures


def test_a_checkpoint_of_another_training_is_not_continued(start_worker, settings, listener):
    settings = {**settings, "method": "FullCNN", "schedule": "constant", "warm_up": 0.0}
    worker = start_worker({**settings, "epochs": 100_000})
    worker.kill()
    worker.wait(5)
    TrainModel(**{**settings, "epochs": 1, "learning_rate": 5e-4}).run(listener)
    [warning] = listener.warnings
    assert "differs in learning_rate: this one starts anew" in warning
    assert [epoch.epoch for epoch in read_model(settings["model"]).history] == [1]


def test_training_stops_when_patience_is_at_its_end(settings, listener):
    # So large a step spoils the network at once, and it stays spoilt.
    settings = {**settings, "method": "FullCNN", "epochs": 30, "patience": 2, "learning_rate": 1.0}
    TrainModel(**settings).run(listener)
    model = read_model(settings["model"])
    assert len(model.history) == model.manifest.settings["best_epoch"] + 2 < 30
    assert any("No better epoch in 2: training stops." in message for message in listener.messages)


def checkpoint_of(settings):
    return settings["model"].with_name("model.twinns.checkpoint")
