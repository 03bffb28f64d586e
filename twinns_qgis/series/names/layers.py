"""Bands and masks in the names of files, folders and bands.

A band has a code (``B04``, ``B4``, ``b8a``, ``band4``) or a word (``red``, ``nir``, ``rededge1``, ``swir16``). Codes
count wherever they stand. A word is one of a language too: it counts where it ends a name but for what is understood,
such as a date, so that ``red_river_20180305`` names no band. Names of what is made from bands, such as indices, name
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePath

from twinns_qgis.series.names.polarisations import is_made_from_images
from twinns_qgis.series.series import SENTINEL2_BANDS

SENTINEL2: Mapping[str, str] = {band: band for band in SENTINEL2_BANDS}
LANDSAT_OLI: Mapping[str, str] = {"B2": "B2", "B3": "B3", "B4": "B4", "B5": "B8", "B6": "B11", "B7": "B12"}
LANDSAT_TM: Mapping[str, str] = {"B1": "B2", "B2": "B3", "B3": "B4", "B4": "B8", "B5": "B11", "B7": "B12"}
HLS_L30: Mapping[str, str] = {**LANDSAT_OLI, "B5": "B8A"}
"""Which band of a series a sensor's code means. HLS adjusts Landsat's bands to those of Sentinel-2, the near infrared
to B8A."""

_WORDS = {
    "blue": "B2", "green": "B3", "red": "B4",
    "rededge1": "B5", "re1": "B5", "vre1": "B5", "rededge705": "B5",
    "rededge2": "B6", "re2": "B6", "vre2": "B6", "rededge740": "B6",
    "rededge3": "B7", "re3": "B7", "vre3": "B7", "rededge783": "B7",
    "nir": "B8", "nir1": "B8", "broadnir": "B8", "widenir": "B8", "nir842": "B8",
    "nir08": "B8A", "nir8a": "B8A", "nir2": "B8A", "narrownir": "B8A", "nirnarrow": "B8A", "nnir": "B8A",
    "rededge4": "B8A", "re4": "B8A", "nir865": "B8A",
    "swir1": "B11", "swir16": "B11", "swir1600": "B11", "swir2": "B12", "swir22": "B12", "swir2200": "B12",
}  # fmt: skip
_OF_NBART = {"swir2": "B11", "swir3": "B12"}
"""How Digital Earth Australia counts: its first band of the kind is Landsat's at 1.6 micrometres, but not
Sentinel-2's."""
_ANY_OF_KIND = {
    "nir": ("B8", "B8A"),
    "rededge": ("B5", "B6", "B7", "B8A"),
    "re": ("B5", "B6", "B7"),
    "swir": ("B11", "B12"),
}
"""Words that stand beside a code, as in ``B8A_NIR``."""
_MASKS = {
    "scl": "SCL", "clm": "CLM", "cloudmask": "CLM", "qa60": "QA60", "cldprb": "CLDPRB", "cld": "CLDPRB", "clp": "CLP",
    "fmask": "FMASK", "mask": "MASK", "msk": "MASK", "qapixel": "QA_PIXEL",
}  # fmt: skip
_JOINED = (
    (re.compile(r"band_?(?=\d)"), "b"),
    (re.compile(r"clipped_mask"), "clipped"),  # so QGIS names what it clips
    (re.compile(r"red_?edge_?(?=\d)"), "rededge"),
    (re.compile(r"(?<![a-z])(nir|v?re|swir)_(?=\d(?!\d))"), r"\1"),
    (re.compile(r"(?<![a-z])(narrow|broad|wide)_(?=nir(?![a-z]))"), r"\1"),
    (re.compile(r"(?<![a-z])nir_(?=narrow|8a|08)"), "nir"),
    (re.compile(r"(?<![a-z])cloud_?mask"), "cloudmask"),
    (re.compile(r"(?<![a-z])cloud_?prob(?:ability|abilities)?(?![a-z])"), "cldprb"),
    (re.compile(r"(?<![a-z])scene_?classification(?:_?(?:layer|map))?(?![a-z])"), "scl"),
    (re.compile(r"(?<![a-z])qa_pixel(?![a-z])"), "qapixel"),
)
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_CODE = re.compile(r"b(?:0?([1-9]a?)|(1[0-2]))")
_OTHER_CODES = frozenset({"B1", "B9", "B10"})
_RESOLUTION = re.compile(r"r?(10|20|30|60)m")
_OF_A_FILE = re.compile(rf"{_RESOLUTION.pattern}|fre|sre|r[123]")
"""What differs from file to file of an acquisition besides the band."""
_FOLDERS_OF_KINDS = ("img_data", "qi_data", "masks")
_UNDERSTOOD = re.compile(
    r"\d+|20\d{6}t\d{6}z?|20\d{5}t\d{6}|t\d{6}|\d{2}t\d{2}|v\d+|n\d{4}|r\d{3}|r?\d+m|nm|t?\d{2}[a-z]{3}|s2[a-d]?"
    r"|sentinel2?[a-d]?|(?:msi)?l[123][abc]?|msi|sr|surface|boa|bottom|of|atmosphere|reflectance|raw|fre|sre|nbart?|final|hls"
    r"|s30|central|wavelength|band|infrared|near|narrow|cog|clip(?:ped)?|crop(?:ped)?|subset|resampled|reprojected|warped"
    r"|masked|copy|oa"
)
_MADE_FROM_BANDS = re.compile(
    r"nd[a-z]{1,3}|m?savi2?|evi2?|nbr2?|ndre\d|gndvi|lai|fapar|fcover|bsi|rgb\w*|tci|pvi|aot|wvp|visual|overview|preview"
    r"|thumbnail|quicklook|qualit(?:y)?|detfoo|defect|satura|techqua|classi|snwprb|snow|nodata"
    r"|azimuth|zenith|[sv][za]a|angles?|radsat|aerosol"
)


