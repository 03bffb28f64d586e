"""Copies of rasters: windows with the same pixels and all that they mean, whole files with the same bytes."""

import numpy as np
import pytest
import rasterio
from file_server import serving
from rasterio.io import MemoryFile
from rasterio.transform import Affine, from_origin
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters import copies
from twinns_qgis.rasters.copies import geotiff_of, pieces_of, size_of
from twinns_qgis.rasters.reading import hidden_pixels, open_raster
from twinns_qgis.rasters.remote.files import Archive, RemoteFile

SIDE = 700
WINDOW = Window(30, 60, 600, 580)
NORTH_UP = from_origin(5e5, 5.6e6, 10, 10)
RANDOM = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path):
    """Returns a function that writes a raster of random values, with a change made while it is open."""

    def run(dtype="uint16", bands=1, transform=NORTH_UP, change=lambda dataset: None, **more):
        path = tmp_path / "a.tif"
        values = (1000 * RANDOM.random((bands, SIDE, SIDE))).astype(dtype)
        with rasterio.open(path, "w", "GTiff", SIDE, SIDE, bands, "EPSG:32631", transform, dtype, **more) as dataset:
            dataset.write(values)
            change(dataset)
        return path, values

    return run


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_pixels_and_grid_are_those_of_the_window(write, dtype):
    path, values = write(dtype, bands=2, nodata=7)
    with MemoryFile(geotiff_of(path, WINDOW)) as memory, memory.open() as copy:
        np.testing.assert_array_equal(copy.read(), values[(slice(None), *WINDOW.toslices())])
        assert copy.transform == from_origin(5e5 + 300, 5.6e6 - 600, 10, 10)
        assert (copy.crs.to_epsg(), copy.nodata, copy.dtypes) == (32631, 7, (dtype, dtype))
        assert copy.profile["compress"] == "deflate"
        assert copy.block_shapes == [(512, 512)] * 2


def test_all_that_a_raster_says_of_its_values_is_kept(write):
    def change(dataset):
        dataset.scales, dataset.offsets, dataset.units, dataset.descriptions = [0.5], [-1], ["dB"], ["VV"]
        dataset.update_tags(ORBIT="8", AREA_OR_POINT="Point")
        dataset.update_tags(1, NOISE="low", STATISTICS_MEAN="5")

    path, _ = write(change=change)
    with MemoryFile(geotiff_of(path, WINDOW)) as memory, memory.open() as copy:
        assert (copy.scales, copy.offsets, copy.units, copy.descriptions) == ((0.5,), (-1,), ("dB",), ("VV",))
        assert copy.tags()["ORBIT"] == "8"
        assert copy.tags(1) == {"NOISE": "low"}  # the mean is no longer that
        assert copy.transform == from_origin(5e5 + 300, 5.6e6 - 600, 10, 10)


def test_colours_of_classes_are_kept(write):
    path, _ = write("uint8", change=lambda dataset: dataset.write_colormap(1, {4: (1, 2, 3, 255)}))
    with MemoryFile(geotiff_of(path, WINDOW)) as memory, memory.open() as copy:
        assert copy.colormap(1)[4] == (1, 2, 3, 255)


def test_pixels_that_a_mask_or_an_alpha_band_hides_stay_hidden(write, tmp_path):
    def mask(dataset):
        dataset.write_mask(hidden[0] == 0)

    def alpha(dataset):
        dataset.write(np.where(hidden[0], 0, 255).astype("uint8"), 2)

    hidden = RANDOM.random((1, SIDE, SIDE)) < 0.5
    for bands, change, options in ((2, alpha, {"alpha": "yes"}), (1, mask, {})):
        path, _ = write("uint8", bands, change=change, **options)
        (tmp_path / "copy.tif").write_bytes(geotiff_of(path, WINDOW))
        with open_raster(tmp_path / "copy.tif") as copy:
            found = hidden_pixels(copy, 1, Window(0, 0, 600, 580))
        np.testing.assert_array_equal(found, hidden[0][WINDOW.toslices()])


def test_a_raster_with_south_up_is_turned(write):
    path, values = write(transform=Affine(10, 0, 5e5, 0, 10, 5.6e6))
    with MemoryFile(geotiff_of(path, WINDOW)) as memory, memory.open() as copy:
        np.testing.assert_array_equal(copy.read(1), values[0][::-1][WINDOW.toslices()])
        assert copy.transform == from_origin(5e5 + 300, 5.6e6 + 7000 - 600, 10, 10)


@pytest.mark.parametrize("piece", [10_000, 2**23])
def test_pieces_are_the_bytes_of_a_file_here_and_on_a_server(write, tmp_path, monkeypatch, piece):
    monkeypatch.setattr(copies, "_PIECE", piece)
    path, _ = write()
    with serving(tmp_path) as server:
        for file in (path, RemoteFile.of(f"{server.url}/a.tif", Archive(server.url))):
            assert b"".join(pieces_of(file)) == path.read_bytes()
            assert size_of(file) == path.stat().st_size


def test_a_file_that_changes_while_it_is_read_is_refused(write, tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "_PIECE", 10_000)
    path, _ = write()
    with serving(tmp_path) as server:
        pieces = pieces_of(RemoteFile.of(f"{server.url}/a.tif", Archive(server.url)))
        next(pieces)
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(InputError, match="changed on its server"):
            next(pieces)
