"""Rasters without dates, such as elevation, slope or yearly embeddings, as one more input beside the series.

They are read on the grid of the series, whatever their own is, as a series of a single step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import DatasetReader
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import file_of
from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import is_alpha, open_raster
from twinns_qgis.rasters.warping import source_window
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.series import Series


@dataclass(frozen=True)
class StaticLayers(Series):
    """Rasters without dates on the grid of a series; values are physical ones, NaN where missing.

    Args:
        rasters: The rasters.
        sources: Where each of the B bands lies, and how its pixels are resampled.
    """

    rasters: tuple[Path, ...] = ()
    sources: tuple[tuple[BandSource, Resampling], ...] = ()

    @classmethod
    def on(cls, grid: Grid, rasters: Sequence[Path], reporter: Reporter) -> StaticLayers:
        """Describes rasters, to be read on the grid of a series.

        Values are interpolated bilinearly, and averaged where pixels are finer than the grid's; those of a raster with
        a colour table are codes, and the nearest one is taken. A band is called what it is described as, or after its
        file.

        Args:
            grid: The grid.
            rasters: The rasters, one at least.
            reporter: Is told which of them hold codes.

        Raises:
            InputError: One can't be read, does not tell where it lies, lies elsewhere, or is given twice.
        """
        for path, count in Counter(rasters).items():
            if count > 1:
                raise InputError(f"STATIC names {path} {count} times.", "Give each raster once.")
        names: list[str] = []
        sources: list[tuple[BandSource, Resampling]] = []
        for path in rasters:
            with open_raster(path) as dataset:
                if source_window(Grid.of(dataset), grid) is None:
                    raise InputError(
                        f"{path} does not overlap the series, {grid}.", "Give static rasters of the same place."
                    )
                coded = ColorInterp.palette in dataset.colorinterp
                indexes = [index for index in dataset.indexes if not is_alpha(dataset, index)]
                names += _names(path, dataset, indexes)
                sources += [
                    (
                        BandSource(path, index, scale=dataset.scales[index - 1], offset=dataset.offsets[index - 1]),
                        Resampling.nearest if coded else Resampling.bilinear,
                    )
                    for index in indexes
                ]
            if coded:
                reporter.warning(
                    f"{path.name} holds codes, as its colour table shows: they count as numbers, 3 being between 2 and "
                    "4. A raster of 0 and 1 for each kind tells more."
                )
        return cls(
            path=rasters[0],
            grid=grid,
            dates=(),
            bands=tuple(_distinct(names, sources)),
            scale=(1.0,) * len(names),
            offset=(0.0,) * len(names),
            nodata=None,
            dtype="float32",
            rasters=tuple(rasters),
            sources=tuple(sources),
        )

    def _values(self, window: Window) -> NDArray[np.float32]:
        block = self.grid.crop(window)
        with ExitStack() as opened:
            files: dict[File, DatasetReader] = {path: opened.enter_context(open_raster(path)) for path in self.rasters}
            return np.stack([source.read(files, block, resampling) for source, resampling in self.sources])


def _names(path: Path, dataset: DatasetReader, indexes: Sequence[int]) -> list[str]:
    described = [dataset.descriptions[index - 1] or "" for index in indexes]
    if all(described) and len(set(described)) == len(described):
        return described
    stem = file_of(path).stem
    return [stem] if len(indexes) == 1 else [f"{stem} {index}" for index in indexes]


def _distinct(names: Sequence[str], sources: Sequence[tuple[BandSource, Resampling]]) -> list[str]:
    """Returns names none of which stands twice: where files name their bands alike, with the file's or a number."""
    counts = Counter(names)
    longer = [
        f"{Path(str(source.path)).stem} {name}" if counts[name] > 1 else name
        for name, (source, _) in zip(names, sources, strict=True)
    ]
    if len(set(longer)) == len(longer):
        return longer
    return [f"{number} {name}" for number, name in enumerate(names, start=1)]
