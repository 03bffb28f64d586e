"""A map beside a reference: the class of each of the reference's pixels in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from shapely import MultiPoint, Point

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.classified import ClassifiedMap
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.advice import tell_objects, tell_polygons
from twinns_qgis.samples.classes import Label, LandCoverClass
from twinns_qgis.samples.palette import colors_of
from twinns_qgis.samples.pixels import LabelledPixels, find_pixels
from twinns_qgis.samples.polygons import PARTS, LabelledPolygons
from twinns_qgis.series.products.band_source import BandSource

_LISTED = 12
_BLOCK = 2048


@dataclass(frozen=True)
class Compared:
    """The pixels of a reference, with what the map says of them.

    Args:
        classes: The K classes of map and reference together: those of the map by their codes, then those that the
            reference alone has.
        mapped_codes: The codes that the map has or names; the other classes are the reference's alone.
        pixels: The N pixels, on the grid of the map.
        reference: Index into `classes` of each pixel in the reference, shape (N,).
        mapped: Index into `classes` of each pixel in the map, shape (N,).
        points: Whether the reference holds points.
        remarks: What was left out, and what is in one but not in the other, in sentences.
    """

    classes: tuple[LandCoverClass, ...]
    mapped_codes: frozenset[int]
    pixels: LabelledPixels
    reference: NDArray[np.int64]
    mapped: NDArray[np.int64]
    points: bool
    remarks: tuple[str, ...]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels by class of the map (rows) and of the reference (columns), shape (K, K)."""
        counts = np.zeros((len(self.classes),) * 2, np.int64)
        np.add.at(counts, (self.mapped, self.reference), 1)
        return counts

    def check_is_sample(self) -> None:
        """Checks that the reference can be a probability sample of pixels.

        Raises:
            InputError: It holds polygons, whose pixels were not drawn one by one.
        """
        if not self.points:
            raise InputError(
                "PROBABILITY_SAMPLE is yes, and the reference holds polygons: their pixels were not drawn one by one.",
                "Give points that were drawn at random, such as Design sample's; or say no.",
            )


def compare(
    cover: ClassifiedMap, codes: Sequence[int], polygons: LabelledPolygons, part: str | None, reporter: Reporter
) -> Compared:
    """Finds the pixels of a reference in a map, and matches the classes of both.

    Args:
        cover: The map.
        codes: The codes that occur in it.
        polygons: The reference: polygons or points with a class.
        part: The part of a split that counts, or None: all.
        reporter: Is told what is left out.

    Raises:
        InputError: The reference lies outside of the map, holds none of its pixels, or has no class of it.
    """
    tell_polygons(polygons, reporter)
    pixels, contested = find_pixels(polygons, cover.grid)
    objects = len(polygons.object_labels)
    tell_objects(objects, objects - len(np.unique(pixels.objects)), contested, reporter)
    if not len(pixels):
        _refuse_elsewhere(cover, polygons)
    if part is not None and polygons.parts is not None:
        pixels = pixels.select(polygons.parts[pixels.objects] == part)
        if not len(pixels):
            raise InputError(
                f"No polygon of {polygons.source} with a pixel of the map has the part '{part}'.",
                f"SPLIT_FIELD must hold {', '.join(PARTS)}; only '{part}' is assessed. Or give no SPLIT_FIELD.",
            )
    found, there = cover.at(pixels.rows, pixels.columns)
    remarks = []
    if not there.any():
        raise InputError(
            f"The map has no class at any of the {len(pixels)} pixels of the reference {polygons.source}.",
            "Check that both show the same place.",
        )
    if missing := int(np.count_nonzero(~there)):
        remarks.append(f"{missing} of {len(pixels)} pixels of the reference are no data in the map, and left out.")
    pixels, found = pixels.select(there), found[there]
    labels = polygons.object_labels
    used = {labels[number] for number in np.unique(pixels.objects)}
    code_of = match(used, cover.names, codes)
    classes, own_codes = _classes(cover, codes, code_of)
    index = {item.code: number for number, item in enumerate(classes)}
    code_of_object = np.array([code_of.get(label, 0) for label in labels])
    remarks += _differences(classes, own_codes, code_of, codes)
    for remark in remarks:
        reporter.warning(remark)
    positions = np.vectorize(index.__getitem__, otypes=[np.int64])
    return Compared(
        classes=classes,
        mapped_codes=own_codes,
        pixels=pixels,
        reference=positions(code_of_object[pixels.objects]),
        mapped=positions(found.astype(np.int64)),
        points=isinstance(polygons.table.geometry.iloc[0], (Point, MultiPoint)),
        remarks=tuple(remarks),
    )


