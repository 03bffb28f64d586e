"""The choices of a training: what each does to the accuracy of TWINNS over several splits, and in another year.

    .venv/bin/python benchmarks/choices.py
    .venv/bin/python benchmarks/choices.py --noise 2 --only default "recipe paper, 30 epochs"
    .venv/bin/python benchmarks/choices.py --noise 1.5 --away 2021 2024 --only default "date shift 15"
    .venv/bin/python benchmarks/choices.py --folder build/flanders --sentinel1 s1.tif --sentinel2 s2.tif \
        --polygons fields.gpkg --class-field name --sparse drop --pieces 80

``--noise`` and ``--labelled`` make the simulated site harder. ``--away`` also predicts every pixel of another simulated
site in other years, as each model is and with the statistics of its batch normalisation estimated anew there; all are
prepared with the same dates of the year then. ``--pieces`` cuts polygons by squares of so many metres and splits the
pieces, where a few large polygons would decide alone.

After every epoch the test part is predicted too, which no training may know. So one training tells what each rule that
chooses an epoch would have reached. What is in FOLDER (one for each site) is not trained again: a benchmark that was
stopped goes on, and several may work side by side.

Prints a table in Markdown: mean and standard deviation over the splits, and the mean difference from the first row on
the same splits, with its 95 % confidence interval by Student's t. Then, of each choice, the same for the rules beside
that of the recipe, and how long an epoch takes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import rasterio
from accuracy import cut, simulated_site, spread
from numpy.typing import NDArray
from scipy import stats

from twinns_qgis.methods import Method
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples, draw_samples
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.samples.store import SampleStore, read_samples
from twinns_qgis.series.series import Series
from twinns_qgis.training.augmentation import Augmentation
from twinns_qgis.training.fit import Fitting, compile_network, fit, make_batches, predict_scores
from twinns_qgis.training.history import Epoch, best_epoch
from twinns_qgis.training.ranges import read_samples_and_ranges
from twinns_qgis.training.recipes import RECIPES

YEAR = "01-15/12-15"
"""First and last day of series that are to be compared with another year's."""
STATISTICS = 6400
"""Pixels that batch normalisation's statistics are estimated on."""

CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "recipe paper, 30 epochs": {"recipe": "paper", "epochs": 30},
    "recipe paper": {"recipe": "paper"},
    "schedule constant": {"schedule": "constant"},
    "no warm-up": {"warm_up": 0.0},
    "no label smoothing": {"label_smoothing": 0.0},
    "learning rate 0.0004": {"learning_rate": 4e-4},
    "60 epochs": {"epochs": 60},
    "batch size 16": {"batch_size": 16},
    "optimizer adamw": {"optimizer": "adamw"},
    "class weights balanced": {"class_weights": "balanced"},
    "augmentation symmetries": {"symmetries": True},
    "date dropout 0.1": {"date_dropout": 0.1},
    "date shift 15": {"date_shift": 15.0},
    "date shift 30": {"date_shift": 30.0},
    "max pixels 100": {"max_pixels": 100},
    "max pixels 300": {"max_pixels": 300},
}

Rule = Callable[[Sequence[Epoch]], Epoch]
RULES: dict[str, Rule] = {
    "mean of 3 epochs": lambda history: best_epoch(history, 3),
    "mean of 5 epochs": lambda history: best_epoch(history, 5),
    "best epoch": lambda history: best_epoch(history, 1),
    "least validation loss": lambda history: min(history, key=lambda epoch: epoch.validation_loss),
    "last epoch": lambda history: history[-1],
}


@dataclass(frozen=True)
class Trained:
    """What a training left.

    Args:
        history: Its epochs.
        test: The accuracy on the test part after each of them.
        seconds: The seconds of processor time that they took.
        samples: The pixels trained on.
        away: Of each other year, the accuracy after the last epoch, as the model is and with statistics of its own.
    """

    history: tuple[Epoch, ...]
    test: tuple[float, ...]
    seconds: float
    samples: int
    away: dict[str, tuple[float, float]]

    def at(self, rule: Rule) -> float:
        """Returns the test accuracy of the epoch that a rule chooses."""
        return self.test[rule(self.history).epoch - 1]


def main() -> None:
    options = _options()
    (options.folder / "trained").mkdir(parents=True, exist_ok=True)
    site = options.site or simulated_site(
        options.folder, options.pixels, period=YEAR if options.away else None, **options.harder
    )
    if options.pieces:
        site["polygons"] = cut(Path(str(site["polygons"])), options.pieces, options.folder / "pieces.gpkg")
    wanted = options.only or list(CHOICES)
    for split in range(options.splits):
        for name in wanted:
            path = path_of(options, name, split)
            if not path.exists():
                print(f"{name}, split {split}", file=sys.stderr, flush=True)
                path.write_text(json.dumps(train(options, site, CHOICES[name], split)))
    print_tables(options, {name: found for name in wanted if (found := read(options, name))})


