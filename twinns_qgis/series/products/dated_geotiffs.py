"""Sentinel-2 as GeoTIFFs of one date each, with named bands: what cloud services and scripts export.

A band is recognised by its description (``B02``, ``B2``, ``B8A``); ``SCL`` is Sen2Cor's scene classification, ``CLM``
a cloud mask that is 0 where clear. The files of one date together are one product, so that bands of 10 m and of 20 m
and the mask can lie in files of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np
from rasterio.io import DatasetReader

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates, Tags
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.products.product import BandSource, MaskSource, Product
from twinns_qgis.series.products.scene_classification import CLEAR_SCENES
from twinns_qgis.series.products.selection import warn_of_strangers
from twinns_qgis.series.series import SENTINEL2_BANDS, open_raster

LOOKED_FOR = "GeoTIFFs with bands described B02, B03, ... B12 and, if there is a mask, SCL or CLM"

_BAND = re.compile(r"B0?(\d{1,2}A?)", re.IGNORECASE)

Source = TypeVar("Source", BandSource, MaskSource)

_CLEAR = {"SCL": CLEAR_SCENES, "CLM": frozenset({0})}


@dataclass(frozen=True)
class _File:
    path: Path
    tags: Tags
    bands: dict[str, BandSource]
    masks: dict[str, MaskSource]


def find(inputs: Inputs, dates: AcquisitionDates, reporter: Reporter) -> list[Product]:
    """Returns the products among the layers or below the folder, in the order of their dates.

    Raises:
        InputError: A layer has no band that is recognised, a file has no date, or two files hold the same band at
            one date.
    """
    described = [_describe(path) for path in inputs.rasters()]
    files = [file for file in described if file.bands or file.masks]
    unknown = [file.path for file in described if not (file.bands or file.masks)]
    if unknown and inputs.layers:
        raise InputError(
            f"These layers have no band that is recognised: {', '.join(map(str, unknown))}.",
            f"Expected are {LOOKED_FOR}.",
        )
    warn_of_strangers([file.path for file in files], unknown, reporter)
    days = dates.of({file.path: file.tags for file in files})
    by_day: defaultdict[date, list[_File]] = defaultdict(list)
    for file in files:
        by_day[days[file.path]].append(file)
    return [_join(day, by_day[day]) for day in sorted(by_day)]


def _describe(path: Path) -> _File:
    bands: dict[str, BandSource] = {}
    masks: dict[str, MaskSource] = {}
    with open_raster(path) as dataset:
        for index, description in enumerate(dataset.descriptions, start=1):
            name = (description or "").strip().upper()
            match = _BAND.fullmatch(name)
            if match and f"B{match[1]}" in SENTINEL2_BANDS:
                scale, offset = _scaling(dataset, index)
                bands[f"B{match[1]}"] = BandSource(path, index, scale, offset)
            elif name in _CLEAR:
                masks[name] = MaskSource(path, index, _CLEAR[name])
        return _File(path, dataset.tags(), bands, masks)


def _scaling(dataset: DatasetReader, index: int) -> tuple[float, float]:
    """Returns what turns values into reflectance: what the file says, else 1/10 000 for whole numbers."""
    scale, offset = dataset.scales[index - 1], dataset.offsets[index - 1]
    if (scale, offset) == (1.0, 0.0) and np.dtype(dataset.dtypes[index - 1]).kind in "iu":
        return 0.0001, 0.0
    return scale, offset


def _join(day: date, files: list[_File]) -> Product:
    bands: dict[str, BandSource] = {}
    masks: dict[str, MaskSource] = {}
    for file in files:
        _add(bands, file.bands, day)
        _add(masks, file.masks, day)
    return Product(f"{day} ({', '.join(file.path.name for file in files)})", day, bands, tuple(masks.values()))


def _add(known: dict[str, Source], found: Mapping[str, Source], day: date) -> None:
    for name, source in found.items():
        if name in known:
            raise InputError(
                f"Two files hold {name} of {day}: {known[name].path} and {source.path}.",
                "Mosaic the files of one date first, or prepare each tile by itself.",
            )
        known[name] = source
