"""Blocks follow memory, not area."""

import os
import subprocess
import sys

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import Cancelled
from twinns_qgis.rasters.blocks import Threads, block_shape, block_windows, strips
from twinns_qgis.rasters.grid import Grid


def _grid(width, height):
    return Grid(CRS.from_epsg(32631), from_origin(0, 0, 10, 10), width, height)


@pytest.mark.parametrize("memory", [16, 64, 256, 2048, 16384])
@pytest.mark.parametrize("size", [100, 1000, 10980])
def test_a_block_fits_into_memory(memory, size):
    height, width = block_shape(_grid(size, size), memory, 2000)
    assert height * width * 2000 <= memory * 2**20 / 2
    if memory >= 256:
        assert height in (size, height // 256 * 256)
        assert width in (size, width // 256 * 256)


def test_a_small_area_is_one_block():
    assert block_shape(_grid(300, 200), 2048, 2000) == (200, 300)


def test_blocks_and_strips_cover_every_pixel_once():
    count = np.zeros((70, 90), int)
    for window in block_windows(_grid(90, 70), (32, 40)):
        part = count[window.toslices()]
        assert part.shape == (window.height, window.width)
        for rows in strips(*part.shape):
            part[rows] += 1
    assert (count == 1).all()


def test_a_cancelled_job_stops_between_products(listener):
    listener.stop = True
    with Threads(listener) as threads, pytest.raises(Cancelled):
        list(threads.map(str, range(3)))


def test_results_come_in_order_and_errors_come_through(listener):
    with Threads(listener) as threads:
        assert list(threads.map(str, range(5))) == ["0", "1", "2", "3", "4"]
        with pytest.raises(ZeroDivisionError):
            list(threads.map(lambda number: 1 / number, [1, 0]))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such thing as affinity")
def test_threads_are_as_many_as_the_processors_that_the_process_may_use():
    """A cluster gives a job 4 of 128."""
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from twinns_qgis.rasters.blocks import Threads; from twinns_qgis.reporter import Reporter; "
    code += "print(Threads(Reporter())._pool._max_workers)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
