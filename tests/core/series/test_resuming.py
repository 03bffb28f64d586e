"""A preparation that is stopped goes on where it stopped, and ends with the same bytes."""

import contextlib
import resource
import signal
import subprocess
import sys
from datetime import date

import numpy as np
import pytest
from killed import killed_after

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2

DAYS = (date(2018, 3, 5), date(2018, 3, 15), date(2018, 4, 4), date(2018, 4, 14), date(2018, 4, 24))
BLOCKS = 6


@pytest.fixture
def products(tmp_path, make_theia):
    """Five products of 96 x 96 pixels with a cloud; with 1 MB they take six blocks."""
    random = np.random.default_rng(0)
    for day in DAYS:
        clouds = (random.random((96, 96)) < 0.3).astype("uint8")
        make_theia(tmp_path / "products", day, random.integers(0, 9000, (96, 96)), clouds, size=96)
    return tmp_path / "products"


@pytest.fixture
def prepare(products, tmp_path, listener):
    def run(name, machine=Machine(1), reporter=listener):  # noqa: B008
        output = tmp_path / name
        prepare_sentinel2(Outputs(output), Inputs(folder=products), Period(), machine=machine, reporter=reporter)
        return output

    return run


def _command(products, output):
    return [
        *(sys.executable, "-m", "twinns_qgis", "prepare-sentinel2"),
        *("--folder", str(products), "--memory", "1", "--output", str(output)),
    ]


def test_a_killed_call_goes_on_and_gives_the_bytes_of_an_undisturbed_one(products, prepare, tmp_path):
    expected, output = prepare("expected.tif"), tmp_path / "out.tif"
    folder = tmp_path / "out.tif.blocks"
    for finished in (1, 4):
        killed = subprocess.run(killed_after(finished, folder, _command(products, output)), check=False)
        assert killed.returncode == -signal.SIGKILL
        assert not output.exists()
        assert len(list(folder.rglob("*.json"))) == finished
    done = subprocess.run(_command(products, output), check=True, capture_output=True, text=True)
    assert f"of {BLOCKS} blocks are there from a call that was stopped" in done.stderr
    assert output.read_bytes() == expected.read_bytes()
    assert not folder.exists()


def test_a_product_that_changed_meanwhile_is_read_anew(products, prepare, listener, make_theia, tmp_path):
    _stop_after(2, prepare, listener)
    make_theia(products, DAYS[0], 1234, size=96)
    listener.stop = False
    prepare("out.tif")
    assert not any("going on from there" in message for message in listener.messages)
    assert prepare("expected.tif").read_bytes() == (tmp_path / "out.tif").read_bytes()


def test_a_cancelled_call_says_what_it_keeps(prepare, listener, tmp_path):
    error = _stop_after(2, prepare, listener)
    assert f"2 of {BLOCKS} blocks are kept in {tmp_path / 'out.tif.blocks'}" in error.message


def test_a_call_that_is_cancelled_at_once_leaves_nothing(prepare, listener, tmp_path):
    listener.stop = True
    with pytest.raises(Cancelled):
        prepare("out.tif")
    assert {path.name for path in tmp_path.iterdir()} == {"products"}


def test_what_was_there_stays_until_the_new_series_is_whole(prepare, listener, tmp_path):
    (tmp_path / "out.tif").write_bytes(b"precious")
    _stop_after(3, prepare, listener)
    assert (tmp_path / "out.tif").read_bytes() == b"precious"


def test_a_full_disk_is_an_error_that_keeps_finished_blocks(products, prepare, tmp_path):
    expected, output = prepare("expected.tif"), tmp_path / "out.tif"
    part = 200_000  # bytes that a file may have: a block fits, the series does not

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (part, part))

    full = subprocess.run(_command(products, output), check=False, capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 1
    assert "Free some space on the disk" in full.stderr
    assert not output.exists()
    assert len(list((tmp_path / "out.tif.blocks").rglob("*.json"))) == BLOCKS
    subprocess.run(_command(products, output), check=True, capture_output=True)
    assert output.read_bytes() == expected.read_bytes()


def test_a_disk_that_will_not_do_is_refused_early(prepare, monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10_000}))
    with pytest.raises(InputError, match=r"has 10 kB free, and about .* more are needed"):
        prepare("out.tif")
    assert len(list((tmp_path / "out.tif.blocks").rglob("*.json"))) == 1


def _stop_after(blocks, prepare, listener):
    """Cancels a call once so many blocks are finished; returns what it raises."""

    def stop(fraction, message=""):
        listener.stop = fraction >= blocks / BLOCKS

    listener.progress = stop
    with pytest.raises(Cancelled) as caught, contextlib.suppress(InputError):
        prepare("out.tif")
    listener.progress = lambda fraction, message="": None
    return caught.value
