"""The report on a map's accuracy: an HTML page, and a table in long form."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.assessment.area import AreaAdjusted, Estimate
from twinns_qgis.assessment.groups import Group
from twinns_qgis.assessment.measures import Measures
from twinns_qgis.files import whole_file
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.reporter import Reporter
from twinns_qgis.reports.page import write_page
from twinns_qgis.samples.classes import LandCoverClass

_TEMPLATE = Path(__file__).with_name("templates") / "map_report.html.j2"
HECTARE = 10_000.0
"""Square metres."""


@dataclass(frozen=True)
class MapReport:
    """What is told of a map.

    Args:
        title: Its heading: the map's name.
        classes: The K classes of map and reference.
        mapped_codes: The codes that are the map's.
        hectares: Area of each class on the map, shape (K,).
        pixels: Number of pixels that were compared.
        objects: Number of the objects that hold them.
        what: What objects are: ``polygons`` or ``points``.
        part: The part of a split that was assessed, or None.
        measures: How well map and reference agree.
        adjusted: What a probability sample says of the whole map, in hectares; None if it is none.
        groups: Accuracy of groups of pixels, by what they are grouped by.
        remarks: What was left out, and differs, in sentences.
        settings: Names and values, in the order to show.
    """

    title: str
    classes: Sequence[LandCoverClass]
    mapped_codes: frozenset[int]
    hectares: NDArray[np.float64]
    pixels: int
    objects: int
    what: str
    part: str | None
    measures: Measures
    adjusted: AreaAdjusted | None
    groups: Mapping[str, Sequence[Group]]
    remarks: Sequence[str]
    settings: Mapping[str, str]

    @property
    def users(self) -> list[float | None]:
        """User's accuracy of each class: of its pixels in the map, the share that is right; None if there are none."""
        return _shares(self.measures.confusion.diagonal(), self.measures.confusion.sum(axis=0))

    @property
    def producers(self) -> list[float | None]:
        """Producer's accuracy of each class: of its pixels in the reference, the share that the map shows."""
        return _shares(self.measures.confusion.diagonal(), self.measures.confusion.sum(axis=1))

    def log(self, reporter: Reporter) -> None:
        """Logs accuracy, F-measure and kappa, and what a probability sample says of the whole map."""
        measures = self.measures
        reporter.info(
            f"On {self.pixels:,} pixels of {self.objects:,} {self.what}: accuracy {measures.accuracy:.1%}, F-measure "
            f"{measures.f_measure:.4f}, kappa {measures.kappa:.4f}"
        )
        if self.adjusted:
            estimate = self.adjusted.accuracy
            reporter.info(
                f"Of the whole map, area-adjusted: accuracy {estimate.value:.1%} ± {estimate.half:.1%} (95 %)"
            )


def write_map_report(path: Path, report: MapReport) -> None:
    """Writes the report as one HTML file.

    Raises:
        InputError: The file can't be written.
    """
    write_page(path, _TEMPLATE, report=report)


def write_map_table(path: Path, report: MapReport) -> None:
    """Writes all numbers of a report as CSV, one a row.

    Its columns are the measure, the class, a second class (of the reference, where the first is the map's, or the group
    of pixels), the value, and half the width of its 95 % confidence interval. Shares are 0 to 1, areas in hectares.

    Raises:
        InputError: The file can't be written.
    """
    with whole_file(path) as partial, disk_errors(path), partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["measure", "class", "other", "value", "half_width"])
        writer.writerows(_rows(report))


def _rows(report: MapReport) -> Iterator[tuple[str, str, str, str, str]]:
    measures, names = report.measures, [item.name for item in report.classes]
    for name in ("accuracy", "f_measure", "kappa"):
        yield name, "", "", f"{getattr(measures, name):.6f}", ""
    for name, values in (("users_accuracy", report.users), ("producers_accuracy", report.producers)):
        for own, value in zip(names, values, strict=True):
            yield name, own, "", "" if value is None else f"{value:.6f}", ""
    for own, f_measure, hectares in zip(names, measures.f_per_class, report.hectares, strict=True):
        yield "f_measure", own, "", f"{f_measure:.6f}", ""
        yield "mapped_area", own, "", f"{hectares:.4f}", ""
    for number, mapped in enumerate(names):
        for other, reference in enumerate(names):
            yield "pixels", mapped, reference, str(measures.confusion[other, number]), ""
    if report.adjusted:
        yield "adjusted_accuracy", "", "", *_told(report.adjusted.accuracy, ())
        for measure, estimate in (
            ("adjusted_users_accuracy", report.adjusted.users),
            ("adjusted_producers_accuracy", report.adjusted.producers),
            ("adjusted_area", report.adjusted.areas),
        ):
            for number, own in enumerate(names):
                yield measure, own, "", *_told(estimate, (number,))
    for by, groups in report.groups.items():
        for group in groups:
            yield "accuracy_of_group", by, group.name, f"{group.accuracy:.6f}", ""


def _told(estimate: Estimate, index: tuple[int, ...]) -> tuple[str, str]:
    value, half = (
        "" if np.isnan(number) else f"{number:.6f}" for number in (estimate.value[index], estimate.half[index])
    )
    return value, half


def _shares(right: NDArray[np.int64], all_of: NDArray[np.int64]) -> list[float | None]:
    return [int(own) / int(every) if every else None for own, every in zip(right, all_of, strict=True)]
