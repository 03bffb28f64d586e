"""The job that trains a model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twinns_qgis.jobs.job import ABOVE_0, AT_LEAST_0, AT_LEAST_1, SHARE_BELOW_1, parameter
from twinns_qgis.jobs.sampling import SamplingJob
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.assessment.experiment import Outcome
    from twinns_qgis.networks.sensor import Sensor
    from twinns_qgis.samples.labelled import LabelledSamples
    from twinns_qgis.series.series import Series
    from twinns_qgis.training.fit import Fitting
    from twinns_qgis.training.model_file import Manifest


_OF_NETWORKS = (
    "size",
    "epochs",
    "batch_size",
    "learning_rate",
    "optimizer",
    "schedule",
    "patience",
    "class_weights",
    "augmentation",
    "date_dropout",
    "precision",
)
_OF_FORESTS = ("trees", "depths")
"""What only methods that train a network, or forests, have a use for."""


@dataclass(frozen=True, kw_only=True)
class TrainModel(SamplingJob):
    """Trains a network or forests on time series and polygons with a class, and assesses them."""

    id: ClassVar[str] = "trainmodel"
    command: ClassVar[str] = "train-model"

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
    epochs: int = parameter("How often the network sees all training pixels.", default=300, limit=AT_LEAST_1)
    batch_size: int = parameter("Pixels between two updates of the weights.", default=64, limit=AT_LEAST_1)
    learning_rate: float = parameter("Step size of the optimiser, in the first epoch.", default=2e-4, limit=ABOVE_0)
    optimizer: str = parameter("The optimiser.", default="adam", choices=("adam", "adamw", "sgd"))
    schedule: str = parameter(
        "Step size over the epochs: constant, or falling to 0 along half a cosine.",
        default="constant",
        choices=("constant", "cosine"),
    )
    patience: int = parameter(
        "Epochs without a better validation accuracy after which training stops; 0 goes through all.",
        default=0,
        limit=AT_LEAST_0,
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
        limit=SHARE_BELOW_1,
    )
    dropout: float = parameter(
        "Share of each block's outputs that training drops; 0 or more, below 1.", default=0.4, limit=SHARE_BELOW_1
    )
    auxiliary_weight: float = parameter(
        "Weight of each auxiliary classifier in the loss and in the score; that on all features has 1.",
        default=0.5,
        limit=AT_LEAST_0,
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

        # This loads GDAL, which must be there before TensorFlow: else it takes TensorFlow's SQLite for its own, and the
        # split gets no spatial index.
        from twinns_qgis.samples.labelled import write_split

        self._check()
        use_device(self.device)
        reporter.progress(0, "Starting the network's library")
        reporter.info(describe_device(self.device))

        unused = [field.name for field in fields(self) if field.name in self._unused()]
        if given := [name.upper() for name in unused if getattr(self, name) != getattr(TrainModel, name)]:
            reporter.info(f"{self.method} does not use {', '.join(given)}.")
        series = self.open_series(self.method, reporter)
        polygons, samples = self.draw(next(iter(series.values())).grid, reporter)
        if self.split:  # before hours are spent: what can't be written is told now
            write_split(self.split, polygons, samples)
        outcome = self._train(series, samples, reporter)
        if self.report:
            self._write_report(self.report, polygons.without_class, samples, outcome)
        outputs = {"model": self.model, "report": self.report, "split": self.split}
        return {
            **{name: str(path) for name, path in outputs.items() if path},
            "accuracy": outcome.measures.accuracy,
            "f_measure": outcome.measures.f_measure,
            "kappa": outcome.measures.kappa,
        }

    def _check(self) -> None:
        """Checks what can be checked before hours are spent."""
        from twinns_qgis.files import check_outputs, check_spared
        from twinns_qgis.samples.labelled import check_split_output
        from twinns_qgis.samples.polygons import split_source
        from twinns_qgis.training.forest_search import ForestGrid

        self.check_numbers()
        ForestGrid.parse(self.depths, self.trees)
        outputs = [path for path in (self.model, self.report, self.split) if path]
        check_outputs(outputs)
        series = [path for path in (self.sentinel1, self.sentinel2) if path]
        check_spared(outputs, [*series, split_source(self.polygons)[0]])
        if self.split:
            check_split_output(self.split)

    def _train(self, series: dict[str, Series], samples: LabelledSamples, reporter: Reporter) -> Outcome:
        """Trains the method, tests it, and writes the model file."""
        from twinns_qgis.assessment.experiment import run_experiment
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
        outcome = run_experiment(self.model, manifest, learner, stores, samples, reporter.part(0.1, 1))
        outcome.tell(reporter)
        return outcome

    def _fitting(self, series: dict[str, Series]) -> Fitting:
        from twinns_qgis.networks.sensor import Sensor
        from twinns_qgis.training.augmentation import Augmentation
        from twinns_qgis.training.fit import Fitting

        drops = self.date_dropout > 0 and "date_dropout" not in self._unused()
        missing = {name: Sensor.of(name, one).missing for name, one in series.items()} if drops else {}
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

    def _manifest(self, sensors: tuple[Sensor, ...], samples: LabelledSamples) -> Manifest:
        from twinns_qgis.files import sha256_of
        from twinns_qgis.networks.hyperparameters import Hyperparameters
        from twinns_qgis.samples.polygons import split_source
        from twinns_qgis.training.model_file import Manifest, versions

        files = {sensor.name: Path(getattr(self, sensor.name)) for sensor in sensors}
        files["polygons"] = split_source(self.polygons)[0]
        return Manifest(
            method=self.method,
            size=self.size,
            sensors=sensors,
            classes=samples.classes,
            split=samples.split_to_json(),
            settings={**self._settings(), "call": self.call()},
            inputs={name: sha256_of(path) for name, path in files.items()},
            versions=versions(),
            hyperparameters=Hyperparameters(self.dropout, self.batch_norm, self.auxiliary_weight),
        )

    def _unused(self) -> set[str]:
        """Returns the parameters that the method has no use for."""
        from twinns_qgis.forests import ForestMethod
        from twinns_qgis.methods import description, network_of, unused_hyperparameters

        of_networks = () if network_of(self.method) else _OF_NETWORKS
        of_forests = () if isinstance(description(self.method), ForestMethod) else _OF_FORESTS
        return {*of_networks, *of_forests, *unused_hyperparameters(self.method)}

    def _settings(self) -> dict[str, Any]:
        """Returns the parameters that the method uses, but for the files."""
        left_out = {"sentinel1", "sentinel2", "polygons", "model", "report", "split", *self._unused()}
        names = [field.name for field in fields(self) if field.name not in left_out]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def _write_report(self, path: Path, without_class: int, samples: LabelledSamples, outcome: Outcome) -> None:
        from twinns_qgis.assessment.report import TrainingReport, left_out, write_training_report
        from twinns_qgis.methods import title

        inputs = {"sentinel1": self.sentinel1, "sentinel2": self.sentinel2, "polygons": self.polygons}
        settings = {**inputs, **self._settings(), "model": self.model}
        unused = left_out(samples, without_class=without_class, touching_dropped=self.touching_pixels == "drop")
        report = TrainingReport.of(title(self.method, self.size), settings, samples, unused, outcome)
        write_training_report(path, report)
