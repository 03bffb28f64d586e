"""Accuracy over several splits of a site: of the ten methods, or of the choices that a training has.

    .venv/bin/python benchmarks/accuracy.py methods
    .venv/bin/python benchmarks/accuracy.py choices --size small --splits 5 --noise 2
    .venv/bin/python benchmarks/accuracy.py choices --size small --noise 1.5 --away 2024 --only default "date shift 15"
    .venv/bin/python benchmarks/accuracy.py methods --folder build/flanders --sentinel1 s1.tif --sentinel2 s2.tif \
        --polygons fields.gpkg --class-field name --sparse-classes drop --pieces 80

``--noise`` and ``--labelled`` make the simulated site harder. ``--away`` maps another simulated site, in another year,
with each model; both are prepared with the same dates of the year then. ``--pieces`` cuts the polygons by squares of so
many metres and splits the pieces, where a few large polygons would decide alone. The site is the simulated one, made in
FOLDER (one for each site), unless series and polygons are given. Every training is a process of its own and leaves its
model in FOLDER/models. What is there is not trained again: a benchmark that was stopped goes on, and several may work
side by side (``--only``). Prints a table in Markdown: mean and standard deviation over the splits, and of choices the
mean difference from the first one on the same splits, with its 95 % confidence interval by Student's t.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from scipy import stats
from shapely.geometry import box

from twinns_qgis.demo.classes import CLASSES, OPTICAL_PAIR, ORDER_PAIR, RADAR_PAIR, SURROUNDINGS_PAIR

PAPER = {
    "RF(S1,S2)": (86.42, 81.25),
    "RFLF(S1,S2)": (88.27, 86.00),
    "2ConvLSTM": (83.17, 86.48),
    "TWINNS(S1)": (73.89, 81.84),
    "TWINNS(S2)": (84.26, 81.99),
    "FullCNN": (87.71, 87.51),
    "FullRNN": (88.22, 86.65),
    "TWINNSNoAux": (83.84, 82.49),
    "TWINNS": (89.88, 87.50),
    "RF(TWINNS)": (90.10, 86.54),
}
"""Accuracy in percent at Reunion and at Koumbia, as the paper reports it (sections 4.1 and 4.3)."""

SENSORS = ("sentinel1", "sentinel2")
YEAR = "01-15/12-15"
"""First and last day of series that are to be compared with another year's."""

CHOICES: dict[str, dict[str, object]] = {
    "default": {},
    "recipe paper, 30 epochs": {"recipe": "paper", "epochs": 30},
    "recipe paper": {"recipe": "paper"},
    "schedule constant": {"schedule": "constant"},
    "no warm-up": {"warm-up": 0},
    "no label smoothing": {"label-smoothing": 0},
    "smoothing 1": {"smoothing": 1},
    "learning rate 0.0004": {"learning-rate": 4e-4},
    "60 epochs": {"epochs": 60},
    "batch size 16": {"batch-size": 16},
    "optimizer adamw": {"optimizer": "adamw"},
    "class weights balanced": {"class-weights": "balanced"},
    "augmentation symmetries": {"augmentation": "symmetries"},
    "date dropout 0.1": {"date-dropout": 0.1},
    "date dropout 0.3": {"date-dropout": 0.3},
    "batch norm frozen": {"batch-norm": "frozen"},
    "date shift 15": {"date-shift": 15},
    "scaling percentiles": {"scaling": "percentiles"},
}

PAIRS = {
    cue: tuple(CLASSES[code - 1].land_cover.name for code in pair)
    for cue, pair in {
        "radar": RADAR_PAIR,
        "optics": OPTICAL_PAIR,
        "time": ORDER_PAIR,
        "surroundings": SURROUNDINGS_PAIR,
    }.items()
}
"""The simulated site's pairs of classes that one cue alone tells apart."""


def main() -> None:
    options = _options()
    (options.folder / "models").mkdir(parents=True, exist_ok=True)
    site = options.site or simulated_site(
        options.folder, options.pixels, period=YEAR if options.away else None, **options.harder
    )
    if options.pieces:
        site["polygons"] = cut(Path(str(site["polygons"])), options.pieces, options.folder / "pieces.gpkg")
    variants = {name: {"method": name} for name in PAPER} if options.table == "methods" else CHOICES
    for split in range(options.splits):
        for name in options.only or variants:
            train(options, site, name, variants[name], split)
    print_table(options, [name for name in variants if list(models(options, name))])
    if options.table == "choices":
        print_patience(options)


