"""Kills the set-up of the compute environment at random moments, and looks whether anything half is taken for whole.

It is the real set-up, from the locks, in an empty profile below build/, over the network or from a folder of wheels. It
takes minutes, so it is no test. Run it as ``python3 tools/kill_setup.py [--wheels FOLDER] [--seed N] [--times N]``.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from twinns_qgis.compute.installation import Installation, Request, Surroundings  # noqa: E402
from twinns_qgis.compute.installers import Source  # noqa: E402
from twinns_qgis.compute.place import Place  # noqa: E402
from twinns_qgis.compute.trial import take_trial  # noqa: E402
from twinns_qgis.reporter import Reporter  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--longest", type=float, default=40, help="seconds that a set-up takes")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    place = Place(ROOT / "build/killed")
    if options.once:
        Installation(place, Surroundings(ROOT, _variables(), os.environ), Reporter()).run(
            Request("tensorflow", source=Source(options.wheels))
        )
        return
    shutil.rmtree(place.folder.parent, ignore_errors=True)
    print(f"seed {options.seed}")
    moments = random.Random(options.seed)
    command = [sys.executable, __file__, "--once", *(["--wheels", str(options.wheels)] if options.wheels else [])]
    for _ in range(options.times):
        moment = moments.uniform(0, options.longest)
        with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as process:
            time.sleep(moment)
            os.killpg(process.pid, signal.SIGKILL)
        print(f"killed after {moment:.1f} s: {_state(place)}", flush=True)
    subprocess.run(command, check=True)
    print(f"set up: {_state(place)}")


def _variables() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


def _state(place: Place) -> str:
    """Returns in words what counts now; ends the program if that does not compute."""
    current = place.current()
    if current is None:
        return "nothing counts"
    ended, told = take_trial(
        Path(current.python), {**_variables(), "KERAS_BACKEND": current.keras}, seconds=300, between=lambda: None
    )
    if told is None:
        sys.exit(f"{current.python} is taken for whole, and does not compute:\n{ended.text}")
    return f"{Path(current.python).parents[1].name} counts, and computes"


if __name__ == "__main__":
    main()
