"""Takes the pictures of the manual: a real QGIS window on the simulated site, in a screen of its own (Xvfb).

    python3 tools/pictures.py [--folder build/pictures] [--display]

Runs the line from folders to map by a random forest, and shows the dialogs, the series, the year as the temporal
controller plays it, the results viewer, the report, and the map with its legend. Everything lands in docs/images; look
at each picture before it is committed. With --display it uses the screen that is there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INTERPRETER = ROOT / ".venv" / "bin" / "python"
PICTURES = ROOT / "docs" / "images"


def main() -> int:
    """Starts QGIS with the script that takes the pictures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "pictures")
    parser.add_argument("--display", action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    if not (folder / "site").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [INTERPRETER, "-m", "twinns_qgis", "create-demo-site", "--folder", folder / "site"]
        subprocess.run(command, cwd=ROOT, check=True)
    for name in ("profile", "plugins", "results"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "plugins").mkdir()
    (folder / "results").mkdir()
    (folder / "plugins" / "twinns").symlink_to(ROOT)
    qgis = shutil.which("qgis.bin") or shutil.which("qgis")
    if qgis is None:
        sys.exit("qgis was not found: install QGIS.")
    screen = [] if options.display else ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1500x950x24"]
    environment = {
        **os.environ,
        # QGIS takes the first python3 of the path for its own: that of pyenv, say, has no QGIS.
        "PATH": os.pathsep.join([str(Path(qgis).parent), os.environ.get("PATH", "")]),
        "QGIS_PLUGINPATH": str(folder / "plugins"),
        "TWINNS_PYTHON": str(INTERPRETER),
        "TWINNS_PICTURES": str(PICTURES),
        "TWINNS_FOLDER": str(folder),
    }
    command = [*screen, qgis, "--nologo", "--noversioncheck", "--profiles-path", folder / "profile"]
    command += ["--code", ROOT / "tools" / "pictures_in_qgis.py"]
    print(f"QGIS takes pictures; {folder / 'log.txt'} tells of it.")
    with (folder / "log.txt").open("w") as log:
        subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    told = (folder / "log.txt").read_text(encoding="utf-8")
    if "All pictures are taken" not in told:
        sys.exit(told[-3000:])
    print(f"Look at the pictures in {PICTURES}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