def train(options: argparse.Namespace, site: dict[str, object], choice: dict[str, Any], split: int) -> dict[str, Any]:
    """Trains a model, and returns the fields of `Trained` in plain values."""
    choice = dict(choice)
    augmentation = {name: choice.pop(name) for name in ("symmetries", "date_dropout", "date_shift") if name in choice}
    max_pixels = choice.pop("max_pixels", 0)
    settings = {**RECIPES[choice.pop("recipe", "default")].settings, "batch_size": 64, **choice}
    series = {name: Series.open(Path(str(site[name]))) for name in ("sentinel1", "sentinel2") if name in site}
    samples = draw_samples(
        read_polygons(str(site["polygons"]), str(site["class-field"])),
        next(iter(series.values())).grid,
        sparse=options.sparse,
        train_share=0.3,
        validation_share=0.2,
        seed=split,
        max_pixels=max_pixels,
        reporter=Reporter(),
    )
    stores, sensors = read_samples_and_ranges(series, samples.pixels, "range", Reporter())
    missing = {sensor.name: sensor.missing for sensor in sensors}
    days = {sensor.name: tuple(day.toordinal() for day in sensor.dates) for sensor in sensors}
    fitting = Fitting(seed=split, augmentation=Augmentation(missing=missing, days=days, **augmentation), **settings)
    keras.utils.set_random_seed(split)
    network = Method.of("TWINNS").build(sensors, len(samples.classes), options.size)
    compile_network(network, fitting)
    classifier, parts = TrainedNetwork(network), {part: samples.part(part) for part in ("train", "validation", "test")}
    batches = make_batches(network, stores, samples.labels, parts["train"], parts["validation"], fitting)
    test: list[float] = []
    taken = 0.0

    def assess(history: list[Epoch]) -> None:
        nonlocal taken
        start = time.process_time()
        test.append(accuracy(classifier, stores, samples.labels, parts["test"]))
        taken += time.process_time() - start

    start = time.process_time()
    history = fit(network, *batches, fitting, reporter=Reporter(), keep=assess)
    return {
        "history": [vars(epoch) for epoch in history],
        "test": test,
        "seconds": time.process_time() - start - taken,
        "samples": len(parts["train"]),
        "away": {str(year): away(options, year, network, samples) for year in options.away},
    }


def accuracy(
    classifier: TrainedNetwork,
    stores: dict[str, SampleStore],
    labels: NDArray[np.int64],
    pixels: NDArray[np.int64],
) -> float:
    found = predict_scores(classifier, stores, pixels, Reporter()).argmax(axis=-1)
    return float((found == labels[pixels]).mean())


def away(options: argparse.Namespace, year: int, network: keras.Model, samples: LabelledSamples) -> tuple[float, float]:
    """Returns the accuracy on all pixels of a site in another year, as the network is and with new statistics."""
    folder = options.folder / f"away-{year}"
    site = simulated_site(folder, options.pixels, seed=1, period=YEAR, year=year, **{**options.harder, "labelled": 0.6})
    with rasterio.open(folder / "site" / "truth.tif") as dataset:
        truth = dataset.read(1)
    series = {name: Series.open(Path(str(site[name]))) for name in ("sentinel1", "sentinel2")}
    codes = {item.code: index for index, item in enumerate(samples.classes)}
    labels = np.vectorize(lambda code: codes.get(code, -1))(truth).ravel()
    rows, columns = (place.ravel() for place in np.indices(truth.shape))
    pixels = LabelledPixels(series["sentinel2"].grid, rows, columns, np.zeros(len(rows), np.int64))
    stores = {name: read_samples(one, pixels, Reporter()) for name, one in series.items()}
    every = np.arange(len(rows))
    as_it_is = accuracy(TrainedNetwork(network), stores, labels, every)
    estimate_statistics(network, stores, np.random.default_rng(0).permutation(every)[:STATISTICS])
    return as_it_is, accuracy(TrainedNetwork(network), stores, labels, every)


