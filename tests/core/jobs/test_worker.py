"""The worker's protocol, spoken with a process as QGIS does."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

ROOT = Path(__file__).resolve().parents[3]

# A worker that knows one more job, which does what it is told.
EXAMPLE = """
import os
import sys
import time
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.jobs import JOBS
from twinns_qgis.jobs.job import Job
from twinns_qgis.jobs.parameters import FilePath, Text
from twinns_qgis.jobs.worker import run_worker


class Example(Job):
    command = "example"
    what: str = Text("What", "What to do.")
    output: Path | None = FilePath("Output", "What to write.", default=None)

    def run(self, reporter):
        return getattr(self, self.what)(reporter) or {"what": self.what}

    def noise(self, reporter):
        print("from Python")
        os.write(1, b"from native code")
        os.system("echo from a child")
        reporter.progress(0.5, "half")
        reporter.info("an info")
        reporter.warning("a warning")

    def refuse(self, reporter):
        raise InputError("a.tif is wrong.", "Mend it.")

    def refuse_output(self, reporter):
        reporter.warning(f"{self.output} is odd.")
        raise InputError(f"{self.output}|layername=a is wrong.", f"Mend {self.output}.")

    def break_down(self, reporter):
        raise ZeroDivisionError("by zero")

    def exhaust(self, reporter):
        raise MemoryError("17 GB")

    def wait(self, reporter):
        reporter.info("waiting")
        while True:
            time.sleep(0.02)
            reporter.check_cancelled()

    def hang(self, reporter):
        with whole_file(self.output) as partial:
            partial.write_text("half")
            reporter.info("waiting")
            time.sleep(60)


    def keep(self, reporter):
        def save():
            time.sleep(3)
            return "All is kept."

        with reporter.last_resort(save):
            reporter.info("waiting")
            time.sleep(60)

    def fail_to_keep(self, reporter):
        def save():
            raise InputError("The disk is full.", "Free some space.")

        with reporter.last_resort(save):
            reporter.info("waiting")
            time.sleep(60)

    def stop_while_keeping(self, reporter):
        def save():
            time.sleep(3)
            return "All is kept."

        with reporter.last_resort(save):
            reporter.info("waiting")
            while not reporter.cancelled:
                time.sleep(0.02)
            time.sleep(2)
            reporter.check_cancelled()

    def forget(self, reporter):
        with reporter.last_resort(lambda: "This is over."):
            pass
        reporter.info("waiting")
        time.sleep(60)


