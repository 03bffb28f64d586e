"""What paths say of where an image comes from: sensor, level, processing baseline, tile, and the writer.

What a file's name says counts before what its folders' say, the innermost folder before the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import TypeVar

SENTINEL2, HLS_S30, HLS_L30, OLI, TM, OTHER = "Sentinel-2", "HLS S30", "HLS L30", "Landsat 8-9", "Landsat 4-7", "other"
_WORD = r"(?<![A-Za-z0-9])(?:{})(?![A-Za-z0-9])"


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(_WORD.format(pattern), re.IGNORECASE)


_SENSORS = (
    (HLS_S30, _word(r"HLS[._]?S30(?:\.v?\d+)*|HLSS30(?:_\d+)?")),
    (HLS_L30, _word(r"HLS[._]?L30|HLSL30(?:_\d+)?")),
    (OLI, _word(r"L[CO]0[89]|L[CO]8\d{13}[A-Z]{3}\d\d|LND0[89]|landsat[-_ ]?[89]")),
    (TM, _word(r"L[ET]0[457]|L[ET][457]\d{13}[A-Z]{3}\d\d|LND0[457]|landsat[-_ ]?[457]")),
    (SENTINEL2, _word(r"S2[A-D]?(?:MSI)?|S2[A-D][12][AC]|Sentinel[-_]?2[A-D]?|SEN2[A-D]|s2[a-d]m")),
    (OTHER, _word(r"M[OY]D\d\d\w*|MODIS|VNP\d\d\w*|VIIRS|PROBA-?V|S3[AB]|Sentinel-?3[AB]?|ASTER|SPOT\d?|PSScene\w*"
                  r"|GF\d|S1[A-D]|Sentinel-?1[A-D]?|landsat")),
)  # fmt: skip
_LEVEL = re.compile(
    r"(?<![A-Za-z0-9])(?:S2[A-D]|(?:MSI)?L|level[-_ ]?)(?P<level>1C|2A|3A|1B)(?![A-Za-z0-9])", re.IGNORECASE
)
_BASELINE = _word(r"N(?P<baseline>0\d\.?\d\d|99\.?99)(?:R\d{3})?(?:T?\d{2}[A-Z]{3})?")
_TILE = re.compile(
    r"(?<![A-Za-z0-9])(?:N\d{4})?(?:R\d{3})?T?(?P<tile>(?:0[1-9]|[1-5]\d|60)[C-HJ-NP-X][A-HJ-NP-Z]{2})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_TILE_IN_FOLDERS = re.compile(
    r"(?:^|/)(?P<zone>[1-9]|0[1-9]|[1-5]\d|60)/(?P<band>[C-HJ-NP-X])/(?P<square>[A-HJ-NP-Z]{2})(?=/|$)", re.I
)
_TIME = re.compile(r"(?<!\d)20\d{6}(?:T|-)(?P<time>\d{6})(?!\d)|(?<!\d)20\d{5}T(?P<of_hls>\d{6})(?!\d)", re.IGNORECASE)
_PLATFORM = _word(r"(?:S2|SENTINEL-?2|SEN2)(?P<platform>[A-D])(?:2A|M)?")
_GRANULE = re.compile(r"T\d{2}[A-Z]{3}_\d{8}T\d{6}_B\d[\dA]", re.IGNORECASE)
_SEN2R = re.compile(r"S2[A-D](?P<level>1C|2A)_\d{8}_\d{3}_\w*_(?P<kind>BOA|TOA)_(?P<resolution>10|20|60)")
_THEIA = re.compile(r"SENTINEL2[A-D]_.*_(?P<reflectance>FRE|SRE)(?![A-Z0-9])", re.IGNORECASE)
_WORLDCEREAL = re.compile(r"S2[A-Z]_(?:\w+_)?(?:MSI)?L2A_.+")
_TIMES = re.compile(r"(?<!\d)20\d{6}T\d{6}(?!\d)")
_VERSION = re.compile(r"_(?P<version>V\d+-\d+)(?![A-Z0-9])")
_OF_USGS = re.compile(r"SR_B(?:and)?\d$|QA_PIXEL$", re.IGNORECASE)
_WITHOUT_OFFSET = re.compile(r"^openEO_|_LEVEL2_SEN2[A-D]_|_nbart?_", re.IGNORECASE)
_RAW = re.compile(r"\(Raw\)$|(?<=Sentinel-2_L2A_)B\d[\dA]_Raw$", re.IGNORECASE)
_T = TypeVar("_T")


def sensor_of(path: PurePath) -> str | None:
    """Returns the sensor that a path tells, one of this module's constants; None if it tells none.

    Example:
        >>> sensor_of(PurePath("HLS.S30.T31UES.2022026T104629.v2.0.B04.tif"))
        'HLS S30'
    """
    return _first(path, lambda part: next((sensor for sensor, word in _SENSORS if word.search(part)), None))


def level_of(path: PurePath) -> str | None:
    """Returns the level of processing that a path tells: ``1C``, ``2A``, ...; None if it tells none."""
    return _first(path, lambda part: match["level"].upper() if (match := _LEVEL.search(part)) else None)


def baseline_of(path: PurePath) -> str | None:
    """Returns the processing baseline that a path tells, as four digits: ``0400``; None if it tells none."""
    return _first(path, lambda part: match["baseline"].replace(".", "") if (match := _BASELINE.search(part)) else None)


def tile_of(path: PurePath) -> str | None:
    """Returns the tile that a path tells, without its T; None if it tells none.

    Example:
        >>> [tile_of(PurePath(path)) for path in ("T31UES_20180305.tif", "tiles/31/U/ES/2018/3/5/0/B02.jp2")]
        ['31UES', '31UES']
    """
    told = _first(path, lambda part: match["tile"].upper() if (match := _TILE.search(part)) else None)
    if told:
        return told
    match = _TILE_IN_FOLDERS.search(path.parent.as_posix())
    return f"{int(match['zone']):02}{match['band']}{match['square']}".upper() if match else None


def platform_of(path: PurePath) -> str | None:
    """Returns the letter of the Sentinel-2 satellite that a path tells; None if it tells none."""
    return _first(path, lambda part: match["platform"].upper() if (match := _PLATFORM.search(part)) else None)


def time_of(path: PurePath) -> str | None:
    """Returns the time of acquisition that a path tells, as hhmmss; None if it tells none."""
    return _first(path, lambda part: (match["time"] or match["of_hls"]) if (match := _TIME.search(part)) else None)


def processed_of(path: PurePath) -> str | None:
    """Returns when an image was processed, or its version, as far as a path tells it, as a text that ascends."""

    def told(part: str) -> str | None:
        times = _TIMES.findall(part)
        version = _VERSION.search(part)
        return times[-1] if len(times) > 1 else version["version"] if version else None

    return _first(path, told)


def is_of_worldcereal(path: PurePath) -> bool:
    """Whether a file is named as WorldCereal's archives name Sentinel-2 of level 2A."""
    return _WORLDCEREAL.match(path.stem) is not None


