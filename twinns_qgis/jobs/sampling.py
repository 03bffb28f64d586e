"""What jobs that learn from polygons have in common: the series, the polygons and their split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinns_qgis.errors import InputError
from twinns_qgis.jobs.job import AT_LEAST_0, SEED, SHARE_BETWEEN_0_AND_1, Job, parameter
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.rasters.grid import Grid
    from twinns_qgis.samples.labelled import LabelledSamples
    from twinns_qgis.samples.polygons import LabelledPolygons
    from twinns_qgis.series.series import Series


@dataclass(frozen=True, kw_only=True)
class SamplingJob(Job):
    """A job that draws samples: pixels of time series that polygons give a class."""

    sentinel1: Path | None = parameter("The Sentinel-1 series.", default=None)
    sentinel2: Path | None = parameter("The Sentinel-2 series, on the same grid.", default=None)
    polygons: str = parameter("Polygons with a class: a vector file, or file|layername=name.")
    class_field: str = parameter("Field that holds the class: text, or a whole number.")
    object_field: str | None = parameter(
        "Field whose equal values make one object of several polygons; by default each polygon is one.", default=None
    )
    split_field: str | None = parameter(
        "Field that holds train, validation or test; by default the split is drawn.", default=None
    )
    sparse_classes: str = parameter(
        "What happens to classes with too few objects for the split.", default="error", choices=("error", "drop")
    )
    train_share: float = parameter(
        "Share of each class's objects to train on.", default=0.3, limit=SHARE_BETWEEN_0_AND_1
    )
    validation_share: float = parameter(
        "Share of each class's objects to choose the best epoch or forest by.",
        default=0.2,
        limit=SHARE_BETWEEN_0_AND_1,
    )
    split_blocks: float = parameter(
        "Side of squares of the ground whose objects go into one part together, in units of the series' CRS; 0 draws "
        "by object.",
        default=0.0,
        limit=AT_LEAST_0,
    )
    touching_pixels: str = parameter(
        "What happens to pixels of validation and test that have a training pixel in their 5 x 5 window.",
        default="drop",
        choices=("drop", "keep"),
    )
    seed: int = parameter(
        "Fixes the split, the initial weights, the order of the samples, and the forests.", default=0, limit=SEED
    )

    def open_series(self, method: str, reporter: Reporter) -> dict[str, Series]:
        """Opens the series that a method sees, by sensor, and checks that they are on one grid.

        Raises:
            InputError: None of them is given, one is no series, or their grids differ.
        """
        from twinns_qgis.series.series import Series, check_same_grid

        series = {name: Series.open(path) for name, path in self._paths(method, reporter).items()}
        check_same_grid(series)
        return series

    def draw(self, grid: Grid, reporter: Reporter) -> tuple[LabelledPolygons, LabelledSamples]:
        """Reads the polygons, and splits the pixels of a grid whose centres lie in them.

        Raises:
            InputError: The polygons can't be used; see `read_polygons` and `draw_samples`.
        """
        from twinns_qgis.samples.labelled import draw_samples
        from twinns_qgis.samples.polygons import read_polygons

        polygons = read_polygons(self.polygons, self.class_field, self.object_field, self.split_field)
        samples = draw_samples(
            polygons,
            grid,
            sparse=self.sparse_classes,
            train_share=self.train_share,
            validation_share=self.validation_share,
            seed=self.seed,
            touching=self.touching_pixels,
            blocks=self.split_blocks,
            reporter=reporter,
        )
        return polygons, samples

    def _paths(self, method: str, reporter: Reporter) -> dict[str, Path]:
        """Returns the files of the series that a method sees, by sensor."""
        from twinns_qgis.methods import description

        given = {"sentinel1": self.sentinel1, "sentinel2": self.sentinel2}
        seen = [name for name in given if description(method).sees(name)]
        paths = {name: path for name, path in given.items() if path and name in seen}
        if not paths:
            needed = " or ".join(name.upper() for name in seen)
            raise InputError(f"{method} needs a series: {needed}.", f"Give {needed}.")
        for name in given:
            if given[name] and name not in paths:
                reporter.info(f"{method} does not use the {name.capitalize()[:-1]}-{name[-1]} series.")
        return paths