JOBS[Example.id()] = Example
sys.exit(run_worker())
"""


@pytest.fixture
def start(tmp_path):
    """Returns a function that starts a worker and gives it its first line."""
    script = tmp_path / "worker.py"
    script.write_text(EXAMPLE)
    started = []

    def run(line, command=(str(script),)):
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def _request(what, **parameters):
    return json.dumps({"job": "example", "parameters": {"what": what, **parameters}})


def _finish(process):
    """Reads the lines to the end; exactly the last one is a result or an error."""
    lines = [json.loads(line) for line in process.stdout]
    assert [line["type"] in ("result", "error") for line in lines] == [False] * (len(lines) - 1) + [True]
    return lines, process.wait(timeout=20)


def test_foreign_output_does_not_mix_with_the_protocol(start):
    process = start(_request("noise"))
    lines, status = _finish(process)
    assert [line["type"] for line in lines] == ["progress", "info", "warning", "result"]
    assert lines[0] == {"type": "progress", "fraction": 0.5, "message": "half"}
    assert lines[-1]["outputs"] == {"what": "noise"}
    assert status == 0
    stderr = process.stderr.read()
    assert all(text in stderr for text in ("from Python", "from native code", "from a child"))


@pytest.mark.parametrize(
    ("what", "kind", "message"),
    [
        ("refuse", "input", "a.tif is wrong."),
        ("break_down", "internal", "ZeroDivisionError: by zero"),
        ("exhaust", "memory", "17 GB"),
    ],
)
def test_every_failure_is_one_error_line(start, what, kind, message):
    (error,), status = _finish(start(_request(what)))
    assert (error["type"], error["kind"], status) == ("error", kind, 1)
    assert message in error["message"]
    assert error["hint"]


def test_messages_tell_what_a_temporary_file_stands_for(start):
    parameters = {"what": "refuse_output", "output": "/tmp/x/1.gpkg"}
    request = {"job": "example", "parameters": parameters, "stands_for": {"output": "fields.gpkg [selected]"}}
    (warning, error), _ = _finish(start(json.dumps(request)))
    assert warning["message"] == "fields.gpkg [selected] is odd."
    assert error["message"] == "fields.gpkg [selected]|layername=a is wrong."
    assert error["hint"] == "Mend fields.gpkg [selected]."


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no json",
        "[]",
        '{"job": "unknown", "parameters": {}}',
        '{"job": "example"}',
        '{"job": [], "parameters": {}}',
    ],
)
def test_a_request_that_is_no_job_is_refused(start, line):
    (error,), status = _finish(start(line))
    assert (error["kind"], status) == ("input", 1)
    assert "no job that it knows" in error["message"]


def test_an_unknown_parameter_is_refused(start):
    (error,), _ = _finish(start(_request("noise", extra=1)))
    assert "no parameter 'extra'" in error["message"]


@pytest.mark.parametrize("end", ["line", "close"])
@pytest.mark.parametrize("what", ["wait", "hang"])
def test_a_cancel_line_or_a_closed_input_stops_the_job_at_once(start, tmp_path, what, end):
    process = start(_request(what, output=str(tmp_path / "out.tif")))
    assert json.loads(process.stdout.readline())["message"] == "waiting"
    begin = time.monotonic()
    if end == "line":
        process.stdin.write('{"type": "cancel"}\n')
        process.stdin.flush()
    else:
        process.stdin.close()
    (*before, error), status = _finish(process)
    assert {line["type"] for line in before} <= {"saving"}
    assert (error["kind"], status) == ("cancelled", 1)
    assert time.monotonic() - begin < 5
    assert not list(tmp_path.glob("out.tif*"))


def test_the_module_runs_a_real_job(start, tmp_path):
    image = tmp_path / "s1_vv_20180301.tif"
    place = {"crs": "EPSG:32631", "transform": from_origin(500000, 5600000, 10, 10)}
    with rasterio.open(image, "w", width=8, height=8, count=1, dtype="float32", **place) as dataset:
        dataset.write(np.full((1, 8, 8), -10, "float32"))
    output = str(tmp_path / "out.tif")
    parameters = {"layers": [str(image)], "reference": str(image), "output": output, "start": None}
    request = json.dumps({"job": "preparesentinel1", "parameters": parameters})
    lines, status = _finish(start(request, ("-m", "twinns_qgis", "worker")))
    assert lines[-1] == {"type": "result", "outputs": {"output": output}}
    assert status == 0


def _cancel(process):
    assert json.loads(process.stdout.readline())["message"] == "waiting"
    process.stdin.write('{"type": "cancel"}\n')
    process.stdin.flush()
    return _finish(process)


def test_a_cancelled_job_says_that_it_saves_for_as_long_as_it_does(start):
    """At the paper's size half a second was left to write 117 MB."""
    (*saving, error), _ = _cancel(start(_request("keep")))
    assert {line["type"] for line in saving} == {"saving"}
    assert len(saving) >= 5
    assert error["message"] == "Cancelled. All is kept."


def test_a_last_resort_that_fails_ends_the_process_all_the_same(start):
    (*_, error), status = _cancel(start(_request("fail_to_keep")))
    assert error["message"] == "Cancelled. The disk is full. Free some space."
    assert status == 1


def test_a_job_that_stops_by_itself_waits_for_what_is_being_kept(start):
    (*_, error), _ = _cancel(start(_request("stop_while_keeping")))
    assert error["message"] == "Cancelled. All is kept."


def test_a_last_resort_that_is_over_is_not_taken(start):
    (*_, error), _ = _cancel(start(_request("forget")))
    assert error["message"] == "Cancelled."
