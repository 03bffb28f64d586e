"""Tiny products, written as the real ones are."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.db_range import parse_db_range
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel1 import prepare_sentinel1
from twinns_qgis.series.series import SENTINEL2_BANDS, Series

ORIGIN = (500000, 5600000)
SIZE = 16
"""Width and height of a product in pixels of 10 m."""


@pytest.fixture
def shared():
    """The folder beside the project's root that holds real products."""
    folder = Path(__file__).resolve().parents[3].parent / "shared"
    if not folder.is_dir():
        pytest.skip("the real products are not there")
    return folder


@pytest.fixture
def write_raster():
    return _write_raster


@pytest.fixture
def make_theia():
    return _make_theia


@pytest.fixture
def make_dated():
    return _make_dated


@pytest.fixture
def prepare_radar(tmp_path, listener, write_raster):
    """Returns a function that prepares the Sentinel-1 images below `in`, on 16 x 16 pixels of 10 m, and opens the
    series."""
    write_raster(tmp_path / "reference.tif", np.zeros((1, 16, 16), "uint8"))

    def run(
        output="out.tif",
        *,
        start=None,
        end=None,
        step=0,
        units="auto",
        orbit="any",
        speckle=0,
        db_range="VV=-25:5,VH=-32:-2",
        memory=64,
        reference=tmp_path / "reference.tif",
        dates=None,
        layers=(),
    ):
        prepare_sentinel1(
            tmp_path / output,
            Inputs(layers, None if layers else tmp_path / "in", dates),
            Period(start, end, step),
            reference=reference,
            units=units,
            orbit=orbit,
            speckle=speckle,
            db_range=parse_db_range(db_range),
            machine=Machine(memory),
            reporter=listener,
        )
        return Series.open(tmp_path / output)

    return run


@pytest.fixture
def radar_image(tmp_path, write_raster):
    """Returns a function that writes an image of 10 m with the same VV everywhere, and VH 7 dB below it."""

    def write(name, vv, **settings):
        pixels = np.broadcast_to(vv, (16, 16))
        values = np.stack([pixels, pixels - 7]).astype("float32")
        write_raster(tmp_path / "in" / name, values, names=("VV_dB", "VH_dB"), nodata=np.nan, **settings)

    return write


@pytest.fixture
def decibels():
    """Returns a function that reads a series in decibels, NaN where missing."""
    return lambda series: np.where(series.missing(series.read()), np.nan, series.read() * series.scale + series.offset)


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


def _make_theia(
    folder, day: date, values, clouds=None, *, tile="T31UES", size=SIZE, origin=ORIGIN, edge=None, crs="EPSG:32631"
):
    """Writes a product whose bands all hold `values`: a number, or pixels of 10 m; returns its folder."""
    name = f"SENTINEL2A_{day:%Y%m%d}-105421-464_L2A_{tile}_C_V1-0"
    product = folder / name
    pixels = np.broadcast_to(values, (size, size)).astype("int16")
    for band in SENTINEL2_BANDS:
        fine = band in ("B2", "B3", "B4", "B8")
        _write_raster(
            product / f"{name}_FRE_{band}.tif",
            (pixels if fine else pixels[::2, ::2])[None],
            resolution=10 if fine else 20,
            origin=origin,
            crs=crs,
            nodata=-10000,
        )
    none = np.zeros((size, size), "uint8")
    clouds = none if clouds is None else clouds
    _write_raster(product / "MASKS" / f"{name}_CLM_R1.tif", clouds[None], origin=origin, crs=crs)
    if edge is not None:
        _write_raster(product / "MASKS" / f"{name}_EDG_R1.tif", edge[None], origin=origin, crs=crs)
    return product


def _make_dated(
    folder, day: date, values, scl=None, *, name="S2_{}_10m.tif", bands=("B02", "B03", "B04", "B08"), **how
):
    """Writes a GeoTIFF of one date with named bands that all hold `values`, and SCL if given."""
    pixels = [np.broadcast_to(values, (SIZE, SIZE)).astype("uint16")] * len(bands)
    if scl is not None:
        pixels, bands = [*pixels, np.broadcast_to(scl, (SIZE, SIZE)).astype("uint16")], (*bands, "SCL")
    path = folder / name.format(f"{day:%Y%m%d}")
    _write_raster(path, np.stack(pixels), names=bands, nodata=0, **how)
    return path