def clear_dates(validity: Path, pixels: LabelledPixels) -> NDArray[np.float32]:
    """Returns the number of clear dates of some pixels, shape (N,), NaN where it is not known.

    Args:
        validity: The raster of it that preparing a Sentinel-2 series wrote, on any grid.
        pixels: The pixels.

    Raises:
        InputError: The raster can't be read, or has several bands.
    """
    found = np.full(len(pixels), np.nan, np.float32)
    with open_raster(validity) as dataset:
        if dataset.count != 1:
            raise InputError(
                f"{validity} has {dataset.count} bands; the raster of clear dates has one.",
                "Choose what Prepare Sentinel-2 series wrote as VALIDITY.",
            )
        source = BandSource(validity)
        for window in pixels.grid.blocks(_BLOCK):
            row, column = pixels.rows - int(window.row_off), pixels.columns - int(window.col_off)
            own = (row >= 0) & (row < window.height) & (column >= 0) & (column < window.width)
            if own.any():
                values = source.read({validity: dataset}, pixels.grid.crop(window), Resampling.nearest)
                found[own] = values[row[own], column[own]]
    return found


def match(labels: set[Label], names: Mapping[int, str], codes: Sequence[int]) -> dict[Label, int]:
    """Returns the code of each label of a reference in a map; labels that the map does not have get codes of their own.

    A label is the name of a class, in whatever case, or its code, as a number or as text.

    Args:
        labels: What the reference's class field holds.
        names: Names of the map's codes.
        codes: The codes that occur in the map.

    Raises:
        InputError: The map has none of them, or names two codes alike that a label names.
    """
    known = {*names, *codes}
    by_name: dict[str, list[int]] = {}
    for code, name in sorted(names.items()):
        by_name.setdefault(_plain(name), []).append(code)
    found: dict[Label, int] = {}
    for label in labels:
        text = str(label)
        own = by_name.get(_plain(text), [])
        if len(own) > 1:
            raise InputError(
                f"The map calls its codes {', '.join(map(str, own))} alike, '{text}'.",
                "Give the reference's classes as codes.",
            )
        if own:
            found[label] = own[0]
        elif text.lstrip("-").isdecimal() and int(text) in known:
            found[label] = int(text)
    if not found:
        raise InputError(
            f"The reference has the classes {_some(map(str, labels))}, the map {_some(_told(known, names))}: none in "
            "common.",
            "Choose the field that holds the map's codes or names, or rename the classes of one of them.",
        )
    new = max(known) + 1
    return found | {label: new + number for number, label in enumerate(sorted(labels - found.keys(), key=str))}


def _classes(
    cover: ClassifiedMap, codes: Sequence[int], code_of: Mapping[Label, int]
) -> tuple[tuple[LandCoverClass, ...], frozenset[int]]:
    """Returns the classes that occur in the map or in the reference, and which codes are the map's."""
    label_of = {code: str(label) for label, code in code_of.items()}
    every = sorted({*codes, *code_of.values()})
    names = [cover.names.get(code, label_of.get(code, str(code))) for code in every]
    colors = colors_of(names)
    classes = tuple(
        LandCoverClass(code, name, cover.colors.get(code, color))
        for code, name, color in zip(every, names, colors, strict=True)
    )
    return classes, frozenset(code for code in every if code in cover.names or code in codes)


def _differences(
    classes: Sequence[LandCoverClass], own: frozenset[int], code_of: Mapping[Label, int], codes: Sequence[int]
) -> list[str]:
    of_reference = set(code_of.values())
    alone = [item.name for item in classes if item.code in codes and item.code not in of_reference]
    others = [item.name for item in classes if item.code not in own]
    nowhere = [item.name for item in classes if item.code in own and item.code not in codes]
    remarks = []
    if alone:
        remarks.append(f"Classes of the map of which the reference has no pixel: {_some(alone)}.")
    if others:
        remarks.append(
            f"Classes of the reference that the map does not know, whose pixels are errors: {_some(others)}."
        )
    if nowhere:
        remarks.append(f"Classes of the reference that the map knows, and shows nowhere: {_some(nowhere)}.")
    return remarks


def _refuse_elsewhere(cover: ClassifiedMap, polygons: LabelledPolygons) -> None:
    spans = ", ".join(f"{value:.10g}" for value in polygons.table.to_crs(cover.grid.crs).total_bounds)
    raise InputError(
        f"No polygon or point of {polygons.source} holds a pixel of the map: they span {spans} (left, bottom, right, "
        f"top), the map {', '.join(f'{value:.10g}' for value in cover.grid.bounds)}, both in {cover.grid.crs}.",
        "Choose a reference within the map, and check both CRS.",
    )


def _told(codes: set[int], names: Mapping[int, str]) -> list[str]:
    return [f"{code} ({names[code]})" if code in names else str(code) for code in sorted(codes)]


def _some(names: Sequence[str] | map[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_LISTED]) + (", ..." if len(listed) > _LISTED else "")


def _plain(name: str) -> str:
    return name.strip().casefold()
