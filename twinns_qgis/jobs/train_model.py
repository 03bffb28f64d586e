"""The job that trains a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.sampling import SamplingJob
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.assessment.assess import Outcome
    from twinns_qgis.methods import Method
    from twinns_qgis.networks.sensor import Sensor
    from twinns_qgis.samples.labelled import LabelledSamples
    from twinns_qgis.series.series import Series
    from twinns_qgis.training.fit import Fitting
    from twinns_qgis.training.manifest import Manifest


class TrainModel(SamplingJob, declarations.TrainModel):
    """Trains a network or forests on time series and polygons with a class, and assesses them."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Reads the samples, trains the method, chooses by the validation part, and assesses it on the test part."""
        # This loads GDAL, which must be there before TensorFlow: else it takes TensorFlow's SQLite for its own, and the
        # split gets no spatial index.
        import twinns_qgis.samples.split_layer  # noqa: F401
        from twinns_qgis.networks.backend import describe_device, use_device

        self._check()
        use_device(self.device)
        reporter.progress(0, "Starting the network's library")
        reporter.info(describe_device(self.device))

        method = self._method
        unused = {name: item for name, item in self.parameters().items() if name in method.unused}
        if given := [name.upper() for name, item in unused.items() if getattr(self, name) != item.default]:
            reporter.info(f"{method.paper_name} does not use {', '.join(given)}.")
        return self._decided(reporter)._carry_out(reporter)

    def _decided(self, reporter: Reporter) -> TrainModel:
        """Returns the job with what its user left open: so the model, its call and the report tell what was chosen."""
        from twinns_qgis.training.recipes import RECIPES
        from twinns_qgis.training.size import AUTO, choose_size

        recipe = RECIPES[self.recipe]
        settings = {name: value for name, value in recipe.settings.items() if getattr(self, name) in (None, AUTO)}
        asked = recipe.size if self.size == AUTO else self.size
        # Forests have no use for a size, and need not hear of it.
        size = choose_size(asked, Reporter() if "size" in self._method.unused else reporter)
        return self.with_values(**settings, size=size)

    def _carry_out(self, reporter: Reporter) -> dict[str, Any]:
        from twinns_qgis.samples.split_layer import write_split

        series = self.open_series(self._method, reporter)
        polygons, samples = self.draw(next(iter(series.values())).grid, reporter)
        if self.split:  # before hours are spent: what can't be written is told now
            write_split(self.split, polygons, samples)
        outcome = self._train(series, polygons.without_class, samples, reporter)
        outputs = {"model": self.model, "report": self.report, "split": self.split}
        return {
            **{name: str(path) for name, path in outputs.items() if path},
            "accuracy": outcome.measures.accuracy,
            "f_measure": outcome.measures.f_measure,
            "kappa": outcome.measures.kappa,
        }

    @property
    def _method(self) -> Method:
        from twinns_qgis.methods import Method

        return Method.of(self.method)

    def _check(self) -> None:
        """Checks what can be checked before hours are spent."""
        from twinns_qgis.files import check_spared
        from twinns_qgis.samples.polygons import split_source
        from twinns_qgis.samples.split_layer import check_split_output
        from twinns_qgis.training.forest_search import ForestGrid

        ForestGrid.parse(self.depths, self.trees)
        outputs = [path for path in (self.model, self.report, self.split) if path]
        series = [path for path in (self.sentinel1, self.sentinel2, *self.static) if path]
        check_spared(outputs, [*series, split_source(self.polygons)[0], *([self.classes] if self.classes else [])])
        if self.split:
            check_split_output(self.split)

    def _train(
        self, series: dict[str, Series], without_class: int, samples: LabelledSamples, reporter: Reporter
    ) -> Outcome:
        """Trains the method, tests it, and writes the model file and the report."""
        from twinns_qgis.jobs.experiment import run_experiment
        from twinns_qgis.samples.polygons import PARTS
        from twinns_qgis.training.forest_search import ForestGrid
        from twinns_qgis.training.learners import make_learner
        from twinns_qgis.training.ranges import read_samples_and_ranges

        fitting = self._fitting(series)
        stores, sensors = read_samples_and_ranges(series, samples.pixels, self.scaling, reporter.part(0, 0.1))
        counts = ", ".join(f"{len(samples.part(part))} for {part}" for part in PARTS)
        reporter.info(f"{len(samples.pixels)} labelled pixels of {len(samples.classes)} classes: {counts}")
        manifest = self._manifest(sensors, samples)
        grid = ForestGrid.parse(self.depths, self.trees)
        learner = make_learner(self.model, manifest, fitting, grid)
        report = partial(self._write_report, without_class, samples)
        outcome = run_experiment(
            self.model,
            manifest,
            learner,
            stores,
            samples,
            reporter.part(0.1, 1),
            report,
            importance=self.importance == "measured",
        )
        outcome.log(reporter)
        return outcome

    def _fitting(self, series: dict[str, Series]) -> Fitting:
        from twinns_qgis.networks.sensor import Sensor
        from twinns_qgis.training.augmentation import Augmentation
        from twinns_qgis.training.fit import Fitting
        from twinns_qgis.training.recipes import RECIPES

        varies = "date_dropout" not in self._method.unused
        if varies and self.date_dropout:
            missing = {name: Sensor.of(name, one).missing for name, one in series.items()}
        else:
            missing = {name: one.nodata for name, one in series.items() if one.nodata is not None}
        days = {name: tuple(day.toordinal() for day in one.dates) for name, one in series.items()}
        return Fitting(
            **{name: getattr(self, name) for name in RECIPES[self.recipe].settings},
            batch_size=self.batch_size,
            seed=self.seed,
            optimizer=self.optimizer,
            patience=self.patience,
            precision=self.precision,
            class_weights=self.class_weights,
            augmentation=Augmentation(
                self.augmentation == "symmetries", self.date_dropout, self.date_shift, missing, days
            ),
        )

    def _manifest(self, sensors: tuple[Sensor, ...], samples: LabelledSamples) -> Manifest:
        from twinns_qgis.files import sha256_of
        from twinns_qgis.networks.hyperparameters import Hyperparameters
        from twinns_qgis.samples.polygons import split_source
        from twinns_qgis.training.manifest import Manifest
        from twinns_qgis.training.model_file import versions

        files = {sensor.name: Path(getattr(self, sensor.name)) for sensor in sensors if sensor.dates}
        files |= {f"static {number}": path for number, path in enumerate(self.static, start=1)}
        files["polygons"] = split_source(self.polygons)[0]
        return Manifest(
            method=self._method,
            size=self.size,
            sensors=sensors,
            classes=samples.classes,
            split=samples.split_to_json(),
            settings={**self._settings(), "call": self.call()},
            inputs={name: sha256_of(path) for name, path in files.items()},
            versions=versions(),
            hyperparameters=Hyperparameters(self.dropout, self.batch_norm, self.auxiliary_weight),
        )

    def _settings(self) -> dict[str, Any]:
        """Returns the parameters that the method uses, but for the files."""
        files = {"sentinel1", "sentinel2", "static", "polygons", "classes", "model", "report", "split"}
        names = [name for name in self.parameters() if name not in files | self._method.unused]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def _write_report(self, without_class: int, samples: LabelledSamples, outcome: Outcome) -> None:
        if self.report is None:
            return
        from twinns_qgis.assessment.report import TrainingReport, left_out, write_training_report

        inputs = {name: self.told(name) for name in ("sentinel1", "sentinel2", "polygons")}
        if self.static:
            inputs["static"] = ", ".join(map(str, self.told("static")))
        settings = {**inputs, **self._settings(), "model": self.model}
        unused = left_out(samples, without_class=without_class, touching_dropped=self.touching_pixels == "drop")
        report = TrainingReport.of(self._method.title(self.size), settings, samples, unused, outcome)
        try:
            write_training_report(self.report, report)
        except InputError as error:
            raise InputError(
                f"{error.message} The model is whole, and kept in {self.model}.",
                f"{error.hint} The same call then writes the report.",
            ) from error
