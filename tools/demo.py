"""The main job, end to end, as a user does it: through qgis_process, on a simulated site.

Makes the site, prepares both series, trains a compact TWINNS, maps, and draws the map beside the truth. Run by
``make demo``; everything lands in ``build/demo``.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INTERPRETER = ROOT / ".venv" / "bin" / "python"


def main() -> int:
    """Runs the demonstration; returns the exit status."""
    options = _options()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = qgis_environment(folder)
    site = folder / "site"
    started = time.monotonic()

    run("createdemosite", environment, SIZE=options.size, SEED=options.seed, FOLDER=site)
    run(
        "preparesentinel2",
        environment,
        FOLDER=site / "sentinel2",
        OUTPUT=folder / "sentinel2.tif",
        REPORT=folder / "sentinel2.html",
    )
    run(
        "preparesentinel1",
        environment,
        FOLDER=site / "sentinel1",
        REFERENCE=folder / "sentinel2.tif",
        OUTPUT=folder / "sentinel1.tif",
    )
    series = {"SENTINEL1": folder / "sentinel1.tif", "SENTINEL2": folder / "sentinel2.tif"}
    trained = run(
        "trainmodel",
        environment,
        **series,
        POLYGONS=site / "polygons.gpkg",
        CLASS_FIELD="class",
        SIZE="compact",
        EPOCHS=options.epochs,
        MODEL=folder / "landcover.twinns",
        REPORT=folder / "report.html",
    )
    run("mapcover", environment, **series, MODEL=folder / "landcover.twinns", OUTPUT=folder / "map.tif")

    picture = folder / "map_beside_truth.png"
    agreement = draw(picture, folder / "map.tif", site / "truth.tif")
    print(f"\nDone in {(time.monotonic() - started) / 60:.1f} minutes. Everything is in {folder}:")
    print(f"  {picture.name}: the map beside the truth")
    print("  sentinel2.html: the report of the Sentinel-2 series")
    print("  report.html: the report of the training")
    print(f"Accuracy on the test polygons: {float(trained['ACCURACY']):.4f}")
    print(f"Accuracy against the true map, all pixels: {agreement:.4f}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    return parser.parse_args()


def qgis_environment(folder: Path) -> dict[str, str]:
    """Returns the environment for qgis_process, with a profile of its own in which the plugin is enabled."""
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "twinns").symlink_to(ROOT)
    environment = {
        **os.environ,
        # QGIS takes the first python3 of the path for its own: that of pyenv, say, would bring it down.
        "PATH": os.pathsep.join([str(Path(qgis_process()).parent), os.environ.get("PATH", "")]),
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(plugins),
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
        "TWINNS_PYTHON": str(INTERPRETER),
    }
    subprocess.run([qgis_process(), "plugins", "enable", "twinns"], env=environment, check=True, capture_output=True)
    return environment


def qgis_process() -> str:
    """Returns the path of qgis_process; Debian 12 hides the real one behind a wrapper."""
    for name in ("qgis_process.bin", "qgis_process"):
        path = shutil.which(name)
        if path:
            return path
    sys.exit("qgis_process was not found: install QGIS.")


def run(algorithm: str, environment: dict[str, str], **parameters: object) -> dict[str, str]:
    """Runs one algorithm, showing what it says; returns its results."""
    command = [qgis_process(), "run", f"twinns:{algorithm}", "--"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    print(f"\n{algorithm} {' '.join(command[4:])}", flush=True)
    results = {}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print("  " + line, end="", flush=True)
            match = re.match(r"([A-Z_0-9]+):\s+(.*)", line)
            if match:
                results[match[1]] = match[2].strip()
    if process.returncode:
        sys.exit(f"{algorithm} failed.")
    return results


def draw(picture: Path, cover: Path, truth: Path) -> float:
    """Draws the map beside the truth; returns the share of pixels where they agree."""
    code = (
        "import sys; from pathlib import Path; "
        "from twinns_qgis.demo.comparison import write_map_beside_truth; "
        "print(write_map_beside_truth(*map(Path, sys.argv[1:])))"
    )
    command = [str(INTERPRETER), "-c", code, str(picture), str(cover), str(truth)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    sys.exit(main())
