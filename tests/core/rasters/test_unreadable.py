"""What is said of rasters that can't be read."""

import struct
import zipfile

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import ZipMember
from twinns_qgis.rasters.reading import open_raster, read_bands

COMPRESSION = 259
"""The TIFF tag of the codec."""


@pytest.fixture
def raster(tmp_path):
    profile = {"driver": "GTiff", "width": 32, "height": 32, "count": 1, "dtype": "uint8", "crs": "EPSG:32631"}
    with rasterio.open(tmp_path / "plain.tif", "w", transform=from_origin(5e5, 5e6, 10, 10), **profile) as file:
        file.write(np.ones((1, 32, 32), np.uint8))
    return tmp_path / "plain.tif"


def refusal(file):
    with pytest.raises(InputError) as refused, open_raster(file) as dataset:
        read_bands(dataset)
    return refused.value


@pytest.mark.parametrize(("code", "codec"), [(50002, "JXL"), (34661, "JBIG"), (34712, "JP2000"), (65000, "65000")])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_codec_that_is_not_there_is_named(raster, code, codec, zipped):
    content = bytearray(raster.read_bytes())
    (directory,) = struct.unpack_from("<I", content, 4)
    for entry in range(directory + 2, directory + 2 + 12 * struct.unpack_from("<H", content, directory)[0], 12):
        if struct.unpack_from("<H", content, entry)[0] == COMPRESSION:
            struct.pack_into("<H", content, entry + 8, code)
    raster.write_bytes(content)
    file = raster
    if zipped:
        file = ZipMember(raster.with_suffix(".zip"), "a/plain.tif")
        with zipfile.ZipFile(file.archive, "w") as archive:
            archive.write(raster, file.member)
    error = refusal(file)
    assert f"is compressed with {codec}" in error.message
    assert "damaged" not in error.message
    assert "gdal_translate" in error.hint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "pointer of git-lfs"),
        (b"/annex/objects/SHA256E-s12--4d7a.tif\n", "pointer of git-annex"),
        (b"\n<!doctype html><html><body>Please log in", "web page"),
        (b"\xef\xbb\xbf<HTML>", "web page"),
        (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code>', "error message of a server"),
        (b'{"code": "InvalidToken"}', "JSON"),
        (b"PK\x03\x04", "zip archive"),
        (b"\x1f\x8b\x08", "compressed archive"),
        (b"\x0e\x03\x13\x01", "HDF4"),
        (b"msid\x02", "MrSID"),
        (b"e\x02\x00", "ECW"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"II*\x00\x08\x00\x00\x00", "damaged or incomplete"),
        (b"some notes", "can't be read as a raster"),
    ],
)
def test_files_of_another_kind_are_told_for_what_they_are(tmp_path, content, told):
    (tmp_path / "B02.tif").write_bytes(content)
    error = refusal(tmp_path / "B02.tif")
    assert told in error.message
    assert str(tmp_path / "B02.tif") in error.message
    assert error.hint


def test_a_virtual_raster_names_the_source_that_is_gone(raster):
    virtual = raster.with_name("virtual.vrt")
    virtual.write_text(
        '<VRTDataset rasterXSize="32" rasterYSize="32"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">plain.tif</SourceFilename><SourceBand>1</SourceBand>'
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with open_raster(virtual) as dataset:
        assert read_bands(dataset).all()
    raster.unlink()
    error = refusal(virtual)
    assert f"refers to {raster}" in error.message
    assert "damaged" not in error.message


def test_a_raster_that_was_cut_short_is_still_damaged(raster):
    raster.write_bytes(raster.read_bytes()[:-600])
    assert "damaged or incomplete" in refusal(raster).message
