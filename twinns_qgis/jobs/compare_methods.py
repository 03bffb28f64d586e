"""The job that compares methods."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.reporter import Reporter, TimeLeft

if TYPE_CHECKING:
    from twinns_qgis.assessment.comparison import Run

_LETTERS_OF_HASH = 10
_MEMORY = 2048
"""Megabytes that a part of the series is mapped with, to measure the rate: those of Map land cover's default."""


@dataclass(frozen=True)
class _Planned:
    """A run, and where it is kept.

    Args:
        method: The method.
        number: The run, from 1.
        job: The training.
        facts: The file of what is known of it besides the model; it is written last, so what has one is finished.
    """

    method: str
    number: int
    job: TrainModel
    facts: Path


class CompareMethods(Job, declarations.CompareMethods):
    """Trains several methods on the same random splits, and compares them."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Trains what is missing, and writes report and table of all runs."""
        from twinns_qgis.assessment.comparison import Comparison, write_comparison, write_comparison_table

        self.folder.mkdir(parents=True, exist_ok=True)
        planned = list(self._plan())
        missing = [one for one in planned if not one.facts.exists()]
        done = len(planned) - len(missing)
        if done:
            reporter.info(f"{done} of {len(planned)} runs are in {self.folder}, and not computed again.")
        failed = self._train(missing, reporter.part(0, 0.99))
        runs = [_read(one) for one in planned if one.facts.exists()]
        if not runs:
            method, why = next(iter(failed.items()))
            raise InputError(f"No method could be trained. {method}: {why}", "Mend that, and start again.")
        comparison = Comparison(runs)
        for one in comparison.differences():
            reporter.info(str(one))
        if self.report:
            told = {name: self.told(name) for name in self.parameters()}
            told = {
                name: ", ".join(map(str, value)) if isinstance(value, tuple) else value for name, value in told.items()
            }
            settings = {name: value for name, value in told.items() if value not in (None, "")}
            write_comparison(self.report, comparison, settings, failed)
        if self.table:
            write_comparison_table(self.table, comparison)
        outputs = {"folder": self.folder, "report": self.report, "table": self.table}
        return {
            **{name: str(path) for name, path in outputs.items() if path},
            "accuracy": comparison.mean(comparison.methods[0], "accuracy"),
        }

    def _plan(self) -> Iterator[_Planned]:
        """Yields all runs: run by run, so that whenever it is stopped all methods have about as many."""
        settings = self._settings()
        digest = _digest(settings)
        for number in range(1, self.runs + 1):
            for method in self.methods:
                name = f"{re.sub(r'[^A-Za-z0-9]+', '-', method).strip('-')}-run{number}-{digest}"
                values = {**settings, "method": method, "seed": self.seed + number - 1}
                job = TrainModel(**values, model=self.folder / f"{name}.twinns")
                yield _Planned(method, number, job, self.folder / f"{name}.json")

    def _settings(self) -> dict[str, Any]:
        """Returns the parameters of the trainings that all runs have in common."""
        own = set(self.parameters()) - {"methods", "runs", "folder", "report", "table", "seed"}
        return {name: getattr(self, name) for name in TrainModel.parameters() if name in own}

    def _train(self, planned: list[_Planned], reporter: Reporter) -> dict[str, str]:
        """Trains runs; returns the methods that can't be trained, and why."""
        failed: dict[str, str] = {}
        clock = TimeLeft()
        for number, one in enumerate(planned):
            if one.method in failed:
                continue
            share = number / len(planned)
            part = reporter.part(share, (number + 1) / len(planned))
            left = clock.after(share)
            reporter.info(f"{one.method}, run {one.number} of {self.runs}{f': {left}' if left else ''}")
            try:
                self._train_one(one, part)
            except InputError as error:
                failed[one.method] = f"{error.message} {error.hint}"
                reporter.warning(f"{one.method} is left out: {error}")
        return failed

    def _train_one(self, one: _Planned, reporter: Reporter) -> None:
        """Trains a run, measures how fast it maps if no run of its method was measured yet, and keeps both."""
        import keras

        from twinns_qgis.files import whole_file

        start = time.monotonic()
        one.job.run(reporter)
        facts: dict[str, Any] = {"seconds": time.monotonic() - start, "rate": None}
        if one.number == 1:
            facts["rate"] = _mapping_rate(one.job, reporter)
        with whole_file(one.facts) as partial:
            partial.write_text(json.dumps(facts), encoding="utf-8")
        keras.backend.clear_session()


def _read(one: _Planned) -> Run:
    from twinns_qgis.assessment.comparison import Run
    from twinns_qgis.methods import Method
    from twinns_qgis.training.model_file import read_manifest

    facts = json.loads(one.facts.read_text(encoding="utf-8"))
    manifest = read_manifest(one.job.model)
    name = Method.of(one.method).paper_name
    size = one.job.model.stat().st_size
    return Run(name, one.number, one.job.seed, manifest, facts["seconds"], facts["rate"], size)


def _mapping_rate(job: TrainModel, reporter: Reporter) -> float:
    """Returns how many pixels of its series a model maps in a second."""
    from rasterio.windows import Window

    from twinns_qgis.mapping.choice import Choice, Ways
    from twinns_qgis.mapping.estimate import pixels_per_second
    from twinns_qgis.mapping.layouts import COVER
    from twinns_qgis.mapping.plan import MappingPlan
    from twinns_qgis.methods import Method
    from twinns_qgis.rasters.production import Machine
    from twinns_qgis.training.model_file import read_model

    model = read_model(job.model)
    series = job.open_series(Method.of(job.method), Reporter())
    grid = next(iter(series.values())).grid
    inference = Ways(model, series, grid, Machine(_MEMORY), Choice(job.device)).fastest().inference
    if inference.precision != "float32":
        model = read_model(job.model, inference.precision)
    inference.keep(model)
    window = Window(0, 0, grid.width, grid.height)
    return pixels_per_second(MappingPlan(series, {}, window, None, {COVER: 1}, inference), grid, reporter)


def _digest(settings: dict[str, Any]) -> str:
    """Returns a hash of all that a training depends on, but for method and seed: of files, of what they hold."""
    import hashlib

    from twinns_qgis.files import sha256_of
    from twinns_qgis.samples.polygons import read_table

    known = {name: str(value) for name, value in settings.items()}
    for name in ("sentinel1", "sentinel2", "classes"):
        if path := settings.get(name):
            known[name] = sha256_of(Path(path))
    known["static"] = " ".join(map(sha256_of, settings["static"]))
    # Of the polygons what they hold, not the file: QGIS hands over a selection as a new file each time.
    table, _ = read_table(settings["polygons"], points=True)
    polygons = hashlib.sha256(b"".join(table.geometry.to_wkb()))
    for field in filter(None, (settings["class_field"], settings["object_field"], settings["split_field"])):
        if field in table.columns:
            polygons.update(json.dumps([str(value) for value in table[field]]).encode())
    known["polygons"] = polygons.hexdigest()
    text = json.dumps({**known, "version": __version__}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LETTERS_OF_HASH]
