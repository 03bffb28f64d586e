"""How a block of a map is made from the series, and what is counted of its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from twinns_qgis.mapping.clear_dates import ClearDates
from twinns_qgis.mapping.inference import Inference
from twinns_qgis.mapping.layouts import (
    AGREE,
    CONFIDENCE,
    COVER,
    DISAGREE,
    MAP_NODATA,
    PERCENT_NODATA,
    PROBABILITIES,
    SENSOR_CLASSES,
    UNCERTAINTY,
)
from twinns_qgis.mapping.region import Region
from twinns_qgis.mapping.scoring import Scored, Scorer
from twinns_qgis.mapping.valid import compare_with_training
from twinns_qgis.networks.calibration import calibrate
from twinns_qgis.rasters.block_store import Block
from twinns_qgis.rasters.blocks import Threads
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import MARGIN
from twinns_qgis.series.series import Series

NOTHING: Mapping[str, Any] = {
    "chosen": 0, "mapped": 0, "computed": 0, "beyond": 0, "left_early": 0, "sampled": 0, "agreeing": 0, "halved": 0,
    "seconds": 0.0,
}  # fmt: skip
"""What is counted in a block without a pixel to map."""

_FEW, _MANY = 0.0005, 0.05
"""More pixels than these shares with a value beyond the training's are told, and a warning: look at the map."""


