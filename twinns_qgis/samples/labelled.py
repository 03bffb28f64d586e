"""Labelled samples: the pixels of the polygons, their classes, and their parts of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.class_table import ClassTable
from twinns_qgis.samples.classes import Label, LandCoverClass, classes_of
from twinns_qgis.samples.pixels import LabelledPixels, label_pixels
from twinns_qgis.samples.polygons import PARTS, LabelledPolygons
from twinns_qgis.samples.split import draw_split, draw_split_by_blocks, sparse_labels, touching_training


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
    """

    pixels: LabelledPixels
    classes: tuple[LandCoverClass, ...]
    labels: NDArray[np.int64]
    object_parts: NDArray[np.str_]
    left_out: Mapping[str, int]
    touching: Mapping[str, int]

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
    if polygons.without_polygon:
        reporter.warning(f"{polygons.without_polygon} features without a polygon that can be read are left out.")
    if polygons.without_class:
        reporter.warning(f"{polygons.without_class} polygons without a class are left out.")
    pixels = label_pixels(polygons, grid)
    labels = polygons.object_labels
    present = np.unique(pixels.objects)
    if len(present) < len(labels):
        count = len(labels) - len(present)
        reporter.warning(f"{count} of {len(labels)} objects hold no pixel's centre and are left out.")
    given = None if polygons.parts is None else polygons.parts[present]
    more_polygons = "Each class needs at least one object for each part: draw more polygons, merge classes"
    kept = present[_fill_parts([labels[index] for index in present], given, sparse, more_polygons, reporter)]
    # By the codes among all classes, so that a class is split alike whether another one is left out or not.
    codes = {label: item.code for label, item in classes_of(labels).items()}
    kept_codes = [codes[labels[index]] for index in kept]
    parts = np.full(len(labels), "", dtype="<U10")
    if polygons.parts is not None:
        parts[kept] = polygons.parts[kept]
    elif blocks:
        own_blocks = _blocks_of(pixels, kept, blocks)
        drawn = draw_split_by_blocks(kept_codes, own_blocks, train_share, validation_share, seed)
        smaller = f"SPLIT_BLOCKS is {blocks:g}: choose smaller blocks, another SEED, or 0 to draw by object"
        filling = _fill_parts([labels[index] for index in kept], drawn, sparse, smaller, reporter)
        parts[kept[filling]] = drawn[filling]
    else:
        parts[kept] = draw_split(kept_codes, train_share, validation_share, seed)
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
    seen = touching_training(pixels, parts[pixels.objects])
    counts = {part: int((seen & (parts[pixels.objects] == part)).sum()) for part in PARTS[1:]}
    if touching == "drop":
        pixels = pixels.select(~seen)
    samples = LabelledSamples(pixels, tuple(classes.values()), label_of_object[pixels.objects], parts, left_out, counts)
    _check_parts(samples, reporter)
    return samples


def _fill_parts(
    labels: Sequence[Label], parts: NDArray[np.str_] | None, sparse: str, way_out: str, reporter: Reporter
) -> NDArray[np.bool_]:
    """Returns for each object whether its class can fill all parts; the others are to be left out.

    Args:
        labels: The label of each object.
        parts: The part of each object where there is a split, else None.
        sparse: ``error`` or ``drop``.
        way_out: What to do if they are not to be left out.
        reporter: Receives the classes that are left out.

    Raises:
        InputError: A class can't fill all parts, and `sparse` is ``error``.
    """

    def counted(counts: tuple[int, ...]) -> str:
        if len(counts) == 1:
            return f"{counts[0]} object{'' if counts[0] == 1 else 's'}"
        return ", ".join(f"{count} for {part}" for count, part in zip(counts, PARTS, strict=True))

    too_sparse = sparse_labels(labels, parts)
    if too_sparse:
        listed = "; ".join(f"{label}: {counted(counts)}" for label, counts in too_sparse.items())
        if sparse != "drop":
            raise InputError(
                f"Classes with too few objects for training, validation and test: {listed}.",
                f"{way_out}, or leave these classes out with SPARSE_CLASSES=drop.",
            )
        reporter.warning(f"Classes left out, for having too few objects for the split: {listed}.")
    return np.array([label not in too_sparse for label in labels], bool)


def _blocks_of(pixels: LabelledPixels, objects: NDArray[np.int64], side: float) -> NDArray[np.int64]:
    """Returns the number of the square of the ground that holds the middle of each object's pixels."""
    step_x, step_y = pixels.grid.resolution
    count = np.bincount(pixels.objects)
    rows, columns = (
        (np.bincount(pixels.objects, weights=along) / np.maximum(count, 1))[objects]
        for along in (pixels.rows, pixels.columns)
    )
    down, across = (rows * step_y // side).astype(np.int64), (columns * step_x // side).astype(np.int64)
    return down * (int(pixels.grid.width * step_x // side) + 1) + across


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
