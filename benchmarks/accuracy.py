"""Accuracy of the ten methods over several splits of a site.

    .venv/bin/python benchmarks/accuracy.py
    .venv/bin/python benchmarks/accuracy.py --folder build/flanders --sentinel1 s1.tif --sentinel2 s2.tif \
        --polygons fields.gpkg --class-field name --sparse-classes drop --pieces 80

``--noise`` and ``--labelled`` make the simulated site harder. ``--pieces`` cuts the polygons by squares of so
many metres and splits the pieces, where a few large polygons would decide alone. The site is the simulated one, made in
FOLDER (one for each site), unless series and polygons are given. Every training is a process of its own and leaves its
model in FOLDER/models. What is there is not trained again: a benchmark that was stopped goes on, and several may work
side by side (``--only``). Prints a table in Markdown: mean and standard deviation over the splits.
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
    site = options.site or simulated_site(options.folder, options.pixels, **options.harder)
    if options.pieces:
        site["polygons"] = cut(Path(str(site["polygons"])), options.pieces, options.folder / "pieces.gpkg")
    for split in range(options.splits):
        for method in options.only or PAPER:
            train(options, site, method, split)
    print_table(options, [method for method in PAPER if list(manifests(options, method))])


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


def train(options: argparse.Namespace, site: dict[str, object], method: str, split: int) -> None:
    model = model_path(options, method, split)
    if model.exists():
        return
    print(f"{method}, split {split}", file=sys.stderr, flush=True)
    how = {"size": options.size, "epochs": options.epochs, "learning-rate": options.learning_rate}
    how = {setting: value for setting, value in how.items() if value is not None}
    twinns("train-model", {**site, **how, "method": method, "seed": split, "model": model})


def twinns(command: str, parameters: dict[str, object]) -> None:
    arguments = [text for name, value in parameters.items() for text in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", "twinns_qgis", command, *arguments], check=True, stderr=subprocess.DEVNULL)


def model_path(options: argparse.Namespace, method: str, split: int) -> Path:
    given = (options.size, options.epochs, options.learning_rate)
    settings = "-".join(str(value) for value in given if value is not None)
    return options.folder / "models" / f"{method}-{settings}-{split}.twinns"


def manifests(options: argparse.Namespace, method: str) -> list[dict]:
    """Returns the manifest of each split's model."""
    found = []
    for split in range(options.splits):
        path = model_path(options, method, split)
        if path.exists():
            with zipfile.ZipFile(path) as archive:
                found.append(json.loads(archive.read("manifest.json")))
    return found


def print_table(options: argparse.Namespace, methods: list[str]) -> None:
    classes = {item["name"] for item in manifests(options, methods[0])[0]["classes"]} if methods else set()
    pairs = {cue: pair for cue, pair in PAIRS.items() if classes.issuperset(pair)}
    head = ["", "accuracy %", "F-measure %", "kappa", *[f"{cue} %" for cue in pairs], "splits"]
    head += ["paper: Reunion", "Koumbia"]
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" for _ in head), "|")
    for method in methods:
        found = manifests(options, method)
        row = [method]
        row += [spread([m["measures"][measure] for m in found], 100) for measure in ("accuracy", "f_measure")]
        row.append(spread([m["measures"]["kappa"] for m in found], 1))
        row += [spread([within_pair(m, pair) for m in found], 100) for pair in pairs.values()]
        row += [str(len(found)), *(f"{value:.2f}" for value in PAPER[method])]
        print("|", " | ".join(row), "|")


def spread(values: list[float], factor: float) -> str:
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "none"
    digits = 1 if factor == 100 else 3
    text = f"{factor * statistics.mean(values):.{digits}f}"
    return f"{text} ± {factor * statistics.stdev(values):.{digits}f}" if len(values) > 1 else text


def within_pair(manifest: dict, pair: tuple[str, str]) -> float:
    """Returns the accuracy on the two classes of a pair, of the pixels that were taken for one of them."""
    names = [item["name"] for item in manifest["classes"]]
    first, second = (names.index(name) for name in pair)
    confusion = manifest["measures"]["confusion"]
    right = confusion[first][first] + confusion[second][second]
    taken = right + confusion[first][second] + confusion[second][first]
    return right / taken if taken else math.nan


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/accuracy"))
    parser.add_argument("--only", nargs="+", metavar="METHOD", choices=PAPER, help="by default all")
    parser.add_argument("--pixels", type=int, default=160, help="width and height of the simulated site")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--size", default="compact")
    parser.add_argument("--epochs", type=int, help="by default the recipe's")
    parser.add_argument("--learning-rate", type=float, help="by default the recipe's")
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--labelled", type=float, default=0.6)
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
