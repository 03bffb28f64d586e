"""Setting up, with a lock of one tiny package in a folder of wheels, and a trial that is quick."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from tiny_setup import RUN, TRIAL, UV, Listener

from twinns_qgis.compute import backends, empty, installation
from twinns_qgis.compute.installation import is_outdated
from twinns_qgis.compute.installers import unpack_uv
from twinns_qgis.errors import Cancelled, InputError


def answering(*version, pip=1, venv=1):
    """A program that answers as a Python does."""
    answer = {"version": version, "bits": 64, "libc": "glibc", "pip": pip, "venv": venv, "ssl": 1}
    return f"#!/bin/sh\necho '{json.dumps(answer)}'\n"


def program(setup, plugin, wheels):
    """The command that sets up in a process of its own."""
    variables = json.dumps(dict(setup.surroundings.variables))
    return [sys.executable, "-c", RUN, Path(__file__).parents[3], plugin, variables, setup.place.folder.parent, wheels]


def folders(place):
    return sorted(path.name for path in place.folder.glob("e-*"))


def test_an_environment_is_made_from_wheels_and_counts(setup, wheels, plugin):
    listener = Listener()
    told = setup(listener, wheels=wheels)
    environment = setup.place.current()
    assert told["versions"] == {"tiny": "1.0"}
    assert (environment.backend, environment.keras, environment.own) == ("tensorflow", "tensorflow", True)
    assert subprocess.run([environment.python, "-c", "import tiny"], check=False).returncode == 0
    assert not is_outdated(environment, plugin)
    assert any("takes about" in text for text in listener.said)


def test_a_lock_that_changes_is_noticed_and_the_new_environment_takes_the_place_of_the_old(setup, wheels, plugin):
    setup(wheels=wheels)
    before = folders(setup.place)
    with (plugin / "requirements.txt").open("a") as lock:
        lock.write("# another version\n")
    assert is_outdated(setup.place.current(), plugin)
    setup(wheels=wheels)
    assert not is_outdated(setup.place.current(), plugin)
    assert len(folders(setup.place)) == 1
    assert folders(setup.place) != before


def test_a_wrong_hash_is_refused_and_what_was_there_stays(setup, wheels):
    setup(wheels=wheels)
    before = setup.place.current()
    with zipfile.ZipFile(wheels / "tiny-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("evil.py", "")
    with pytest.raises(InputError, match="another hash"):
        setup(wheels=wheels)
    assert setup.place.current() == before
    assert len(folders(setup.place)) == 1


def test_a_missing_wheel_is_told_by_its_name(setup, wheels):
    (wheels / "tiny-1.0-py3-none-any.whl").unlink()
    with pytest.raises(InputError, match="tiny"):
        setup(wheels=wheels)
    assert setup.place.current() is None
    assert folders(setup.place) == []


def test_a_folder_of_wheels_that_is_not_there_is_told(setup, tmp_path):
    with pytest.raises(InputError, match="folder of wheels"):
        setup(wheels=tmp_path / "none")


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        ("import tiny, missing_library", "missing_library"),
        ("import os; os.abort()", "signal 6"),
        (TRIAL.replace("1.5", "float('nan')"), "does not compute"),
        ("print('no json')", "does not compute"),
    ],
)
def test_an_environment_that_does_not_compute_never_counts(setup, wheels, plugin, trial, expected):
    (plugin / "twinns_qgis/training/trial.py").write_text(trial)
    with pytest.raises(InputError, match=expected):
        setup(wheels=wheels)
    assert setup.place.current() is None
    assert folders(setup.place) == []


@pytest.mark.parametrize("moment", ["Looking for Python", "Installing the packages", "Taking a step"])
def test_cancelling_is_prompt_and_leaves_nothing_half(setup, wheels, plugin, moment):
    (plugin / "twinns_qgis/training/trial.py").write_text("import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(Cancelled):
        setup(Listener(stop_at=moment), wheels=wheels)
    assert time.monotonic() - started < 20
    assert setup.place.current() is None
    assert folders(setup.place) == []


def test_a_disk_without_room_is_told_before_anything_is_downloaded(setup, wheels, monkeypatch):
    usage = shutil.disk_usage(setup.programs)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**9))
    with pytest.raises(InputError, match=r"1000 MB free.*takes about 2800 MB"):
        setup(wheels=wheels)


def test_what_an_interrupted_set_up_left_does_not_count_as_room_that_is_taken(setup, wheels, monkeypatch):
    left = setup.place.new_folder()
    left.mkdir(parents=True)
    usage = shutil.disk_usage(setup.programs)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 if left.exists() else 10**12))
    setup(wheels=wheels)
    assert setup.place.current() is not None


def test_a_disk_that_gets_full_meanwhile_is_told_and_what_was_there_stays(setup, wheels, plugin):
    """On a disk of 4 MB, which takes rights that not every computer gives."""
    setup(wheels=wheels)
    before = setup.place.current()
    with zipfile.ZipFile(wheels / "tiny-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("large.bin", random.randbytes(8_000_000))
    digest = hashlib.sha256((wheels / "tiny-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (plugin / "requirements.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    small = setup.place.folder.parent / "small"
    small.mkdir()
    mounted = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mounted += ['mount -t tmpfs -o size=4m none "$0" && exec "$@"', small]
    if shutil.which("unshare") is None or subprocess.run([*mounted, "true"], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    command = program(setup, plugin, wheels)
    command[-2] = small
    ended = subprocess.run([*mounted, *command], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("The disk is full."), ended.stderr
    assert "Make room" in ended.stderr
    assert setup.place.current() == before


def test_the_python_is_one_that_there_are_wheels_for(setup, wheels):
    version = "".join(map(str, sys.version_info[:2]))
    (wheels / f"other-1.0-cp{version}-cp{version}-any.whl").touch()
    newer = setup.programs / "python3.13"
    newer.write_text(answering(3, 13 if sys.version_info[1] != 13 else 12))
    newer.chmod(0o755)
    setup(wheels=wheels)
    assert setup.place.current() is not None


def test_wheels_for_another_python_are_told(setup, wheels, monkeypatch):
    monkeypatch.setattr(empty, "own_python", lambda: Path("/opt/qgis-bin"))
    (wheels / "other-1.0-cp37-cp37m-any.whl").touch()
    with pytest.raises(InputError, match=r"WHEELS has none for Python 3\.") as refusal:
        setup(wheels=wheels)
    assert "Install Python 3.7" in refusal.value.hint


def test_no_python_is_told_with_what_was_tried(setup, wheels, monkeypatch):
    (setup.programs / "python3.12").unlink()
    fake = setup.programs / "python3"
    fake.write_text(answering(3, 8))
    fake.chmod(0o755)
    broken = setup.programs / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(empty, "own_python", lambda: Path("/opt/qgis-bin"))
    with pytest.raises(InputError) as refusal:
        setup(wheels=wheels)
    assert f"{fake}: Python 3.8, Python 3.10 to 3.13 is needed" in refusal.value.message
    assert f"{broken}: not a working Python: exit status 3" in refusal.value.message
    assert "/opt/qgis-bin: QGIS itself" in refusal.value.message


def test_a_flatpak_says_so_and_asks_for_an_interpreter(setup, wheels):
    (setup.programs / "python3.12").unlink()
    setup.surroundings.variables["FLATPAK_ID"] = "org.qgis.qgis"
    with pytest.raises(InputError, match="is a Flatpak") as refusal:
        setup(wheels=wheels)
    assert "INTERPRETER" in refusal.value.hint


def test_without_uv_venv_and_pip_are_told_to_be_missing_where_they_are(setup, wheels, monkeypatch):
    (setup.programs / "uv").unlink()
    python = setup.programs / "python3.12"
    python.unlink()
    python.write_text(answering(3, 12, pip=0, venv=0))
    python.chmod(0o755)
    monkeypatch.setattr(empty, "own_python", lambda: python)
    with pytest.raises(InputError, match="it lacks venv or ensurepip"):
        setup(wheels=wheels)


def test_an_existing_interpreter_is_tried_out_and_used(setup, tmp_path, wheels):
    setup(wheels=wheels)
    mine = Path(setup.place.current().python)
    kept = mine.parents[1].rename(tmp_path / "mine")
    setup(interpreter=kept / "bin/python")
    environment = setup.place.current()
    assert (environment.python, environment.own) == (str(kept / "bin/python"), False)
    assert folders(setup.place) == [], "what is not used takes no room"
    setup(backend="remove")
    assert setup.place.current() is None
    assert kept.exists()


def test_an_existing_interpreter_with_an_older_version_is_refused(setup, plugin, tmp_path, wheels):
    setup(wheels=wheels)
    kept = Path(setup.place.current().python).parents[1].rename(tmp_path / "mine")
    lock = plugin / "requirements.txt"
    lock.write_text(lock.read_text().replace("tiny==1.0", "tiny==2.0"))
    with pytest.raises(InputError, match=r"has tiny 1\.0, expected 2\.0"):
        setup(interpreter=kept / "bin/python")


@pytest.mark.parametrize("name", ["ls", "false", "none"])
def test_an_interpreter_that_is_no_python_is_refused(setup, name):
    with pytest.raises(InputError, match="not a working Python"):
        setup(interpreter=Path(shutil.which(name) or "/none"))


def test_qgis_python_on_windows_gets_its_folders_to_find_the_libraries_of_ssl(monkeypatch):
    variables = {"PATH": "C:/OSGeo4W/bin", "PYTHONHOME": "C:/OSGeo4W/apps/Python312", "HOME": "x"}
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        needed = empty._needed_by_qgis(variables)
    assert needed == {"PATH": "C:/OSGeo4W/bin", "PYTHONHOME": "C:/OSGeo4W/apps/Python312"}


def test_certificates_that_are_not_trusted_are_tried_in_two_ways_and_then_told(setup, wheels, monkeypatch):
    uv = setup.programs / "uv"
    uv.unlink()
    uv.write_text(
        f'#!/bin/sh\necho "$UV_SYSTEM_CERTS" >> {setup.programs}/log\n'
        'if [ "$1" = --version ]; then exit 0; fi\n'
        f'if [ "$1" = pip ]; then echo "invalid peer certificate: UnknownIssuer"; exit 2; fi\nexec {UV} "$@"\n'
    )
    uv.chmod(0o755)
    with pytest.raises(InputError, match="not trusted") as refusal:
        setup(wheels=wheels)
    assert "SSL_CERT_FILE" in refusal.value.hint
    assert set((setup.programs / "log").read_text().split("\n")) == {"true", ""}
    assert folders(setup.place) == []


def test_uv_is_taken_out_of_a_wheel_only_with_the_hash_of_the_lock(tmp_path):
    wheel = tmp_path / "uv-9.9-py3-none-manylinux_2_17_x86_64.manylinux_aarch64.win_amd64.macosx_arm64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("uv-9.9.data/scripts/uv", "program")
        archive.writestr("uv-9.9.data/scripts/../../evil", "program")
    lock = tmp_path / "requirements-uv.txt"
    lock.write_text(f"uv==9.9 \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    assert unpack_uv(tmp_path, lock, tmp_path).read_text() == "program"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("more", "")
    with pytest.raises(InputError, match="not the one that the lock has"):
        unpack_uv(tmp_path, lock, tmp_path)
    lock.write_text("uv==9.8 \\\n    --hash=sha256:0\n")
    assert unpack_uv(tmp_path, lock, tmp_path) is None


def test_killed_in_the_midst_and_repeated_works(setup, wheels, plugin, tmp_path):
    """The process that sets up is killed, as QGIS may be, and the next call makes a whole environment."""
    command = program(setup, plugin, wheels)
    slow = plugin / "twinns_qgis/training/trial.py"
    slow.write_text("import time; time.sleep(5)\n" + TRIAL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("Taking"):
                process.kill()
                break
        process.wait()
    assert setup.place.current() is None
    assert len(folders(setup.place)) == 1
    slow.write_text(TRIAL)
    setup(wheels=wheels)
    assert setup.place.current() is not None
    assert len(folders(setup.place)) == 1


def test_the_gpu_that_is_there_but_not_seen_is_a_warning(setup, wheels, plugin, monkeypatch):
    monkeypatch.setattr(installation, "has_nvidia", lambda variables: True)
    shutil.copy(plugin / "requirements.txt", plugin / "requirements-cuda.txt")
    listener = Listener()
    monkeypatch.setattr(backends.sys, "platform", "linux")
    setup(listener, wheels=wheels)
    assert any("does not see the GPU" in text for text in listener.said)
