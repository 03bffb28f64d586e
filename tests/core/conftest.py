"""What tests share: a tiny site, a listener, and a Dask cluster.

The site is two series on one grid, and square fields of three classes that both sensors tell apart.
"""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import geopandas
import numpy as np
import pyogrio  # noqa: F401  # before Keras: loaded after TensorFlow it uses its SQLite, and writes no spatial index
import pytest
import rasterio
from equations import assert_exact, equations, make_sensors, make_values, randomise  # noqa: F401  # fixtures
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.transform import from_origin
from rasterio.windows import Window
from shapely.geometry import box

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import SENTINEL2_BANDS, series_layout, write_series

ORIGIN = (500000, 5600000)
FIELD = 10
FIELDS = 6
CLASSES = ("water", "wheat", "wood")


@dataclass(frozen=True)
class Site:
    sentinel1: Path
    sentinel2: Path
    polygons: Path
    truth: np.ndarray


class Listener(Reporter):
    """Remembers what it hears."""

    def __init__(self):
        self.fractions, self.messages, self.warnings = [], [], []
        self.stop = False

    def progress(self, fraction, message=""):
        self.fractions.append(fraction)

    def info(self, message):
        self.messages.append(message)

    def warning(self, message):
        self.warnings.append(message)

    @property
    def cancelled(self):
        return self.stop


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def shared():
    """The folder beside the project's root that holds real products."""
    folder = Path(__file__).resolve().parents[2].parent / "shared"
    if not folder.is_dir():
        pytest.skip("the real products are not there")
    return folder


@pytest.fixture
def decoded(monkeypatch):
    """Counts how often the tiles of JPEG 2000 files are read, by the file's name, and the tile's row and column."""
    counts, read = Counter(), DatasetReader.read

    def counting(self, indexes=None, **options):
        if self.driver.startswith("JP2"):
            height, width = self.block_shapes[0]
            rows, columns = options["window"].toslices()
            for row in range(rows.start // height, -(-rows.stop // height)):
                for column in range(columns.start // width, -(-columns.stop // width)):
                    counts[self.name, row, column] += 1
        return read(self, indexes, **options)

    monkeypatch.setattr(DatasetReader, "read", counting)
    return counts


@pytest.fixture
def write_raster():
    return _write_raster


def _write_raster(path, values, *, names=None, resolution=10, origin=ORIGIN, crs="EPSG:32631", nodata=None, tags=None):
    """Writes values of shape (bands, height, width)."""
    values = np.asarray(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=values.shape[0],
        height=values.shape[1],
        width=values.shape[2],
        dtype=values.dtype,
        crs=crs,
        transform=from_origin(*origin, resolution, resolution),
        nodata=nodata,
    ) as dataset:
        dataset.write(values)
        dataset.update_tags(**(tags or {}))
        if names:
            dataset.descriptions = names
    with rasterio.open(path) as dataset:
        return Grid.of(dataset)


@pytest.fixture
def make_series(tmp_path):
    """Returns a function that writes raw values of shape (H, W, T, B) as a Sentinel-1 or Sentinel-2 series."""
    return lambda name, values, **options: _write(tmp_path / name, values, **options)


def _write(path, values, origin=(500000, 5600000), first_date=date(2018, 1, 1)):
    height, width, dates, bands = values.shape
    grid = Grid(CRS.from_epsg(32631), from_origin(*origin, 10, 10), width, height)
    days = [first_date + timedelta(days=20 * number) for number in range(dates)]
    if values.dtype == np.uint8:
        names, coding = ("VV", "VH")[:bands], {"nodata": 0, "scale": (0.1,) * bands, "offset": (-25.1, -32.1)[:bands]}
    else:
        names, coding = SENTINEL2_BANDS[:bands], {"nodata": -32768, "scale": (1e-4,) * bands, "offset": (0.0,) * bands}
    layout = series_layout(grid, days, names, dtype=str(values.dtype), tags={}, **coding)
    with write_series(path, layout) as writer:
        writer.write(values, Window(0, 0, width, height))
    return path


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The tiny site, 60 x 60 pixels with 4 and 5 dates; a session makes it once, tests leave it as it is."""
    folder = tmp_path_factory.mktemp("site")
    random = np.random.default_rng(0)
    fields = np.arange(FIELDS * FIELDS).reshape(FIELDS, FIELDS) % len(CLASSES)
    truth = np.kron(random.permuted(fields.ravel()).reshape(fields.shape), np.ones((FIELD, FIELD), int))
    shape = truth.shape
    radar = 100 + 30 * truth[..., None, None] + random.normal(0, 15, (*shape, 4, 2))
    optical = 2000 + 300 * truth[..., None, None] * np.arange(5)[:, None] + random.normal(0, 300, (*shape, 5, 10))
    polygons = []
    for row in range(FIELDS):
        for column in range(FIELDS):
            left, top = 500000 + 10 * FIELD * column, 5600000 - 10 * FIELD * row
            label = truth[row * FIELD, column * FIELD]
            polygons.append(
                {
                    "geometry": box(left + 10, top - 90, left + 90, top - 10),
                    "name": CLASSES[label],
                    "code": 10 * (label + 1),
                }
            )
    geopandas.GeoDataFrame(polygons, crs="EPSG:32631").to_file(folder / "polygons.gpkg", layer="fields")
    return Site(
        _write(folder / "sentinel1.tif", radar.clip(1, 255).astype("uint8")),
        _write(folder / "sentinel2.tif", optical.astype("int16")),
        folder / "polygons.gpkg",
        truth,
    )


@pytest.fixture(scope="module")
def scheduler_process():
    """The address of a scheduler, and its process."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True)
    address = next(filter(None, (re.search(r"tcp://[\d.:]+", line) for line in process.stderr)))[0]
    yield address, process
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def scheduler(scheduler_process):
    """The address of a scheduler."""
    return scheduler_process[0]


@pytest.fixture
def start_workers(scheduler):
    """Returns a function that starts so many workers."""
    processes = []

    def start(count):
        command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-nanny"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        processes.extend(subprocess.Popen([*command, "--no-dashboard"], **quiet) for _ in range(count))
        return processes

    yield start
    for process in processes:
        process.kill()
        process.wait()
