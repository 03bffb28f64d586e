"""The worker's client on PyQt6: a process that is started, heard and ended."""

import importlib
import sys

import pytest

LINES = """#!{}
import json, sys, time
request = json.loads(sys.stdin.readline())
print("a line of a library", flush=True)
print(json.dumps({{"type": "progress", "fraction": 0.5, "message": "half"}}), flush=True)
print(json.dumps({{"type": "warning", "message": request["job"]}}), flush=True)
{}
"""


class Feedback:
    def __init__(self):
        self.said = []
        self.cancelled = False

    def isCanceled(self):
        return self.cancelled

    def progress(self):
        return 0

    def __getattr__(self, name):
        return lambda text: self.said.append((name, text))


@pytest.fixture
def start(tmp_path):
    """Starts a worker that does what the last line of a program says; returns what comes of it."""
    client = importlib.import_module("twinns.algorithms.worker")
    environment = importlib.import_module("twinns.algorithms.environment")

    def run(line, feedback):
        path = tmp_path / "program"
        path.write_text(LINES.format(sys.executable, line))
        path.chmod(0o700)
        return client.Worker(environment.Interpreter(path, "a test"), feedback).run("mapcover", {"output": "map.tif"})

    return run


def test_what_it_says_is_forwarded(start):
    feedback = Feedback()
    line = 'print(json.dumps({"type": "result", "outputs": request["parameters"]}), flush=True)'
    assert start(line, feedback) == {"output": "map.tif"}
    assert feedback.said == [
        ("pushDebugInfo", "a line of a library"),
        ("setProgress", 50),
        ("setProgressText", "half"),
        ("pushWarning", "mapcover"),
    ]


def test_its_last_words_are_told(start):
    refusal = importlib.import_module("qgis.core").QgsProcessingException
    with pytest.raises(refusal, match=r"exit status 3[^$]*too bad"):
        start('sys.exit(print("too bad", file=sys.stderr) or 3)', Feedback())


def test_it_ends_when_the_user_cancels(start):
    feedback = Feedback()
    feedback.cancelled = True
    with pytest.raises(importlib.import_module("qgis.core").QgsProcessingException, match="Cancelled"):
        start("time.sleep(60)", feedback)