def away(options: argparse.Namespace, name: str) -> list[float]:
    """Returns, of each split's model, the accuracy of its map of another site in another year."""
    folder = options.folder / f"away-{options.away}"
    site = simulated_site(
        folder, options.pixels, seed=1, period=YEAR, year=options.away, **{**options.harder, "labelled": 0.6}
    )
    with rasterio.open(folder / "site" / "truth.tif") as dataset:
        truth = dataset.read(1)
    found = []
    for split in range(options.splits):
        path = model_path(options, name, split)
        if not path.exists():
            continue
        cover = folder / f"{path.stem}.tif"
        if not cover.exists():
            twinns("map-cover", {"model": path, "output": cover, **{key: site[key] for key in SENSORS}})
        with rasterio.open(cover) as dataset:
            found.append(float((dataset.read(1) == truth).mean()))
    return found


def simulated_site(
    folder: Path, pixels: int, seed: int = 0, *, period: str | None = None, year: int = 2018, **harder: float
) -> dict[str, object]:
    """Makes the simulated site and its series, if they are not there yet.

    Args:
        folder: Where to make it.
        pixels: Its width and height.
        seed: Fixes it.
        period: First and last day of the series, with a date every 15 days; None for the acquisitions' own dates.
        year: The year of the images.
        harder: Other parameters of the site.
    """
    site, series = folder / "site", {name: folder / f"{name}.tif" for name in ("sentinel1", "sentinel2")}
    if not site.exists():
        folder.mkdir(parents=True, exist_ok=True)
        twinns("create-demo-site", {"folder": site, "size": pixels, "seed": seed, "year": year, **harder})
    dates: dict[str, object] = {}
    if period:
        start, end = period.split("/")
        dates = {"start": f"{year}-{start}", "end": f"{year}-{end}", "step": 15}
    if not series["sentinel2"].exists():
        twinns("prepare-sentinel2", {"folder": site / "sentinel2", "output": series["sentinel2"], **dates})
    if not series["sentinel1"].exists():
        given = {"folder": site / "sentinel1", "reference": series["sentinel2"], **dates}
        twinns("prepare-sentinel1", {**given, "output": series["sentinel1"]})
    return {**series, "polygons": site / "polygons.gpkg", "class-field": "class"}


def cut(polygons: Path, side: float, pieces: Path) -> Path:
    """Cuts polygons by squares, whose side is in units of their CRS."""
    table = geopandas.read_file(polygons)
    left, bottom, right, top = table.total_bounds
    squares = [
        box(x, y, x + side, y + side) for x in np.arange(left, right, side) for y in np.arange(bottom, top, side)
    ]
    table.overlay(geopandas.GeoDataFrame(geometry=squares, crs=table.crs), how="intersection").to_file(pieces)
    return pieces


def train(
    options: argparse.Namespace, site: dict[str, object], name: str, variant: dict[str, object], split: int
) -> None:
    model = model_path(options, name, split)
    if model.exists():
        return
    print(f"{name}, split {split}", file=sys.stderr, flush=True)
    how = {"size": options.size, "epochs": options.epochs, "learning-rate": options.learning_rate}
    how = {setting: value for setting, value in how.items() if value is not None}
    twinns("train-model", {**site, **how, **variant, "seed": split, "model": model})


def twinns(command: str, parameters: dict[str, object]) -> None:
    arguments = [text for name, value in parameters.items() for text in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "twinns_qgis", command, *arguments], check=True, stderr=subprocess.DEVNULL)


def model_path(options: argparse.Namespace, name: str, split: int) -> Path:
    given = (options.size, options.epochs, options.learning_rate)
    settings = "-".join(str(value) for value in given if value is not None)
    return options.folder / "models" / f"{name.replace(' ', '-')}-{settings}-{split}.twinns"


def models(options: argparse.Namespace, name: str) -> list[tuple[dict, list[dict]]]:
    """Returns the manifest and the history of each split's model."""
    found = []
    for split in range(options.splits):
        path = model_path(options, name, split)
        if path.exists():
            with zipfile.ZipFile(path) as archive:
                found.append((json.loads(archive.read("manifest.json")), json.loads(archive.read("history.json"))))
    return found


