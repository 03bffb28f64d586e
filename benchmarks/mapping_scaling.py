"""Mapping: one and two workers of a Dask cluster on one machine, each bound to a core of its own.

    .venv/bin/python benchmarks/mapping_scaling.py [--side 512] [--method TWINNS] [--size compact] [--rounds 2]

Starts a cluster of one worker and a cluster of two. Each maps random series once, so that its workers have read the
model, and then again, in turns. Prints the pixels per second of whole calls, and the ratio. The caller, which reads the
series to know them again, hands out blocks and puts the map together, shares the cores with the workers.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from joblib import cpu_count
from mapping_memory import make_site

from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.reporter import Reporter


def main() -> None:
    options = _options()
    site = make_site(options, options.side)
    job = {name: site / f"{name}.tif" for name in ("sentinel1", "sentinel2")}
    job |= {"model": site / "model.twinns", "device": "cpu", "precision": "float32", "memory": 4096}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        schedulers = {count: start_cluster(count, stack) for count in seconds}
        for number in range(options.rounds + 1):
            for count, scheduler in schedulers.items():
                found = seconds_of({**job, "scheduler": scheduler})
                if number:
                    seconds[count].append(found)
    print(f"{options.method}, {options.size}, {options.dates} dates, {options.side} x {options.side} pixels")
    for count, found in seconds.items():
        print(f"workers: {count}", *(f"{options.side**2 / one:,.0f} px/s" for one in found), sep=", ")
    print(f"ratio of the best: {min(seconds[1]) / min(seconds[2]):.2f}, on {cpu_count()} cores")


def start_cluster(workers: int, stack: ExitStack) -> str:
    """Returns the address of a new scheduler with so many workers; all end with the stack."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True)
    stack.callback(scheduler.kill)
    address = next(filter(None, (re.search(r"tcp://[\d.:]+", line) for line in scheduler.stderr or ())))[0]
    for core in range(workers):
        command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "distributed.cli.dask_worker", address]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        worker = subprocess.Popen([*command, "--nthreads", "2", "--no-nanny", "--no-dashboard"], **quiet)
        stack.callback(worker.kill)
    return address


def seconds_of(job: dict[str, Any]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        MapCover(**job, output=Path(folder) / "map.tif").run(Reporter())
        return time.monotonic() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--method", default="TWINNS")
    parser.add_argument("--size", default="compact", choices=("paper", "compact", "small"))
    parser.add_argument("--dates", type=int, nargs=2, default=[24, 34], metavar=("S1", "S2"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
