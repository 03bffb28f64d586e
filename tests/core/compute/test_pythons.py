"""Which programs are Pythons that serve, and where they are looked for."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from twinns_qgis.compute import pythons
from twinns_qgis.compute.pythons import Python, by_preference, candidates, own_python, probe


@pytest.fixture
def program(tmp_path):
    """Returns a function that makes a program of a name that says something."""

    def make(name, said):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


def answer(**values):
    told = {"version": [3, 12], "bits": 64, "libc": "glibc", "pip": True, "venv": True, "ssl": True}
    return json.dumps({**told, **values})


def test_this_python_is_one():
    found = probe(Path(sys.executable), os.environ)
    assert (found.version, found.ssl, found.why_unfit) == (sys.version_info[:2], True, "")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"version": [3, 9]}, "Python 3.9, Python 3.10 to 3.13 is needed"),
        ({"version": [3, 14]}, "Python 3.14, Python 3.10 to 3.13 is needed"),
        ({"version": [2, 7]}, "Python 2.7"),
        ({"bits": 32}, "32 bits, 64 are needed"),
        ({"libc": "musl"}, "musl"),
        ({}, ""),
    ],
)
def test_a_python_that_the_packages_do_not_run_on_is_told(program, values, expected):
    found = probe(program("python", answer(**values)), os.environ).why_unfit
    assert found == expected or (expected and expected in found)


@pytest.mark.parametrize("said", ["", "hello", "[]", "{}", '{"version": "x"}', "null"])
def test_a_program_that_says_something_else_is_no_python(program, said):
    assert "not a working Python" in probe(program("python", said), os.environ)


def test_lines_before_the_answer_do_not_matter(program):
    assert probe(program("python", f"a greeting\n{answer()}"), os.environ).version == (3, 12)


@pytest.mark.parametrize("name", ["qgis", "QGIS", "qgis-bin.exe", "qgis-ltr-bin.exe"])
def test_qgis_is_not_started(program, name):
    assert probe(program(name, answer()), os.environ) == "QGIS itself, not a Python"


def test_the_version_that_is_tested_most_comes_first():
    found = [Python(Path(str(minor)), (3, minor)) for minor in (9, 10, 11, 13, 12, 14)]
    assert [python.version[1] for python in by_preference(found)] == [12, 13, 11, 10]


def test_each_python_is_looked_at_once(tmp_path, program):
    real = program("python3.12", answer())
    (tmp_path / "python3").symlink_to(real)
    twice = os.pathsep.join([str(tmp_path), str(tmp_path)])
    assert [path for path in candidates({"PATH": twice}) if path.parent == tmp_path] == [real]


def test_qgis_own_python_on_windows_is_not_the_program_that_runs(monkeypatch):
    monkeypatch.setattr(pythons.sys, "platform", "win32")
    monkeypatch.setattr(pythons.sys, "executable", "C:/OSGeo4W/bin/qgis-bin.exe")
    monkeypatch.setattr(pythons.sys, "prefix", "C:/OSGeo4W/apps/Python312")
    assert own_python() == Path("C:/OSGeo4W/apps/Python312/python.exe")


def test_qgis_own_python_on_macos_lies_in_the_bundle(monkeypatch, tmp_path, program):
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python3"
    python.touch()
    monkeypatch.setattr(pythons.sys, "platform", "darwin")
    monkeypatch.setattr(pythons.sys, "executable", str(tmp_path / "QGIS"))
    monkeypatch.setattr(pythons.sys, "prefix", str(tmp_path / "elsewhere"))
    assert own_python() == python


def test_the_stand_in_that_asks_for_developer_tools_is_never_started(monkeypatch):
    monkeypatch.setattr(pythons.sys, "platform", "darwin")
    assert not [path for path in candidates({"PATH": "/usr/bin"}) if os.path.realpath(path).startswith("/usr/bin/")]


def test_macs_with_intel_processors_have_no_packages(monkeypatch):
    monkeypatch.setattr(pythons.sys, "platform", "darwin")
    monkeypatch.setattr(pythons.platform, "machine", lambda: "x86_64")
    assert "Intel" in pythons.why_no_wheels()
    monkeypatch.setattr(pythons.platform, "machine", lambda: "arm64")
    assert pythons.why_no_wheels() == ""
