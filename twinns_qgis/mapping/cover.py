"""Mapping: from a model and its series to a map, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
from rasterio.windows import Window

from twinns_qgis.mapping.estimate import estimate
from twinns_qgis.mapping.outputs import (
    CONFIDENCE,
    COVER,
    PROBABILITIES,
    CloudOptimised,
    cover_layout,
    percent_layout,
)
from twinns_qgis.mapping.plan import MappingPlan
from twinns_qgis.mapping.region import Region
from twinns_qgis.mapping.scoring import keep
from twinns_qgis.mapping.sizes import AT_ONCE, choose_sizes
from twinns_qgis.networks.backend import gpu_available
from twinns_qgis.rasters.production import Machine, make_rasters
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import TrainedModel, versions


@dataclass(frozen=True)
class Scene:
    """What is mapped.

    Args:
        series: The series by sensor, on one grid.
        contents: SHA-256 of each of them, by sensor.
        window: The pixels to map.
        region: The part of them to map, or None: all.
    """

    series: Mapping[str, Series]
    contents: Mapping[str, str]
    window: Window
    region: Region | None = None


@dataclass(frozen=True)
class CoverOutputs:
    """The rasters that mapping writes.

    Args:
        cover: The map.
        confidence: Calibrated score of the class in percent, or None.
        probabilities: Calibrated score of every class in percent, or None.
    """

    cover: Path
    confidence: Path | None = None
    probabilities: Path | None = None

    def paths(self) -> dict[str, Path]:
        """Returns those that are wanted, by the raster's name."""
        paths = {COVER: self.cover, CONFIDENCE: self.confidence, PROBABILITIES: self.probabilities}
        return {name: path for name, path in paths.items() if path}


def map_cover(
    model: TrainedModel,
    scene: Scene,
    outputs: CoverOutputs,
    *,
    machine: Machine,
    device: str,
    tags: Mapping[str, str],
    reporter: Reporter,
) -> None:
    """Maps a scene.

    The class of a pixel is the argmax of the score: equation 12, or the mean of forests' probabilities. A pixel that
    has no value in one of the series, or lies outside of the region, gets 0, no data. Beyond the raster's edge, patches
    repeat its nearest pixels, as in training. Blocks that a stopped call left are used; see `make_rasters`.

    Args:
        model: The model.
        scene: What is mapped.
        outputs: Where to write.
        machine: What may be used.
        device: Where to compute: ``auto``, ``cpu`` or ``gpu``.
        tags: Metadata of the rasters.
        reporter: Hears of the progress.

    Raises:
        InputError: A series can't be read, or the disk has no room; the outputs are as before then.
        Cancelled: The user asked the job to stop.
    """
    grid = next(iter(scene.series.values())).grid.crop(scene.window)
    classes = model.manifest.classes
    layouts = {COVER: cover_layout(grid, classes, tags)}
    if outputs.confidence:
        layouts[CONFIDENCE] = percent_layout(grid, ["confidence"], tags)
    if outputs.probabilities:
        layouts[PROBABILITIES] = percent_layout(grid, [item.name for item in classes], tags)
    kind = _device(device, machine)
    sizes = choose_sizes(model.manifest, scene.series, grid, machine.memory, kind)
    plan = MappingPlan(
        model=model.path,
        series=scene.series,
        contents={"model": model.sha256, **scene.contents},
        window=scene.window,
        region=scene.region,
        bands={name: len(layout.descriptions) for name, layout in layouts.items()},
        side=sizes.side,
        device=device,
        computing=f"{_library()} on the {kind}",
    )
    keep(model)
    height, width = sizes.shape
    reporter.info(
        f"Mapping {grid.width} x {grid.height} pixels in blocks of {width} x {height}, computed {sizes.side} x "
        f"{sizes.side} at once"
    )
    if machine.scheduler is None:
        estimate(plan, grid, machine.memory, reporter)
    tally = make_rasters(
        plan,
        layouts,
        outputs.paths(),
        sizes.shape,
        replace(machine, memory=sizes.memory, at_once=AT_ONCE),
        reporter,
        CloudOptimised(classes),
    )
    _tell_speed(tally, reporter)


def _device(device: str, machine: Machine) -> str:
    """Returns what computes, ``gpu`` or ``cpu``; with ``auto``, workers are taken to be as this machine."""
    if machine.scheduler is not None and device != "auto":
        return device
    return "gpu" if gpu_available() else "cpu"


def _library() -> str:
    backend = keras.backend.backend()
    return f"{backend} {versions()[backend]}"


def _tell_speed(tally: Mapping[str, Any], reporter: Reporter) -> None:
    if tally["mapped"]:
        reporter.info(f"Mapped {tally['mapped']:,} pixels, {tally['mapped'] / tally['seconds']:,.0f} px/s.")
