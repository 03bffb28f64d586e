"""Which part of the split each object gets: as its polygons say, or drawn by object or by squares of the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import Label, classes_of
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.polygons import PARTS, LabelledPolygons
from twinns_qgis.samples.split import draw_split, sparse_labels
from twinns_qgis.samples.split_by_blocks import draw_split_by_blocks


@dataclass(frozen=True)
class Drawing:
    """How objects are split.

    Args:
        train_share: Share of each class's objects to train on.
        validation_share: Share of each class's objects to choose the best epoch by.
        seed: Fixes the draw.
        blocks: Side of squares of the ground whose objects go into one part together; 0 draws by object.
        sparse: ``error`` or ``drop``: what happens to classes with too few objects.
    """

    train_share: float
    validation_share: float
    seed: int
    blocks: float
    sparse: str

    def parts(
        self, polygons: LabelledPolygons, pixels: LabelledPixels, present: NDArray[np.int64], reporter: Reporter
    ) -> NDArray[np.str_]:
        """Returns the part of each object that has pixels, as given or drawn; empty where its class is left out.

        Args:
            polygons: Polygons with a class.
            pixels: Their pixels.
            present: The objects that have pixels.
            reporter: Receives the classes that are left out.

        Raises:
            InputError: A class is too sparse and `sparse` is ``error``.
        """
        labels = polygons.object_labels
        own = [labels[index] for index in present]
        given = None if polygons.parts is None else polygons.parts[present]
        more_polygons = "Each class needs at least one object for each part: draw more polygons, merge classes"
        kept = np.flatnonzero(_fill_parts(own, given, self.sparse, more_polygons, reporter))
        parts = np.full(len(present), "", dtype="<U10")
        # By the codes among all classes, so that a class is split alike whether another one is left out or not.
        codes = {label: item.code for label, item in classes_of(labels).items()}
        kept_codes = [codes[own[index]] for index in kept]
        if given is not None:
            parts[kept] = given[kept]
        elif self.blocks:
            where = _blocks_of(pixels, present[kept], self.blocks)
            drawn = draw_split_by_blocks(kept_codes, where, self.train_share, self.validation_share, self.seed)
            smaller = f"SPLIT_BLOCKS is {self.blocks:g}: choose smaller blocks, another SEED, or 0 to draw by object"
            filling = _fill_parts([own[index] for index in kept], drawn, self.sparse, smaller, reporter)
            parts[kept[filling]] = drawn[filling]
        else:
            parts[kept] = draw_split(kept_codes, self.train_share, self.validation_share, self.seed)
        return parts


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
