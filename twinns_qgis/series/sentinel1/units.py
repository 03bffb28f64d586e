"""Which units the values of Sentinel-1 images are in: by their metadata, else by their range; and whether they can be.

The bounds below are those of radar, not of one site:

- Land scatters back less than it receives: in decibels most values are negative, as power they never are but for the
  noise that was subtracted.
- The noise of Sentinel-1 lies near -25 dB, at best at -30 dB. So no image's median is below that by much, and what
  would be below it, read as amplitude, is power.
- Volume scattering, which gives VH its highest medians over forest, ends near -11 dB, the medians of VV in dense cities
  near -4 dB. What would be well above, read as power, is amplitude.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.blocks import Threads, spread_windows
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.sentinel1.backscatter import (
    DN_FORMULA,
    POSSIBLE_DB,
    UNITS,
    possible_values,
    to_db,
    to_power,
)

_DECIBELS_FROM, _LINEAR_TO = 0.5, 0.1
"""Shares of negative values: with this many or more they are decibels, with this many or fewer linear."""
_REPEATED = 0.05
"""A value that is so much of a sample is none of an image, where it is beyond what decibels can be."""
_LEAST = possible_values("power").least
"""What is nearer to 0 is as good as 0, which marks missing pixels in many files."""
_NOISE = -30.0
_HIGHEST = {"VV": -3.0, "VH": -9.0}
"""Medians in decibels below the noise, and above what scatters."""
_POSSIBLE = (-45.0, 10.0)
"""Medians in decibels that an image may have at all, even of still water or of a single roof."""
_CHOOSE = f"Say what the values are with UNITS: {', '.join(unit for unit in UNITS if unit != 'auto')} ({DN_FORMULA})."


@dataclass(frozen=True)
class _Sample:
    """Some of the values of a band; `values` are those that mark no missing pixels."""

    source: BandSource
    polarisation: str
    whole: bool
    values: NDArray[np.float32]

    @property
    def negative(self) -> float:
        """Share of negative values."""
        return float(np.mean(self.values < 0))

    def median_db(self, units: str) -> float:
        """Median in decibels, were the values of these units; NaN if none can be."""
        if units == "dB":
            return float(np.median(self.values))
        positive = self.values[self.values > 0]
        return float(to_db(to_power(np.median(positive, keepdims=True), units))[0]) if positive.size else float("nan")

    def __str__(self) -> str:
        return f"{self.source.path}, {self.polarisation} ({_seen(self.values)})"


def settle_units(
    sources: Sequence[tuple[str, BandSource]], grid: Grid, units: str, reporter: Reporter
) -> dict[BandSource, str]:
    """Returns the units of the values of each band: as told, or as metadata, names or values say.

    With ``auto``, a band's units are those that its metadata or its name tell; else its values settle them: mostly
    negative ones are decibels, and linear ones are power or amplitude where only one of both readings is possible of
    the images together. Whatever the units come from, values that can't be of them are refused.

    Args:
        sources: Polarisations and bands.
        grid: Where to look at the values.
        units: One of `backscatter.UNITS`.
        reporter: Receives the units that were detected, and warnings.

    Raises:
        InputError: The units can't be told, or the values can't be of them; the message names a file and what it
            holds.
    """
    with Threads(reporter) as threads:
        samples = list(threads.map(lambda pair: _sample(*pair, grid), sources))
    known = [sample for sample in samples if sample.values.size]
    if units == "auto":
        settled = _detect(known, [source for _, source in sources])
        found = sorted(set(settled.values()))
        tell = reporter.info if len(found) == 1 else reporter.warning
        tell(f"UNITS: the images hold {' and '.join(found)}, by their metadata, their names or their values.")
    else:
        settled = {source: units for _, source in sources}
        _warn_of_others(settled, units, reporter)
    for sample in known:
        _check(sample, settled[sample.source])
    return settled


def _sample(polarisation: str, source: BandSource, grid: Grid) -> _Sample:
    with open_raster(source.path) as dataset:
        area = source_window(Grid.of(dataset), grid)
        windows = spread_windows(area) if area else []
        parts = [source.values({source.path: dataset}, window).ravel() for window in windows]
        whole = np.dtype(dataset.dtypes[source.index - 1]).kind in "iu" and (source.scale, source.offset) == (1.0, 0.0)
    values = np.concatenate([np.empty(0, np.float32), *parts])
    return _Sample(source, polarisation, whole, _without_markers(values[np.abs(values) >= _LEAST]))


def _without_markers(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns values without those that mark missing pixels undeclared: beyond decibels, and there again and again."""
    odd = values[(values < POSSIBLE_DB[0]) | (values > POSSIBLE_DB[1])]
    distinct, counts = np.unique(odd, return_counts=True)
    others = values[~np.isin(values, distinct[counts >= _REPEATED * values.size])]
    # An image of a single number is one of numbers, unless none can be as low.
    return others if others.size else values[values >= POSSIBLE_DB[0]]


