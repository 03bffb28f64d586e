"""Labelled samples: the pixels of the polygons, their classes, and their parts of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.advice import tell_balance, tell_objects, tell_polygons
from twinns_qgis.samples.class_table import ClassTable
from twinns_qgis.samples.classes import LandCoverClass, classes_of
from twinns_qgis.samples.drawing import Drawing
from twinns_qgis.samples.pixels import Contested, LabelledPixels, label_pixels
from twinns_qgis.samples.polygons import PARTS, LabelledPolygons
from twinns_qgis.samples.split import touching_training
from twinns_qgis.samples.thinning import thin


@dataclass(frozen=True)
class LabelledSamples:
    """Pixels with a class and a part.

    Args:
        pixels: The N pixels.
        classes: The K classes, in the order of the legend.
        labels: Index into `classes` of each pixel, shape (N,).
        object_parts: Part of each object; empty for those left out.
        left_out: Names of the classes left out for having too few objects, with the number of objects they have.
        touching: Number of pixels of validation and test that have a training pixel in their window, by part.
        contested: Pixels that polygons of different classes claim, which are left out.
        thinned: Number of training pixels of classes that have more than are wanted, by name, which are left out.
    """

    pixels: LabelledPixels
    classes: tuple[LandCoverClass, ...]
    labels: NDArray[np.int64]
    object_parts: NDArray[np.str_]
    left_out: Mapping[str, int]
    touching: Mapping[str, int]
    contested: Contested = field(default_factory=Contested)
    thinned: Mapping[str, int] = field(default_factory=dict)

    def part(self, name: str) -> NDArray[np.int64]:
        """Returns the indices of the pixels in a part."""
        return np.flatnonzero(self.object_parts[self.pixels.objects] == name)

    def pixel_counts(self, part: str) -> dict[int, int]:
        """Returns the number of pixels of each class code in a part."""
        labels = self.labels[self.part(part)]
        return {item.code: int((labels == index).sum()) for index, item in enumerate(self.classes)}

    def object_counts(self, part: str) -> dict[int, int]:
        """Returns the number of objects of each class code in a part."""
        samples = self.part(part)
        _, first = np.unique(self.pixels.objects[samples], return_index=True)
        labels = self.labels[samples][first]
        return {item.code: int((labels == index).sum()) for index, item in enumerate(self.classes)}

    def split_to_json(self) -> dict[str, Any]:
        """Returns plain values: the objects and pixels of each class code by part, and what the split left out."""
        return {
            "objects": {part: self.object_counts(part) for part in PARTS},
            "pixels": {part: self.pixel_counts(part) for part in PARTS},
            "left_out": dict(self.left_out),
            "touching_training": dict(self.touching),
            "contested": self.contested.count,
            "thinned": dict(self.thinned),
        }


def draw_samples(
    polygons: LabelledPolygons,
    grid: Grid,
    *,
    sparse: str,
    train_share: float,
    validation_share: float,
    seed: int,
    touching: str = "drop",
    blocks: float = 0.0,
    max_pixels: int = 0,
    table: ClassTable | None = None,
    reporter: Reporter,
) -> LabelledSamples:
    """Returns the pixels of polygons with their classes, split by object into training, validation and test part.

    Args:
        polygons: Polygons with a class; if they say their parts, these are kept.
        grid: The grid of the series.
        sparse: ``error`` or ``drop``: what happens to classes with too few objects for the split.
        train_share: Share of each class's objects to train on.
        validation_share: Share of each class's objects to choose the best epoch by.
        seed: Fixes the split.
        touching: ``drop`` or ``keep``: what happens to pixels of validation and test that have a training pixel in
            their 5 x 5 window.
        blocks: Side of squares of the ground whose objects go into one part together, in units of the grid's CRS; 0
            draws by object.
        max_pixels: Training pixels of a class at most; see `thin`. 0 keeps all.
        table: Order, names and colours of the classes; by default the order is that of the codes.
        reporter: Receives what is left out.

    Raises:
        InputError: Polygons and grid don't overlap; a class is too sparse and `sparse` is ``error``; fewer than two
            classes are left.

    Example:
        >>> from pathlib import Path
        >>> from twinns_qgis.samples.polygons import read_polygons
        >>> from twinns_qgis.series.series import Series
        >>> samples = draw_samples(
        ...     read_polygons("polygons.gpkg", class_field="name"),
        ...     Series.open(Path("sentinel2.tif")).grid,
        ...     sparse="error",
        ...     train_share=0.5,
        ...     validation_share=0.25,
        ...     seed=0,
        ...     reporter=Reporter(),
        ... )
        >>> samples.object_counts("train")
        {1: 6, 2: 6, 3: 6}
    """
    tell_polygons(polygons, reporter)
    pixels, contested = label_pixels(polygons, grid)
    labels = polygons.object_labels
    present = np.unique(pixels.objects)
    tell_objects(len(labels), len(labels) - len(present), contested, reporter)
    parts = np.full(len(labels), "", dtype="<U10")
    drawing = Drawing(train_share, validation_share, seed, blocks, sparse)
    parts[present] = drawing.parts(polygons, pixels, present, reporter)
    # Numbered without those left out, as they are where the split is given back.
    classes = classes_of(label for label, part in zip(labels, parts, strict=True) if part)
    if len(classes) < 2:
        raise InputError(
            f"{len(classes)} class of {polygons.source} can be trained, at least two are needed.",
            "Draw more polygons: each class needs three or more.",
        )
    if table:
        classes = table.apply(classes, reporter)
    index_of = {label: index for index, label in enumerate(classes)}
    label_of_object = np.array([index_of.get(label, -1) for label in labels])
    left_out = Counter(str(labels[index]) for index in present if not parts[index])
    pixels = pixels.select(parts[pixels.objects] != "")
    thinned: Mapping[str, int] = {}
    if max_pixels:
        training = np.flatnonzero(parts[pixels.objects] == "train")
        own = label_of_object[pixels.objects[training]]
        surplus = ~thin(own, pixels.objects[training], max_pixels, seed)
        names = [item.name for item in classes.values()]
        thinned = Counter(names[label] for label in own[surplus])
        pixels = pixels.select(~np.isin(np.arange(len(pixels)), training[surplus]))
    seen = touching_training(pixels, parts[pixels.objects])
    touched = {part: int((seen & (parts[pixels.objects] == part)).sum()) for part in PARTS[1:]}
    if touching == "drop":
        pixels = pixels.select(~seen)
    samples = LabelledSamples(
        pixels,
        tuple(classes.values()),
        label_of_object[pixels.objects],
        parts,
        left_out,
        touched,
        contested,
        thinned,
    )
    _check_parts(samples, reporter)
    by_code = samples.pixel_counts("train")
    tell_balance({item.name: by_code[item.code] for item in samples.classes}, thinned, reporter)
    return samples


def _check_parts(samples: LabelledSamples, reporter: Reporter) -> None:
    """Refuses parts without a pixel, and warns of classes without one, as pixels touching training were left out."""
    for part in PARTS:
        empty = [item.name for item in samples.classes if not samples.pixel_counts(part)[item.code]]
        if len(empty) == len(samples.classes):
            raise InputError(
                f"No pixel is left for the {part} part: all of its {samples.touching.get(part, 0)} pixels have a "
                "training pixel in their 5 x 5 window.",
                "Draw polygons further apart, set SPLIT_BLOCKS, or keep such pixels with TOUCHING_PIXELS=keep.",
            )
        if empty:
            reporter.warning(
                f"No {part} pixel is left for {', '.join(empty)}: all have a training pixel in their 5 x 5 window. "
                "TOUCHING_PIXELS=keep keeps them, with measures that flatter."
            )
