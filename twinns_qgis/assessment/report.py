"""The report of a training: one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinns_qgis.assessment.figures import learning_curves, reliability_plot
from twinns_qgis.assessment.measures import Measures
from twinns_qgis.assessment.reliability import Trust
from twinns_qgis.reports.page import write_page
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.samples.polygons import PARTS
from twinns_qgis.training.forest_search import ForestTrial
from twinns_qgis.training.history import Epoch

_TEMPLATE = Path(__file__).with_name("templates") / "training_report.html.j2"


@dataclass(frozen=True)
class TrainingReport:
    """What the report of a training says.

    Args:
        title: Its heading, such as the method and the size.
        settings: Names and values, in the order to show.
        classes: The K classes.
        objects: Number of objects of each class code, by part: ``train``, ``validation``, ``test``.
        pixels: Number of pixels of each class code, by part.
        left_out: What was not used, and how much of it, such as ``Class orchards`` and ``2 objects``.
        choice: What was chosen by the validation part, in words.
        history: The epochs of the network; empty if there is none.
        best_epoch: The epoch whose weights were kept.
        trials: The forests that were tried, by name; empty if there are none.
        measures: How well the test part was predicted.
        trust: What confidence is worth there.
    """

    title: str
    settings: Mapping[str, str]
    classes: Sequence[LandCoverClass]
    objects: Mapping[str, Mapping[int, int]]
    pixels: Mapping[str, Mapping[int, int]]
    left_out: Mapping[str, str]
    choice: str
    history: Sequence[Epoch]
    best_epoch: int
    trials: Mapping[str, Sequence[ForestTrial]]
    measures: Measures
    trust: Trust


def write_training_report(path: Path, report: TrainingReport) -> None:
    """Writes the report of a training as one HTML file.

    Args:
        path: The file to write.
        report: What it says.

    Raises:
        InputError: The file can't be written.
    """
    curves = learning_curves(report.history, report.best_epoch) if report.history else ""
    write_page(path, _TEMPLATE, report=report, curves=curves, reliability=reliability_plot(report.trust), parts=PARTS)
