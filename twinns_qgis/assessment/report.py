"""The report of a training: one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinns_qgis.assessment.assess import Outcome
from twinns_qgis.assessment.figures import attention_map, importance_plot, learning_curves, reliability_plot
from twinns_qgis.assessment.insight import Insight
from twinns_qgis.assessment.measures import Measures
from twinns_qgis.assessment.reliability import Trust
from twinns_qgis.reports.page import write_page
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.polygons import PARTS
from twinns_qgis.training.forest_search import ForestTrial
from twinns_qgis.training.history import Epoch

_SENSORS = {"sentinel1": "Sentinel-1", "sentinel2": "Sentinel-2", "static": "Rasters without dates"}
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
        insight: What the classifier goes by.
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
    insight: Insight

    @classmethod
    def of(
        cls,
        title: str,
        settings: Mapping[str, Any],
        samples: LabelledSamples,
        left_out: Mapping[str, str],
        outcome: Outcome,
    ) -> TrainingReport:
        """Returns what the report says of an experiment.

        Args:
            title: Its heading.
            settings: Names and values, in the order to show; those that are None are not shown.
            samples: What was learned and tested on.
            left_out: What was not used; see `left_out`.
            outcome: What came of it.
        """
        learned = outcome.learned
        return cls(
            title=title,
            settings={name: str(value) for name, value in settings.items() if value is not None},
            classes=samples.classes,
            objects={part: samples.object_counts(part) for part in PARTS},
            pixels={part: samples.pixel_counts(part) for part in PARTS},
            left_out=left_out,
            choice=learned.choice,
            history=learned.history,
            best_epoch=learned.settings.get("best_epoch", 0),
            trials=learned.trials,
            measures=outcome.measures,
            trust=outcome.trust,
            insight=outcome.insight,
        )


def left_out(samples: LabelledSamples, *, without_class: int, touching_dropped: bool) -> dict[str, str]:
    """Returns sentences that say which polygons were not used, and why.

    Args:
        samples: What was used.
        without_class: Number of polygons without a class.
        touching_dropped: Whether pixels that touch training were dropped.

    Returns:
        How much of what, such as ``2 objects`` of ``Class orchards``.
    """
    found = {f"Class {name}": _counted(count, "object") for name, count in samples.left_out.items()}
    if without_class:
        found["Without a class"] = _counted(without_class, "polygon")
    if samples.contested.count:
        found["Pixels in polygons of different classes"] = _counted(samples.contested.count, "pixel")
    for name, count in samples.thinned.items():
        found[f"Training pixels of {name} beyond MAX_PIXELS"] = _counted(count, "pixel")
    if touching_dropped:
        for part, count in samples.touching.items():
            if count:
                found[f"Pixels of the {part} part that touch training"] = _counted(count, "pixel")
    return found


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def write_training_report(path: Path, report: TrainingReport) -> None:
    """Writes the report of a training as one HTML file.

    Args:
        path: The file to write.
        report: What it says.

    Raises:
        InputError: The file can't be written.
    """
    curves = learning_curves(report.history, report.best_epoch) if report.history else ""
    insight, names = report.insight, [item.name for item in report.classes]
    attention = {
        _SENSORS.get(sensor, sensor): attention_map(insight.dates[sensor], names, weights)
        for sensor, weights in insight.attention.items()
    }
    importance = {
        _SENSORS.get(sensor, sensor): importance_plot(insight.dates[sensor], insight.bands[sensor], found)
        for sensor, found in insight.importance.items()
    }
    write_page(
        path,
        _TEMPLATE,
        report=report,
        curves=curves,
        reliability=reliability_plot(report.trust),
        attention=attention,
        importance=importance,
        parts=PARTS,
    )
