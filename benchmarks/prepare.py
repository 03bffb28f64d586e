"""Preparation against its floor: reading all input and writing all output, with nothing computed in between.

    .venv/bin/python benchmarks/prepare.py [--sizes 256 512 1024] [--memory 2048] [--folder build/benchmark]
    .venv/bin/python benchmarks/prepare.py --jpeg2000 [--dates 8] [--size 10980] [--rows 2000] [--memory 512]
    .venv/bin/python benchmarks/prepare.py --remote [--dates 36] [--memory 2048]

Prints, for simulated sites of 1, 4 and 16 times the area, and for a half and all of the dates, the seconds that each
sensor takes, their ratio to the floor, and the peak memory of the process. Each measurement runs in a process of its
own; the sites are read once before the clock starts, so that all find them in the system's cache.

With --jpeg2000 it measures how often each tile of SAFE products is decoded, which takes most of the time. The files
have the size of real ones, of which the first rows are prepared. As dates share the memory of a block, 512 MB for 8 of
them make the blocks that 2 GB make for the 32 of a year.

With --remote it measures how many bytes are read of files on a server, on loopback, for a window of 10 x 10 km.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import rasterio
from joblib import cpu_count
from jpeg2000 import decodings, make_products, tiles
from remote import report_remote

from twinns_qgis.demo import create_demo_site
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.production import Machine
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.area import Area
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel1.db_range import parse_db_range
from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series, series_layout, write_series

SENSORS = ("sentinel2", "sentinel1")


def main() -> None:
    options = _options()
    if options.remote:
        report_remote(options.folder, options.dates or 36, options.memory or 2048)
        return
    options.dates = options.dates or 8
    if options.jpeg2000:
        report_decodings(options)
        return
    options.memory = options.memory or 2048
    if options.measure:
        print(json.dumps(measure(*options.measure, options.memory)))
        return
    print(f"{cpu_count()} cores, MEMORY {options.memory} MB; times in seconds, median of {options.runs} runs")
    print(row("site", "sensor", "dates", "prepare", "floor", "ratio", "cpu ratio", "peak MB"))
    for size in options.sizes:
        site = make_site(options.folder, size)
        for sensor in SENSORS:
            report(site, sensor, options)
    half = half_of_the_dates(options.folder, options.sizes[-1])
    for sensor in SENSORS:
        report(half, sensor, options)


def report(site: Path, sensor: str, options: argparse.Namespace) -> None:
    runs = {kind: [run(site, sensor, kind, options) for _ in range(options.runs)] for kind in ("prepare", "floor")}
    prepare, floor = (median([one["seconds"] for one in runs[kind]]) for kind in ("prepare", "floor"))
    work = median([one["cpu"] for one in runs["prepare"]]) / median([one["cpu"] for one in runs["floor"]])
    peak = max(one["peak_mb"] for one in runs["prepare"])
    dates = runs["floor"][0]["dates"]
    ratios = f"{prepare / floor:.2f}", f"{work:.2f}"
    print(row(site.name, sensor, dates, f"{prepare:.2f}", f"{floor:.2f}", *ratios, f"{peak:.0f}"), flush=True)


def report_decodings(options: argparse.Namespace) -> None:
    """Prints how often each tile of SAFE products is decoded; in a process of its own, whose GDAL tells of each."""
    options.memory = options.memory or 64 * options.dates
    site = options.folder / f"{options.dates} SAFE products of {options.size} x {options.size}"
    if not site.exists():
        make_products(site, options.size, options.dates)
    if os.environ.get("CPL_DEBUG") != "ON":
        subprocess.run([sys.executable, *sys.argv], check=True, env={**os.environ, "CPL_DEBUG": "ON"})
        return
    files = sorted((site / "sentinel2").rglob("*.jp2"))
    clock = Clock()
    with decodings() as decoded:
        prepare_sentinel2(
            Outputs(site / "sentinel2.tif"),
            Inputs(folder=site / "sentinel2"),
            Period(),
            area=Area(Extent((500000, 5600000 - 10 * options.rows, 500000 + 10 * options.size, 5600000))),
            machine=Machine(options.memory),
            reporter=Reporter(),
        )
    took = clock.read()
    touched = Counter[int]()
    for path in files:
        of_file, of_rows = tiles(path, options.rows)
        touched[of_file] += of_rows
    print(
        f"{cpu_count()} cores, MEMORY {options.memory} MB, {options.dates} products of {options.size} x {options.size}"
    )
    for of_file, count in touched.items():
        print(f"files of {of_file} tiles: {count} tiles, each decoded {decoded[of_file] / count:.2f} times")
    print(f"all: {touched.total()} tiles, each decoded {decoded.total() / touched.total():.2f} times")
    print(f"{took['seconds']:.0f} s, {took['cpu']:.0f} s of the processors, peak {peak_memory():.0f} MB")


def row(site: str, *cells: object) -> str:
    return f"{site:>14}" + "".join(f"{cell!s:>11}" for cell in cells)


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
        clock = Clock()
        prepare(folder, sensor, output, memory)
        dates = 0
    else:
        series = Series.open(output)
        values = series.read()
        clock = Clock()
        with ThreadPoolExecutor(cpu_count()) as readers:
            list(readers.map(read, files))
        write(series, values, folder / f"floor_{sensor}.tif")
        dates = len(series.dates)
    return {**clock.read(), "peak_mb": peak_memory(), "dates": dates}


class Clock:
    """Measures the time on the wall, and what the processor worked: the latter hardly minds other programs."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def read(self) -> dict[str, float]:
        return {"seconds": time.monotonic() - self._wall, "cpu": time.process_time() - self._cpu}


def peak_memory() -> float:
    """Returns the peak of this process' resident memory in MB; getrusage would tell that of its parent too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


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
        shutil.copytree(product, half / "sentinel2" / product.name, copy_function=os.link)
    images = sorted((site / "sentinel1").iterdir(), key=lambda path: path.name.split("_")[5])
    for number, image in enumerate(images):
        if number % 4 < 2:  # both polarisations of every other date
            os.link(image, half / "sentinel1" / image.name)
    return half


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--memory", type=int, help="MB; by default 2048, and 64 a date with --jpeg2000")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--jpeg2000", action="store_true", help="measure how often tiles of SAFE products are decoded")
    parser.add_argument("--remote", action="store_true", help="measure how much is read of files on a server")
    parser.add_argument("--dates", type=int, help="of the SAFE products, by default 8, or on the server, by default 36")
    parser.add_argument("--size", type=int, default=10980, help="of the SAFE products, in pixels of 10 m")
    parser.add_argument("--rows", type=int, default=2000, help="of the SAFE products that are prepared")
    parser.add_argument("--measure", nargs=3, metavar=("SITE", "SENSOR", "KIND"), help="for its own use")
    return parser.parse_args()


if __name__ == "__main__":
    main()
