"""Mapping: the peak of memory for rasters of 1, 4 and 16 million pixels, and what reading ahead gains.

    .venv/bin/python benchmarks/mapping_memory.py [--method RF] [--megapixels 1 4 16] [--memory 1024 2048]
    .venv/bin/python benchmarks/mapping_memory.py --method TWINNS --size compact --megapixels 0.07 --dates 24 34

Maps simulated series, by default of 6 dates of Sentinel-1 and 8 of Sentinel-2, each map in a process of its own, and
prints the peak of its resident memory, against MEMORY, and the pixels per second. --at-once 1 turns the overlap of
reading and computing off. The series are written once, to build/benchmark.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from joblib import cpu_count
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import TILE
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL2_BANDS, Series, series_layout, write_series

CLASSES = 13
TREES = 50
SENSORS = {
    "sentinel1": {"bands": SENTINEL1_BANDS, "dtype": "uint8", "nodata": 0, "highest": 255},
    "sentinel2": {"bands": SENTINEL2_BANDS, "dtype": "int16", "nodata": -32768, "highest": 6000},
}


def main() -> None:
    options = _options()
    if options.measure:
        print(json.dumps(measure(Path(options.measure), options.memory[0], options.at_once)))
        return
    print(
        f"{cpu_count()} cores, {options.method}, {options.size}, {options.dates} dates, {options.at_once} blocks "
        "at once"
    )
    print(row("million px", "MEMORY", "peak MB", "seconds", "px/s"))
    for megapixels in options.megapixels:
        site = make_site(options, round(1000 * megapixels**0.5))
        for memory in options.memory:
            command = [sys.executable, __file__, "--measure", str(site), "--memory", str(memory)]
            done = subprocess.run(
                [*command, "--at-once", str(options.at_once)], check=True, capture_output=True, text=True
            )
            found = json.loads(done.stdout.splitlines()[-1])
            speed = megapixels * 1e6 / found["seconds"]
            print(row(megapixels, memory, f"{found['peak_mb']:.0f}", f"{found['seconds']:.1f}", f"{speed:,.0f}"))


def row(*cells: object) -> str:
    return "".join(f"{cell!s:>12}" for cell in cells)


def measure(site: Path, memory: int, at_once: int) -> dict[str, float]:
    """Maps a site in this process."""
    from twinns_qgis.jobs.map_cover import MapCover
    from twinns_qgis.mapping import cover
    from twinns_qgis.reporter import Reporter

    cover.AT_ONCE = at_once
    job = MapCover(
        model=site / "model.twinns",
        sentinel1=site / "sentinel1.tif",
        sentinel2=site / "sentinel2.tif",
        memory=memory,
        output=site / "map.tif",
        device="cpu",
    )
    start = time.monotonic()
    job.run(Reporter())
    return {"seconds": time.monotonic() - start, "peak_mb": peak_memory()}


def peak_memory() -> float:
    """Returns the peak of this process' resident memory in MB; getrusage would tell that of its parent too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def make_site(options: argparse.Namespace, side: int) -> Path:
    """Writes series of noise of `side` x `side` pixels, and a model of random weights."""
    dates = dict(zip(SENSORS, options.dates, strict=True))
    site = options.folder / f"{options.method} {options.size} {side} x {side}, {options.dates} dates"
    if (site / "model.twinns").exists():
        return site
    site.mkdir(parents=True, exist_ok=True)
    for name in SENSORS:
        write(site / f"{name}.tif", side, dates=dates[name], **SENSORS[name])
    write_random_model(site, options.method, options.size)
    return site


def write(path: Path, side: int, *, dates: int, bands: tuple[str, ...], dtype: str, nodata: int, highest: int) -> None:
    grid = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), side, side)
    days = [date(2018, 1, 1) + timedelta(days=20 * number) for number in range(dates)]
    ones, zeros = (1.0,) * len(bands), (0.0,) * len(bands)
    layout = series_layout(grid, days, bands, dtype=dtype, nodata=nodata, scale=ones, offset=zeros, tags={})
    noise = np.random.default_rng(0).integers(1, highest, (TILE, TILE, dates, len(bands))).astype(dtype)
    with write_series(path, layout) as writer:
        for window in grid.blocks(TILE):
            writer.write(noise[: window.height, : window.width], window)


def write_random_model(site: Path, method: str, size: str) -> None:
    from sklearn.ensemble import RandomForestClassifier

    from twinns_qgis.forests.trained import TrainedForests
    from twinns_qgis.methods import Method
    from twinns_qgis.networks.sensor import Sensor
    from twinns_qgis.networks.trained import TrainedNetwork
    from twinns_qgis.samples.classes import LandCoverClass
    from twinns_qgis.training.manifest import Manifest
    from twinns_qgis.training.model_file import write_model

    sensors = []
    for name in SENSORS:
        sensor = Sensor.of(name, Series.open(site / f"{name}.tif"))
        count = len(sensor.variables)
        sensors.append(replace(sensor, minimum=(0.0,) * count, maximum=(6000.0,) * count))
    classes = tuple(LandCoverClass(code, f"class {code}", "#4477aa") for code in range(1, CLASSES + 1))
    manifest = Manifest(Method.of(method), size, tuple(sensors), classes)
    if not manifest.method.forests:
        write_model(site / "model.twinns", manifest, TrainedNetwork(manifest.build()), [])
        return
    tables = manifest.method.tables(sensors, None)
    random = np.random.default_rng(0)
    forests = {}
    for name, count in tables.variables.items():
        labels = random.integers(0, CLASSES, 2000)
        values = random.random((2000, count), dtype="float32") + labels[:, None] / 10
        forests[name] = RandomForestClassifier(TREES, max_depth=10, n_jobs=-1, random_state=0).fit(values, labels)
    write_model(site / "model.twinns", manifest, TrainedForests(tables, forests), [])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="RF")
    parser.add_argument("--size", default="small", choices=("paper", "compact", "small"))
    parser.add_argument("--dates", type=int, nargs=2, default=[6, 8], metavar=("S1", "S2"))
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 16])
    parser.add_argument("--memory", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--measure", metavar="SITE", help="for its own use")
    return parser.parse_args()


if __name__ == "__main__":
    main()
