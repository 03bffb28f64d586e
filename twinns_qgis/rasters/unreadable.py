"""Why a raster can't be read, as far as its first bytes or GDAL tell, and what helps."""

from __future__ import annotations

import re
from pathlib import Path

from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.files import crs_of, file_of
from twinns_qgis.rasters.archives import LocalFile, on_disk, place, read_start
from twinns_qgis.rasters.remote.opening import address_of
from twinns_qgis.rasters.retold import file_behind

_CODEC = re.compile(r"missing codec (?:of code )?(\w+)|(?:required|undefined) filter(?: '(\w+)')?|(Filter error)")
_MISSING = re.compile(r"([^:\n]\S.*): No such file or directory|'(.+)' does not exist in the file system")
_CONVERT = (
    'Write it anew in a program that reads it: in QGIS with Raster > Conversion > Translate, else with "gdal_translate '
    '-co COMPRESS=DEFLATE OLD NEW.tif" of a GDAL that does.'
)
_AGAIN = "Download or copy it once more."
_TIFF = rb"II[*+]\x00|MM\x00[*+]"
_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(start, re.IGNORECASE | re.DOTALL), what, hint)
    for start, what, hint in (
        (rb"\Z", "is empty", _AGAIN),
        (
            rb"version https://git-lfs",
            "is a pointer of git-lfs, a line of text that stands for the file",
            'Fetch the file itself, with "git lfs pull" in the folder of its repository.',
        ),
        (
            rb"/annex/objects|\.\./.*\.git/annex",
            "is a pointer of git-annex, a line of text that stands for the file",
            'Fetch the file itself, with "git annex get" in the folder of its repository.',
        ),
        (
            rb"(\xef\xbb\xbf)?\s*(<!DOCTYPE html|<html)",
            "is a web page, such as of a login or of an error, that was saved under the file's name",
            "Log in where it comes from, and download it once more.",
        ),
        (
            rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<Error\b",
            "is the error message of a server, saved under the file's name: open it in a text editor",
            "Mend what it says, often a login or an address that has expired, and download it once more.",
        ),
        (
            rb"\s*[{\[]",
            "is JSON, such as the error message of a server, and no raster: open it in a text editor",
            "Mend what it says, often a login or an address that has expired, and download it once more.",
        ),
        (rb"PK\x03\x04", "is a zip archive", "Give it the ending .zip, and its folder as FOLDER; or unpack it."),
        (rb"\x1f\x8b|7z\xbc\xaf|Rar!|\xfd7zXZ|BZh|\x28\xb5\x2f\xfd", "is a compressed archive", "Unpack it."),
        (
            rb"\x0e\x03\x13\x01",
            "is an HDF4 file, for which rasterio's GDAL has no driver",
            _CONVERT,
        ),
        (rb"\x89HDF\r\n\x1a\n", "is an HDF5 or NetCDF file, of a structure that GDAL can't read", _CONVERT),
        (rb"msid", "is a MrSID file, for which rasterio's GDAL has no driver", _CONVERT),
        (rb"e\x02", "is an ECW file, for which rasterio's GDAL has no driver", _CONVERT),
        (
            rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
            "is a JPEG 2000 file that is damaged or that this GDAL has no driver for",
            f"{_AGAIN} If that does not help: {_CONVERT}",
        ),
        (_TIFF, "is a GeoTIFF that is damaged or incomplete", _AGAIN),
    )
)
"""What files begin with that are no rasters, or none that can be read; and what helps."""


def cannot_open(file: LocalFile, error: Exception) -> InputError:
    """Returns the error that tells why a raster can't be opened."""
    if not on_disk(file).exists():
        return InputError(f"{file} does not exist.", "Check the path, and that the file opens in QGIS.")
    if known := _known(str(file), error, virtual=place(file).suffix.lower() == ".vrt"):
        return known
    # A path that goes on within an archive may lead to nothing there.
    start = read_start(file) if not isinstance(file, Path) or file_of(file).is_file() else None
    for begins, what, hint in _KINDS:
        if (
            start is not None and begins.match(start) and not (begins.pattern == _TIFF and crs_of(Path(str(file))))
        ):  # the CRS may be what is wrong
            return InputError(f"{file} {what}.", hint)
    return InputError(f"{file} can't be read as a raster.", "Check the path, and that the file opens in QGIS.")


def cannot_read(dataset: DatasetReader, error: Exception) -> InputError:
    """Returns the error that tells why the pixels of an open raster can't be read."""
    file = address_of(file_behind(dataset))
    if known := _known(file, error, virtual=dataset.driver == "VRT"):
        return known
    return InputError(f"The pixels of {file} can't be read: the file is damaged or incomplete.", _AGAIN)


def _known(name: str, error: BaseException, virtual: bool) -> InputError | None:
    """Returns the error of a raster that is whole, but for a codec or for another file that it needs."""
    said = []
    cause: BaseException | None = error
    while cause is not None:
        said.append(str(cause))
        cause = cause.__cause__
    text = "\n".join(said)
    if match := _CODEC.search(text):
        codec = match[1] or match[2] or "a filter of HDF5"
        return InputError(f"{name} is compressed with {codec}, which rasterio's GDAL can't decompress.", _CONVERT)
    missing = next((found for match in _MISSING.finditer(text) if (found := match[1] or match[2]) != name), None)
    if missing and virtual:
        return InputError(
            f"{name} refers to {missing}, which is not there: a virtual raster (.vrt) holds no pixels, but says where "
            "they are.",
            "Put that file back, or make the virtual raster anew.",
        )
    return None
