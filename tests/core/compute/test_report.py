"""The report tells what is wrong, and nothing personal."""

import getpass
import json
import os
import socket
import stat
import unicodedata
from pathlib import Path, PurePath, PureWindowsPath
from urllib.parse import quote

import pytest

from twinns_qgis.compute.report import anonymous, examine

TOLD = {
    "python": "3.12.1", "backend": "tensorflow", "versions": {"keras": "3.15", "secret-package": "1"},
    "speeds": {"cpu:0": 59.9}, "loss": 1.5,
}  # fmt: skip


def address(home):
    return "file://" + quote(home.replace("\\", "/"), safe="/:")


def decomposed(text):
    return unicodedata.normalize("NFD", text)


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
        "/home/jane.doe/QGIS /home/jane.doe2/x C:\\Users\\Jane.Doe\\x on jane-laptop.example.org, JANE-LAPTOP, "
        "http://jane.doe:pa%40ss@proxy:3128/"
    )
    assert text == "~/QGIS /home/***/x C:\\Users\\***\\x on ***, ***, http://***@proxy:3128/"
    monkeypatch.setenv("HTTPS_PROXY", "http://me:geheim@proxy:1")
    assert "geheim" not in report(Path("/none"), tmp_path)


HOMES = [
    "/home/Jane Doe", "/home/o'neil (gis)", "/Users/Zoé Ödegård", "/home/li", "/data/people/jane+gis", "/home/[x]",
    "C:\\Users\\Jane Doe", "/home/qgis", "/root",
]  # fmt: skip


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("form", [str, address, repr, str.upper, decomposed])
def test_the_home_folder_is_not_told_however_it_is_named_and_written(monkeypatch, home, form):
    monkeypatch.setattr(Path, "home", lambda: PurePath(home) if "/" in home else PureWindowsPath(home))
    monkeypatch.setattr(getpass, "getuser", lambda: home.replace("\\", "/").rpartition("/")[2])
    written = form(home)
    told = anonymous(f"Tried {written}/QGIS/x: none. Plugin: {written}")
    assert told == anonymous(told)
    assert written.strip("'") not in told
    assert "QGIS/x: none. Plugin: " in told


@pytest.mark.parametrize("name", ["qgis", "Python", "root", "linux", "user"])
def test_a_name_of_nobody_leaves_the_report_readable(monkeypatch, name):
    monkeypatch.setattr(getpass, "getuser", lambda: name)
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    text = "QGIS: 3.22, Python 3.11 on Linux, of the user root"
    assert anonymous(text) == text


@pytest.mark.parametrize("proxy", ["http://me:geheim@proxy.firm:1", "me:geheim@proxy.firm:1", "socks5://proxy.firm"])
def test_of_a_proxy_is_told_that_it_is_set(tmp_path, proxy):
    variables = {"HTTPS_PROXY": proxy, "NO_PROXY": "intranet.firm"}
    text = examine(None, variables, origin="", folder=tmp_path, facts={})
    assert "Variable HTTPS_PROXY: is set" in text
    assert "geheim" not in text
    assert "firm" not in text


@pytest.mark.parametrize(("versions", "wrong"), [({"nvidia-cudnn-cu12": "9"}, True), ({}, False)])
def test_a_gpu_that_is_not_seen_is_told(tmp_path, monkeypatch, versions, wrong):
    monkeypatch.setattr("twinns_qgis.compute.report.has_nvidia", lambda variables: False)
    text = report(None, tmp_path, told={**TOLD, "versions": versions})
    assert "GPU: none is seen" in text
    assert ("has no driver of NVIDIA" in text) == wrong
