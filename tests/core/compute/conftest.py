"""What tests of setting up share: a plugin with a tiny lock, its wheel, and a profile to set up in."""

import hashlib
import os
import sys
import zipfile

import pytest
from tiny_setup import TRIAL, UV, Listener

from twinns_qgis.compute import installation
from twinns_qgis.compute.installation import Installation, Request, Surroundings
from twinns_qgis.compute.installers import Source
from twinns_qgis.compute.place import Place


@pytest.fixture
def wheels(tmp_path):
    """A folder with the wheel of the package tiny."""
    folder = tmp_path / "wheels, 100% #1 é"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return folder


@pytest.fixture
def plugin(tmp_path, wheels):
    """A plugin with a lock of that package, and a trial that imports it."""
    folder = tmp_path / "plugin é #1 100%"
    (folder / "twinns_qgis/training").mkdir(parents=True)
    (folder / "twinns_qgis/__init__.py").touch()
    (folder / "twinns_qgis/training/__init__.py").touch()
    (folder / "twinns_qgis/training/trial.py").write_text(TRIAL)
    digest = hashlib.sha256((wheels / "tiny-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    lock = f"tiny==1.0 \\\n    --hash=sha256:{digest}\n    # via twinns-qgis (pyproject.toml)\n"
    (folder / "requirements.txt").write_text(lock)
    (folder / "requirements-uv.txt").write_text("uv==0.0.1 \\\n    --hash=sha256:0\n")
    return folder


@pytest.fixture
def setup(tmp_path, plugin, monkeypatch):
    """Returns a function that sets up in a profile of its own, and the place."""
    if not UV.is_file():
        pytest.skip("uv is not installed beside this Python")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").symlink_to(UV)
    (programs / "python3.12").symlink_to(sys.executable)
    monkeypatch.setattr(installation, "has_nvidia", lambda variables: False)
    variables = {"PATH": str(programs), "PYTHONPATH": str(plugin), "HOME": str(tmp_path)}
    place = Place(tmp_path / "Profil Élodie 100% #1")
    surroundings = Surroundings(plugin, variables, os.environ)

    def run(listener=None, **request):
        source = Source(request.pop("wheels", None))
        return Installation(place, surroundings, listener or Listener()).run(Request(source=source, **request))

    run.place, run.programs, run.surroundings = place, programs, surroundings
    return run
