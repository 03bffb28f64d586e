"""The split by blocks of the ground, so that parts are apart: objects near each other resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.samples.polygons import PARTS
from twinns_qgis.samples.split import part_shares

_DRAWS = 32
"""Draws at most, from which the one is taken that leaves the fewest classes without a part."""


def draw_split_by_blocks(
    codes: Sequence[int], blocks: NDArray[np.int64], train_share: float, validation_share: float, seed: int
) -> NDArray[np.str_]:
    """Draws a part for each block of the ground.

    Blocks are gone through in a drawn order, those with the rarest classes first; each goes to the part that is
    furthest from its shares of the classes in the block. Then blocks move to other parts as long as that gives more
    classes a block in each part. If a class that lies in three blocks or more still lacks one, another order is drawn.

    Args:
        codes: The code of each object's class.
        blocks: The number of the block that each object lies in, shape (objects,).
        train_share: Share of each class's objects to train on, which blocks can only approach.
        validation_share: The same, to choose the best epoch by; what is left is for the test.
        seed: Fixes the draw.

    Returns:
        ``train``, ``validation`` or ``test`` for each object.

    Raises:
        InputError: The shares leave nothing for a part.
    """
    shares = part_shares(train_share, validation_share)
    classes, class_of = np.unique(codes, return_inverse=True)
    numbers, block_of = np.unique(blocks, return_inverse=True)
    counts = np.zeros((len(numbers), len(classes)))
    np.add.at(counts, (block_of, class_of), 1)
    random = np.random.default_rng(seed)
    drawn: list[_Assignment] = []
    for _ in range(_DRAWS):
        drawn.append(_draw(counts / counts.sum(axis=0), shares, random.permutation(len(numbers))))
        drawn[-1].fill_gaps()
        if not drawn[-1].gaps:
            break
    best = min(drawn, key=lambda one: one.gaps)
    return np.array(PARTS)[best.parts[block_of]]


def _draw(portions: NDArray[np.float64], shares: NDArray[np.float64], order: NDArray[np.int64]) -> _Assignment:
    """Gives each block a part, by the portion of each class's objects that it holds, shape (blocks, classes)."""
    rarest_first = order[np.argsort(-portions[order].max(axis=1, initial=0), kind="stable")]
    held = np.zeros((len(PARTS), portions.shape[1]))
    parts = np.empty(len(portions), int)
    for block in rarest_first:
        lacking = 1 - held / shares[:, None]
        parts[block] = np.argmax(lacking @ portions[block])
        held[parts[block]] += portions[block]
    return _Assignment(portions > 0, parts, order)


@dataclass
class _Assignment:
    """A part for each block.

    Args:
        present: Whether a block holds a class, shape (blocks, classes).
        parts: Number of the part of each block, shape (blocks,).
        order: The drawn order, in which blocks are moved first.
    """

    present: NDArray[np.bool_]
    parts: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def gaps(self) -> int:
        """How often a class lacks a block in a part, beyond what too few blocks make it lack anyway."""
        unavoidable = np.maximum(len(PARTS) - self.present.sum(axis=0), 0).sum()
        return int((self._blocks() == 0).sum() - unavoidable)

    def fill_gaps(self) -> None:
        """Moves blocks to other parts, each time the one that fills most gaps, as long as that fills any."""
        while self.gaps:
            blocks = self._blocks()
            opened = (self.present & (blocks[self.parts] == 1)).sum(axis=1)
            filled = self.present.astype(int) @ (blocks == 0).T.astype(int)  # by block and part it goes to
            gain = (filled - opened[:, None])[self.order]
            best = np.unravel_index(np.argmax(gain), gain.shape)
            if gain[best] <= 0:
                return
            self.parts[self.order[best[0]]] = best[1]

    def _blocks(self) -> NDArray[np.int64]:
        """Returns the number of blocks that hold each class, shape (parts, classes)."""
        return np.stack([self.present[self.parts == part].sum(axis=0) for part in range(len(PARTS))])
