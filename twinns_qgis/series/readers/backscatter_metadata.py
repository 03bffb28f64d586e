"""What the programs that make Sentinel-1 images say of them, in metadata and names."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

import numpy as np

from twinns_qgis.series.dates import Tags, by_name
from twinns_qgis.series.names.origin import is_raw_of_browser
from twinns_qgis.series.products.product import Orbit

_HYP3 = re.compile(r"^S1[A-D]_\w+_RTC\d+_G_[gs]([pad])[uw][nf][ec][dm]_", re.IGNORECASE)
_ASF = re.compile(r"^S1[A-D]_IW_RT\d{2}_\d{8}T\d{6}_G_[gs]([pa])[nf]", re.IGNORECASE)
"""RTC of the Alaska Satellite Facility before HyP3's of today, with the letters of its product guide."""
_HYP3_UNITS = {"p": "power", "a": "amplitude", "d": "dB"}
_PRODUCT = re.compile(r"(?<![A-Z0-9])S1[A-D](?![A-Z0-9])", re.IGNORECASE)
"""What the names of all products have, the satellite, and those that users choose seldom."""
_COMPANION = re.compile(
    r"mask(?!ed)|(?<![A-Z])LIA_|_(ls|inc)_map|_(dem|area|rgb|number_of_looks)(?![A-Z])|rtc_anf|inciden(ce|t)_angle"
    r"|_(ls|inc|pix|dem)_geo|GAMMA_AREA",
    re.IGNORECASE,
)
_DIRECTION = re.compile(r"(?<![A-Z0-9])(ASC|DES|DSC)(C?ENDING)?(?![A-Z0-9])", re.IGNORECASE)
_DIRECTION_PYROSAR = re.compile(r"^S1[A-D]__[A-Z0-9]{2}___([AD])_\d{8}T")
_RELATIVE = re.compile(
    r"(?<![A-Z0-9])(?:ASC|DES)_(\d{3})(?![A-Z0-9])|^(?:OPERA_L2_RTC-S1|ga_s1)\w*(?:_|[\w.-]*_)T(\d{3})-\d",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(
    r"^(S1[A-D])(?:_\w{2}_\w{4}_\w{4}_\d{8}T\d{6}_\d{8}T\d{6}_|-\w{2}-\w{3}-\d{8}T\d{6}-)(\d{6})[_-]", re.IGNORECASE
)
_FIRST_RELATIVE = {"S1A": 73, "S1B": 27}
"""Absolute orbits that are the relative orbit 1; the others follow every 175 orbits. Of later satellites it is not
known here."""
_DECIBELS = re.compile(r"(?<![A-Z0-9])(dB|decibels?)(?![A-Z0-9])", re.IGNORECASE)
_WORLDCEREAL = re.compile(r"(^|[-_])SIGMA0[-_]V[VH]$")
_OPERA = "OPERA_L2_RTC-S1"
_OPERA_EXPRESSION = "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_EXPRESSION_CONVENTION"
_WRITERS = (
    ("HyP3", _HYP3),
    ("HyP3", _ASF),
    ("OPERA", re.compile(_OPERA)),
    ("s1ard", re.compile(r"s1[a-d]-\w{2}-(nrb|orb)-")),
    ("pyroSAR", re.compile(r"S1[A-D]__")),
    ("S1 Tiling", re.compile(r"s1[a-d]_\d{2}[A-Z]{3}_")),
    ("WorldCereal", re.compile(r".*_SIGMA0_V[VH](?![A-Z])")),
)
"""Programs by how the names of their images begin."""
_ARCHIVES = (
    (
        "Planetary Computer",
        re.compile(r"^(iw|ew|sm)-[vh]{2}\.rtc$|^S1[A-D]_\w{2}_GRD\w_.*_rtc(?![A-Z0-9])", re.IGNORECASE),
    ),
    ("Sinergise", re.compile(r"^S1[A-D]_\d{8}_\d{2}[A-Z]{3}_(ASC|DSC|DES)$", re.IGNORECASE)),
    ("Digital Earth Africa", re.compile(r"^s1_rtc_[0-9A-F]{6}_[NS]\d{2}[EW]\d{3}_\d{4}_\d{2}_\d{2}", re.IGNORECASE)),
    ("Digital Earth Australia", re.compile(r"^ga_s1[a-d]?_nrb_.*gamma0", re.IGNORECASE)),
)
"""Archives whose images are linear power, gamma nought corrected for terrain, by how they name files or folders:

- Microsoft, "Sentinel 1 Radiometrically Terrain Corrected (RTC)": ``..._rtc/measurement/iw-vv.rtc.tiff``;
- Indigo and Sinergise, "Sentinel-1 RTC" of the Registry of Open Data on AWS: ``S1A_20200103_17RMJ_ASC/Gamma0_VV.tif``;
- Digital Earth Africa, "Sentinel-1 Radiometrically Terrain Corrected": ``s1_rtc_0101B0_N13E025_2018_01_04_VV.tif``;
- Geoscience Australia, "Sentinel-1 NRB": ``ga_s1_nrb_..._VV_gamma0.tif``.
"""
_ARD = re.compile(r"-[vh]{2}-[gs]-(lin|log)$", re.IGNORECASE)
_ARD_UNITS = {"lin": "power", "log": "dB"}
"""The end of the names of the SAR-ARD processor (``s1ard``): gamma or sigma nought, linear or logarithmic."""
_VERSION = re.compile(r"[\s,/-]+v?\d.*", re.IGNORECASE)
_CALIBRATED = ("beta", "sigma", "gamma", "normlim", "gamma_naught_rtc")


def is_companion(path: Path) -> bool:
    """Whether a file is one of those that lie beside images: masks, angles, terrain, scattering areas, quicklooks.

    So name them S1 Tiling (``_BorderMask``, ``sin_LIA_``), HyP3 (``_ls_map``, ``_inc_map``, ``_dem``, ``_area``,
    ``_rgb``), OPERA (``_mask``, ``_incidence_angle``, ``_number_of_looks``, ``_rtc_anf``), pyroSAR (``_inc_geo``) and
    Sinergise's RTC (``local_incident_angle``).
    """
    return bool(_COMPANION.search(path.stem))


def product_folder(path: Path) -> Path | None:
    """Returns the folder that is the product, where folders and not files have its name; of two levels above."""
    if _PRODUCT.search(path.name):
        return None
    return next(
        (folder for folder in path.parents[:2] if _PRODUCT.search(folder.name) and by_name(PurePath(folder.name))), None
    )


def with_acquisition(path: Path, tags: Tags) -> Tags:
    """Returns a file's metadata, its day of acquisition among them where the product has it in a way of its own.

    That is a tag (OPERA, Sinergise's RTC) or the product's name, of the file or of its folder. The name of a product
    tells more than ``TIFFTAG_DATETIME``, in which most programs write when they ran.
    """
    started = tags.get("ZERO_DOPPLER_START_TIME") or (tags.get("DATE") if "MISSION_ID" in tags else None)
    if started:
        return {"ACQUISITION_STARTED": started, **tags}
    named = product_folder(path) or path
    day = by_name(PurePath(named.name)) if _PRODUCT.search(named.name) else None
    return {**tags, "ACQUISITION_OF_PRODUCT": day.isoformat()} if day else tags


def writer_of(path: Path, tags: Tags) -> str:
    """Returns the program that wrote an image, without its version, by its name or metadata; empty if nothing says."""
    known = (program for program, name in _WRITERS if name.match(path.name))
    return next(known, "") or _archive_of(path) or _VERSION.sub("", tags.get("TIFFTAG_SOFTWARE", ""))


def _archive_of(path: Path) -> str:
    """Returns the archive of linear power that an image is from, by its name or that of a folder of two above it."""
    names = (path.stem, *(folder.name for folder in path.parents[:2]))
    return next((archive for archive, known in _ARCHIVES if any(map(known.search, names))), "")


def orbit_of(path: Path, tags: Tags, description: str = "") -> Orbit:
    """Returns the orbit of an image as far as its metadata or names tell it.

    Args:
        path: Its file, whose name counts, and that of the product's folder.
        tags: The file's metadata.
        description: That of its band, which in a stack of dates may be the name of the image.
    """
    names = [description, *(named.name for named in (path, product_folder(path)) if named)]
    return Orbit(_direction(names, tags), _relative(names, tags))


def _direction(names: list[str], tags: Tags) -> str | None:
    said = tags.get("ORBIT_DIRECTION") or tags.get("ORBIT_PASS_DIRECTION") or ""  # S1 Tiling and Sinergise; OPERA
    matches = [_DIRECTION.search(said), *map(_DIRECTION_PYROSAR.search, names), *map(_DIRECTION.search, names)]
    letter = next((match[1][0].upper() for match in matches if match), None)
    return {"A": "ascending", "D": "descending"}[letter] if letter else None


def _relative(names: list[str], tags: Tags) -> int | None:
    # WorldCereal's processor, which keeps S1 Tiling's FLYING_UNIT_CODE, has the relative orbit as ORBIT.
    own = tags.get("ORBIT") if "FLYING_UNIT_CODE" in tags else None
    said = tags.get("RELATIVE_ORBIT_NUMBER") or tags.get("TRACK_NUMBER") or own or ""
    if said.isdecimal():
        return int(said)
    if match := next(filter(None, map(_RELATIVE.search, names)), None):
        return int(match[1] or match[2])
    absolute = next(((match[1].upper(), match[2]) for match in map(_ABSOLUTE.search, names) if match), None)
    satellite, number = absolute or (tags.get("MISSION_ID", ""), tags.get("ABSOLUTE_ORBIT_NUMBER", ""))
    if satellite not in _FIRST_RELATIVE or not number.isdecimal():
        return None
    return (int(number) - _FIRST_RELATIVE[satellite]) % 175 + 1


def units_of(path: Path, description: str, unit: str, dtype: str, tags: Tags) -> str | None:
    """Returns what a band's values are, one of `backscatter.UNITS`, or None where nothing says it.

    - ``dB`` or ``decibel`` as the band's unit, or as a word of its description or of the file's name: pyroSAR
      (``..._norm_db.tif``), SNAP (``Sigma0_VV_db``).
    - HyP3: the letter p, a or d in the name, as in ``RTC30_G_gpuned``, and before it ``RT10_..._G_gpn``.
    - Archives of RTC images, which are linear power, by the names of files or folders: see `_ARCHIVES`.
    - s1ard: ``lin`` or ``log`` at the end of the name, as in ``...-vv-g-lin.tif``.
    - OPERA RTC-S1: the tag of the expression of backscatter, else linear power, by its product specification.
    - S1 Tiling: the calibration in its tags, which gives linear power.
    - EO Browser and the Copernicus Browser: raw bands are linear power.
    - WorldCereal's whole numbers: ``SIGMA0_VV`` at the end of the name, ``S1-SIGMA0-VV`` as description.

    Args:
        path: The file.
        description: The band's description, or an empty text.
        unit: The band's unit, or an empty text.
        dtype: The type of its values, as numpy names it.
        tags: The file's metadata.
    """
    if any(_DECIBELS.search(text) for text in (unit, description, path.stem)):
        return "dB"
    if hyp3 := _HYP3.match(path.name) or _ASF.match(path.name):
        return _HYP3_UNITS[hyp3[1].lower()]
    if is_raw_of_browser(path):
        return "power"
    if path.name.startswith(_OPERA):
        return "power" if "linear" in tags.get(_OPERA_EXPRESSION, "linear") else None
    whole = np.dtype(dtype).kind in "iu"
    if not whole and (ard := _ARD.search(path.stem)):
        return _ARD_UNITS[ard[1].lower()]
    if not whole and _archive_of(path):
        return "power"
    if whole and any(_WORLDCEREAL.search(text) for text in (description, path.stem)):
        return "DN"
    if (
        not whole
        and tags.get("TIFFTAG_SOFTWARE", "").startswith("S1 Tiling")
        and tags.get("CALIBRATION") in _CALIBRATED
    ):
        return "power"
    return None
