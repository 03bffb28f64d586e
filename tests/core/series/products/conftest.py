"""Finding Sentinel-2 products as the preparation does, and products of the true structure."""

import zipfile

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.search import Sentinel2Options
from twinns_qgis.series.products.sentinel2 import find_sentinel2

SAFE_FILES = {10: ("B02", "B03", "B04", "B08"), 20: ("B05", "B06", "B07", "B8A", "B11", "B12", "SCL")}
SAFE_METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://example.org/psd"><n1:General_Info>
<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>{offsets}
</n1:General_Info></n1:Level-2A_User_Product>
"""


@pytest.fixture
def find_in(listener):
    """Returns a function that finds the products among inputs; options are those of Sentinel-2."""

    def find(*, clear=None, reflectance="FRE", start=None, **inputs):
        options = Sentinel2Options(clear or {}, reflectance)
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
        options |= {"BLOCKXSIZE": tile, "BLOCKYSIZE": tile}
    with rasterio.open(
        path, "w", width=width, height=height, count=1, dtype=values.dtype, crs="EPSG:32631",
        transform=from_origin(*origin, resolution, resolution), **options,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