def layers_in(text: str, codes: Mapping[str, str] = SENTINEL2) -> tuple[str, ...]:
    """Returns the band of a series, or the mask, that a text names: none, one, or the several that it may be.

    Args:
        text: The name of a file, without its ending, or of a band.
        codes: The series' bands by the sensor's codes.

    Example:
        >>> [layers_in(name) for name in ("T31UES_20180305T105421_B04_10m", "20180305_red", "red_river", "B4_B8")]
        [('B4',), ('B4',), (), ('B4', 'B8')]
    """
    tokens = _tokens(text)
    if _is_made_from_bands(tokens):
        return ()
    named = _distinct(code for token in tokens if (code := code_in(token)))
    masks = _masks(tokens)
    if not named:
        return masks or _word_at_the_end(tokens, codes)
    if masks == ("MASK",) or not any(code in codes for code in named):
        return ()
    bands = tuple(codes.get(code, code) for code in named)
    return (*bands, *masks) if masks else _with_words(bands, tokens)


def is_of_no_series(text: str) -> bool:
    """Whether a text names a band that no series has, or what is made from bands or beside them.

    Example:
        >>> [is_of_no_series(name) for name in ("20180305_B01", "20180305_NDVI", "20180305_B02", "site")]
        [True, True, False, False]
    """
    tokens = _tokens(text)
    codes = [code for token in tokens if (code := code_in(token))]
    return bool(codes and _OTHER_CODES.issuperset(codes)) or _is_made_from_bands(tokens)


def layer_described(text: str) -> str | None:
    """Returns the band or mask that a band's description names; None if it says more than that, or other things.

    Example:
        >>> [layer_described(name) for name in ("B8A, central wavelength 865 nm", "Red", "B02 noise", "B04-B08")]
        ['B8A', 'B4', None, None]
    """
    layers = layers_in(text)
    known = all(_UNDERSTOOD.fullmatch(token) or _names(token) for token in _tokens(text))
    return layers[0] if known and len(layers) == 1 else None


def code_in(word: str) -> str | None:
    """Returns the code of a band that a word is, as a series writes it: ``B2`` of ``B02``; None if it is none."""
    match = _CODE.fullmatch(word.lower())
    code = f"B{(match[1] or match[2]).upper()}" if match else None
    return code if code in SENTINEL2_BANDS or code in _OTHER_CODES else None


def without_layer(path: PurePath) -> str:
    """Returns a path without what tells band, mask and resolution: the same for all files of an acquisition.

    Example:
        >>> without_layer(PurePath("a/R10m/T31UES_20180305T105421_B04_10m.jp2"))
        'a/t31ues_20180305t105421'
    """
    parts = [_SEPARATORS.split(_joined(part)) for part in (*path.parts[:-1], path.stem)]
    kept = (
        "_".join(token for token in part if not _names(token) and not _OF_A_FILE.fullmatch(token)) for part in parts
    )
    return "/".join(part for part in kept if part and part not in _FOLDERS_OF_KINDS)


def has_code(text: str) -> bool:
    """Whether a band's code is in a text, and not a word alone."""
    return any(map(code_in, _tokens(text)))


def resolution_in(path: PurePath) -> int | None:
    """Returns the resolution in metres that a file's name or its folder tells."""
    parts = (_SEPARATORS.split(part.lower()) for part in (path.stem, *path.parts[-2:-1]))
    found = (match for part in parts for token in part if (match := _RESOLUTION.fullmatch(token)))
    return next((int(match[1]) for match in found), None)


def _tokens(text: str) -> list[str]:
    return [token for token in _SEPARATORS.split(_joined(text)) if token]


def _joined(text: str) -> str:
    joined = _SEPARATORS.sub("_", text.lower())
    for pattern, replacement in _JOINED:
        joined = pattern.sub(replacement, joined)
    return joined


def _names(token: str) -> bool:
    return bool(code_in(token)) or token in _WORDS or token in _OF_NBART or token in _MASKS or token in _ANY_OF_KIND


def _is_made_from_bands(tokens: Sequence[str]) -> bool:
    return any(map(_MADE_FROM_BANDS.fullmatch, tokens)) or is_made_from_images(_without_masks(tokens))


def _masks(tokens: Iterable[str]) -> tuple[str, ...]:
    masks = _distinct(_MASKS[token] for token in tokens if token in _MASKS)
    return tuple(mask for mask in masks if mask != "MASK") or masks


def _without_masks(tokens: Iterable[str]) -> str:
    return " ".join(token for token in tokens if token not in _MASKS)


def _with_words(bands: tuple[str, ...], tokens: Iterable[str]) -> tuple[str, ...]:
    """Returns the bands of codes, with those of words that contradict them."""
    others = tuple(
        _WORDS[token]
        for token in tokens
        if token in _WORDS and not {_WORDS[token], *_ANY_OF_KIND.get(token, ())}.intersection(bands)
    )
    return _distinct((*bands, *others))


def _word_at_the_end(tokens: list[str], codes: Mapping[str, str]) -> tuple[str, ...]:
    words = _WORDS | _OF_NBART if "nbart" in tokens else _WORDS
    rest = [token for token in tokens if token in words or not _UNDERSTOOD.fullmatch(token)]
    if not rest or rest[-1] not in words:
        return ("CLDPRB",) if rest == ["cloud"] else ()
    last = [*takewhile(words.__contains__, reversed(rest))]
    return _distinct(words[token] for token in reversed(last) if words[token] in codes.values())


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
