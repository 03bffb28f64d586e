"""The report tells what is wrong, and nothing personal."""

import getpass
import json
import os
import socket
import stat
from pathlib import Path

import pytest

from twinns_qgis.compute.report import anonymous, examine

TOLD = {
    "python": "3.12.1", "backend": "tensorflow", "versions": {"keras": "3.15", "secret-package": "1"},
    "speeds": {"cpu:0": 59.9}, "loss": 1.5,
}  # fmt: skip


@pytest.fixture
def python(tmp_path):
    """Returns a function that makes a Python which answers the probe, then does what is told."""

    def make(lines, version="3, 12"):
        path = tmp_path / "python"
        answer = f'{{"version": [{version}], "bits": 64, "libc": "glibc", "pip": 1, "venv": 1, "ssl": 1}}'
        path.write_text(f"#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{answer}'; else {lines}; fi\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


def report(path, tmp_path, **more):
    return examine(path, os.environ, origin="named", folder=tmp_path, facts={"QGIS": "3.22"}, **more)


def test_versions_devices_disk_memory_and_settings_are_told(python, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    text = report(python(f"echo '{json.dumps(TOLD)}'"), tmp_path)
    for expected in ("QGIS: 3.22", "keras 3.15", "Device cpu:0: 59.9 GFLOP/s", "Disk:", "Memory:", "KERAS_BACKEND"):
        assert expected in text
    assert "nothing was found" in text


@pytest.mark.parametrize(
    ("lines", "version", "expected"),
    [
        ("echo no module named keras; exit 1", "3, 12", "no module named keras"),
        ("kill -9 $$", "3, 12", "ended by signal 9"),
        ("true", "3, 9", "Python 3.9, Python 3.10 to 3.13 is needed"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(python, tmp_path, lines, version, expected):
    text = report(python(lines, version), tmp_path).partition("What is wrong:")[2]
    assert expected in text
    assert "twinns:setupcompute" in text


def test_no_interpreter_is_told(tmp_path):
    assert "twinns:setupcompute" in report(tmp_path / "none", tmp_path)


def test_nothing_personal_is_told(python, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/jane.doe")
    monkeypatch.setattr(getpass, "getuser", lambda: "jane.doe")
    monkeypatch.setattr(socket, "gethostname", lambda: "jane-laptop.example.org")
    text = anonymous(
        "/home/jane.doe/QGIS /home/jane.doe2 C:\\Users\\Jane.Doe\\x on jane-laptop.example.org, JANE-LAPTOP, "
        "http://jane.doe:pa%40ss@proxy:3128/"
    )
    assert text == "~/QGIS /home/jane.doe2 C:\\Users\\***\\x on ***, ***, http://***@proxy:3128/"
    monkeypatch.setenv("HTTPS_PROXY", "http://me:geheim@proxy:1")
    assert "geheim" not in report(Path("/none"), tmp_path)
