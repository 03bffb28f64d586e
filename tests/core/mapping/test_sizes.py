"""Blocks follow memory."""

import math
from dataclasses import replace
from itertools import count

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.mapping.sizes import block_side, choose_sizes
from twinns_qgis.methods import Method
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.store import MARGIN
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import read_model

LARGE = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 10980, 10980)


@pytest.fixture(scope="module")
def network(random_model):
    return read_model(random_model).manifest


@pytest.fixture(scope="module")
def forest(forest_model):
    return read_model(forest_model).manifest


@pytest.fixture
def series(site):
    return {name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")}


@given(
    memory=st.integers(1200, 32768),
    dates=st.integers(1, 120),
    width=st.integers(100, 20000),
    kind=st.sampled_from(["network on a GPU", "network on a processor", "forest"]),
)
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_blocks_as_numpy_holds_them_fit_into_a_quarter_of_memory(
    network, forest, series, memory, dates, width, kind
):
    longer = {name: replace(one, dates=one.dates[:1] * dates) for name, one in series.items()}
    manifest, device = (forest if kind == "forest" else network), "gpu" if kind == "network on a GPU" else "cpu"
    grid = replace(LARGE, width=width)
    height, width = choose_sizes(manifest, longer, grid, memory, device).shape
    assert 1 <= height <= grid.height
    assert 1 <= width <= grid.width
    framed = (height + 2 * MARGIN, width + 2 * MARGIN)
    raw = sum(np.dtype(one.dtype).itemsize * dates * len(one.bands) for one in series.values())
    scores = np.dtype("float32").itemsize * len(manifest.classes)
    smallest = height * width <= 32**2  # below it MEMORY can't be kept
    assert smallest or 2 * (framed[0] * framed[1] * raw + height * width * scores) <= memory * 2**20 / 4


@given(st.lists(st.integers(1, 65536), min_size=2, max_size=2).map(sorted), st.sampled_from(["cpu", "gpu"]))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_more_memory_makes_no_smaller_blocks(network, forest, series, memory, device):
    for manifest in (network, forest):
        less, more = (choose_sizes(manifest, series, LARGE, one, device) for one in memory)
        assert less.shape[0] * less.shape[1] <= more.shape[0] * more.shape[1]
        assert less.side <= more.side


@pytest.mark.parametrize(("method", "size"), [("TWINNS", "small"), ("TWINNS", "compact"), ("2ConvLSTM", "small")])
def test_what_a_layer_takes_and_gives_of_a_part_fits_into_half_of_the_memory(network, monkeypatch, method, size):
    manifest = replace(network, method=Method.of(method), size=size)
    memory = next(memory for memory in count(1) if block_side(manifest, memory) == 32)
    largest = 0
    call = keras.layers.Layer.__call__

    def counted(layer, *inputs, **options):
        nonlocal largest
        outputs = call(layer, *inputs, **options)
        if not isinstance(layer, keras.Model):
            largest = max(largest, sum(math.prod(one.shape) for one in keras.tree.flatten((inputs, outputs))))
        return outputs

    built = manifest.build()
    monkeypatch.setattr(keras.layers.Layer, "__call__", counted)
    built(
        {
            sensor.name: np.ones((1, 32 + 2 * MARGIN, 32 + 2 * MARGIN, len(sensor.dates), len(sensor.bands)))
            for sensor in manifest.sensors
        }
    )
    half = memory * 2**20 / 2
    assert half / 20 < largest * np.dtype("float32").itemsize < half


def test_more_memory_makes_larger_parts_up_to_a_tile(network, forest):
    for manifest in (network, forest):
        sides = [block_side(manifest, left) for left in (1, 10, 100, 1000, 10**6)]
        assert sides == sorted(sides)
        assert (sides[0], sides[-1]) == (16, 256)
    assert block_side(replace(network, size="paper"), 1000) < block_side(network, 1000)


def test_a_network_on_a_processor_has_small_blocks_as_a_kill_may_cost_one(network, forest, series):
    assert choose_sizes(network, series, LARGE, 4096, "cpu").shape == (128, 128)
    for manifest, device in ((network, "gpu"), (forest, "cpu")):
        height, width = choose_sizes(manifest, series, LARGE, 4096, device).shape
        assert height * width > 512**2


def test_parts_on_a_processor_fit_its_cache_and_those_on_a_gpu_its_memory(network, series):
    def side(size, *arguments):
        return choose_sizes(replace(network, size=size), series, LARGE, 8192, *arguments).side

    assert [side(size, "cpu", "float32") for size in ("small", "compact", "paper")] == [64, 64, 32]
    assert side("paper", "cpu", "bfloat16") == 64
    sides = [side("paper", "gpu", "bfloat16", free) for free in (1000, 10_000, 100_000)]
    assert sides == sorted(sides)
    assert sides[0] < sides[-1] == 256


def test_memory_for_a_network_hardly_grows_with_the_dates(network):
    def held(dates):
        sensors = [replace(sensor, dates=sensor.dates[:1] * dates) for sensor in network.sensors]
        return Method.of("TWINNS").values_per_pixel(sensors, "compact")

    assert held(60) < 1.3 * held(12)
