"""An experiment: a method learns, is tested on pixels that it has not seen, and is kept as a model file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from twinns_qgis.assessment.assess import Outcome, assess
from twinns_qgis.errors import Cancelled
from twinns_qgis.locks import locked
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.exit_curve import exit_curve
from twinns_qgis.training.learners.learned import Learner
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import write_model


def run_experiment(
    model: Path,
    manifest: Manifest,
    learner: Learner,
    stores: Mapping[str, SampleStore],
    samples: LabelledSamples,
    reporter: Reporter,
    report: Callable[[Outcome], None],
    *,
    importance: bool = False,
) -> Outcome:
    """Has a learner learn, tests what it learned, and writes the model file and the report.

    Args:
        model: The model file to write.
        manifest: What it says but for what learning and the test give.
        learner: Learns.
        stores: The store of each sensor.
        samples: The labelled pixels, their classes and parts.
        reporter: Receives the progress.
        report: Writes the report. If it can't, the training can still be continued, to end in its report.
        importance: Whether to measure what the accuracy rests on.

    Raises:
        Cancelled: The user stopped it; its message says what is left of what was learned.
        InUse: Another process is training the same model.
        InputError: The disk takes no more.
    """
    with locked([model]), reporter.last_resort(learner.rescue):
        try:
            end = 0.85 if importance else 0.97
            learned = learner.learn(stores, samples, reporter.part(0, end))
            outcome = assess(
                learned, manifest.sensors, stores, samples, reporter.part(end, 0.99), importance=importance
            )
            early_exit = exit_curve(learned.classifier, stores, samples, reporter.part(0.99, 1))
        except Cancelled as cancelled:
            raise Cancelled(f"Cancelled. {learner.rescue()}") from cancelled
        tested = replace(
            manifest,
            settings={**manifest.settings, **learned.settings},
            measures={
                **outcome.measures.to_json(samples.classes),
                "expected_calibration_error": outcome.trust.calibrated.expected_error,
            },
            temperature=outcome.trust.temperature,
            early_exit=early_exit,
        )
        with learner.finishing():
            with disk_errors(model):
                write_model(model, tested, learned.classifier, learned.history)
            report(outcome)
    return outcome
