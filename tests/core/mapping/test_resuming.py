"""A mapping that is stopped goes on where it stopped, and ends with the same bytes."""

import multiprocessing
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
import rasterio

from twinns_qgis.errors import Cancelled
from twinns_qgis.jobs.command_line import main
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.rasters import production
from twinns_qgis.rasters.distribution import finish_here
from twinns_qgis.reporter import Reporter

KILLS = 20
BLOCKS = 36
"""Of the wide site, with 1 MB."""
OUTPUTS = ("output", "confidence", "probabilities", "uncertainty")


@pytest.fixture
def job(wide_site, tmp_path):
    """Returns a function that makes the job of a map; always under the same names, which its metadata hold."""
    outputs = {kind: tmp_path / f"{kind}.tif" for kind in OUTPUTS}
    return lambda **changes: MapCover(**{**wide_site, **outputs, **changes})


@pytest.fixture
def folder(tmp_path):
    """Where finished blocks lie."""
    return tmp_path / "output.tif.blocks"


@pytest.fixture
def take(tmp_path):
    """Returns a function that removes the outputs that are there, and returns their bytes."""

    def take():
        found = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        for name in found:
            (tmp_path / name).unlink()
        return {name: content for name, content in found.items() if name.endswith((".tif", ".qml", ".xml"))}

    return take


@pytest.fixture
def expected(job, take):
    """What an undisturbed call writes."""
    job().run(Reporter())
    return take()


def _command(job):
    names = ("model", "sentinel1", "sentinel2", "memory", *OUTPUTS)
    return ["map-cover", *(word for name in names for word in (f"--{name}", str(getattr(job, name))))]


@pytest.fixture
def start():
    """Returns a function that runs a command in a process of its own, which has loaded the libraries already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "twinns_qgis.mapping.cover", "twinns_qgis.jobs.command_line"])

    def start(command):
        process = context.Process(target=main, args=(command,))
        process.start()
        return process

    return start


@pytest.mark.slow
def test_a_map_that_is_killed_at_twenty_moments_has_the_bytes_of_an_undisturbed_one(job, folder, take, expected, start):
    command = _command(job())
    for _ in range(2):  # the first process has to wait until the libraries are loaded
        begin = time.monotonic()
        start(command).join()
        life = time.monotonic() - begin
        assert take() == expected
    generator = random.Random(0)
    kills, left = 0, set()
    while kills < KILLS:
        process = start(command)
        time.sleep(generator.uniform(0, life))
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        left.add(len(list(folder.rglob("*.json"))))
        take()
    assert len(left) > 3, "kills at so different moments leave so different numbers of blocks"
    start(command).join()
    assert take() == expected
    assert not folder.exists()


def _stop_after(blocks, job, listener):
    """Cancels a call once so many blocks are finished; returns what it raises."""
    listener.progress = lambda fraction, message="": setattr(listener, "stop", fraction >= blocks / BLOCKS)
    with pytest.raises(Cancelled) as caught:
        job.run(listener)
    listener.progress, listener.stop = lambda fraction, message="": None, False
    return caught.value


def test_a_cancelled_call_says_what_it_keeps_and_the_next_one_goes_on(job, folder, take, expected, listener):
    error = _stop_after(5, job(), listener)
    assert re.search(rf"[567] of {BLOCKS} blocks are kept in {folder}", error.message)
    job().run(listener)
    assert any("blocks are there from a call that was stopped" in message for message in listener.messages)
    assert take() == expected


def test_series_that_were_moved_are_known_by_their_contents(job, wide_site, take, listener, tmp_path_factory):
    _stop_after(5, job(), listener)
    moved = shutil.copy(wide_site["sentinel2"], tmp_path_factory.mktemp("moved") / "s2.tif")
    job(sentinel2=moved).run(listener)
    assert any("blocks are there from a call that was stopped" in message for message in listener.messages)


def test_a_call_that_differs_starts_anew_and_says_in_what(job, wide_site, listener, tmp_path):
    _stop_after(5, job(), listener)
    with rasterio.open(wide_site["sentinel1"]) as dataset:
        left, _, _, top = dataset.bounds
    other = shutil.copy(wide_site["sentinel1"], tmp_path / "s1.tif")
    with rasterio.open(other, "r+") as dataset:
        dataset.write(dataset.read(1) + 1, 1)
    job(sentinel1=other, extent=f"{left},{left + 900},{top - 900},{top}").run(listener)
    (warning,) = listener.warnings
    assert "differs in contents (sentinel1), the rasters, the size of the blocks, window: this one starts" in warning


def test_the_map_does_not_depend_on_the_order_in_which_blocks_are_finished(job, take, expected, monkeypatch):
    def backwards(plan, store, numbers, *others):
        return finish_here(plan, store, numbers[::-1], *others)

    monkeypatch.setattr(production, "finish_here", backwards)
    job().run(Reporter())
    assert take() == expected


def test_a_full_disk_is_an_error_that_keeps_finished_blocks(job, folder, take, expected):
    part = 6000  # bytes that a file may have: a block fits, the map does not

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (part, part))

    command = [sys.executable, "-m", "twinns_qgis", *_command(job())]
    full = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 1, full.stderr
    assert "Free some space on the disk" in full.stderr
    assert len(list(folder.rglob("*.json"))) == BLOCKS
    assert take() == {}
    job().run(Reporter())
    assert take() == expected
