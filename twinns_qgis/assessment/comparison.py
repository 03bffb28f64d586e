"""Methods compared over runs, each on a random split of its own that is the same for all methods."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twinns_qgis.assessment.comparison_figures import accuracies_plot, f_measures_map
from twinns_qgis.files import whole_file
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.reports.page import write_page
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.training.manifest import Manifest

_TEMPLATE = Path(__file__).with_name("templates") / "comparison.html.j2"
_CONFIDENCE = 0.95
MEASURES = {"accuracy": "Accuracy", "f_measure": "F-measure", "kappa": "Kappa"}


@dataclass(frozen=True)
class Run:
    """A method on one split.

    Args:
        method: The method, as the paper calls it.
        number: The run, from 1: runs of one number have one split.
        seed: What fixes the split, and all else that is drawn.
        manifest: What the model file says, its measures on the test part among it.
        seconds: What training took, reading and test included.
        rate: Pixels that are mapped in a second; None if it was not measured.
        size: Bytes of the model file.
    """

    method: str
    number: int
    seed: int
    manifest: Manifest
    seconds: float
    rate: float | None
    size: int

    def measure(self, name: str) -> float:
        """Returns accuracy, F-measure or kappa on the test part."""
        return float(self.manifest.measures[name])

    def f_of(self, name: str) -> float | None:
        """Returns the F-measure of a class; None if it had no pixel in the test part."""
        names = [item.name for item in self.manifest.classes]
        if name not in names or not any(self.manifest.measures["confusion"][names.index(name)]):
            return None
        return float(self.manifest.measures["f_per_class"][name])


@dataclass(frozen=True)
class Difference:
    """By how much one method is better than another, on the same splits.

    Args:
        better: The method with the higher mean accuracy.
        other: The other one.
        mean: Mean difference of their accuracies, 0 to 1.
        half: Half the width of its 95 % confidence interval; None for a single run.
        wins: In how many runs the better one was better.
        runs: How many runs both have.
    """

    better: str
    other: str
    mean: float
    half: float | None
    wins: int
    runs: int

    @property
    def means_something(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.half is not None and self.mean > self.half

    def __str__(self) -> str:
        points = f"{100 * self.mean:.1f} points"
        if self.half is None:
            return f"{self.better} is {points} better than {self.other} in a single run, which tells nothing of chance."
        interval = f"{100 * (self.mean - self.half):+.1f} to {100 * (self.mean + self.half):+.1f}"
        wins = f"better in {self.wins} of {self.runs} runs"
        if self.means_something:
            return f"{self.better} is better than {self.other} by {points} ({interval}; {wins}): more than chance."
        return (
            f"Between {self.better} and {self.other} {self.runs} runs show no difference that chance would not make: "
            f"{points} ({interval}; {wins})."
        )


class Comparison:
    """The runs of several methods.

    Args:
        runs: All runs.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = sorted(runs, key=lambda run: run.number)
        self.by_method: dict[str, list[Run]] = {}
        for run in self.runs:
            self.by_method.setdefault(run.method, []).append(run)
        order = sorted(self.by_method, key=lambda method: -self.mean(method, "accuracy"))
        self.by_method = {method: self.by_method[method] for method in order}

    @property
    def methods(self) -> list[str]:
        """The methods, the most accurate first."""
        return list(self.by_method)

    @property
    def classes(self) -> tuple[LandCoverClass, ...]:
        """The classes of all runs, in the order of the legend."""
        found: dict[str, LandCoverClass] = {}
        for run in self.runs:
            found |= {item.name: item for item in run.manifest.classes if item.name not in found}
        return tuple(sorted(found.values(), key=lambda item: item.code))

    def mean(self, method: str, measure: str) -> float:
        """Returns the mean of accuracy, F-measure or kappa over a method's runs."""
        return fmean(run.measure(measure) for run in self.by_method[method])

    def deviation(self, method: str, measure: str) -> float | None:
        """Returns the standard deviation over a method's runs; None for a single one."""
        values = [run.measure(measure) for run in self.by_method[method]]
        return stdev(values) if len(values) > 1 else None

    def f_measures(self) -> NDArray[np.float64]:
        """Returns the mean F-measure of each class by method, shape (K, M), NaN where a class was never tested."""
        return np.array(
            [
                [_mean([run.f_of(item.name) for run in runs]) for runs in self.by_method.values()]
                for item in self.classes
            ]
        )

    def confusion(self, method: str) -> list[list[int]]:
        """Returns the confusion matrix summed over a method's runs: pixels by reference class and predicted class."""
        names = [item.name for item in self.classes]
        total = np.zeros((len(names),) * 2, np.int64)
        for run in self.by_method[method]:
            own = [names.index(item.name) for item in run.manifest.classes]
            total[np.ix_(own, own)] += np.array(run.manifest.measures["confusion"], np.int64)
        return [[int(count) for count in row] for row in total]

    def differences(self) -> list[Difference]:
        """Returns the difference of each pair of methods, the most accurate first."""
        return [difference(self.by_method[one], self.by_method[other]) for one, other in combinations(self.methods, 2)]

    def rate(self, method: str) -> float | None:
        """Returns the pixels that a method maps in a second, as last measured; None if it was not."""
        return next((run.rate for run in reversed(self.by_method[method]) if run.rate), None)

    def seconds(self, method: str) -> float:
        """Returns the mean time of a method's trainings."""
        return fmean(run.seconds for run in self.by_method[method])

    def size(self, method: str) -> float:
        """Returns the mean size of a method's model files in MB."""
        return fmean(run.size for run in self.by_method[method]) / 1e6


