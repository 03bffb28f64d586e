"""The job that maps land cover."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.mapping.cover import Scene
    from twinns_qgis.networks.sensor import Sensor


class MapCover(Job, declarations.MapCover):
    """Maps land cover with a trained model."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Reads the model, checks the series against it, and maps them."""
        from twinns_qgis.mapping.contents import hashing
        from twinns_qgis.networks.backend import describe_device, use_device

        outputs = {
            "output": self.output,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "uncertainty": self.uncertainty,
            "sensor_classes": self.sensor_classes,
        }
        self._check(outputs)
        use_device(self.device)
        reporter.progress(0, "Starting the network's library")
        others = {f"static {number}": path for number, path in enumerate(self.static, start=1)}
        if self.validity and self.uncertainty:
            others["validity"] = self.validity
        elif self.validity:
            reporter.warning("VALIDITY is not used: it goes with UNCERTAINTY, which is not asked for.")
        with hashing({**self._given(), **others}, reporter) as hashes:
            from twinns_qgis.mapping.choice import Choice, check_votes
            from twinns_qgis.mapping.cover import CoverOutputs, map_cover
            from twinns_qgis.mapping.devices import unused_gpu
            from twinns_qgis.rasters.production import Machine
            from twinns_qgis.training.model_file import read_model

            if self.scheduler is None:  # else the workers' device counts, not this machine's
                reporter.info(describe_device(self.device))
                if why := unused_gpu(self.device):
                    reporter.warning(why)
            model = read_model(self.model)
            if self.sensor_classes:
                check_votes(model)  # here, as the series take long to read
            scene = self._scene(model.manifest.sensors, hashes, reporter)
        map_cover(
            model,
            scene,
            CoverOutputs(self.output, self.confidence, self.probabilities, self.uncertainty, self.sensor_classes),
            machine=Machine(self.memory, self.scheduler),
            choice=Choice(
                self.device,
                self.precision,
                self.agreement / 100 if self.early_exit == "on" else None,
                by_sensor=self.sensor_classes is not None,
            ),
            tags={
                "TWINNS_MODEL_SHA256": model.sha256,
                "TWINNS_METHOD": model.manifest.title,
                "TWINNS_VERSION": __version__,
                "TWINNS_CALL": self.call(leave_out=["scheduler"]),
            },
            reporter=reporter,
        )
        return {name: str(path) for name, path in outputs.items() if path}

    def _scene(self, sensors: Sequence[Sensor], hashes: Callable[[], dict[str, str]], reporter: Reporter) -> Scene:
        """Opens the series, and checks that they are what the model expects."""
        from twinns_qgis.mapping.clear_dates import ClearDates
        from twinns_qgis.mapping.cover import Scene
        from twinns_qgis.mapping.matching import check_given, check_series, report_shifts
        from twinns_qgis.mapping.region import Region
        from twinns_qgis.networks.sensor import STATIC
        from twinns_qgis.rasters.grid import Extent
        from twinns_qgis.series.series import Series, check_same_grid
        from twinns_qgis.series.static import StaticLayers

        series = {name: Series.open(path) for name, path in self._paths(sensors, reporter).items()}
        check_given(sensors, [*series, *([STATIC] if self.static else [])], self.model.name)
        check_same_grid(series)
        grid = next(iter(series.values())).grid
        if any(sensor.name == STATIC for sensor in sensors):
            series[STATIC] = StaticLayers.on(grid, self.static, reporter)
        elif self.static:
            reporter.info(f"{self.model.name} does not use STATIC.")
        check_series(sensors, series, self.model.name)
        report_shifts(sensors, series, reporter)
        window = grid.window_of(Extent.parse(self.extent) if self.extent else Extent(grid.bounds))
        region = Region.read(self.mask, grid.crop(window), reporter) if self.mask else None
        clear_dates = None
        if self.validity and self.uncertainty:
            clear_dates = ClearDates.open(self.validity, grid.crop(window))
        contents = hashes()
        used = {name: content for name, content in contents.items() if name.split()[0] in {*series, "validity"}}
        return Scene(series, used, window, region, clear_dates)

    def _given(self) -> dict[str, Path]:
        given = {"sentinel1": self.sentinel1, "sentinel2": self.sentinel2}
        return {name: path for name, path in given.items() if path}

    def _paths(self, sensors: Sequence[Sensor], reporter: Reporter) -> dict[str, Path]:
        """Returns the series that were given and that the model uses, by sensor."""
        used = {sensor.name for sensor in sensors}
        for name, path in self._given().items():
            if name not in used:
                reporter.info(f"{self.model.name} does not use {path}.")
        return {name: path for name, path in self._given().items() if name in used}

    def _check(self, outputs: dict[str, Path | None]) -> None:
        """Checks what can be checked before the network is loaded."""
        from twinns_qgis.files import check_distinct, check_outputs, check_spared, file_of
        from twinns_qgis.rasters.qgis_style import style_path
        from twinns_qgis.samples.polygons import split_source

        if self.sensor_classes and self.early_exit == "on":
            raise InputError(
                "SENSOR_CLASSES and EARLY_EXIT don't go together: pixels that leave the network early have no class by "
                "its recurrent branches.",
                "Leave one of them out.",
            )
        paths = [path for path in outputs.values() if path]
        styles = [style_path(path) for path in paths]
        check_outputs(styles)
        check_distinct([*paths, *styles])
        layers = [*map(file_of, self._given().values()), *map(file_of, self.static)]
        layers += [file_of(self.validity)] if self.validity else []
        layers += [split_source(self.mask)[0]] if self.mask else []
        check_spared([*paths, *styles], [self.model, *layers, *map(style_path, layers)])
