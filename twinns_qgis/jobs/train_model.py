"""The job that trains a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.jobs.job import Job, parameter
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.assessment.measures import Measures
    from twinns_qgis.assessment.reliability import Trust
    from twinns_qgis.networks.sensor import Sensor
    from twinns_qgis.samples.labelled import LabelledSamples
    from twinns_qgis.series.series import Series
    from twinns_qgis.training.fit import Fitting
    from twinns_qgis.training.learners.learned import Learned


@dataclass(frozen=True, kw_only=True)
class TrainModel(Job):
    """Trains a network or forests on time series and polygons with a class, and assesses them."""

    id: ClassVar[str] = "trainmodel"
    command: ClassVar[str] = "train-model"

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
    method: str = parameter(
        "The method.",
        default="TWINNS",
        # Listed here, as the command line and QGIS list them without loading what builds them.
        choices=(
            "TWINNS",
            "TWINNS(S1)",
            "TWINNS(S2)",
            "FullCNN",
            "FullRNN",
            "TWINNSNoAux",
            "2ConvLSTM",
            "RF(S1,S2)",
            "RFLF(S1,S2)",
            "RF(TWINNS)",
        ),
    )
    size: str = parameter("Size of the network.", default="paper", choices=("paper", "compact", "small"))
    train_share: float = parameter("Share of each class's objects to train on.", default=0.3)
    validation_share: float = parameter(
        "Share of each class's objects to choose the best epoch or forest by.", default=0.2
    )
    split_blocks: float = parameter(
        "Side of squares of the ground whose objects go into one part together, in units of the series' CRS; 0 draws "
        "by object.",
        default=0.0,
    )
    touching_pixels: str = parameter(
        "What happens to pixels of validation and test that have a training pixel in their 5 x 5 window.",
        default="drop",
        choices=("drop", "keep"),
    )
    seed: int = parameter("Fixes the split, the initial weights, the order of the samples, and the forests.", default=0)
    epochs: int = parameter("How often the network sees all training pixels.", default=300)
    batch_size: int = parameter("Pixels between two updates of the weights.", default=64)
    learning_rate: float = parameter("Step size of the optimiser, in the first epoch.", default=2e-4)
    optimizer: str = parameter("The optimiser.", default="adam", choices=("adam", "adamw", "sgd"))
    schedule: str = parameter(
        "Step size over the epochs: constant, or falling to 0 along half a cosine.",
        default="constant",
        choices=("constant", "cosine"),
    )
    patience: int = parameter(
        "Epochs without a better validation accuracy after which training stops; 0 goes through all.", default=0
    )
    class_weights: str = parameter(
        "What counts alike in the loss: each pixel (none) or each class (balanced).",
        default="none",
        choices=("none", "balanced"),
    )
    augmentation: str = parameter(
        "How patches vary in training: not at all, or turned and mirrored in the 8 ways of a square.",
        default="none",
        choices=("none", "symmetries"),
    )
    date_dropout: float = parameter(
        "Probability of each date to be missing in training, drawn for each pixel and sensor; 0 or more, below 1.",
        default=0.0,
    )
    dropout: float = parameter("Share of each block's outputs that training drops; 0 or more, below 1.", default=0.4)
    auxiliary_weight: float = parameter(
        "Weight of each auxiliary classifier in the loss and in the score; that on all features has 1.", default=0.5
    )
    scaling: str = parameter(
        "What becomes 0 and 1 of each variable: its smallest and largest value (range), or its 1st and 99th "
        "percentile, with values beyond clipped (percentiles).",
        default="range",
        choices=("range", "percentiles"),
    )
    batch_norm: str = parameter(
        "Normalises by the statistics of the batches (real), or scales and shifts alone (frozen).",
        default="real",
        choices=("real", "frozen"),
    )
    trees: str = parameter(
        "Numbers of trees of a forest to choose from, separated by commas.", default="100,200,300,400,500"
    )
    depths: str = parameter(
        "Largest depths of a forest's trees to choose from, separated by commas.", default="20,40,60,80,100"
    )
    device: str = parameter("Where to compute.", default="auto", choices=("auto", "cpu", "gpu"))
    precision: str = parameter(
        "What the network's matrix products are computed in, in training; auto is bfloat16 where that is "
        "clearly faster, else float32.",
        default="auto",
        choices=("auto", "float32", "bfloat16"),
    )
    model: Path = parameter("The model file to write, .twinns.")
    report: Path | None = parameter("An HTML report to write.", default=None)
    split: Path | None = parameter("A copy of the polygons to write, with their part of the split.", default=None)

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Reads the samples, trains the method, chooses by the validation part, and assesses it on the test part."""
        from twinns_qgis.networks.backend import describe_device, use_device

        # These load GDAL, which must be there before TensorFlow: else it takes TensorFlow's SQLite for its own, and the
        # split gets no spatial index.
        from twinns_qgis.samples.labelled import draw_samples, write_split
        from twinns_qgis.samples.polygons import read_polygons
        from twinns_qgis.series.series import Series, check_same_grid

        self._check()
        use_device(self.device)
        reporter.progress(0, "Starting the network's library")
        reporter.info(describe_device(self.device))

        series = {name: Series.open(path) for name, path in self._paths(reporter).items()}
        check_same_grid(series)
        polygons = read_polygons(self.polygons, self.class_field, self.object_field, self.split_field)
        samples = draw_samples(
            polygons,
            next(iter(series.values())).grid,
            sparse=self.sparse_classes,
            train_share=self.train_share,
            validation_share=self.validation_share,
            seed=self.seed,
            touching=self.touching_pixels,
            blocks=self.split_blocks,
            reporter=reporter,
        )
        learned, measures, trust = self._train(series, samples, reporter)
        if self.split:
            write_split(self.split, polygons, samples)
        if self.report:
            self._write_report(self.report, polygons.without_class, samples, learned, measures, trust)
        outputs = {"model": self.model, "report": self.report, "split": self.split}
        return {
            **{name: str(path) for name, path in outputs.items() if path},
            "accuracy": measures.accuracy,
            "f_measure": measures.f_measure,
            "kappa": measures.kappa,
        }

    def _paths(self, reporter: Reporter) -> dict[str, Path]:
        """Returns the series that the method sees, by sensor."""
        from twinns_qgis.networks.methods import description

        given = {"sentinel1": self.sentinel1, "sentinel2": self.sentinel2}
        method = description(self.method)
        seen = [name for name in given if method.sees(name)]
        paths = {name: path for name, path in given.items() if path and name in seen}
        if not paths:
            needed = " or ".join(name.upper() for name in seen)
            raise InputError(f"{self.method} needs a series: {needed}.", f"Give {needed}.")
        for name in given:
            if given[name] and name not in paths:
                reporter.info(f"{self.method} does not use the {name.capitalize()[:-1]}-{name[-1]} series.")
        return paths

    def _check(self) -> None:
        """Checks what can be checked before hours are spent."""
        from twinns_qgis.files import check_output
        from twinns_qgis.samples.labelled import check_split_output
        from twinns_qgis.training.forest_search import ForestGrid

        for path in (self.model, self.report, self.split):
            if path:
                check_output(path)
        if self.split:
            check_split_output(self.split)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"The parameter '{name}' is {getattr(self, name)}.", "Expected 1 or more.")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise InputError(f"The parameter 'learning_rate' is {self.learning_rate}.", "Expected more than 0.")
        for name in ("dropout", "date_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"The parameter '{name}' is {getattr(self, name)}.", "Expected 0 or more, below 1.")
        for name in ("split_blocks", "auxiliary_weight"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise InputError(f"The parameter '{name}' is {getattr(self, name)}.", "Expected 0 or more.")
        ForestGrid.parse(self.depths, self.trees)
        for name in ("seed", "patience"):
            if getattr(self, name) < 0:
                raise InputError(f"The parameter '{name}' is {getattr(self, name)}.", "Expected 0 or more.")

    def _train(
        self, series: dict[str, Series], samples: LabelledSamples, reporter: Reporter
    ) -> tuple[Learned, Measures, Trust]:
        """Trains the method, tests it, and writes the model file."""
        from twinns_qgis.assessment.assess import assess
        from twinns_qgis.samples.polygons import PARTS
        from twinns_qgis.samples.store import read_samples
        from twinns_qgis.training.exit_curve import exit_curve
        from twinns_qgis.training.forest_search import ForestGrid
        from twinns_qgis.training.learners import make_learner
        from twinns_qgis.training.model_file import write_model
        from twinns_qgis.training.ranges import RangeFinder

        stores, sensors = {}, []
        for number, (name, one) in enumerate(series.items()):
            ranges = RangeFinder(name, one, self.scaling)
            part = reporter.part(0.05 * number, 0.05 * (number + 1))
            stores[name] = read_samples(one, samples.pixels, part, ranges.visit)
            sensors.append(ranges.sensor())
        counts = ", ".join(f"{len(samples.part(part))} for {part}" for part in PARTS)
        reporter.info(f"{len(samples.pixels)} labelled pixels of {len(samples.classes)} classes: {counts}")

        manifest = self._manifest(tuple(sensors), samples)
        grid = ForestGrid.parse(self.depths, self.trees)
        learner = make_learner(self.model, manifest, self._fitting(sensors), grid)
        try:
            learned = learner.learn(stores, samples, reporter.part(0.1, 0.97))
            measures, trust = assess(learned.classifier, stores, samples, reporter.part(0.97, 0.99))
            early_exit = exit_curve(learned.classifier, stores, samples, reporter.part(0.99, 1))
        except Cancelled as cancelled:
            raise Cancelled(f"Cancelled. {learner.rescue()}") from cancelled
        measured = {**_plain(measures, samples), "expected_calibration_error": trust.calibrated.expected_error}
        settings = {**manifest.settings, **learned.settings}
        tested = replace(
            manifest, settings=settings, measures=measured, temperature=trust.temperature, early_exit=early_exit
        )
        write_model(self.model, tested, learned.classifier, learned.history)
        learner.finish()
        reporter.info(
            f"Test part: accuracy {measures.accuracy:.4f}, F-measure {measures.f_measure:.4f}, "
            f"kappa {measures.kappa:.4f}, with {learned.choice}"
        )
        reporter.info(
            f"Expected calibration error {trust.raw.expected_error:.4f}, and {trust.calibrated.expected_error:.4f} by "
            f"the temperature of {trust.temperature:.2f} that the validation part gives"
        )
        return learned, measures, trust

    def _fitting(self, sensors: Sequence[Sensor]) -> Fitting:
        from twinns_qgis.training.augmentation import Augmentation
        from twinns_qgis.training.fit import Fitting

        missing = {sensor.name: sensor.missing for sensor in sensors} if self.date_dropout else {}
        return Fitting(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.seed,
            optimizer=self.optimizer,
            schedule=self.schedule,
            patience=self.patience,
            precision=self.precision,
            class_weights=self.class_weights,
            augmentation=Augmentation(self.augmentation == "symmetries", self.date_dropout, missing),
        )

    def _manifest(self, sensors: tuple[Any, ...], samples: LabelledSamples) -> Any:
        from twinns_qgis.files import sha256_of
        from twinns_qgis.networks.hyperparameters import Hyperparameters
        from twinns_qgis.samples.polygons import PARTS, split_source
        from twinns_qgis.training.model_file import Manifest, versions

        files = {sensor.name: Path(getattr(self, sensor.name)) for sensor in sensors}
        files["polygons"] = split_source(self.polygons)[0]
        return Manifest(
            method=self.method,
            size=self.size,
            sensors=sensors,
            classes=samples.classes,
            split={
                "objects": {part: samples.object_counts(part) for part in PARTS},
                "pixels": {part: samples.pixel_counts(part) for part in PARTS},
                "left_out": {item.name: count for item, count in samples.left_out.items()},
                "touching_training": dict(samples.touching),
            },
            settings={**self._settings(), "call": self.call()},
            inputs={name: sha256_of(path) for name, path in files.items()},
            versions=versions(),
            hyperparameters=Hyperparameters(self.dropout, self.batch_norm, self.auxiliary_weight),
        )

    def _settings(self) -> dict[str, Any]:
        """Returns the parameters but for the files."""
        files = {"sentinel1", "sentinel2", "polygons", "model", "report", "split"}
        names = [field.name for field in fields(self) if field.name not in files]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def _write_report(
        self,
        path: Path,
        without_class: int,
        samples: LabelledSamples,
        learned: Learned,
        measures: Measures,
        trust: Trust,
    ) -> None:
        from twinns_qgis.assessment.report import TrainingReport, write_training_report
        from twinns_qgis.networks.methods import title
        from twinns_qgis.samples.polygons import PARTS

        files = {"sentinel1": self.sentinel1, "sentinel2": self.sentinel2, "polygons": self.polygons}
        left_out = {
            f"Class {item.name}": f"{count} object{'' if count == 1 else 's'}"
            for item, count in samples.left_out.items()
        }
        if without_class:
            left_out["Without a class"] = f"{without_class} polygon{'' if without_class == 1 else 's'}"
        for part, count in samples.touching.items():
            if count and self.touching_pixels == "drop":
                left_out[f"Pixels of the {part} part that touch training"] = f"{count} pixel{'' if count == 1 else 's'}"
        settings = {**files, **self._settings(), "model": self.model}
        report = TrainingReport(
            title=title(self.method, self.size),
            settings={name: str(value) for name, value in settings.items() if value is not None},
            classes=samples.classes,
            objects={part: samples.object_counts(part) for part in PARTS},
            pixels={part: samples.pixel_counts(part) for part in PARTS},
            left_out=left_out,
            history=learned.history,
            best_epoch=learned.settings.get("best_epoch", 0),
            trials=learned.trials,
            choice=learned.choice,
            measures=measures,
            trust=trust,
        )
        write_training_report(path, report)


def _plain(measures: Measures, samples: LabelledSamples) -> dict[str, Any]:
    names = [item.name for item in samples.classes]
    return {
        "accuracy": measures.accuracy,
        "f_measure": measures.f_measure,
        "kappa": measures.kappa,
        "f_per_class": dict(zip(names, measures.f_per_class, strict=True)),
        "confusion": measures.confusion.tolist(),
    }
