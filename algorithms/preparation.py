"""What the preparation of both sensors shares."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import QgsMapLayer, QgsProcessingParameterDefinition, QgsProcessingUtils
from qgis.PyQt.QtCore import Qt

from . import definitions
from .base import JobAlgorithm
from .translation import tr
from .values import Values, raster_path


class PreparationAlgorithm(JobAlgorithm):
    """An algorithm that makes a time series of rasters or products."""

    def group(self) -> str:
        return tr("Preparation")

    def groupId(self) -> str:
        return "preparation"

    def read_inputs(self, values: Values) -> dict[str, Any]:
        inputs = super().read_inputs(values)
        if not inputs["dates"]:
            inputs["dates"] = dates_of(values.layers("LAYERS"))
        return inputs


def period(products: str) -> list[QgsProcessingParameterDefinition]:
    """Declares START, END and STEP.

    Args:
        products: What the series is made from, for the help: one and several, such as ``product products``.
    """
    one, several = products.split()
    return [
        definitions.day(
            "START",
            tr("First date"),
            tr("First date of the series; by default that of the first {}.").format(one),
        ),
        definitions.day(
            "END", tr("Last date"), tr("Last date of the series; by default that of the last {}.").format(one)
        ),
        definitions.whole_number(
            "STEP",
            tr("Days between dates"),
            tr("Days from one date to the next; 0 keeps the {}' own dates.").format(several),
            0,
        ),
    ]


def dates_of(layers: Iterable[QgsMapLayer]) -> str | None:
    """Writes the table of dates of the layers that have a temporal range; returns its path, None if none has."""
    rows = []
    for layer in layers:
        temporal = layer.temporalProperties()
        begin = temporal.fixedTemporalRange().begin() if temporal.isActive() else None
        if begin is not None and begin.isValid():
            rows.append((raster_path(layer), begin.date().toString(Qt.DateFormat.ISODate)))
    if not rows:
        return None
    path = QgsProcessingUtils.generateTempFilename("dates.csv")
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "date"), *rows])
    return path