def difference(one: Sequence[Run], other: Sequence[Run]) -> Difference:
    """Returns the difference between the accuracies of two methods, over the runs that both have.

    The interval is that of the corrected resampled t test (Nadeau and Bengio 2003, Inference for the generalization
    error, Machine Learning 52, 239-281): random splits of one site share most of their objects, so their results
    resemble each other, and the usual interval would be too narrow. The variance counts (1/n + test/learned) times, by
    the number of objects in the test part and in those that were learned from, training and validation.
    """
    others = {run.number: run for run in other}
    pairs = [(run, others[run.number]) for run in one if run.number in others]
    found = [run.measure("accuracy") - paired.measure("accuracy") for run, paired in pairs]
    mean = fmean(found)
    names = one[0].method, other[0].method
    if mean < 0:
        found, mean, names = [-value for value in found], -mean, (names[1], names[0])
    half = None
    if len(found) > 1:
        learned = [_objects(run, "train") + _objects(run, "validation") for run, _ in pairs]
        ratio = fmean(_objects(run, "test") / count for (run, _), count in zip(pairs, learned, strict=True))
        error = stdev(found) * (1 / len(found) + ratio) ** 0.5
        half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, len(found) - 1)) * error
    return Difference(*names, mean, half, sum(value > 0 for value in found), len(found))


def write_comparison(
    path: Path, comparison: Comparison, settings: Mapping[str, Any], failed: Mapping[str, str]
) -> None:
    """Writes the report of a comparison as one HTML file.

    Args:
        path: The file to write.
        comparison: The runs.
        settings: Names and values, in the order to show; those that are None are not shown.
        failed: Methods that could not be trained, and why.

    Raises:
        InputError: The file can't be written.
    """
    names = [item.name for item in comparison.classes]
    accuracies = {method: [run.measure("accuracy") for run in runs] for method, runs in comparison.by_method.items()}
    write_page(
        path,
        _TEMPLATE,
        comparison=comparison,
        measures=MEASURES,
        accuracies=accuracies_plot(accuracies),
        f_map=f_measures_map(names, comparison.methods, comparison.f_measures()),
        differences=comparison.differences(),
        settings={name: str(value) for name, value in settings.items() if value is not None},
        failed=failed,
    )


def write_comparison_table(path: Path, comparison: Comparison) -> None:
    """Writes all numbers of a comparison as CSV in long form: one a row.

    Its columns are the method, the run, its seed, the measure, the class (of the reference, in confusion matrices), the
    predicted class, and the value. Shares are 0 to 1, times in seconds.

    Raises:
        InputError: The file can't be written.
    """
    with whole_file(path) as partial, disk_errors(path), partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["method", "run", "seed", "measure", "class", "predicted", "value"])
        for run in comparison.runs:
            for measure, own, predicted, value in _rows(run):
                writer.writerow([run.method, run.number, run.seed, measure, own, predicted, value])


def _rows(run: Run) -> Iterator[tuple[str, str, str, str]]:
    for name in MEASURES:
        yield name, "", "", f"{run.measure(name):.6f}"
    names = [item.name for item in run.manifest.classes]
    for name in names:
        f_measure = run.f_of(name)
        yield "f_measure", name, "", "" if f_measure is None else f"{f_measure:.6f}"
    for name, row in zip(names, run.manifest.measures["confusion"], strict=True):
        for predicted, count in zip(names, row, strict=True):
            yield "pixels", name, predicted, str(count)
    yield "training_seconds", "", "", f"{run.seconds:.1f}"
    if run.rate:
        yield "mapped_pixels_per_second", "", "", f"{run.rate:.0f}"
    yield "model_bytes", "", "", str(run.size)


def _objects(run: Run, part: str) -> int:
    return sum(int(count) for count in run.manifest.split["objects"][part].values())


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return fmean(known) if known else float("nan")
