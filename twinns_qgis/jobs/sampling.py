"""What jobs that learn from polygons have in common: the series, the polygons and their split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.methods import Method
    from twinns_qgis.rasters.grid import Grid
    from twinns_qgis.samples.labelled import LabelledSamples
    from twinns_qgis.samples.polygons import LabelledPolygons
    from twinns_qgis.series.series import Series


class SamplingJob(Job, declarations.Sampling):
    """A job that draws samples: pixels of time series that polygons give a class."""

    def open_series(self, method: Method, reporter: Reporter) -> dict[str, Series]:
        """Opens the series that a method sees, by sensor, with what has no dates, and checks that they are on one grid.

        Raises:
            InputError: None of them is given, one is no series, their grids differ, or a static raster can't be used.
        """
        from twinns_qgis.networks.sensor import STATIC
        from twinns_qgis.series.series import Series, check_same_grid
        from twinns_qgis.series.static import StaticLayers

        series = {name: Series.open(path) for name, path in self._paths(method, reporter).items()}
        check_same_grid(series)
        if self.static:
            series[STATIC] = StaticLayers.on(next(iter(series.values())).grid, self.static, reporter)
        return series

    def draw(self, grid: Grid, reporter: Reporter) -> tuple[LabelledPolygons, LabelledSamples]:
        """Reads the polygons, and splits the pixels of a grid whose centres lie in them.

        Raises:
            InputError: The polygons can't be used; see `read_polygons` and `draw_samples`.
        """
        from twinns_qgis.samples.class_table import ClassTable
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
            max_pixels=self.max_pixels,
            table=ClassTable.read(self.classes) if self.classes else None,
            reporter=reporter,
        )
        return polygons, samples

    def _paths(self, method: Method, reporter: Reporter) -> dict[str, Path]:
        """Returns the files of the series that a method sees, by sensor."""
        given = {"sentinel1": self.sentinel1, "sentinel2": self.sentinel2}
        seen = [name for name in given if method.sees(name)]
        paths = {name: path for name, path in given.items() if path and name in seen}
        if not paths:
            needed = " or ".join(name.upper() for name in seen)
            raise InputError(f"{method.paper_name} needs a series: {needed}.", f"Give {needed}.")
        for name in given:
            if given[name] and name not in paths:
                reporter.info(f"{method.paper_name} does not use the {name.capitalize()[:-1]}-{name[-1]} series.")
        return paths