def estimate_statistics(network: keras.Model, stores: dict[str, SampleStore], pixels: NDArray[np.int64]) -> None:
    """Makes the moving averages of batch normalisation means over the batches of some pixels."""
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in layers]
    for number, start in enumerate(range(0, len(pixels), 64)):
        for layer in layers:
            layer.momentum = number / (number + 1)
        network({name: store.gather(pixels[start : start + 64]) for name, store in stores.items()}, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def path_of(options: argparse.Namespace, name: str, split: int) -> Path:
    return options.folder / "trained" / f"{name.replace(' ', '-')}-{options.size}-{split}.json"


def read(options: argparse.Namespace, name: str) -> list[Trained]:
    """Returns what the trainings of a choice left, split by split."""
    found = []
    for split in range(options.splits):
        if (path := path_of(options, name, split)).exists():
            values = json.loads(path.read_text())
            history = tuple(Epoch(**epoch) for epoch in values.pop("history"))
            found.append(replace(Trained(history, **{**values, "test": tuple(values["test"])})))
    return found


def print_tables(options: argparse.Namespace, trained: dict[str, list[Trained]]) -> None:
    if not trained:
        return
    print_choices(
        options, {name: [one.at(own_rule(name)) for one in found] for name, found in trained.items()}, trained
    )
    for name, found in trained.items():
        own = [one.at(own_rule(name)) for one in found]
        print(f"\nRules for the epoch, {name}:\n\n| | accuracy % | points more than by the recipe's rule | epoch |")
        print("| --- | --- | --- | --- |")
        for rule_name, rule in RULES.items():
            epoch = statistics.mean(rule(one.history).epoch for one in found)
            accuracies = [one.at(rule) for one in found]
            print("|", " | ".join([rule_name, *compared(accuracies, own), f"{epoch:.0f}"]), "|")
        seconds = statistics.mean(one.seconds / len(one.history) / one.samples * 10_000 for one in found)
        print(f"\nAn epoch of 10,000 pixels: {seconds:.1f} seconds of the processor.")


def print_choices(
    options: argparse.Namespace, accuracies: dict[str, list[float]], trained: dict[str, list[Trained]]
) -> None:
    """Prints the accuracy of each choice, by the epoch that its recipe keeps; away by the last one."""
    head = ["", "accuracy %", "points more than the first", "epoch to epoch, points", "splits"]
    head += [f"{year}{what}" for year in options.away for what in (" %", ", points more", ", new statistics")]
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" for _ in head), "|")
    first = next(iter(trained))
    for name, found in trained.items():
        row = [name, *compared(accuracies[name], accuracies[first])]
        row += [spread([unrest(one.test) for one in found], 100), str(len(found))]
        for year in map(str, options.away):
            as_they_are = [one.away[year][0] for one in found]
            row += compared(as_they_are, [one.away[year][0] for one in trained[first]])
            row.append(difference([one.away[year][1] for one in found], as_they_are))
        print("|", " | ".join(row), "|")


def own_rule(name: str) -> Rule:
    """Returns the rule by which the recipe of a choice keeps an epoch."""
    smoothing = RECIPES[CHOICES[name].get("recipe", "default")].settings["smoothing"]
    return lambda history: best_epoch(history, smoothing)


def compared(values: list[float], first: list[float]) -> list[str]:
    return [spread(values, 100), difference(values, first)]


def difference(values: list[float], first: list[float]) -> str:
    """Returns the mean paired difference in points, with its 95 % confidence interval."""
    points = [100 * (one - other) for one, other in zip(values, first, strict=False)]
    if values is first or not any(points):
        return "0"
    mean = statistics.mean(points)
    if len(points) < 2:
        return f"{mean:+.1f}"
    half = stats.t.ppf(0.975, len(points) - 1) * statistics.stdev(points) / len(points) ** 0.5
    return f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f})"


def unrest(test: Sequence[float]) -> float:
    """Returns by how much the accuracy differs from one epoch to the next, on average over the last third."""
    last = test[-len(test) // 3 :]
    return float(np.abs(np.diff(last)).mean())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/choices"))
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=CHOICES, help="by default all")
    parser.add_argument("--pixels", type=int, default=128, help="width and height of the simulated site")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--size", default="small")
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--labelled", type=float, default=0.6)
    parser.add_argument("--away", type=int, nargs="+", metavar="YEAR", default=[])
    for name in ("sentinel1", "sentinel2", "polygons", "class-field"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--sparse", default="drop", choices=("drop", "error"))
    parser.add_argument("--pieces", type=float, default=0, metavar="METRES")
    options = parser.parse_args()
    options.harder = {"noise": options.noise, "labelled": options.labelled}
    names = ("sentinel1", "sentinel2", "polygons", "class_field")
    options.site = {name.replace("_", "-"): value for name in names if (value := getattr(options, name))}
    return options


if __name__ == "__main__":
    main()
