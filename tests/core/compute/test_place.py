"""One environment counts: the one that the marker names, which is written last."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from twinns_qgis.compute.place import Environment, Place, hash_of, python_in, short_folder
from twinns_qgis.errors import InputError

WRONG_TYPE = '{"python": 3, "backend": "jax", "keras": "jax", "lock": "", "own": true}'


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "Profil Élodie #1 100%")


def made(place):
    folder = place.new_folder()
    python_in(folder).parent.mkdir(parents=True)
    python_in(folder).touch()
    return Environment(str(python_in(folder)), "tensorflow", "tensorflow", "abc", own=True)


def test_nothing_counts_before_the_marker_is_written(place):
    with place.locked():
        environment = made(place)
        assert place.current() is None
        place.mark(environment)
    assert place.current() == environment


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"python": "/x"}', "\x00", WRONG_TYPE])
def test_a_marker_that_is_damaged_names_nothing(place, text):
    place.folder.mkdir(parents=True)
    (place.folder / "environment.json").write_text(text)
    assert place.current() is None


def test_what_an_interrupted_installation_left_is_removed_and_the_environment_stays(place):
    with place.locked():
        place.mark(environment := made(place))
        half = made(place)
        (place.folder / "environment.json.abc").write_text("{")
        place.tidy()
    assert Path(environment.python).exists()
    assert not Path(half.python).exists()
    assert place.current() == environment
    assert {path.name for path in place.folder.iterdir()} == {
        "environment.json", "setup.lock", Path(environment.python).parents[1].name,
    }  # fmt: skip


def test_removing_takes_all_away(place):
    with place.locked():
        place.mark(made(place))
        place.cache.mkdir()
        assert place.remove()
    assert place.current() is None
    assert [path.name for path in place.folder.iterdir()] == ["setup.lock"]


def test_removing_leaves_an_interpreter_of_the_user_alone(place, tmp_path):
    python = tmp_path / "mine/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    with place.locked():
        place.mark(replace(made(place), python=str(python), own=False))
        assert place.remove()
    assert python.exists()


def test_an_environment_in_which_a_job_runs_stays_until_the_job_has_ended(place):
    with place.locked():
        former = made(place)
        place.mark(former)
        with place.in_use(Path(former.python)), place.in_use(Path(former.python)):
            place.mark(made(place))
            place.tidy()
            assert Path(former.python).exists()
            assert not place.remove()
        place.tidy()
    assert not Path(former.python).exists()


def test_a_python_of_the_user_is_used_without_a_trace(place, tmp_path):
    with place.in_use(tmp_path / "mine/bin/python"):
        assert list(tmp_path.iterdir()) == []


def test_a_link_in_an_environment_is_removed_and_not_followed(place, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    with place.locked():
        environment = made(place)
        (Path(environment.python).parent / "link").symlink_to(kept)
        place.tidy()
    assert (kept / "file").exists()


def test_two_at_once_are_refused_also_in_one_process(place):
    with place.locked(), pytest.raises(InputError, match="being set up already"), place.locked():
        pass
    with place.locked():
        pass


def test_a_lock_ends_with_the_process_that_held_it(place):
    code = (
        "import os, sys, pathlib; from twinns_qgis.compute.place import Place\n"
        "with Place(pathlib.Path(sys.argv[1])).locked(): print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, place.folder.parent]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as holder:
        holder.stdout.readline()
        with pytest.raises(InputError), place.locked():
            pass
        holder.kill()
        holder.wait()
        with place.locked():
            pass


def test_a_profile_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="can't be written"), Place(tmp_path / "file").locked():
        pass


def test_a_lock_has_one_hash_however_its_lines_end_and_another_when_it_changes(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_bytes(b"a==1\nb==2\n")
    before = hash_of([lock])
    lock.write_bytes(b"a==1\r\nb==2\r\n")
    assert hash_of([lock]) == before
    lock.write_bytes(b"a==1\nb==3\n")
    assert hash_of([lock]) != before


def test_paths_that_end_after_260_characters_get_a_short_folder_for_each_profile():
    local = "C:/Users/Zoé/AppData/Local"
    deep = "C:/Users/Zoé/AppData/Roaming/QGIS/{}/profiles/default/twinns"
    found = {short_folder(Path(deep.format(name)), local) for name in ("QGIS3", "QGIS4")}
    assert len(found) == 2, "one profile never tidies up what another's environment is made of"
    assert {folder.parent.as_posix() for folder in found} == {local}
    assert short_folder(Path("C:/q/twinns"), local) == Path("C:/q/twinns")
    with pytest.raises(InputError, match="too long"):
        short_folder(Path("C:/" + "x" * 90), "C:/" + "y" * 90)


def test_a_disk_that_knows_no_locks_is_no_second_qgis(place, monkeypatch):
    def refuse(file, kind):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", refuse)
    with place.locked():
        place.mark(made(place))
    assert place.current() is not None


def test_a_marker_is_json_that_a_person_can_read(place):
    with place.locked():
        place.mark(made(place))
    assert json.loads((place.folder / "environment.json").read_text(encoding="utf-8"))["backend"] == "tensorflow"
