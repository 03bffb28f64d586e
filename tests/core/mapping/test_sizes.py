"""Blocks follow memory."""

from dataclasses import replace

import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.mapping.sizes import block_side, choose_sizes
from twinns_qgis.methods import Method
from twinns_qgis.rasters.grid import Grid
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


@pytest.mark.parametrize("memory", [1, 900, 1024, 2048, 16384])
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_what_blocks_take_fits_into_memory(network, series, memory, device):
    sizes = choose_sizes(network, series, LARGE, memory, device)
    height, width = sizes.shape
    values = 2 * (4 * 2 * 1 + 5 * 10 * 2) + 4 * 4 * 3
    assert 2 * height * width * values <= max(sizes.memory, 4) * 2**20 / 4
    assert sizes.memory == max(1, memory // 8, memory - 900)


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
