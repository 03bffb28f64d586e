"""The job that compares methods: on the same splits, run by run, and only what is missing."""

import csv
import json

import numpy as np
import pytest

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.jobs.compare_methods import CompareMethods
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.reporter import Reporter
from twinns_qgis.training.model_file import read_manifest


@pytest.fixture
def settings(site, tmp_path):
    return {
        "sentinel1": site.sentinel1,
        "sentinel2": site.sentinel2,
        "polygons": str(site.polygons),
        "class_field": "name",
        "methods": ("RF", "RFLF"),
        "runs": 2,
        "trees": "10",
        "depths": "20",
        "folder": tmp_path / "runs",
    }


def compared(settings, **changes):
    CompareMethods(**{**settings, **changes}).run(Reporter())
    return {path.name: path.stat().st_mtime_ns for path in settings["folder"].glob("*.twinns")}


def test_all_methods_see_the_same_splits_and_each_run_another_one(settings, monkeypatch):
    drawn = {}
    draw = TrainModel.draw

    def watched(job, grid, reporter):
        polygons, samples = draw(job, grid, reporter)
        drawn[job.method, job.seed] = samples.object_parts.tolist()
        return polygons, samples

    monkeypatch.setattr(TrainModel, "draw", watched)
    compared(settings)
    assert drawn["RF", 0] == drawn["RFLF", 0] != drawn["RF", 1] == drawn["RFLF", 1]


def test_report_and_table_tell_what_the_models_do(settings, tmp_path):
    how = {**settings, "report": tmp_path / "report.html", "table": tmp_path / "table.csv"}
    outputs = CompareMethods(**how).run(Reporter())
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [float(row["value"]) for row in rows if row["measure"] == "accuracy" and row["method"] == "RF(S1,S2)"]
    manifests = [read_manifest(path) for path in sorted(settings["folder"].glob("RF-run*.twinns"))]
    assert found == pytest.approx([one.measures["accuracy"] for one in manifests], abs=1e-6)
    means = [
        np.mean([float(row["value"]) for row in rows if row["measure"] == "accuracy" and row["method"] == method])
        for method in ("RF(S1,S2)", "RFLF(S1,S2)")
    ]
    assert outputs["accuracy"] == pytest.approx(max(means), abs=1e-6)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{100 * means[0]:.1f} ±" in page
    assert page.count("RFLF(S1,S2)") > 3
    assert "px/s" in page


def test_only_what_is_missing_is_computed(settings, listener):
    first = compared(settings, runs=1)
    second = compared(settings)
    assert {name: second[name] for name in first} == first
    assert len(second) == 4
    assert compared(settings) == second
    other = compared(settings, train_share=0.4, runs=1)
    assert len(other) == 6, "other settings are other runs, and spoil none"
    assert {name: other[name] for name in second} == second


def test_a_run_without_its_facts_was_not_finished(settings):
    first = compared(settings, runs=1)
    name = next(iter(first))
    (settings["folder"] / name).with_suffix(".json").unlink()
    second = compared(settings, runs=1)
    assert [one for one in first if first[one] != second[one]] == [name]


def test_a_cancelled_comparison_keeps_what_is_finished(settings, listener, monkeypatch):
    trained = []
    run = TrainModel.run

    def stopping(job, reporter):
        if len(trained) == 2:
            raise Cancelled
        trained.append(job.method)
        return run(job, reporter)

    monkeypatch.setattr(TrainModel, "run", stopping)
    with pytest.raises(Cancelled):
        compared(settings)
    assert trained == ["RF", "RFLF"], "run by run, so that all methods have about as many"
    assert len(list(settings["folder"].glob("*.json"))) == 2


def test_a_method_that_cannot_be_trained_is_told_and_the_others_go_on(settings, listener, tmp_path):
    how = {**settings, "sentinel2": None, "methods": ("TWINNS(S2)", "RF"), "runs": 1, "report": tmp_path / "r.html"}
    CompareMethods(**how).run(listener)
    assert any("TWINNS(S2) is left out: TWINNS(S2) needs a series" in warning for warning in listener.warnings)
    assert "TWINNS(S2) is missing" in (tmp_path / "r.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="No method could be trained"):
        CompareMethods(**{**how, "methods": ("TWINNS(S2)",)}).run(Reporter())


def test_a_network_is_compared_with_a_forest(settings, tmp_path):
    how = {"methods": ("TWINNS", "RF"), "size": "small", "epochs": 1, "runs": 1, "table": tmp_path / "table.csv"}
    CompareMethods(**{**settings, **how}).run(Reporter())
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rates = {row["method"]: float(row["value"]) for row in csv.DictReader(file) if "per_second" in row["measure"]}
    assert set(rates) == {"TWINNS", "RF(S1,S2)"}
    assert min(rates.values()) > 0
    facts = [json.loads(path.read_text()) for path in settings["folder"].glob("*.json")]
    assert all(one["seconds"] > 0 for one in facts)


def test_methods_are_words_each_once(settings):
    for methods in ((), ("RF", "RF"), ("RF", "SVM")):
        with pytest.raises(InputError, match="methods"):
            CompareMethods(**{**settings, "methods": methods})
