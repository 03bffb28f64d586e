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
    number,
    points_output,
    polygons,
    raster,
    rasters,
    text,
    whole_number,
)
from .mapping import METHODS, SPELLINGS, TrainModel
from .shared import FROM_0, FROM_1, HTML, SEED, SHARE


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


_MAP = raster("Land cover map", "The map: a raster of class codes.")
_TILES = rasters(
    "Further files of the map",
    "Further files of the same map, on the same lattice of pixels; where files overlap, the first one counts.",
    default=(),
    advanced=True,
)


class DesignSample(Declaration):
    """A map to points to label."""

    command = "design-sample"
    label = "Design sample"
    group = "Assessment"
    summary = "Draws random points within each class of a map, to label them and to assess the map by them."
    description = (
        "Draws a stratified random sample of a map's pixels: points in random order, with a form to label them in QGIS "
        "that offers the map's classes and hides what the map shows. Assess map takes the layer with "
        "PROBABILITY_SAMPLE yes, and tells accuracy and areas of the whole map with intervals; Train model takes it as "
        "labels.\n\n"
        "How many points there are follows from the standard error that is wanted for the accuracy, or is given; how "
        "many of each class, from ALLOCATION (Olofsson et al. 2014)."
    )
    tags = "accuracy,sample,stratified,random,olofsson,validation,reference,land cover,twinns"
    page = "assessment.md#designing-a-sample"
    numbers: ClassVar = {"count": "Number of points"}

    map: Path = _MAP
    tiles: tuple[Path, ...] = _TILES
    size: int = whole_number(
        "Number of points (0: as the standard error wants)",
        "Points in all; 0 takes as many as TARGET_ERROR wants.",
        default=0,
        limit=FROM_0,
    )
    target_error: float = number(
        "Standard error that is wanted for the accuracy (0.02 is 2 points)",
        "Standard error of the overall accuracy that the number of points is chosen for; an interval of 95 % is about "
        "twice that to each side.",
        default=0.02,
        decimals=4,
        limit=SHARE,
    )
    expected: str = text(
        "User's accuracy that is expected (a number, and class=number)",
        "User's accuracy that is expected of the classes, which the number of points is chosen by: one number for all, "
        "and class=number for others, separated by commas, such as 0.85,water=0.98.",
        default="0.85",
    )
    allocation: str = choice(
        "How points are shared among the classes",
        "How points are shared among the classes of the map.",
        default="olofsson",
        choices={
            "olofsson": "By area, with LEAST for each class (Olofsson et al.)",
            "proportional": "By area",
            "equal": "The same for each class",
        },
    )
    least: int = whole_number(
        "Points of a class at least, where they are shared by area",
        "Points of a class at least, with ALLOCATION olofsson: rare classes would else get too few to tell anything.",
        default=50,
        limit=FROM_1,
        advanced=True,
    )
    seed: int = whole_number(
        "Seed of all that is drawn at random", "Fixes the points.", default=0, limit=SEED, advanced=True
    )
    output: Path = points_output(
        "Points to label", "The points to write, a GeoPackage with an empty field class.", extension="gpkg"
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

    map: Path = _MAP
    tiles: tuple[Path, ...] = _TILES
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
