"""How long a map will take, told before it begins."""

from __future__ import annotations

import time

import numpy as np
from rasterio.windows import Window

from twinns_qgis.mapping.plan import MappingPlan
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter, duration
from twinns_qgis.samples.store import MARGIN

_ENOUGH = 1.0
"""Seconds of computing that tell the speed; the probe ends after some seconds."""
_FIRST = 16
"""Side of the first part that is tried."""


def estimate(plan: MappingPlan, grid: Grid, memory: int, reporter: Reporter) -> None:
    """Computes a part in the middle of the map, larger and larger ones until a second has gone, and tells what follows.

    Args:
        plan: How the map is made.
        grid: Its grid.
        memory: MEMORY in MB.
        reporter: Hears of it.

    Raises:
        InputError: A series can't be read.
        Cancelled: The user asked the job to stop.
    """
    rate = pixels_per_second(plan, grid, reporter)
    pixels = grid.width * grid.height
    if plan.region is not None:
        pixels = min(pixels, plan.region.pixels(grid))
    reporter.info(
        f"Estimate: {duration(pixels / rate)} for {pixels:,} pixels at {rate:,.0f} px/s, of which blocks without data "
        f"take none, within {memory:,} MB of memory."
    )


def pixels_per_second(plan: MappingPlan, grid: Grid, reporter: Reporter) -> float:
    """Returns how many pixels are classified in a second."""
    side = min(_FIRST, plan.side)
    while True:
        height, width = min(side, grid.height), min(side, grid.width)
        middle = Window(
            plan.window.col_off + (grid.width - width) // 2,
            plan.window.row_off + (grid.height - height) // 2,
            width,
            height,
        )
        values = {name: one.read(middle, MARGIN) for name, one in plan.series.items()}
        seconds = []
        for _ in range(2):  # the first time, things are compiled
            start = time.monotonic()
            plan.scorer().scores(values, np.ones((height, width), bool), plan.side, reporter.check_cancelled)
            seconds.append(time.monotonic() - start)
        if sum(seconds) > _ENOUGH or side >= min(plan.side, max(grid.width, grid.height)):
            return height * width / max(seconds[-1], 1e-6)
        side *= 2
