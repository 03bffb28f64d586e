"""From a model and the series of a scene to its land cover map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rasterio.windows import Window

from twinns_qgis.mapping.choice import Choice, Way, Ways
from twinns_qgis.mapping.clear_dates import ClearDates
from twinns_qgis.mapping.estimate import estimate
from twinns_qgis.mapping.layouts import (
    CONFIDENCE,
    COVER,
    PROBABILITIES,
    SENSOR_CLASSES,
    UNCERTAINTY,
    cover_layout,
    percent_layout,
    sensor_classes_layout,
)
from twinns_qgis.mapping.outputs import CloudOptimised
from twinns_qgis.mapping.plan import MappingPlan
from twinns_qgis.mapping.region import Region
from twinns_qgis.mapping.sizes import AT_ONCE
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.rasters.production import Machine, is_begun, make_rasters
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import OF_CLEAR_DATES, Series
from twinns_qgis.training.model_file import TrainedModel, read_model


@dataclass(frozen=True)
class Scene:
    """The series, and the part of them, that is mapped.

    Args:
        series: The series by sensor, on one grid.
        contents: SHA-256 of each of them, by sensor, and of the raster of clear dates.
        window: The pixels to map.
        region: The part of them to map, or None: all.
        clear_dates: The number of clear dates to go with the uncertainty, or None.
    """

    series: Mapping[str, Series]
    contents: Mapping[str, str]
    window: Window
    region: Region | None = None
    clear_dates: ClearDates | None = None


@dataclass(frozen=True)
class CoverOutputs:
    """The rasters that mapping writes.

    Args:
        cover: The map.
        confidence: Calibrated score of the class in percent, or None.
        probabilities: Calibrated score of every class in percent, or None.
        uncertainty: Entropy and margin of the calibrated scores in percent, or None.
        sensor_classes: The class by each sensor's own classifiers, and whether they agree, or None.
    """

    cover: Path
    confidence: Path | None = None
    probabilities: Path | None = None
    uncertainty: Path | None = None
    sensor_classes: Path | None = None

    def paths(self) -> dict[str, Path]:
        """Returns the paths of the rasters that are wanted, by their names."""
        paths = {
            COVER: self.cover,
            CONFIDENCE: self.confidence,
            PROBABILITIES: self.probabilities,
            UNCERTAINTY: self.uncertainty,
            SENSOR_CLASSES: self.sensor_classes,
        }
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
    """Writes the land cover map of a scene, and the other rasters that are wanted.

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
        reporter: Receives progress, the estimate and the speed.

    Raises:
        InputError: A series can't be read, or the disk has no room; the outputs are as before then.
        Cancelled: The user asked the job to stop.

    Example:
        >>> map_cover(
        ...     read_model(Path("model.twinns")),
        ...     Scene(
        ...         {name: Series.open(Path(f"{name}.tif")) for name in ("sentinel1", "sentinel2")},
        ...         contents={},
        ...         window=Window(0, 0, 60, 60),
        ...     ),
        ...     CoverOutputs(Path("map.tif"), confidence=Path("confidence.tif")),
        ...     machine=Machine(memory=2000),
        ...     choice=Choice(device="cpu"),
        ...     tags={},
        ...     reporter=Reporter(),
        ... )
    """
    grid = next(iter(scene.series.values())).grid.crop(scene.window)
    classes, paths = model.manifest.classes, outputs.paths()
    layouts = _layouts(paths, grid, classes, tags, with_dates=scene.clear_dates is not None)
    bands = {name: len(layout.descriptions) for name, layout in layouts.items()}

    def plan_of(way: Way) -> MappingPlan:
        return MappingPlan(
            scene.series, scene.contents, scene.window, scene.region, bands, way.inference, scene.clear_dates
        )

    ways = Ways(model, scene.series, grid, machine, choice)
    begun = (way for way in ways.all() if is_begun(plan_of(way), layouts, paths, way.sizes.shape))
    way = next(begun, None) or ways.fastest()
    plan, inference, sizes = plan_of(way), way.inference, way.sizes
    height, width = sizes.shape
    reporter.info(
        f"Mapping {grid.width} x {grid.height} pixels in blocks of {width} x {height}, computed {sizes.side} x "
        f"{sizes.side} at once, in {inference.precision} on the {inference.device.upper()}"
    )
    inference.keep(model if inference.precision == "float32" else read_model(model.path, inference.precision))
    whole_rate = None
    if machine.scheduler is None:
        whole_rate = estimate(plan, grid, reporter)
    tally = make_rasters(
        plan,
        layouts,
        paths,
        sizes.shape,
        replace(machine, memory=sizes.memory, at_once=AT_ONCE),
        reporter,
        CloudOptimised(classes),
    )
    # Of a few parts the time goes into preparing the programs.
    _tell_speed(tally, whole_rate if inference.early_exit and inference.compiled else None, reporter)


def _layouts(
    names: Iterable[str], grid: Grid, classes: Sequence[LandCoverClass], tags: Mapping[str, str], *, with_dates: bool
) -> dict[str, Layout]:
    """Returns the layouts of the rasters of these names; that of the uncertainty with the number of clear dates."""
    uncertainty = ["entropy", "margin", *([OF_CLEAR_DATES] if with_dates else [])]
    makers = {
        COVER: lambda: cover_layout(grid, classes, tags),
        CONFIDENCE: lambda: percent_layout(grid, ["confidence"], tags),
        PROBABILITIES: lambda: percent_layout(grid, [item.name for item in classes], tags),
        UNCERTAINTY: lambda: percent_layout(grid, uncertainty, tags),
        SENSOR_CLASSES: lambda: sensor_classes_layout(grid, classes, tags),
    }
    return {name: makers[name]() for name in names}


def _tell_speed(tally: Mapping[str, Any], whole_rate: float | None, reporter: Reporter) -> None:
    if tally["mapped"]:
        # Parts are computed whole, however few of their pixels are wanted.
        mapped, computed = tally["mapped"], tally["computed"]
        rate = computed / max(tally["seconds"], 1e-6)
        gain = f", {rate / whole_rate:.1f} times as fast as a probe of the whole network" if whole_rate else ""
        of = "" if computed == mapped else f" of {computed:,} computed"
        reporter.info(f"Mapped {mapped:,} pixels{of}, {rate:,.0f} px/s{gain}.")
