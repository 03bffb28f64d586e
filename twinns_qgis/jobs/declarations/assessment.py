"""What the jobs of the group *Assessment* are called and can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from ..parameters import (
    Declaration,
    choice,
    choices,
    field_of,
    file_output,
    folder_output,
    polygons,
    raster,
    rasters,
    whole_number,
)
from .mapping import METHODS, SPELLINGS, TrainModel
from .shared import FROM_1, HTML


class CompareMethods(TrainModel):
    """Series and polygons to a comparison of methods."""

    command = "compare-methods"
    label = "Compare methods"
    group = "Assessment"
    summary = "Trains several methods on the same random splits, and tells which differences mean something."
    description = (
        "Trains each of METHODS on RUNS random splits of the polygons, the same for all, and compares what they reach "
        "on the test parts: accuracy, F-measure, kappa, F-measure by class, confusion, the time of training, the rate "
        "of mapping, and the differences with confidence intervals. Parameters are those of Train model.\n\n"
        "Finished runs are kept in FOLDER. A call that was interrupted, or that has more runs or methods, computes "
        "only what is missing. SEED is that of the first run; each further run has the next one. With SPLIT_FIELD all "
        "runs have the same split, and differ by what else is drawn."
    )
    tags = "comparison,benchmark,accuracy,random forest,deep learning,land cover,twinns"
    page = "assessment.md#comparing-methods"
    numbers: ClassVar = {"accuracy": "Mean accuracy of the best method, 0 to 1"}
    replaced: ClassVar = {"method": "methods runs", "model": "folder", "split": "", "importance": ""}

    methods: tuple[str, ...] = choices(
        "Methods",
        "What is compared: methods of Train model.",
        default=("TWINNS", "RF"),
        choices=METHODS,
        spellings=SPELLINGS,
    )
    runs: int = whole_number(
        "Runs: random splits for each method",
        "Random splits that each method is trained and tested on.",
        default=5,
        limit=FROM_1,
    )
    folder: Path = folder_output(
        "Folder of the runs", "Folder that keeps the model of each run; what a former call left there is used."
    )
    report: Path | None = file_output(
        "Report (HTML)",
        "An HTML report to write: tables, figures, and which differences mean something.",
        default=None,
        extension="html",
        kind=HTML,
        offered=True,
    )
    table: Path | None = file_output(
        "Table of all numbers (CSV)",
        "A CSV table to write: every number of every run, one a row.",
        default=None,
        extension="csv",
        kind="CSV tables (*.csv)",
    )


class AssessMap(Declaration):
    """A map and a reference to accuracy."""

    command = "assess-map"
    label = "Assess map"
    group = "Assessment"
    summary = "Measures the accuracy of any land cover map against polygons or points whose class is known."
    description = (
        "Measures how well a land cover map, TWINNS's or any other raster of class codes, agrees with polygons or "
        "points whose class is known: accuracy, user's and producer's accuracy, F-measure, kappa, and where errors "
        "are.\n\n"
        "If the reference is a random sample, such as Design sample draws, accuracy and the areas of the classes are "
        "estimated for the whole map, with intervals that hold the true value with 95 % probability.\n\n"
        "Classes are matched by their codes or their names. With SPLIT_FIELD only the test part counts."
    )
    tags = "accuracy,assessment,confusion matrix,kappa,area,olofsson,validation,land cover,twinns"
    page = "assessment.md"
    numbers: ClassVar = {
        "accuracy": "Accuracy, 0 to 1",
        "f_measure": "F-measure, weighted by class support, 0 to 1",
        "kappa": "Cohen's kappa",
    }

    map: Path = raster("Land cover map", "The map: a raster of class codes.")
    tiles: tuple[Path, ...] = rasters(
        "Further files of the map",
        "Further files of the same map, on the same lattice of pixels; where files overlap, the first one counts.",
        default=(),
        advanced=True,
    )
    reference: str = polygons(
        "Polygons or points whose land cover is known",
        "The reference: polygons or points with a class, in any CRS: a vector file, or file|layername=name.",
        points=True,
    )
    class_field: str = field_of(
        "Field with the land cover class",
        "Field that holds the class: its code in the map, or its name.",
        of="reference",
    )
    split_field: str | None = field_of(
        "Field with the part of the split: only test counts",
        "Field that holds train, validation or test, such as Train model wrote it with SPLIT: only test is assessed.",
        default=None,
        of="reference",
    )
    probability_sample: str = choice(
        "Was the reference drawn at random?",
        "Whether the reference is a stratified random sample of this map's pixels, as points: then accuracy and areas "
        "are estimated for the whole map (Olofsson et al. 2014).",
        default="no",
        choices={"no": "No: it was collected otherwise", "yes": "Yes: points at random in each class of this map"},
    )
    validity: Path | None = raster(
        "Raster of the number of clear dates",
        "Number of clear dates of each pixel, which Prepare Sentinel-2 series wrote as VALIDITY: the report tells the "
        "accuracy by it.",
        default=None,
        advanced=True,
    )
    report: Path | None = file_output(
        "Report (HTML)",
        "An HTML report to write: measures, confusion between classes, areas, and where the map is right.",
        default=None,
        extension="html",
        kind=HTML,
        offered=True,
    )
    table: Path | None = file_output(
        "Table of all numbers (CSV)",
        "A CSV table to write: all numbers of the report, one a row.",
        default=None,
        extension="csv",
        kind="CSV tables (*.csv)",
    )