@dataclass(frozen=True)
class MappingPlan:
    """How a block of a map is made.

    Args:
        series: The series by sensor, on one grid.
        contents: SHA-256 of each of them, and of the raster of clear dates.
        window: The pixels of the series that are mapped.
        region: The part of them that is mapped, or None: all.
        bands: The number of bands of each raster that is wanted.
        inference: How the scores are computed.
        clear_dates: The number of clear dates that goes with the uncertainty, or None.
    """

    series: Mapping[str, Series] = field(compare=False)
    contents: Mapping[str, str]
    window: Window
    region: Region | None
    bands: Mapping[str, int]
    inference: Inference
    clear_dates: ClearDates | None = None

    def sources(self) -> Iterable[Path]:
        """Returns no file: model and rasters are known by the hashes of their contents."""
        return ()

    def block(self, window: Window, threads: Threads) -> Block:
        """Returns the rasters on a block of the map, with counts of its pixels and the seconds that computing took."""
        wanted = self._region(window)
        if not wanted.any():
            return Block(self._without_data(wanted.shape), NOTHING)
        chosen = int(np.count_nonzero(wanted))
        values = self._read(window, threads)
        scorer = self.inference.scorer()
        beyond = np.zeros(wanted.shape, bool)
        for sensor in scorer.model.manifest.sensors:
            inner = values[sensor.name][MARGIN:-MARGIN, MARGIN:-MARGIN]
            some, far = compare_with_training(sensor, self.series[sensor.name], inner)
            if sensor.dates:  # what has none may have gaps, such as an elevation at sea
                wanted &= some
            beyond |= far
        if not wanted.any():
            return Block(self._without_data(wanted.shape), {**NOTHING, "chosen": chosen})
        scored = scorer.scores(values, wanted, threads.check_cancelled)
        tally = {
            **NOTHING,
            "chosen": chosen,
            "mapped": int(np.count_nonzero(wanted)),
            "computed": scored.computed,
            "beyond": int(np.count_nonzero(wanted & beyond)),
            "left_early": int(np.count_nonzero(scored.left)),
            "halved": int(scorer.limit < self.inference.side),
            "seconds": scored.seconds,
        }
        if self.inference.early_exit:
            tally |= scorer.compare_sample(values, wanted, scored.scores, threads.check_cancelled)
        return Block(self._rasters(scored, wanted, scorer, window), tally)

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Reports the shares of pixels beyond the training's range and of early exits; warns of an empty map."""
        mapped = tally["mapped"]
        if not mapped:
            why = "the series have no value at any of its pixels" if tally["chosen"] else "MASK holds no pixel's centre"
            reporter.warning(f"The map is empty: {why}.")
            return
        share = tally["beyond"] / mapped
        tell = reporter.warning if share > _MANY else reporter.info
        if share >= _FEW:
            tell(
                f"{share:.1%} of the {mapped:,} pixels mapped have a value beyond the range of the training series: "
                "there the model has not seen the like."
            )
        side = self.inference.side
        if tally["halved"]:
            reporter.warning(
                f"The memory of the device ran out: {tally['halved']} blocks were computed in smaller parts than "
                f"{side} x {side} pixels. With a lower MEMORY they are smaller from the start."
            )
        if tally["sampled"]:
            reporter.info(
                f"Early exit: {tally['left_early'] / mapped:.1%} of the pixels skipped the ConvGRU branches. Of "
                f"{tally['sampled']:,} pixels from all over the map, {tally['agreeing'] / tally['sampled']:.2%} have "
                "the class that the whole network gives them."
            )

    @property
    def _grid(self) -> Grid:
        """The grid of the map."""
        return next(iter(self.series.values())).grid.crop(self.window)

    def _region(self, window: Window) -> NDArray[np.bool_]:
        if self.region is None:
            return np.ones((int(window.height), int(window.width)), bool)
        return self.region.holds(self._grid.crop(window))

    def _read(self, window: Window, threads: Threads) -> dict[str, NDArray[Any]]:
        source = Window(
            self.window.col_off + window.col_off, self.window.row_off + window.row_off, window.width, window.height
        )
        values = threads.map(lambda one: one.read(source, MARGIN), self.series.values())
        return dict(zip(self.series, values, strict=True))

    def _without_data(self, shape: tuple[int, ...]) -> dict[str, NDArray[np.uint8]]:
        return {
            name: np.full((bands, *shape), MAP_NODATA if name in (COVER, SENSOR_CLASSES) else PERCENT_NODATA, np.uint8)
            for name, bands in self.bands.items()
        }

    def _rasters(
        self, scored: Scored, wanted: NDArray[np.bool_], scorer: Scorer, window: Window
    ) -> dict[str, NDArray[np.uint8]]:
        scores, manifest = scored.scores, scorer.model.manifest
        codes = np.array([item.code for item in manifest.classes], np.uint8)
        rasters = {COVER: np.where(wanted, codes[scores.argmax(axis=-1)], np.uint8(MAP_NODATA))[None]}
        if len(self.bands) > 1:
            scores = calibrate(scores, manifest.temperature)
        if CONFIDENCE in self.bands:
            rasters[CONFIDENCE] = _percent(scores.max(axis=-1)[None], wanted)
        if PROBABILITIES in self.bands:
            rasters[PROBABILITIES] = _percent(np.moveaxis(scores, -1, 0), wanted)
        if UNCERTAINTY in self.bands:
            bands = [_percent(np.stack([entropy(scores), margin(scores)]), wanted)]
            if self.clear_dates:
                clear = self.clear_dates.read(self._grid.crop(window))
                bands.append(np.where(wanted, clear, np.uint8(PERCENT_NODATA))[None])
            rasters[UNCERTAINTY] = np.concatenate(bands)
        if SENSOR_CLASSES in self.bands:
            own = [codes[classes] for classes in scored.by_sensor.values()]
            agreement = np.where(own[0] == own[1], np.uint8(AGREE), np.uint8(DISAGREE))
            rasters[SENSOR_CLASSES] = np.where(wanted, np.stack([*own, agreement]), np.uint8(MAP_NODATA))
        return rasters


def entropy(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the entropy of scores of shape (..., K), 0 where one class is sure to 1 where all are alike."""
    logarithms = np.log(np.where(scores > 0, scores, 1))
    found: NDArray[np.float32] = -(scores * logarithms).sum(axis=-1) / np.log(scores.shape[-1])
    return np.clip(found, 0, 1)


def margin(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns by how much the highest of scores of shape (..., K) is ahead of the second, 0 to 1."""
    two = np.partition(scores, -2, axis=-1)
    found: NDArray[np.float32] = two[..., -1] - two[..., -2]
    return found


def _percent(shares: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(wanted, np.rint(100 * shares), PERCENT_NODATA).astype(np.uint8)
