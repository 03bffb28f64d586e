"""Preparation against its floor: reading all input and writing all output, with nothing computed in between.

    .venv/bin/python benchmarks/prepare.py [--sizes 256 512 1024] [--memory 512] [--folder build/benchmark]

Prints, for simulated sites of 1, 4 and 16 times the area, and for a half and all of the dates, the seconds that each
sensor takes, their ratio to the floor, and the peak memory of the process. Each measurement runs in a process of its
own; the sites are read once before the clock starts, so that all find them in the system's cache.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rasterio

from twinns_qgis.demo import create_demo_site
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.backscatter import parse_db_range
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.preparation import Machine
from twinns_qgis.series.sentinel1 import prepare_sentinel1
from twinns_qgis.series.sentinel2 import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series, series_layout, write_series

SENSORS = ("sentinel2", "sentinel1")


def main() -> None:
    options = _options()
    if options.measure:
        print(json.dumps(measure(*options.measure, options.memory)))
        return
    print(f"{os.cpu_count()} cores, MEMORY {options.memory} MB; times in seconds, median of {options.runs} runs")
    print(f"{'site':>14} {'sensor':>10} {'dates':>5} {'prepare':>8} {'floor':>7} {'ratio':>6} {'peak MB':>8}")
    for size in options.sizes:
        site = make_site(options.folder, size)
        for sensor in SENSORS:
            report(site, sensor, options)
    half = half_of_the_dates(options.folder, options.sizes[-1])
    for sensor in SENSORS:
        report(half, sensor, options)


def report(site: Path, sensor: str, options: argparse.Namespace) -> None:
    runs = {kind: [run(site, sensor, kind, options) for _ in range(options.runs)] for kind in ("prepare", "floor")}
    prepare, floor = (float(np.median([one["seconds"] for one in runs[kind]])) for kind in ("prepare", "floor"))
    peak = max(one["peak_mb"] for one in runs["prepare"])
    dates = runs["floor"][0]["dates"]
    print(
        f"{site.name:>14} {sensor:>10} {dates:5} {prepare:8.2f} {floor:7.2f} {prepare / floor:6.2f} {peak:8.0f}",
        flush=True,
    )


def run(site: Path, sensor: str, kind: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--memory", str(options.memory), "--measure", str(site), sensor, kind]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(site: str, sensor: str, kind: str, memory: int) -> dict[str, float]:
    """Measures one preparation, or its floor, in this process."""
    folder, output = Path(site), Path(site) / f"{sensor}.tif"
    files = [path for path in (folder / sensor).rglob("*.tif") if "_CLM_R2" not in path.name]
    for path in files:
        path.read_bytes()
    if kind == "prepare":
        start = time.monotonic()
        prepare(folder, sensor, output, memory)
        seconds, dates = time.monotonic() - start, 0
    else:
        series = Series.open(output)
        values = series.read()
        start = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count()) as readers:
            list(readers.map(read, files))
        write(series, values, folder / f"floor_{sensor}.tif")
        seconds, dates = time.monotonic() - start, len(series.dates)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak, "dates": dates}


def prepare(folder: Path, sensor: str, output: Path, memory: int) -> None:
    inputs, reporter = Inputs(folder=folder / sensor), Reporter()
    if sensor == "sentinel2":
        prepare_sentinel2(Outputs(output), inputs, Period(), machine=Machine(memory), reporter=reporter)
        return
    prepare_sentinel1(
        output,
        inputs,
        Period(),
        reference=folder / "sentinel2.tif",
        units="dB",
        orbit="any",
        speckle=0,
        db_range=parse_db_range("VV=-25:5,VH=-32:-2"),
        machine=Machine(memory),
        reporter=reporter,
    )


def read(path: Path) -> None:
    with rasterio.open(path) as dataset:
        dataset.read()


def write(series: Series, values: np.ndarray, path: Path) -> None:
    layout = series_layout(
        series.grid,
        series.dates,
        series.bands,
        dtype=series.dtype,
        nodata=series.nodata,
        scale=series.scale,
        offset=series.offset,
        tags={},
    )
    with write_series(path, layout) as writer:
        for window in series.grid.blocks(512):
            rows, columns = window.toslices()
            writer.write(values[rows, columns], window)


def make_site(folder: Path, size: int) -> Path:
    site = folder / f"{size} x {size}"
    if not site.exists():
        folder.mkdir(parents=True, exist_ok=True)
        create_demo_site(site, size=size, seed=0, reporter=Reporter())
    return site


def half_of_the_dates(folder: Path, size: int) -> Path:
    site, half = make_site(folder, size), folder / "half the dates"
    shutil.rmtree(half, ignore_errors=True)
    (half / "sentinel2").mkdir(parents=True)
    (half / "sentinel1").mkdir()
    products = sorted((site / "sentinel2").iterdir(), key=lambda path: path.name.split("_")[1])
    for product in products[::2]:
        (half / "sentinel2" / product.name).symlink_to(product.resolve())
    images = sorted((site / "sentinel1").iterdir(), key=lambda path: path.name.split("_")[5])
    for number, image in enumerate(images):
        if number % 4 < 2:  # both polarisations of every other date
            (half / "sentinel1" / image.name).symlink_to(image.resolve())
    return half


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--memory", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--measure", nargs=3, metavar=("SITE", "SENSOR", "KIND"), help="for its own use")
    return parser.parse_args()


if __name__ == "__main__":
    main()
