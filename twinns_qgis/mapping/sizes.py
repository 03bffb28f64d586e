"""How large blocks are, and the parts of them that are computed at once: as large as memory allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from twinns_qgis.networks.hyperparameters import SIZES
from twinns_qgis.rasters.blocks import block_shape
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import TILE
from twinns_qgis.series.series import Series
from twinns_qgis.training.manifest import Manifest

AT_ONCE = 2
"""Blocks under way in a process: one is computed while another is read, or written."""

_LIBRARIES = 900
"""Memory in MB that the process takes before it maps anything: mostly TensorFlow."""
_LEAST_SHARE = 8
"""A MEMORY that is hardly more than that leaves an eighth of itself to the blocks, and can't be kept."""
_OVERHEAD = 1.3
"""What computing takes, in sizes of the activations that are counted; measured."""
SIDES = (16, 32, 64, 128, TILE)
"""Sides that the parts may have: powers of two."""
_PROCESSOR = 128
"""Side of the blocks of a network on a processor: at the paper's size one takes a minute, which a kill may cost."""
_PROCESSOR_PART = 64
"""Side of a network's parts on a processor, where larger ones are no faster."""
_CACHE = 2**23
"""Bytes of a network's state beyond which a processor gets slower."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of blocks and of the parts that are computed at once, as MEMORY allows.

    Args:
        shape: Height and width of a block: what is read, and kept, at once.
        side: Side of the parts that go through the classifier at once, a power of two.
        memory: What is left to blocks and GDAL's cache, in MB.
    """

    shape: tuple[int, int]
    side: int
    memory: int


def choose_sizes(
    manifest: Manifest,
    series: Mapping[str, Series],
    grid: Grid,
    memory: int,
    device: str,
    precision: str = "float32",
    device_memory: int | None = None,
) -> Sizes:
    """Returns the sizes of blocks and parts that fit into the memory.

    Of what MEMORY leaves beside the libraries, a quarter is GDAL's cache, a quarter goes to the two blocks that are
    under way, and half to the activations, or variables, of what is computed; on a GPU, half of its free memory.

    Args:
        manifest: The model's.
        series: Its series.
        grid: The grid of the map.
        memory: Memory to use, in MB.
        device: ``cpu`` or ``gpu``.
        precision: ``float32`` or ``bfloat16``.
        device_memory: Free memory of the GPU in MB, if it is known.
    """
    left = max(memory - _LIBRARIES, memory // _LEAST_SHARE, 1)
    shape = block_shape(grid, max(1, left // 4), _block_bytes(series.values(), len(manifest.classes)))
    side = block_side(manifest, device_memory or left)
    if device == "cpu" and not manifest.method.forests:
        shape = min(shape[0], _PROCESSOR), min(shape[1], _PROCESSOR)
        side = min(side, _cached_side(manifest, precision))
    return Sizes(shape, side, left)


def _cached_side(manifest: Manifest, precision: str) -> int:
    units = 2 * max(SIZES[manifest.size].of(sensor.name) for sensor in manifest.sensors)
    pixels = _CACHE / (units * (2 if precision == "bfloat16" else 4))
    return int(min(_PROCESSOR_PART, _power_of_two(pixels**0.5)))


def block_side(manifest: Manifest, left: int) -> int:
    """Returns the side of the parts whose activations, or variables, take half of `left` (MB)."""
    values = manifest.method.values_per_pixel(manifest.sensors, manifest.size)
    pixels = left * 2**20 / 2 / (_OVERHEAD * 4 * values)
    return int(np.clip(_power_of_two(max(1, pixels) ** 0.5), min(SIDES), max(SIDES)))


def _power_of_two(most: float) -> int:
    return 2 ** int(np.log2(most))


def _block_bytes(series: Iterable[Series], classes: int) -> int:
    """Returns the memory that a pixel of a block takes: its values, as read and framed, and its scores, calibrated."""
    values = sum(2 * one.steps * len(one.bands) * np.dtype(one.dtype).itemsize for one in series)
    return values + 4 * 4 * classes
