"""Rasters of a plan: a call that must not go on leaves alone what another one is at work on."""

import contextlib
import sys
import time
from dataclasses import dataclass

import cloudpickle
import numpy as np
import pytest
from filelock import FileLock
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.block_store import Block
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.rasters.production import Machine, make_rasters
from twinns_qgis.reporter import Reporter

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 64, 64)
LAYOUT = Layout(GRID, "uint8", 0, ("ones",), (1.0,), (0.0,), {}, tile=32)


@dataclass(frozen=True)
class Ones:
    """Makes rasters of ones."""

    def block(self, window, threads):
        return Block({"ones": np.ones((1, int(window.height), int(window.width)), "uint8")}, {"count": 1})

    def sources(self):
        return ()

    def conclude(self, tally, reporter):
        pass


PLAN, HERE, SILENT = Ones(), Machine(1000), Reporter()


def make(path, plan=PLAN, machine=HERE, reporter=SILENT):
    return make_rasters(plan, {"ones": LAYOUT}, {"ones": path}, (32, 32), machine, reporter)


@pytest.mark.parametrize("finished", [0, 1])
def test_a_second_call_leaves_the_folder_of_the_first_alone(tmp_path, finished):
    folder = tmp_path / "out.tif.blocks"
    (folder / "blocks").mkdir(parents=True)
    for number in range(finished):
        (folder / "blocks" / f"{number:06d}.json").write_text("{}")
    with (
        FileLock(tmp_path / "out.tif.lock"),
        pytest.raises(InputError, match=r"Another process is writing the same output.*Wait for it, or stop it\.$"),
    ):
        make(tmp_path / "out.tif")
    assert len(list(folder.rglob("*.json"))) == finished
    assert folder.exists()
    assert make(tmp_path / "out.tif") == {"count": 4}
    assert not folder.exists()


class OneAlone(Ones):
    """Makes the first block, and takes its time for the others."""

    def block(self, window, threads):
        if window.row_off or window.col_off:
            time.sleep(60)
        return super().block(window, threads)


def test_a_lost_scheduler_is_told_and_the_finished_blocks_are_kept(tmp_path, scheduler_process, start_workers):
    address, process = scheduler_process
    start_workers(1)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers don't know the tests

    class Killer(Reporter):
        def progress(self, fraction, message=""):
            if fraction:
                process.kill()

    with pytest.raises(InputError, match=r"connection to the Dask scheduler .* is lost.*1 of 4 blocks are kept"):
        make(tmp_path / "out.tif", OneAlone(), Machine(1000, address), Killer())


def test_a_last_resort_is_taken_back_once_the_rasters_are_there(tmp_path):
    """A report that was cancelled later removed the blocks of whoever had begun meanwhile."""

    class Listening(Reporter):
        def __init__(self):
            self.active = []

        @contextlib.contextmanager
        def last_resort(self, action):
            self.active.append(action)
            yield
            self.active.remove(action)

        def progress(self, fraction, message=""):
            assert len(self.active) == 1 or fraction == 1

    listening = Listening()
    make(tmp_path / "out.tif", reporter=listening)
    assert listening.active == []
