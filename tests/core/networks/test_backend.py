"""What Keras runs on: jobs run on each backend, and one model file gives the same scores on all."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import rasterio

from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.methods import Method
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import read_model, write_model

ROOT = Path(__file__).resolve().parents[3]

# Trains a model and maps with it, then tells its scores and those of a model that another backend wrote.
WORK = """
import json
import sys
from pathlib import Path

import numpy as np

from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.reporter import Reporter

series, polygons, other, folder = json.loads(sys.argv[1])
folder = Path(folder)
TrainModel(
    **{name: Path(path) for name, path in series.items()}, polygons=polygons, class_field="name", device="cpu",
    method="TWINNS(S1)", size="small", epochs=2, learning_rate=1e-3, model=folder / "own.twinns",
).run(Reporter())
MapCover(
    **{name: Path(path) for name, path in series.items()}, model=folder / "own.twinns", device="cpu",
    output=folder / "own.tif",
).run(Reporter())

from twinns_qgis.training.model_file import read_model

raw = dict(np.load(folder / "raw.npz"))
scores = {}
for name, path in (("own", folder / "own.twinns"), ("other", other)):
    model = read_model(Path(path))
    for side in (5, 8):  # patches and blocks
        values = {sensor.name: raw[sensor.name][:, :side, :side] for sensor in model.manifest.sensors}
        scores[f"{name} {side}"] = model.classifier.scores(values)
np.savez(folder / "scores.npz", **scores)
"""


@pytest.fixture(params=[name for name in ("tensorflow", "jax", "torch") if name != keras.config.backend()])
def backend(request):
    """A backend other than this process's."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture
def model(make_sensors, randomise, tmp_path):
    """A model file that this process's backend writes."""
    classes = tuple(LandCoverClass(code, f"class {code}", "#00ff00") for code in (1, 2, 3))
    manifest = Manifest(Method.of("TWINNS"), "small", make_sensors(4, 5), classes)
    write_model(tmp_path / "model.twinns", manifest, TrainedNetwork(randomise(manifest.build())), [])
    return tmp_path / "model.twinns"


@pytest.mark.slow  # JAX compiles for half a minute
def test_jobs_and_model_files_run_alike_on_every_backend(
    backend, model, site, make_sensors, make_values, listener, tmp_path
):
    series = {"sentinel1": site.sentinel1, "sentinel2": site.sentinel2}
    raw = make_values(make_sensors(4, 5), 2, 8, 8)
    np.savez(tmp_path / "raw.npz", **raw)
    paths = {name: str(path) for name, path in series.items()}
    subprocess.run(
        [sys.executable, "-c", WORK, json.dumps([paths, str(site.polygons), str(model), str(tmp_path)])],
        cwd=ROOT,
        # Without its optimisations XLA compiles in half the time.
        env={**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_backend_optimization_level=0"},
        check=True,
    )
    own, other = read_model(tmp_path / "own.twinns"), read_model(model)
    with np.load(tmp_path / "scores.npz") as scores:
        for side in (5, 8):
            values = {name: block[:, :side, :side] for name, block in raw.items()}
            np.testing.assert_allclose(scores[f"other {side}"], other.classifier.scores(values), atol=1e-4)
            radar = {"sentinel1": values["sentinel1"]}
            np.testing.assert_allclose(scores[f"own {side}"], own.classifier.scores(radar), atol=1e-4)
    assert own.manifest.versions["backend"] == backend
    assert own.history[-1].loss < own.history[0].loss

    MapCover(**series, model=own.path, output=tmp_path / "again.tif").run(listener)
    with rasterio.open(tmp_path / "own.tif") as theirs, rasterio.open(tmp_path / "again.tif") as ours:
        assert (theirs.read(1) == ours.read(1)).mean() > 0.99
