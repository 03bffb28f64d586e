"""Setting the compute environment up and examining it, as QGIS runs them."""

import shutil
import time
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingException


@pytest.fixture
def profile(monkeypatch, tmp_path):
    """A fresh profile, without a compute environment."""
    monkeypatch.delenv("TWINNS_PYTHON", raising=False)
    monkeypatch.setattr(QgsApplication, "qgisSettingsDirPath", lambda: str(tmp_path / "Profil Élodie #1 100%") + "/")
    return tmp_path / "Profil Élodie #1 100%"


@pytest.mark.slow
def test_an_existing_python_is_used_after_it_has_computed(provider, run, profile, compute_python, feedback, tmp_path):
    report = tmp_path / "report.txt"
    assert run("setupcompute", {"INTERPRETER": str(compute_python), "REPORT": str(report)}) == {"REPORT": str(report)}
    assert provider.algorithm("createdemosite").create().canExecute() == (True, "")
    text = report.read_text(encoding="utf-8")
    assert "Keras computes with tensorflow" in text
    assert "Device cpu:0" in text
    assert any("is ready" in said for kind, said in feedback.said if kind == "info")
    assert run("setupcompute", {"BACKEND": "remove"}) == {}
    assert not provider.algorithm("createdemosite").create().canExecute()[0]
    assert compute_python.exists()


@pytest.mark.parametrize("name", ["ls", "false"])
def test_an_interpreter_that_is_no_python_is_refused(run, profile, name):
    with pytest.raises(QgsProcessingException, match=r"not a working Python(.|\n)*INTERPRETER"):
        run("setupcompute", {"INTERPRETER": shutil.which(name)})
    assert not (profile / "twinns/environment.json").exists()


def test_qgis_itself_is_not_started(run, profile, program, tmp_path):
    qgis = program(f"#!/bin/sh\ntouch {tmp_path}/started\n").rename(tmp_path / "qgis-bin")
    with pytest.raises(QgsProcessingException, match="QGIS itself"):
        run("setupcompute", {"INTERPRETER": str(qgis)})
    assert not (tmp_path / "started").exists()


def test_cancelling_is_prompt(run, profile, program, feedback):
    slow = program("#!/bin/sh\nsleep 60\n")
    feedback.setProgress = lambda percent: None
    feedback.isCanceled = lambda: True
    started = time.monotonic()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("setupcompute", {"INTERPRETER": str(slow)})
    assert time.monotonic() - started < 3


def test_a_second_qgis_waits_its_turn(run, profile, provider):
    from twinns.algorithms.environment import place

    with place().locked(), pytest.raises(QgsProcessingException, match="being set up already"):
        run("setupcompute", {"BACKEND": "remove"})


def test_checking_without_an_environment_says_what_to_do_and_nothing_personal(
    run, profile, feedback, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    report = tmp_path / "report.txt"
    run("checkcompute", {"REPORT": str(report)})
    text = report.read_text(encoding="utf-8")
    assert "QGIS: " in text
    assert "twinns:setupcompute" in text
    assert str(tmp_path) not in text
    assert ("info", text) in feedback.said


def test_a_report_that_cannot_be_written_is_told(run, profile, tmp_path):
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(QgsProcessingException, match=r"folder\.txt"):
        run("checkcompute", {"REPORT": str(tmp_path / "folder.txt")})
