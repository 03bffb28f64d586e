"""Is the range of a series robust enough to scale by? SCALING range and percentiles on data with dark water and glints.

    .venv/bin/python benchmarks/scaling.py --epochs 15

The simulated site, clean and disturbed: in the disturbed series the near and short-wave infrared of water is slightly
negative (-0.02 to 0), as since baseline 04.00, and at five dates each a few pixels glint, with a reflectance of 1.5 to
1.9 in all bands. Prints a table in Markdown: accuracy on the test part, mean and standard deviation over the splits.
"""

from __future__ import annotations

import argparse
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import rasterio
from accuracy import simulated_site, spread, twinns

WATER = 10
DARK = ("B8", "B8A", "B11", "B12")
GLINTS, GLINTING_DATES = 8, 5


def main() -> None:
    options = _options()
    site = simulated_site(options.folder, options.pixels)
    disturbed = options.folder / "disturbed.tif"
    if not disturbed.exists():
        disturb(Path(str(site["sentinel2"])), options.folder / "site" / "truth.tif", disturbed)
    print("| series | SCALING | accuracy % |\n| --- | --- | --- |")
    for name, series in (("clean", site["sentinel2"]), ("dark water and glints", disturbed)):
        for scaling in ("range", "percentiles"):
            own = {**site, "sentinel2": series}
            found = [train(options, own, scaling, name, seed) for seed in range(options.splits)]
            print(f"| {name} | {scaling} | {spread(found, 100)} |", flush=True)


def disturb(series: Path, truth: Path, disturbed: Path) -> None:
    """Writes a copy of a Sentinel-2 series with dark water and glints."""
    random = np.random.default_rng(0)
    shutil.copy(series, disturbed)
    with rasterio.open(truth) as dataset:
        water = dataset.read(1) == WATER
    with rasterio.open(disturbed, "r+") as dataset:
        values, names = dataset.read(), [name.split() for name in dataset.descriptions]
        for index, (_, band) in enumerate(names):
            if band in DARK:
                values[index][water] = random.integers(-200, 0, int(water.sum()))
        for day in random.choice(sorted({day for day, _ in names}), GLINTING_DATES, replace=False):
            rows, columns = (random.integers(0, size, GLINTS) for size in water.shape)
            for index, (own, _) in enumerate(names):
                if own == day:
                    values[index, rows, columns] = random.integers(15_000, 19_000, GLINTS)
        dataset.write(values)


def train(options: argparse.Namespace, site: dict[str, object], scaling: str, name: str, seed: int) -> float:
    """Returns the accuracy of a training on the test part."""
    model = options.folder / f"{name.replace(' ', '-')}-{scaling}-{options.epochs}-{seed}.twinns"
    if not model.exists():
        how = {"size": options.size, "epochs": options.epochs, "learning-rate": 4e-4, "scaling": scaling, "seed": seed}
        twinns("train-model", {**site, **how, "model": model})
    return accuracy_of(model)


def accuracy_of(model: Path) -> float:
    with zipfile.ZipFile(model) as archive:
        return float(json.loads(archive.read("manifest.json"))["measures"]["accuracy"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/scaling"))
    parser.add_argument("--pixels", type=int, default=128)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--size", default="small")
    parser.add_argument("--epochs", type=int, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    main()
