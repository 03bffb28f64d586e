"""What names and descriptions say a radar raster shows: a polarisation's backscatter, or something made from it.

Programs lay coherence, ratios, textures and statistics beside the images, with the polarisation in their names too.
"""

from __future__ import annotations

import re

_POLARISATION = re.compile(r"(?<![A-Z0-9])(VV|VH|HH|HV)(?![A-Z0-9])", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MADE_FROM_IMAGES = re.compile(
    r"coherences?|coh|cohe|interferogram|ifg|phase|unw|unwrapped"
    r"|(log|cross)?ratios?|quotient|div|divided|differences?|diffs?|change|minus|subtracted"
    r"|std|stddev|stdev|stdv|deviation|variance|cov|enl|anomaly|zscore|counts?"
    r"|angles?|incidence|incident|inc|lia|theta|entropy|anisotropy|alpha|rvi|dprvi"
    r"|textures?|glcm|haralick|contrast|homogeneity|dissimilarity|correlation|asm|noise|nesz|mask|shadow|layover",
    re.IGNORECASE,
)
"""Words of what is no backscatter. A filtered image is one, if it stands alone; so are means of some dates."""
_PART_OF_COMPLEX = re.compile(r"[iq]_(IW\d_)?[VH]{2}(?![A-Z0-9])")
"""How SNAP begins the names of the real and the imaginary part of an image."""


_MODE = re.compile(r"(?<![A-Z0-9])(VV\+VH|VH\+VV|HH\+HV|HV\+HH)_(?=.*(?:VV|VH|HH|HV))", re.IGNORECASE)
"""The polarisations of an acquisition, as browsers write them before that of the band."""


def polarisations(text: str) -> frozenset[str]:
    """Returns the polarisations that a name or description holds.

    Example:
        >>> polarisations("Gamma0_VH_20180305"), sorted(polarisations("VV/VH"))
        (frozenset({'VH'}), ['VH', 'VV'])
    """
    return frozenset(match[1].upper() for match in _POLARISATION.finditer(_MODE.sub("", text)))


def is_made_from_images(text: str) -> bool:
    """Whether a word of a name or description says that a raster was made from images and is none of backscatter.

    Words are told apart by capitals as well as by what is no letter.

    Example:
        >>> [is_made_from_images(name) for name in ("VV_coh12", "VV-stdDev", "incidenceAngle", "Gamma0_VV_mean")]
        [True, True, True, False]
    """
    words = _WORD.findall(text)
    return any(map(_MADE_FROM_IMAGES.fullmatch, words)) or _PART_OF_COMPLEX.match(text) is not None
