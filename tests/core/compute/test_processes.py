"""Programs are heard while they run, and end with all that they started."""

import os
import sys
import time
from pathlib import Path

import pytest

from twinns_qgis.compute.processes import run
from twinns_qgis.errors import Cancelled


def python(code):
    return [sys.executable, "-c", code]


def test_lines_are_heard_and_the_last_are_kept():
    heard = []
    code = "import sys\nfor i in range(30): print(i, flush=True)\nprint('last', file=sys.stderr)"
    ended = run(python(code), os.environ, hear=heard.append)
    assert ended.good
    assert heard == [*map(str, range(30)), "last"]
    assert ended.text.splitlines()[-2:] == ["29", "last"]


def test_the_status_of_a_failure_is_told():
    ended = run(python("raise SystemExit('no')"), os.environ)
    assert (ended.good, ended.status, ended.text) == (False, 1, "no")


def test_a_program_that_is_not_there_ends_as_one_that_failed(tmp_path):
    ended = run([tmp_path / "none"], os.environ)
    assert not ended.good
    assert "none" in ended.text


def test_a_program_that_takes_too_long_is_ended():
    started = time.monotonic()
    assert not run(python("import time; time.sleep(60)"), os.environ, seconds=0.3).good
    assert time.monotonic() - started < 5


@pytest.mark.skipif(os.name == "nt", reason="it is a shell's way to leave something behind")
def test_a_program_that_has_ended_is_not_waited_for_because_of_what_it_has_started():
    started = time.monotonic()
    ended = run(["sh", "-c", "sleep 60 & echo done; exit 3"], os.environ)
    assert (ended.status, ended.text) == (3, "done")
    assert time.monotonic() - started < 5


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found through /proc")
def test_cancelling_is_prompt_and_ends_what_the_program_has_started(tmp_path):
    note = tmp_path / "child"
    child = f"import os,time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess,sys; subprocess.run([sys.executable, '-c', {child!r}])"

    def between():
        if note.exists() and note.read_text():
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(Cancelled):
        run(python(parent), os.environ, between=between)
    assert time.monotonic() - started < 5
    time.sleep(0.2)
    state = Path(f"/proc/{note.read_text()}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"
