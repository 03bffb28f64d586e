"""Accuracy over several splits of a site: of the ten methods, or of the choices that a training has.

    .venv/bin/python benchmarks/accuracy.py methods
    .venv/bin/python benchmarks/accuracy.py choices --size small --epochs 20
    .venv/bin/python benchmarks/accuracy.py methods --folder build/flanders --sentinel1 s1.tif --sentinel2 s2.tif \
        --polygons fields.gpkg --class-field name --sparse-classes drop --pieces 80

``--pieces`` cuts the polygons by squares of so many metres and splits the pieces, where a few large polygons would
decide alone. The site is the simulated one, made in FOLDER, unless series and polygons are given. Every training is a
process of its own and leaves its model in FOLDER/models; what is there is not trained again, so that a benchmark that
was stopped goes on, and several may work side by side (``--only``). Prints a table in Markdown: mean and standard
deviation over the splits.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas
import numpy as np
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

CHOICES: dict[str, dict[str, object]] = {
    "none": {},
    "class weights balanced": {"class-weights": "balanced"},
    "augmentation symmetries": {"augmentation": "symmetries"},
    "date dropout 0.1": {"date-dropout": 0.1},
    "date dropout 0.3": {"date-dropout": 0.3},
    "batch norm frozen": {"batch-norm": "frozen"},
    "schedule cosine": {"schedule": "cosine"},
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
    site = options.site or simulated_site(options.folder, options.pixels)
    if options.pieces:
        site["polygons"] = cut(Path(str(site["polygons"])), options.pieces, options.folder / "pieces.gpkg")
    (options.folder / "models").mkdir(exist_ok=True)
    variants = {name: {"method": name} for name in PAPER} if options.table == "methods" else CHOICES
    for split in range(options.splits):
        for name in options.only or variants:
            train(options, site, name, variants[name], split)
    print_table(options, [name for name in variants if list(models(options, name))])
    if options.table == "choices":
        print_patience(options)


def simulated_site(folder: Path, pixels: int, seed: int = 0) -> dict[str, object]:
    """Makes the simulated site and its series, if they are not there yet."""
    site, series = folder / "site", {name: folder / f"{name}.tif" for name in ("sentinel1", "sentinel2")}
    if not site.exists():
        folder.mkdir(parents=True, exist_ok=True)
        twinns("create-demo-site", {"folder": site, "size": pixels, "seed": seed})
    if not series["sentinel2"].exists():
        twinns("prepare-sentinel2", {"folder": site / "sentinel2", "output": series["sentinel2"]})
    if not series["sentinel1"].exists():
        given = {"folder": site / "sentinel1", "reference": series["sentinel2"]}
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
    twinns("train-model", {**site, **how, **variant, "seed": split, "model": model})


def twinns(command: str, parameters: dict[str, object]) -> None:
    arguments = [text for name, value in parameters.items() for text in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "twinns_qgis", command, *arguments], check=True, stderr=subprocess.DEVNULL)


def model_path(options: argparse.Namespace, name: str, split: int) -> Path:
    settings = f"{options.size}-{options.epochs}-{options.learning_rate:g}"
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
    if options.table == "methods":
        head += ["paper: Reunion", "Koumbia"]
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
        print("|", " | ".join(row), "|")


def spread(values: list[float], factor: float) -> str:
    digits = 1 if factor == 100 else 3
    text = f"{factor * statistics.mean(values):.{digits}f}"
    return f"{text} ± {factor * statistics.stdev(values):.{digits}f}" if len(values) > 1 else text


def within_pair(manifest: dict, pair: tuple[str, str]) -> float:
    """Returns the accuracy on the two classes of a pair, of the pixels that were taken for one of them."""
    names = [item["name"] for item in manifest["classes"]]
    first, second = (names.index(name) for name in pair)
    confusion = manifest["measures"]["confusion"]
    right = confusion[first][first] + confusion[second][second]
    return right / (right + confusion[first][second] + confusion[second][first])


def print_patience(options: argparse.Namespace) -> None:
    """Prints what PATIENCE would have done in the trainings without any choice."""
    histories = [history for _, history in models(options, "none")]
    print("\n| PATIENCE | epochs gone % | validation accuracy lost, points |\n| --- | --- | --- |")
    for patience in (3, 5, 10, 20):
        gone, lost = [], []
        for history in histories:
            accuracies = [epoch["validation_accuracy"] for epoch in history]
            stop = last_epoch(accuracies, patience)
            gone.append(stop / len(accuracies))
            lost.append(max(accuracies) - max(accuracies[:stop]))
        if histories:
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
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--learning-rate", type=float, default=4e-4)
    for name in ("sentinel1", "sentinel2", "polygons", "class-field", "sparse-classes"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--pieces", type=float, default=0, metavar="METRES")
    options = parser.parse_args()
    names = ("sentinel1", "sentinel2", "polygons", "class_field", "sparse_classes")
    options.site = {name.replace("_", "-"): value for name in names if (value := getattr(options, name))}
    return options


if __name__ == "__main__":
    main()