def print_table(options: argparse.Namespace, names: list[str]) -> None:
    classes = {item["name"] for item in models(options, names[0])[0][0]["classes"]} if names else set()
    pairs = {cue: pair for cue, pair in PAIRS.items() if classes.issuperset(pair)}
    head = ["", "accuracy %", "F-measure %", "kappa", *[f"{cue} %" for cue in pairs], "splits"]
    head += ["paper: Reunion", "Koumbia"] if options.table == "methods" else ["points more than the first"]
    head += [f"away, {options.away} %", "points more"] if options.away else []
    first = [manifest["measures"]["accuracy"] for manifest, _ in models(options, names[0])] if names else []
    first_away = away(options, names[0]) if options.away and names else []
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" for _ in head), "|")
    for name in names:
        manifests = [manifest for manifest, _ in models(options, name)]
        row = [name]
        row += [spread([m["measures"][measure] for m in manifests], 100) for measure in ("accuracy", "f_measure")]
        row.append(spread([m["measures"]["kappa"] for m in manifests], 1))
        row += [spread([within_pair(m, pair) for m in manifests], 100) for pair in pairs.values()]
        row.append(str(len(manifests)))
        if options.table == "methods":
            row += [f"{value:.2f}" for value in PAPER[name]]
        else:
            row.append(difference([m["measures"]["accuracy"] for m in manifests], first))
        if options.away:
            found = away(options, name)
            row += [spread(found, 100), difference(found, first_away)]
        print("|", " | ".join(row), "|")


def spread(values: list[float], factor: float) -> str:
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "none"
    digits = 1 if factor == 100 else 3
    text = f"{factor * statistics.mean(values):.{digits}f}"
    return f"{text} ± {factor * statistics.stdev(values):.{digits}f}" if len(values) > 1 else text


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


def within_pair(manifest: dict, pair: tuple[str, str]) -> float:
    """Returns the accuracy on the two classes of a pair, of the pixels that were taken for one of them."""
    names = [item["name"] for item in manifest["classes"]]
    first, second = (names.index(name) for name in pair)
    confusion = manifest["measures"]["confusion"]
    right = confusion[first][first] + confusion[second][second]
    taken = right + confusion[first][second] + confusion[second][first]
    return right / taken if taken else math.nan


def print_patience(options: argparse.Namespace) -> None:
    """Prints what PATIENCE would have done in the trainings without any choice."""
    histories = [history for _, history in models(options, "schedule constant")]
    if not histories:
        return
    print("\nAt a constant step size:\n\n| PATIENCE | epochs gone % | validation accuracy lost, points |")
    print("| --- | --- | --- |")
    for patience in (3, 5, 10, 20):
        gone, lost = [], []
        for history in histories:
            accuracies = [epoch["validation_accuracy"] for epoch in history]
            stop = last_epoch(accuracies, patience)
            gone.append(stop / len(accuracies))
            lost.append(max(accuracies) - max(accuracies[:stop]))
        print(f"| {patience} | {spread(gone, 100)} | {spread(lost, 100)} |")


def last_epoch(accuracies: list[float], patience: int) -> int:
    best = 0
    for epoch, accuracy in enumerate(accuracies):
        if accuracy > accuracies[best]:
            best = epoch
        if epoch - best >= patience:
            return epoch + 1
    return len(accuracies)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=("methods", "choices"))
    parser.add_argument("--folder", type=Path, default=Path("build/accuracy"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the table's first column; by default all")
    parser.add_argument("--pixels", type=int, default=160, help="width and height of the simulated site")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--size", default="compact")
    parser.add_argument("--epochs", type=int, help="by default the recipe's")
    parser.add_argument("--learning-rate", type=float, help="by default the recipe's")
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--labelled", type=float, default=0.6)
    parser.add_argument("--away", type=int, metavar="YEAR")
    for name in ("sentinel1", "sentinel2", "polygons", "class-field", "sparse-classes"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--pieces", type=float, default=0, metavar="METRES")
    options = parser.parse_args()
    options.harder = {"noise": options.noise, "labelled": options.labelled}
    names = ("sentinel1", "sentinel2", "polygons", "class_field", "sparse_classes")
    options.site = {name.replace("_", "-"): value for name in names if (value := getattr(options, name))}
    return options


if __name__ == "__main__":
    main()
