"""How long a map will take, from the speed of one part of it."""

from __future__ import annotations

import time

import numpy as np
from rasterio.windows import Window

from twinns_qgis.mapping.plan import MappingPlan
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter, duration
from twinns_qgis.samples.store import MARGIN

_ENOUGH = 5.0
"""Seconds after which nothing is repeated."""


def estimate(plan: MappingPlan, grid: Grid, reporter: Reporter) -> float:
    """Computes a part in the middle of the map, and reports how long all of it will take.

    Args:
        plan: How the map is made.
        grid: Its grid.
        reporter: Receives the estimate.

    Returns:
        The pixels per second of the whole classifier, without an early exit.

    Raises:
        InputError: A series can't be read.
        Cancelled: The user asked the job to stop.
    """
    whole = pixels_per_second(plan, grid, reporter, whole=True)
    rate = pixels_per_second(plan, grid, reporter) if plan.inference.early_exit else whole
    pixels = grid.width * grid.height
    if plan.region is not None:
        pixels = plan.region.pixels(grid, plan.inference.side)
    reporter.info(
        f"This will take about {duration(pixels / rate)}, for {pixels:,} pixels at {rate:,.0f} px/s; blocks without "
        "data take no time."
    )
    return whole


def pixels_per_second(plan: MappingPlan, grid: Grid, reporter: Reporter, whole: bool = False) -> float:
    """Returns how many pixels are classified in a second.

    Args:
        plan: How the map is made.
        grid: Its grid.
        reporter: Says whether the user cancelled.
        whole: Whether no pixel may exit early.
    """
    height, width = min(plan.inference.side, grid.height), min(plan.inference.side, grid.width)
    middle = Window(
        plan.window.col_off + (grid.width - width) // 2,
        plan.window.row_off + (grid.height - height) // 2,
        width,
        height,
    )
    values = {name: one.read(middle, MARGIN) for name, one in plan.series.items()}
    seconds = 0.0
    for _ in range(2):  # the first time, things are compiled, which is what takes long on a GPU
        if seconds < _ENOUGH or plan.inference.device == "gpu":
            start = time.monotonic()
            plan.inference.scorer().scores(values, np.ones((height, width), bool), reporter.check_cancelled, whole)
            seconds = time.monotonic() - start
    return height * width / max(seconds, 1e-6)