def _detect(known: Sequence[_Sample], sources: Sequence[BandSource]) -> dict[BandSource, str]:
    settled = {source: source.units for source in sources if source.units}
    linear = []
    for sample in known:
        if sample.source in settled:
            continue
        if sample.negative >= _DECIBELS_FROM:
            settled[sample.source] = "dB"
        elif sample.negative <= _LINEAR_TO:
            linear.append(sample)
        else:
            raise InputError(
                f"{sample}: {sample.negative:.0%} are negative, more than linear values are and fewer than decibels.",
                _CHOOSE,
            )
    if linear:
        units = _power_or_amplitude(linear)
        settled.update((sample.source, units) for sample in linear)
    if not settled:
        raise InputError(f"{sources[0].path} and the like have no values where the reference lies.", _CHOOSE)
    # Images that are empty here, and whose names tell nothing, go with most of the others.
    usual = Counter(settled.values()).most_common(1)[0][0]
    return {source: settled.get(source, usual) for source in sources}


def _power_or_amplitude(samples: Sequence[_Sample]) -> str:
    """Returns the only reading that the medians of all dates allow.

    Raises:
        InputError: Both are possible, or the values are whole numbers, which many formulas give.
    """
    for sample in samples:
        if sample.whole:
            raise InputError(
                f"{sample} holds whole numbers, and neither its metadata nor its name tells their formula. Read as DN, "
                f"{DN_FORMULA}, their median is {sample.median_db('DN'):.1f} dB.",
                _CHOOSE,
            )
    medians: defaultdict[str, list[float]] = defaultdict(list)
    for sample in samples:
        medians[sample.polarisation].append(sample.median_db("power"))
    readings = {name: float(np.median(values)) for name, values in medians.items()}
    votes = {
        "power" if 2 * as_power < _NOISE else "amplitude"  # in decibels, amplitude is twice what power is
        for name, as_power in readings.items()
        if 2 * as_power < _NOISE or as_power > _HIGHEST[name]
    }
    if len(votes) == 1:
        return votes.pop()
    seen = "; ".join(
        f"{name}: median {value:.1f} dB as power, {2 * value:.1f} dB as amplitude" for name, value in readings.items()
    )
    raise InputError(f"{samples[0]} and the like hold power or amplitude, and both are possible: {seen}.", _CHOOSE)


def _warn_of_others(sources: Iterable[BandSource], units: str, reporter: Reporter) -> None:
    others = [source for source in sources if source.units not in (None, units)]
    if others:
        reporter.warning(
            f"UNITS is {units}, but {len(others)} images are in {others[0].units} by their metadata or their name, "
            f"the first being {others[0].path}. They are read as {units}."
        )


def _check(sample: _Sample, units: str) -> None:
    """Raises an error if the values can't be of the units."""
    if units == "dB" and sample.negative <= _LINEAR_TO:
        raise InputError(
            f"{sample} is read as dB, but hardly any value is negative, as decibels of land are.",
            "Set UNITS to power or amplitude.",
        )
    if units != "dB" and sample.negative >= _DECIBELS_FROM:
        raise InputError(f"{sample} is read as {units}, but is mostly negative.", "Set UNITS to dB.")
    median = sample.median_db(units)
    if not _POSSIBLE[0] <= median <= _POSSIBLE[1]:
        raise InputError(
            f"{sample} is read as {units}, and its median would be {median:.1f} dB, which no surface has.", _CHOOSE
        )


def _seen(values: NDArray[np.float32]) -> str:
    low, middle, high = np.percentile(values, [0, 50, 100])
    return f"values from {low:.4g} to {high:.4g}, median {middle:.4g}"
