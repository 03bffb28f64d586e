"""A set-up of a compute environment that takes a second: its lock has one tiny package, its trial is quick."""

import sys
from pathlib import Path

from twinns_qgis.reporter import Reporter

UV = Path(sys.executable).with_name("uv")
TRIAL = """import json, sys, tiny
print(json.dumps({"loss": 1.5, "speeds": {"cpu:0": 9.0}, "versions": {"tiny": "1.0"}, "python": "3", "backend": "x"}))
"""
RUN = """
import dataclasses, json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from twinns_qgis.compute.backends import BACKENDS
from twinns_qgis.compute.installation import Installation, Request, Surroundings
from twinns_qgis.compute.installers import Source
from twinns_qgis.compute.place import Place
from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
class Loud(Reporter):
    def progress(self, fraction, message=""):
        print(message, flush=True)
BACKENDS["tensorflow"] = dataclasses.replace(BACKENDS["tensorflow"], disk=1)
surroundings = Surroundings(Path(sys.argv[2]), json.loads(sys.argv[3]), os.environ)
try:
    Installation(Place(Path(sys.argv[4])), surroundings, Loud()).run(Request(source=Source(Path(sys.argv[5]))))
except InputError as error:
    sys.exit(str(error))
"""
"""A program that sets up: of the project, the plugin, the environment variables, the profile and the wheels."""


class Listener(Reporter):
    """Remembers what it hears; is cancelled once it hears a word."""

    def __init__(self, stop_at="\0"):
        self.said, self.stop_at, self.stop = [], stop_at, False

    def progress(self, fraction, message=""):
        self.info(message)

    def info(self, message):
        self.said.append(message)
        self.stop |= self.stop_at in message

    warning = info

    @property
    def cancelled(self):
        return self.stop
