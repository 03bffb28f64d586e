"""Mapping: from a model and its series to a map, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import keras
from rasterio.windows import Window

from twinns_qgis.mapping.computing import Computing
from twinns_qgis.mapping.devices import free_memory
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
from twinns_qgis.mapping.sizes import AT_ONCE, SIDES, Sizes, choose_sizes
from twinns_qgis.networks.backend import gpu_available
from twinns_qgis.networks.precision import PRECISIONS, choose_mapping_precision
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.rasters.production import Machine, is_begun, make_rasters
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import TrainedModel, read_model, versions

_WORTH_COMPILING = 16
"""Parts from which on compiling, a second or two, pays."""


@dataclass(frozen=True)
class Choice:
    """How the user wants scores to be computed.

    Args:
        device: Where: ``auto``, ``cpu`` or ``gpu``.
        precision: ``float32``, ``bfloat16``, or ``auto``: what is faster.
        agreement: The share of pixels that an early exit is to leave their class; None for no early exit.
    """

    device: str = "auto"
    precision: str = "auto"
    agreement: float | None = None


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
    choice: Choice,
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
        choice: How the user wants scores to be computed.
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
    bands = {name: len(layout.descriptions) for name, layout in layouts.items()}
    kind = _device(choice.device, machine) if model.classifier.network else "cpu"
    free = free_memory() if kind == "gpu" and machine.scheduler is None else None

    def settle(precision: str, side: int | None = None) -> tuple[MappingPlan, Sizes]:
        sizes = choose_sizes(model.manifest, scene.series, grid, machine.memory, kind, precision, free)
        sizes = replace(sizes, side=side or sizes.side)
        many = (grid.width // sizes.side) * (grid.height // sizes.side) >= _WORTH_COMPILING
        plan = MappingPlan(
            model=model.path,
            series=scene.series,
            contents={"model": model.sha256, **scene.contents},
            window=scene.window,
            region=scene.region,
            bands=bands,
            device=choice.device,
            computing=Computing(kind, _library(), precision, sizes.side, many, choice.agreement),
        )
        return plan, sizes

    wanted = choice.precision if model.classifier.network else "float32"  # which forests are computed in
    precisions = PRECISIONS if wanted == "auto" else (wanted,)
    # What is free on a GPU differs from call to call, and the parts with it.
    sides = (None,) if free is None else SIDES
    begun = _begun(product(precisions, sides), settle, layouts, outputs)
    plan, sizes = begun or settle(_fastest(model.manifest) if wanted == "auto" else wanted)
    precision = plan.computing.precision
    height, width = sizes.shape
    reporter.info(
        f"Mapping {grid.width} x {grid.height} pixels in blocks of {width} x {height}, computed {sizes.side} x "
        f"{sizes.side} at once, in {precision} on the {kind.upper()}"
    )
    keep(model if precision == "float32" else read_model(model.path, precision), plan.computing)
    whole_rate = None
    if machine.scheduler is None:
        whole_rate = estimate(plan, grid, machine.memory, reporter)
    tally = make_rasters(
        plan,
        layouts,
        outputs.paths(),
        sizes.shape,
        replace(machine, memory=sizes.memory, at_once=AT_ONCE),
        reporter,
        CloudOptimised(classes),
    )
    # Of a few parts the time goes into preparing the programs.
    _tell_speed(tally, whole_rate if choice.agreement and plan.computing.compiled else None, reporter)


def _begun(
    ways: Iterable[tuple[str, int | None]],
    settle: Callable[[str, int | None], tuple[MappingPlan, Sizes]],
    layouts: Mapping[str, Layout],
    outputs: CoverOutputs,
) -> tuple[MappingPlan, Sizes] | None:
    """Returns what a stopped call for the same map has settled on, precision and side of the parts, if there is one."""
    for precision, side in ways:
        plan, sizes = settle(precision, side)
        if is_begun(plan, layouts, outputs.paths(), sizes.shape):
            return plan, sizes
    return None


def _fastest(manifest: Manifest) -> str:
    return "float32" if manifest.method.forests else choose_mapping_precision(manifest.method.name, manifest.size)


def _device(device: str, machine: Machine) -> str:
    """Returns what computes, ``gpu`` or ``cpu``; with ``auto``, workers are taken to be as this machine."""
    if machine.scheduler is not None and device != "auto":
        return device
    return "gpu" if gpu_available() else "cpu"


def _library() -> str:
    backend = keras.backend.backend()
    return f"{backend} {versions()[backend]}"


def _tell_speed(tally: Mapping[str, Any], whole_rate: float | None, reporter: Reporter) -> None:
    if tally["mapped"]:
        # Parts are computed whole, however few of their pixels are wanted.
        mapped, computed = tally["mapped"], tally["computed"]
        rate = computed / max(tally["seconds"], 1e-6)
        gain = f", {rate / whole_rate:.1f} times as fast as a probe of the whole network" if whole_rate else ""
        of = "" if computed == mapped else f" of {computed:,} computed"
        reporter.info(f"Mapped {mapped:,} pixels{of}, {rate:,.0f} px/s{gain}.")
