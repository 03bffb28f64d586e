"""Labelled samples: the pixels of the polygons, their classes, and their parts of the split."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import LandCoverClass, classes_of
from twinns_qgis.samples.pixels import LabelledPixels, label_pixels
from twinns_qgis.samples.polygons import PARTS, LabelledPolygons
from twinns_qgis.samples.split import draw_split, draw_split_by_blocks, sparse_classes, touching_training


@dataclass(frozen=True)
class LabelledSamples:
    """Pixels with a class and a part.

    Args:
        pixels: The N pixels.
        classes: The K classes, by code.
        labels: Index into `classes` of each pixel, shape (N,).
        object_parts: Part of each object; empty for those left out.
        left_out: Classes left out for having too few objects, with the number of objects they have.
        touching: Number of pixels of validation and test that have a training pixel in their window, by part.
    """

    pixels: LabelledPixels
    classes: tuple[LandCoverClass, ...]
    labels: NDArray[np.int64]
    object_parts: NDArray[np.str_]
    left_out: Mapping[LandCoverClass, int]
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
            "left_out": {item.name: count for item, count in self.left_out.items()},
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
    reporter: Reporter,
) -> LabelledSamples:
    """Finds the labelled pixels and splits them by object.

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
        reporter: Hears what is left out.

    Raises:
        InputError: Polygons and grid don't overlap; a class is too sparse and `sparse` is ``error``; fewer than two
            classes are left.
    """
    if polygons.without_polygon:
        reporter.warning(f"{polygons.without_polygon} features that are no polygons are left out.")
    if polygons.without_class:
        reporter.warning(f"{polygons.without_class} polygons without a class are left out.")
    pixels = label_pixels(polygons, grid)
    object_classes = polygons.object_classes
    present = np.unique(pixels.objects)
    if len(present) < len(object_classes):
        count = len(object_classes) - len(present)
        reporter.warning(f"{count} of {len(object_classes)} objects hold no pixel's centre and are left out.")
    classes = [object_classes[index] for index in present]
    given = None if polygons.parts is None else polygons.parts[present]
    too_sparse = sparse_classes(classes, given)
    if too_sparse:
        _drop_or_refuse(too_sparse, sparse, reporter)
    kept = np.array([item not in too_sparse for item in classes])
    remaining = {item for item in classes if item not in too_sparse}
    if len(remaining) < 2:
        raise InputError(
            f"{len(remaining)} class of {polygons.source} can be trained, at least two are needed.",
            "Draw more polygons: each class needs three or more.",
        )
    parts = np.full(len(object_classes), "", dtype="<U10")
    kept_classes = [item for item, keep in zip(classes, kept, strict=True) if keep]
    if given is not None:
        drawn = given[kept]
    elif blocks:
        own_blocks = _blocks_of(pixels, present[kept], blocks)
        drawn = draw_split_by_blocks(kept_classes, own_blocks, train_share, validation_share, seed)
        _check_blocks(kept_classes, drawn, blocks)
    else:
        drawn = draw_split(kept_classes, train_share, validation_share, seed)
    parts[present[kept]] = drawn
    pixels = pixels.select(parts[pixels.objects] != "")
    # Numbered without those left out, as they are where the split is given back.
    numbered = classes_of(value for value, item in polygons.legend.items() if item in remaining)
    final = sorted(numbered.values(), key=lambda item: item.code)
    label_of = {polygons.legend[value]: final.index(item) for value, item in numbered.items()}
    label_of_object = np.array([label_of.get(item, -1) for item in object_classes])
    left_out = {item: classes.count(item) for item in too_sparse}
    seen = touching_training(pixels, parts[pixels.objects])
    counts = {part: int((seen & (parts[pixels.objects] == part)).sum()) for part in PARTS[1:]}
    if touching == "drop":
        pixels = pixels.select(~seen)
    samples = LabelledSamples(pixels, tuple(final), label_of_object[pixels.objects], parts, left_out, counts)
    _check_parts(samples, reporter)
    return samples


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


def _check_blocks(classes: Sequence[LandCoverClass], parts: NDArray[np.str_], side: float) -> None:
    lacking = sparse_classes(classes, parts)
    if lacking:
        listed = "; ".join(f"{item.name}: {', '.join(map(str, counts))}" for item, counts in lacking.items())
        raise InputError(
            f"With SPLIT_BLOCKS of {side:g}, some classes have no object for training, validation or test ({listed}).",
            "Choose smaller blocks, another SEED, or 0 to draw by object.",
        )


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


def write_split(path: Path, polygons: LabelledPolygons, samples: LabelledSamples) -> None:
    """Writes all polygons with a column ``split`` that holds their part, null for those left out.

    A field called ``split`` gives way. One whose name the GeoPackage needs itself, ``fid`` or ``geom``, or that differs
    from another one's in its case alone, gets an underscore.

    Raises:
        InputError: `path` is no GeoPackage.
    """
    check_split_output(path)
    parts = pandas.Series(samples.object_parts[polygons.objects], polygons.table.index, dtype=object)
    table = polygons.all_polygons
    table = table.drop(columns=[name for name in table.columns if name.lower() == "split"])
    fields = [name for name in table.columns if name != table.geometry.name]
    table = table.rename(columns=_free_names(fields, {"fid", "geom", "split"})).assign(split=parts[parts != ""])
    with whole_file(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The filename extension should be")  # it will be, once whole
        table.to_file(partial, driver="GPKG", layer="split", engine="pyogrio", VERSION="1.2")


def _free_names(names: Sequence[str], taken: set[str]) -> dict[str, str]:
    """Returns the names, with underscores where one is taken: a GeoPackage does not tell cases apart."""
    free = {}
    for name in names:
        free[name] = name
        while free[name].lower() in taken:
            free[name] += "_"
        taken = {*taken, free[name].lower()}
    return free


def check_split_output(path: Path) -> None:
    """Checks that the split can be written at `path`.

    Raises:
        InputError: `path` is no GeoPackage.
    """
    if path.suffix.lower() != ".gpkg":
        raise InputError(
            f"The split can't be written to {path}.", "It is a GeoPackage: choose a name that ends in .gpkg."
        )


def _drop_or_refuse(too_sparse: Mapping[LandCoverClass, tuple[int, ...]], sparse: str, reporter: Reporter) -> None:
    def counted(counts: tuple[int, ...]) -> str:
        if len(counts) == 1:
            return f"{counts[0]} object{'' if counts[0] == 1 else 's'}"
        return ", ".join(f"{count} for {part}" for count, part in zip(counts, PARTS, strict=True))

    listed = "; ".join(f"{item.name}: {counted(counts)}" for item, counts in too_sparse.items())
    if sparse == "drop":
        reporter.warning(f"Classes left out, for having too few objects for the split: {listed}.")
        return
    raise InputError(
        f"Classes with too few objects for training, validation and test: {listed}.",
        "Each class needs at least one object for each part: draw more polygons, merge classes, or leave these "
        "classes out with SPARSE_CLASSES=drop.",
    )
