"""Tiny products, written as the real ones are."""

import json
import zipfile
from datetime import date
from functools import partial

import numpy as np
import pytest
import rasterio
from file_server import serving
from rasterio.transform import from_origin

from twinns_qgis.rasters.production import Machine
from twinns_qgis.rasters.remote import requesting
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.offset import parse_offset
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel1.db_range import parse_db_range
from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1
from twinns_qgis.series.sentinel2.finding import find_sentinel2
from twinns_qgis.series.series import SENTINEL2_BANDS, Series

SAFE_FILES = {10: ("B02", "B03", "B04", "B08"), 20: ("B05", "B06", "B07", "B8A", "B11", "B12", "SCL")}
SAFE_METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://example.org/psd"><n1:General_Info>
<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>{offsets}
</n1:General_Info></n1:Level-2A_User_Product>
"""
ORIGIN = (500000, 5600000)
SIZE = 16
"""Width and height of a product in pixels of 10 m."""


@pytest.fixture
def make_theia(write_raster):
    return partial(_make_theia, write_raster)


@pytest.fixture
def make_dated(write_raster):
    return partial(_make_dated, write_raster)


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


def _make_theia(
    write_raster,
    folder,
    day: date,
    values,
    clouds=None,
    *,
    tile="T31UES",
    size=SIZE,
    origin=ORIGIN,
    edge=None,
    crs="EPSG:32631",
):
    """Writes a product whose bands all hold `values`: a number, or pixels of 10 m; returns its folder."""
    name = f"SENTINEL2A_{day:%Y%m%d}-105421-464_L2A_{tile}_C_V1-0"
    product = folder / name
    pixels = np.broadcast_to(values, (size, size)).astype("int16")
    for band in SENTINEL2_BANDS:
        fine = band in ("B2", "B3", "B4", "B8")
        write_raster(
            product / f"{name}_FRE_{band}.tif",
            (pixels if fine else pixels[::2, ::2])[None],
            resolution=10 if fine else 20,
            origin=origin,
            crs=crs,
            nodata=-10000,
        )
    none = np.zeros((size, size), "uint8")
    clouds = none if clouds is None else clouds
    write_raster(product / "MASKS" / f"{name}_CLM_R1.tif", clouds[None], origin=origin, crs=crs)
    if edge is not None:
        write_raster(product / "MASKS" / f"{name}_EDG_R1.tif", edge[None], origin=origin, crs=crs)
    return product


def _make_dated(
    write_raster,
    folder,
    day: date,
    values,
    scl=None,
    *,
    name="S2_{}_10m.tif",
    bands=("B02", "B03", "B04", "B08"),
    **how,
):
    """Writes a GeoTIFF of one date with named bands that all hold `values`, and SCL if given."""
    pixels = [np.broadcast_to(values, (SIZE, SIZE)).astype("uint16")] * len(bands)
    if scl is not None:
        pixels, bands = [*pixels, np.broadcast_to(scl, (SIZE, SIZE)).astype("uint16")], (*bands, "SCL")
    path = folder / name.format(f"{day:%Y%m%d}")
    write_raster(path, np.stack(pixels), names=bands, nodata=0, **how)
    return path


@pytest.fixture
def find_in(listener):
    """Returns a function that finds the products among inputs; options are those of Sentinel-2."""

    def find(*, clear=None, reflectance="FRE", offset="auto", start=None, **inputs):
        options = Sentinel2Options(clear or {}, reflectance, parse_offset(offset))
        return find_sentinel2(Inputs(**inputs), options, Period(start), listener).products

    return find


@pytest.fixture
def pack():
    return _pack


@pytest.fixture
def make_safe(tmp_path):
    """Returns a function that makes a product of 40 x 40 pixels whose bands hold one number each."""

    def make(day, baseline, offset=None, number=2000, scene=4, *, made="150000", folder=tmp_path, **jp2):
        name = f"S2A_MSIL2A_{day:%Y%m%d}T105421_N{baseline.replace('.', '')}_R051_T31UES_{day:%Y%m%d}T{made}.SAFE"
        images = folder / name / "GRANULE/L2A_T31UES_A000001_20180305T105421/IMG_DATA"
        for resolution, bands in SAFE_FILES.items():
            (images / f"R{resolution}m").mkdir(parents=True)
            for band in bands:
                values = np.full((400 // resolution, 400 // resolution), number, "uint16")
                if band == "SCL":
                    values = np.full_like(values, scene, "uint8")
                elif band == "B02":
                    values[0, 0] = 0  # missing, whatever the offset
                path = images / f"R{resolution}m" / f"T31UES_{day:%Y%m%d}T105421_{band}_{resolution}m.jp2"
                _write_jp2(path, values, resolution, **jp2)
        offsets = "" if offset is None else "".join(
            f'<BOA_ADD_OFFSET band_id="{number}">{offset}</BOA_ADD_OFFSET>' for number in range(13)
        )  # fmt: skip
        metadata = SAFE_METADATA.format(baseline=baseline, offsets=offsets)
        (folder / name / "MTD_MSIL2A.xml").write_text(metadata)
        return folder / name

    return make


@pytest.fixture
def write_jp2():
    return _write_jp2


def _pack(folder, archive, below=None):
    """Packs a folder into an archive, where its files lie below a folder of its own name, or another; removes it."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            target.write(path, f"{folder.name if below is None else below}/{path.relative_to(folder)}".lstrip("/"))
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    return archive


def _write_jp2(path, values, resolution, *, origin=(500000, 5600000), tile=None):
    """Writes values without loss, in tiles of a side where it is given."""
    height, width = values.shape
    options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    if tile:
        options |= {"TILED": "YES", "BLOCKXSIZE": tile, "BLOCKYSIZE": tile}
    with rasterio.open(
        path, "w", width=width, height=height, count=1, dtype=values.dtype, crs="EPSG:32631",
        transform=from_origin(*origin, resolution, resolution), **options,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


@pytest.fixture
def server(archive, monkeypatch):
    """A file server over the folder that a module's own fixture `archive` makes."""
    monkeypatch.setattr(requesting, "_FIRST_WAIT", 0.01)
    with serving(archive) as running:
        yield running


@pytest.fixture
def scene_list(tmp_path, archive, server):
    """Returns a function that writes the list of scenes on the server; `change` may change its items.

    They are those of the archive, ``item.json`` in a folder each, whose names begin with `only`.
    """

    def write(change=lambda items: None, only=""):
        items = []
        for path in sorted(archive.glob("*/item.json")):
            item = json.loads(path.read_text())
            for asset in item["assets"].values():
                asset["href"] = f"{server.url}/{path.parent.name}/{asset['href'].removeprefix('./')}"
            items.append(item)
        items = [item for item in items if item["id"].startswith(only)]
        change(items)
        content = {"type": "FeatureCollection", "twinns:api": f"{server.url}/stac", "features": items}
        (tmp_path / "scenes.geojson").write_text(json.dumps(content))
        return tmp_path / "scenes.geojson"

    return write
