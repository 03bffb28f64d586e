"""The examples in docstrings give what they say."""

import doctest
import importlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.demo.site import create_demo_site
from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.methods import Method
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import Series
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import write_model

ROOT = Path(__file__).resolve().parents[2]
WITH_EXAMPLES = [path for path in sorted((ROOT / "twinns_qgis").rglob("*.py")) if ">>>" in path.read_text("utf-8")]
SENSORS = ("sentinel1", "sentinel2")


@pytest.fixture(scope="session")
def files(site, tmp_path_factory):
    """A folder with what examples name: a demo site, two series, polygons and a model."""
    folder = tmp_path_factory.mktemp("examples")
    create_demo_site(folder / "site", size=64, reporter=Reporter())
    for name in (*SENSORS, "polygons"):
        shutil.copy(getattr(site, name), folder)
    series = {name: Series.open(getattr(site, name)) for name in SENSORS}
    bare = [Sensor.of(name, one) for name, one in series.items()]
    counts = [len(sensor.variables) for sensor in bare]
    sensors = [
        replace(sensor, minimum=(-30.0,) * count, maximum=(30.0,) * count)
        for sensor, count in zip(bare, counts, strict=True)
    ]
    classes = [LandCoverClass(code, name, "#123456") for code, name in [(10, "water"), (20, "wheat"), (30, "wood")]]
    manifest = Manifest(Method.of("RF"), "small", tuple(sensors), tuple(classes))
    tables = manifest.method.tables(manifest.sensors, None)
    table = np.asarray(tables({name: one.read(margin=2)[None] for name, one in series.items()})["series"])
    forest = RandomForestClassifier(3, max_depth=3, random_state=0).fit(table.reshape(3600, -1), site.truth.ravel())
    write_model(folder / "model.twinns", manifest, TrainedForests(tables, {"series": forest}), [])
    return folder


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(ROOT / "twinns_qgis").as_posix())
def test_examples_give_what_they_say(path, files, tmp_path, monkeypatch):
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed
