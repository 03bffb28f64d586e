"""Rasters whose rows or columns run the other way."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import hidden_pixels, open_raster

HEIGHT, WIDTH = 5, 7
PROFILE = {"driver": "GTiff", "height": HEIGHT, "width": WIDTH, "count": 2, "dtype": "int16", "crs": "EPSG:32631"}
VALUES = np.arange(2 * HEIGHT * WIDTH, dtype=np.int16).reshape(2, HEIGHT, WIDTH)


def write(path, transform, hidden=None):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", transform=transform, **PROFILE) as file:
        file.write(VALUES)
        if hidden is not None:
            file.write_mask(~hidden)
    return path


@given(data=st.data(), right=st.booleans(), down=st.booleans())
@settings(max_examples=20, deadline=None)
def test_each_pixel_keeps_its_place_on_the_map(data, right, down):
    transform = Affine(10 if right else -10, 0, 500000, 0, -20 if down else 20, 5600000)
    row, column = data.draw(st.integers(0, HEIGHT - 1)), data.draw(st.integers(0, WIDTH - 1))
    height, width = data.draw(st.integers(1, HEIGHT - row)), data.draw(st.integers(1, WIDTH - column))
    with TemporaryDirectory() as folder:
        path = write(Path(folder, "raster.tif"), transform)
        with open_raster(path) as dataset:
            grid = Grid.of(dataset).crop(Window(column, row, width, height))
            found = dataset.read(window=Window(column, row, width, height))
            assert dataset.bounds == Grid.of(dataset).bounds
        places = [grid.transform @ (x + 0.5, y + 0.5) for y in range(height) for x in range(width)]
        with rasterio.open(path) as dataset:
            expected = np.array(list(dataset.sample(places))).T.reshape(found.shape)
    np.testing.assert_array_equal(found, expected)


def test_what_a_mask_hides_is_turned_with_the_pixels(tmp_path):
    hidden = VALUES[0] % 3 == 0
    path = write(tmp_path / "raster.tif", Affine(10, 0, 500000, 0, 10, 5600000), hidden)
    with open_raster(path) as dataset:
        np.testing.assert_array_equal(hidden_pixels(dataset, 1, Window(1, 0, 4, 2)), hidden[::-1][:2, 1:5])
        assert dataset.profile["transform"] == dataset.transform


def test_a_rotated_raster_is_refused_with_a_command_that_works(tmp_path):
    path = write(tmp_path / "rotated one.tif", Affine(10, 0, 5e5, 0, -10, 56e5) @ Affine.rotation(20))
    with pytest.raises(InputError, match="rotated") as refused, open_raster(path) as dataset:
        Grid.of(dataset)
    command = refused.value.hint.partition("gdalwarp")
    assert '"' in command[2]
    command = "gdalwarp" + command[2].rstrip(".").replace("NEW.tif", f'"{tmp_path}/new.tif"')
    if shutil.which("gdalwarp"):
        subprocess.run(command, shell=True, check=True, capture_output=True)
        with open_raster(tmp_path / "new.tif") as dataset:
            assert Grid.of(dataset).resolution[0] > 0


def test_a_raster_that_does_not_tell_where_it_lies_is_not_turned(tmp_path):
    with rasterio.open(tmp_path / "nowhere.tif", "w", **PROFILE) as file:
        file.write(VALUES)
    with pytest.raises(InputError, match="no position"), open_raster(tmp_path / "nowhere.tif") as dataset:
        Grid.of(dataset)