def reflectance_of_theia(path: PurePath) -> str | None:
    """Returns which reflectance a file of THEIA holds, by its name: ``FRE`` or ``SRE``; None if it is none of THEIA."""
    match = _THEIA.search(path.stem)
    return match["reflectance"].upper() if match else None


def is_granule_of_level_1c(path: PurePath) -> bool:
    """Whether a file has the name of a band in a product of level 1C: those of level 2A end in the resolution."""
    return _GRANULE.fullmatch(path.stem) is not None


def is_landsat_of_others(path: PurePath) -> bool:
    """Whether a file is of Landsat, but not named as the USGS names surface reflectance and its mask.

    WorldCereal's archives, for example, have Sentinel-2's names of bands.
    """
    return sensor_of(path) in (OLI, TM) and _OF_USGS.search(path.stem) is None


def is_raw_of_browser(path: PurePath) -> bool:
    """Whether a file is a band as EO Browser and the Copernicus Browser download it, by its name."""
    return _RAW.search(path.stem) is not None


def is_without_offset(path: PurePath) -> bool:
    """Whether a program wrote a file that takes the offset off reflectance, as far as its name tells the program.

    So do sen2r and openEO; FORCE, Digital Earth Australia, THEIA and HLS have reflectance of their own.
    """
    known = _WITHOUT_OFFSET.search(path.stem) or _SEN2R.fullmatch(path.stem) or reflectance_of_theia(path)
    return bool(known) or sensor_of(path) in (HLS_S30, HLS_L30)


def bands_of_sen2r(path: PurePath) -> tuple[str, ...]:
    """Returns the bands in a reflectance image that sen2r wrote, by its name; none if it did not.

    There are eleven, in this order, B10 not among them; of B8 and B8A the one of the resolution.
    """
    match = _SEN2R.fullmatch(path.stem)
    if match is None or match["kind"] != "BOA":
        return ()
    near_infrared = "B8" if match["resolution"] == "10" else "B8A"
    return ("B1", "B2", "B3", "B4", "B5", "B6", "B7", near_infrared, "B9", "B11", "B12")


def _first(path: PurePath, told: Callable[[str], _T | None]) -> _T | None:
    return next((found for part in _inwards_out(path) if (found := told(part)) is not None), None)


def _inwards_out(path: PurePath) -> Iterator[str]:
    yield path.stem
    yield from path.parts[-2::-1]
