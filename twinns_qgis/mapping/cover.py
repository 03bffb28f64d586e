"""Mapping: whole blocks through the classifier, reading ahead of computing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from twinns_qgis.mapping.outputs import MAP_NODATA, PERCENT_NODATA, cover_map, percent_raster
from twinns_qgis.networks.methods import description
from twinns_qgis.rasters.layout import TILE
from twinns_qgis.reporter import Reporter, TimeLeft
from twinns_qgis.samples.store import MARGIN
from twinns_qgis.series.series import Series
from twinns_qgis.training.calibration import calibrate
from twinns_qgis.training.model_file import Manifest, TrainedModel

_LARGEST_BLOCK = TILE
_SMALLEST_BLOCK = 16


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


def map_cover(
    model: TrainedModel,
    series: Mapping[str, Series],
    window: Window,
    outputs: CoverOutputs,
    *,
    memory: int,
    tags: Mapping[str, str],
    reporter: Reporter,
) -> None:
    """Maps a window of the series.

    The class of a pixel is the argmax of the score: equation 12, or the mean of forests' probabilities. A pixel that
    has no value in one of the series gets 0, no data. Beyond the raster's edge, patches repeat its nearest pixels, as
    in training.

    Args:
        model: The model.
        series: Its series, by sensor, on one grid.
        window: The pixels to map.
        outputs: Where to write.
        memory: Memory to use, in MB.
        tags: Metadata of the rasters.
        reporter: Hears of the progress.
    """
    grid = next(iter(series.values())).grid.crop(window)
    classes = model.manifest.classes
    codes = np.array([item.code for item in classes], np.uint8)
    side = block_side(model.manifest, memory)
    reporter.info(f"Mapping {grid.width} x {grid.height} pixels in blocks of {side} x {side}")
    clock = TimeLeft()
    done = 0
    with ExitStack() as stack:
        cover = stack.enter_context(cover_map(outputs.cover, grid, classes, tags))
        confidence = outputs.confidence and stack.enter_context(
            percent_raster(outputs.confidence, grid, ["confidence"], tags)
        )
        probabilities = outputs.probabilities and stack.enter_context(
            percent_raster(outputs.probabilities, grid, [item.name for item in classes], tags)
        )
        for target, values in _read_ahead(series, window, stack):
            scores = np.empty((int(target.height), int(target.width), len(classes)), np.float32)
            for rows, columns in _blocks(scores.shape[0], scores.shape[1], side):
                reporter.check_cancelled()
                block = {name: _with_margin(raw, rows, columns) for name, raw in values.items()}
                scores[rows, columns] = model.classifier.scores(block)[0]
                done += (rows.stop - rows.start) * (columns.stop - columns.start)
                share = done / (grid.width * grid.height)
                reporter.progress(share, f"{done / clock.elapsed:,.0f} px/s {clock.after(share)}".rstrip())
            missing = _missing(series, values)
            cover.write(np.where(missing, MAP_NODATA, codes[scores.argmax(axis=-1)]).astype(np.uint8), target)
            if confidence or probabilities:
                scores = calibrate(scores, model.manifest.temperature)
            if confidence:
                confidence.write(_percent(scores.max(axis=-1)[None], missing), target)
            if probabilities:
                probabilities.write(_percent(np.moveaxis(scores, -1, 0), missing), target)
        reporter.info(f"Mapped {done / clock.elapsed:,.0f} px/s")


def block_side(manifest: Manifest, memory: int) -> int:
    """Returns the side of the blocks whose activations, or variables, take about half of `memory` (MB)."""
    floats = description(manifest.method).values_per_pixel(manifest.sensors, manifest.size)
    pixels = memory * 2**20 / 2 / (4 * floats)
    return int(np.clip(int(np.sqrt(pixels)) // 16 * 16, _SMALLEST_BLOCK, _LARGEST_BLOCK))


def _read_ahead(
    series: Mapping[str, Series], window: Window, stack: ExitStack
) -> Iterator[tuple[Window, dict[str, NDArray[Any]]]]:
    """Reads the series tile by tile, the next one while the caller works on this one.

    Yields:
        The window of the output, and the raw values of each sensor, with a margin.
    """

    def read(target: Window) -> dict[str, NDArray[Any]]:
        source = Window(window.col_off + target.col_off, window.row_off + target.row_off, target.width, target.height)
        return {name: one.read(source, MARGIN) for name, one in series.items()}

    targets = list(next(iter(series.values())).grid.crop(window).blocks(TILE))
    reader = stack.enter_context(ThreadPoolExecutor(1))
    coming = reader.submit(read, targets[0])
    for number, target in enumerate(targets):
        values = coming.result()
        if number + 1 < len(targets):
            coming = reader.submit(read, targets[number + 1])
        yield target, values


def _blocks(height: int, width: int, side: int) -> Iterator[tuple[slice, slice]]:
    for row in range(0, height, side):
        for column in range(0, width, side):
            yield slice(row, min(row + side, height)), slice(column, min(column + side, width))


def _with_margin(values: NDArray[Any], rows: slice, columns: slice) -> NDArray[Any]:
    """Cuts a block with its margin out of values that have one; returns it as a batch of one."""
    return values[None, rows.start : rows.stop + 2 * MARGIN, columns.start : columns.stop + 2 * MARGIN]


def _percent(shares: NDArray[np.float32], missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(missing, PERCENT_NODATA, np.rint(100 * shares)).astype(np.uint8)


def _missing(series: Mapping[str, Series], values: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Returns which pixels have no value at all in one of the series, shape (height, width)."""
    return np.logical_or.reduce(
        [one.missing(values[name][MARGIN:-MARGIN, MARGIN:-MARGIN]).all(axis=(-2, -1)) for name, one in series.items()]
    )
