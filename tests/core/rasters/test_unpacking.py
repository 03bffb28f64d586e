"""Unpacking rasters of archives while blocks are made."""

import errno
import pickle
import shutil
import zipfile
from collections import namedtuple

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import ZipMember
from twinns_qgis.rasters.reading import hidden_pixels, open_raster
from twinns_qgis.rasters.unpacking import Unpacked

VALUES = np.random.default_rng(0).integers(0, 60, (256, 256), np.int16)


@pytest.fixture
def archive(tmp_path):
    """Returns a function that writes a raster and a mask beside it into an archive."""

    def write(method=zipfile.ZIP_DEFLATED, **options):
        profile = {"driver": "GTiff", "width": 256, "height": 256, "count": 1, "dtype": "int16", "crs": "EPSG:32631"}
        path, archive = tmp_path / "B02.tif", tmp_path / "one.zip"
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False),
            rasterio.open(path, "w", transform=from_origin(5e5, 5e6, 10, 10), **profile, **options) as raster,
        ):
            raster.write(VALUES, 1)
            raster.write_mask(VALUES > 0)
        with zipfile.ZipFile(archive, "w", method) as target:
            for name in ("B02.tif", "B02.tif.msk"):
                target.write(tmp_path / name, f"product/{name}")
                (tmp_path / name).unlink()
            target.writestr("product/B03.tif", b"another")
        return ZipMember(archive, "product/B02.tif")

    return write


@pytest.fixture
def scratch(tmp_path):
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_deflated_raster_is_unpacked_once_with_its_mask(archive, scratch):
    member = archive()
    with Unpacked(scratch, spare=0) as unpacked:
        path = unpacked.of(member)
        assert unpacked.of(member) == path
        assert path.parent == scratch
        assert len(list(scratch.iterdir())) == 2
        with open_raster(path) as raster:
            np.testing.assert_array_equal(raster.read(1), VALUES)
            np.testing.assert_array_equal(hidden_pixels(raster, 1, None), VALUES == 0)
    assert not list(scratch.iterdir())


def test_what_is_cheap_to_read_stays_in_its_archive(archive, scratch, tmp_path):
    for member in (archive(zipfile.ZIP_STORED), archive(compress="deflate")):
        with Unpacked(scratch, spare=0) as unpacked:
            assert unpacked.of(member) == member
            assert unpacked.of(tmp_path / "file.tif") == tmp_path / "file.tif"
            assert not list(scratch.iterdir())


def test_rasters_are_unpacked_as_long_as_there_is_room(archive, scratch, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(200_000))
    member = archive()
    with Unpacked(scratch, spare=150_000) as unpacked:
        assert unpacked.of(member) == member


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(archive, scratch, monkeypatch):
    def copy(source, target, length):
        target.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    member = archive()
    monkeypatch.setattr(shutil, "copyfileobj", copy)
    with Unpacked(scratch, spare=0) as unpacked:
        assert unpacked.of(member) == member
        assert not list(scratch.iterdir())


def test_a_damaged_member_is_named(archive, scratch):
    member = archive()
    content = bytearray(member.archive.read_bytes())
    content[200:210] = bytes(10)
    member.archive.write_bytes(content)
    with (
        Unpacked(scratch, spare=0) as unpacked,
        pytest.raises(InputError, match=r"one\.zip/product/B02\.tif can't be read"),
    ):
        unpacked.of(member)
    assert not list(scratch.iterdir())


def test_other_processes_read_the_archive(scratch):
    with Unpacked(scratch, spare=0) as unpacked:
        assert pickle.loads(pickle.dumps(unpacked)) is None
