"""What the programs that make Sentinel-1 images say of them, in metadata and names."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from twinns_qgis.series.dates import Tags

_HYP3 = re.compile(r"^S1[A-D]_\w+_RTC\d+_G_[gs]([pad])u[nf]e[dm]_", re.IGNORECASE)
_HYP3_UNITS = {"p": "power", "a": "amplitude", "d": "dB"}
_DECIBELS = re.compile(r"(?<![A-Z0-9])(dB|decibels?)(?![A-Z0-9])", re.IGNORECASE)
_WORLDCEREAL = re.compile(r"(^|[-_])SIGMA0[-_]V[VH]$")
_OPERA = "OPERA_L2_RTC-S1"
_OPERA_EXPRESSION = "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_EXPRESSION_CONVENTION"
_CALIBRATED = ("beta", "sigma", "gamma", "normlim", "gamma_naught_rtc")


def units_of(path: Path, description: str, unit: str, dtype: str, tags: Tags) -> str | None:
    """Returns what a band's values are, one of `backscatter.UNITS`, or None where nothing says it.

    - ``dB`` or ``decibel`` as the band's unit, or as a word of its description or of the file's name: pyroSAR
      (``..._norm_db.tif``), SNAP (``Sigma0_VV_db``).
    - HyP3: the letter p, a or d in the name, as in ``RTC30_G_gpuned``.
    - OPERA RTC-S1: the tag of the expression of backscatter, else linear power, by its product specification.
    - S1 Tiling: the calibration in its tags, which gives linear power.
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
    if hyp3 := _HYP3.match(path.name):
        return _HYP3_UNITS[hyp3[1].lower()]
    if path.name.startswith(_OPERA):
        return "power" if "linear" in tags.get(_OPERA_EXPRESSION, "linear") else None
    whole = np.dtype(dtype).kind in "iu"
    if whole and any(_WORLDCEREAL.search(text) for text in (description, path.stem)):
        return "DN"
    if (
        not whole
        and tags.get("TIFFTAG_SOFTWARE", "").startswith("S1 Tiling")
        and tags.get("CALIBRATION") in _CALIBRATED
    ):
        return "power"
    return None
