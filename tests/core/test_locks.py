"""Locks of outputs: one process at a time, whatever becomes of it."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.locks import InUse, locked

HOLD = """
import sys
from pathlib import Path
from twinns_qgis.locks import locked
with locked(map(Path, sys.argv[1:])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def another_process(*outputs):
    """A process that holds the locks of outputs, until it is told to end or killed."""
    command = [sys.executable, "-c", HOLD, *map(str, outputs)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


@pytest.mark.parametrize("shared", ["map.tif", "confidence.tif"])
def test_two_processes_share_none_of_their_outputs(tmp_path, shared):
    outputs = [tmp_path / "map.tif", tmp_path / "confidence.tif"]
    with another_process(*outputs):
        with (
            pytest.raises(InUse, match=rf"Another process .*{shared}: it holds .*{shared}\.lock.*Wait for it"),
            locked([tmp_path / "other.tif", tmp_path / shared]),
        ):
            pass
        assert sorted(path.name for path in tmp_path.iterdir()) == ["confidence.tif.lock", "map.tif.lock"]
    with locked(outputs):
        pass
    assert not list(tmp_path.iterdir()), "nothing is left"


def test_a_lock_of_a_killed_process_does_not_count(tmp_path):
    with another_process(tmp_path / "map.tif") as process:
        process.kill()
        process.wait()
        assert (tmp_path / "map.tif.lock").exists()
        with locked([tmp_path / "map.tif"]):
            pass


def test_an_output_has_one_lock_by_whatever_name_its_folder_is_called(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    with (
        another_process(tmp_path / "folder" / "map.tif"),
        pytest.raises(InUse),
        locked([tmp_path / "link" / "map.tif"]),
    ):
        pass


def test_who_writes_an_output_locks_it_also_for_a_job_that_has(tmp_path):
    with locked([tmp_path / "map.tif", tmp_path / "report.html"]):
        with locked([tmp_path / "map.tif"]):
            pass
        assert (tmp_path / "map.tif.lock").exists(), "it is the job's until its end"


def test_a_folder_that_can_not_be_written_to_is_an_error():
    with (
        pytest.raises(InputError, match=r"The output /proc/.*/map\.tif can't be written: .*Choose a folder"),
        locked([Path("/proc/self/map.tif")]),
    ):
        pass
