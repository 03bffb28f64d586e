"""The command line: outputs, exit status, and where messages go."""

import json
from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis import __version__
from twinns_qgis.jobs import command_line
from twinns_qgis.jobs.command_line import main, parse
from twinns_qgis.series.series import Series


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "s1_vv_20180301.tif"
    place = {"crs": "EPSG:32631", "transform": from_origin(500000, 5600000, 10, 10)}
    with rasterio.open(path, "w", width=8, height=8, count=1, dtype="float32", **place) as dataset:
        dataset.write(np.full((1, 8, 8), -10, "float32"))
    return path


@pytest.fixture
def call(image, tmp_path):
    options = ["--layers", image, "--reference", image, "--output", tmp_path / "out.tif"]
    return ["prepare-sentinel1", *map(str, options)]


def test_a_job_runs_and_names_its_outputs(call, tmp_path, capsys):
    assert main(call) == 0
    assert Series.open(tmp_path / "out.tif").dates == (date(2018, 3, 1),)
    captured = capsys.readouterr()
    assert captured.out == f"output: {tmp_path / 'out.tif'}\n"
    assert "100%" in captured.err


def test_json_is_one_object_on_the_last_line(call, tmp_path, capsys):
    assert main([*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"output": str(tmp_path / "out.tif")}


def test_an_error_is_one_message_and_status_1(call, tmp_path, capsys):
    assert main([*call, "--units", "power"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("twinns prepare-sentinel1: ")
    assert "Set UNITS to dB" in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "out.tif").exists()


@pytest.mark.parametrize("change", [["--units", "dBm"], ["--unknown", "1"]])
def test_a_wrong_call_is_status_2(call, change):
    with pytest.raises(SystemExit) as stop:
        main([*call, *change])
    assert stop.value.code == 2


@pytest.mark.parametrize("arguments", [[], ["unknown-job"], ["prepare-sentinel2"]])
def test_a_call_that_lacks_something_is_status_2(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_a_date_that_is_none_is_status_1(call, capsys):
    assert main([*call, "--start", "March"]) == 1
    assert "'start' is 'March'" in capsys.readouterr().err


def test_version_and_help_tell_what_there_is(capsys):
    for arguments, words in ((["--version"], __version__), (["--help"], "prepare-sentinel2")):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0
        assert words in capsys.readouterr().out


def test_help_tells_limits_and_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train-model", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    expected = "more than 0, below 1. Default: 0.3."
    assert f"polygons, or objects of several polygons, to train on. Expected: {expected}" in told


@pytest.mark.parametrize("write", [["--extent", "-61.5,-60,14,15"], ["--extent=-61.5,-60,14,15"]])
def test_an_extent_may_begin_with_a_minus(write):
    given = ["map-cover", "--model", "m.twinns", "--output", "out.tif", *write, "--memory", "512"]
    options = parse(given)[1]
    assert (options["extent"], options["memory"]) == ("-61.5,-60,14,15", "512")


def test_layers_are_given_at_once_or_one_by_one():
    for given in (["--layers", "a.tif", "b.tif"], ["--layers=a.tif", "--layers=b.tif"]):
        assert parse(["prepare-sentinel2", *given, "--output=o.tif"])[1]["layers"] == ["a.tif", "b.tif"]


def test_help_names_no_default_where_there_is_none(capsys):
    with pytest.raises(SystemExit):
        main(["prepare-sentinel2", "--help"])
    assert "Default: ." not in capsys.readouterr().out


def test_a_log_gets_a_line_for_a_percent_and_none_within_ten_seconds(capsys, monkeypatch):
    """A night's log had 86 000 lines."""
    now = [0.0]
    monkeypatch.setattr(command_line.time, "monotonic", lambda: now[0])
    reporter = command_line._TerminalReporter()
    for step in range(86_400):
        now[0] += 0.5
        reporter.progress(step / 86_400, "training")
    reporter.progress(1.0)
    reporter.progress(1.0)
    lines = capsys.readouterr().err.splitlines()
    assert 90 < len(lines) <= 102
    assert lines[0].startswith("  0%")
    assert lines[-1].startswith("100%")
    assert len(set(lines)) == len(lines)


def test_a_short_job_tells_its_beginning_and_its_end(capsys):
    reporter = command_line._TerminalReporter()
    for step in range(1001):
        reporter.progress(step / 1000)
    assert [line.split("%")[0].strip() for line in capsys.readouterr().err.splitlines()] == ["0", "100"]
