"""The plugin as QGIS loads it, in the toolbox and in ``qgis_process``."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from file_server import serving
from osgeo import gdal, osr
from qgis import utils
from qgis.core import QgsApplication

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"landcover", "landcoverforest", "landcoverfrommodel"}
JOBS = {
    "createdemosite", "findscenes", "downloadscenes", "preparesentinel2", "preparesentinel1", "trainmodel", "mapcover",
    "smoothmap", "comparemethods", "designsample", "assessmap",
}  # fmt: skip
ALGORITHMS = {*JOBS, *MODELS, "setupcompute", "checkcompute"}


def test_the_plugin_loader_loads_it_and_takes_it_back(plugin, qgis_iface, monkeypatch):
    registry = QgsApplication.processingRegistry()
    # Debian's wrapper and pytest-qgis give different interfaces; the plugin uses neither.
    monkeypatch.setattr(utils, "iface", qgis_iface)
    assert utils.unloadPlugin("twinns")
    assert registry.providerById("twinns") is None
    assert utils.loadPlugin("twinns")
    assert utils.startPlugin("twinns")
    assert {item.name() for item in registry.providerById("twinns").algorithms()} == ALGORITHMS
    assert utils.unloadPlugin("twinns")
    assert registry.providerById("twinns") is None
    assert utils.loadPlugin("twinns")
    assert utils.startProcessingPlugin("twinns")


def test_every_algorithm_can_be_found_and_explains_itself(provider):
    icons = set()
    for algorithm in QgsApplication.processingRegistry().providerById("twinns").algorithms():
        assert algorithm.name().isascii()
        assert algorithm.name().islower()
        assert algorithm.displayName() != algorithm.name()
        assert algorithm.group()
        assert len(algorithm.shortHelpString()) > 100
        icons.add(algorithm.icon().isNull())
    assert icons == {False}


@pytest.fixture(scope="module")
def qgis_process(tmp_path_factory):
    """Runs ``qgis_process`` in a fresh profile in which the plugin is enabled."""
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("there is no qgis_process")
    folder = tmp_path_factory.mktemp("qgis_process")
    (folder / "plugins").mkdir()
    (folder / "plugins/twinns").symlink_to(ROOT)
    variables = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(folder / "plugins"),
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def call(*words, **more):
        return subprocess.run(
            [program, *words], env={**variables, **more}, capture_output=True, text=True, timeout=120, check=False
        )

    assert call("plugins", "enable", "twinns").returncode == 0
    return call


def test_qgis_process_lists_the_algorithms(qgis_process):
    listed = json.loads(qgis_process("list", "--json").stdout)["providers"]["twinns"]["algorithms"]
    assert set(listed) == {f"twinns:{name}" for name in ALGORITHMS}


@pytest.mark.parametrize("model", sorted(MODELS))
def test_qgis_process_shows_the_outputs_of_the_models(qgis_process, model):
    outputs = json.loads(qgis_process("help", f"twinns:{model}", "--json").stdout)["outputs"]
    learned = set() if model == "landcoverfrommodel" else {"MODEL", "REPORT"}
    assert {name.split(":")[1] for name in outputs} == {"MAP", "SENTINEL1", "SENTINEL2", *learned}


def test_qgis_process_runs_an_algorithm(qgis_process, worker, tmp_path):
    stand_in = worker("finish(folder=request['parameters']['folder'])")
    folder = str(tmp_path / "site")
    parameters = ["--", f"FOLDER={folder}", "SIZE=64"]
    done = qgis_process("run", "twinns:createdemosite", "--json", *parameters, TWINNS_PYTHON=str(stand_in))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"] == {"FOLDER": folder}


def test_qgis_process_fails_with_the_message_of_the_worker(qgis_process, worker, tmp_path):
    stand_in = worker("say(type='error', kind='input', message='The folder is full.', hint='Empty it.')\nsys.exit(1)")
    done = qgis_process(
        "run", "twinns:createdemosite", "--", f"FOLDER={tmp_path / 'site'}", TWINNS_PYTHON=str(stand_in)
    )
    assert done.returncode != 0
    assert "The folder is full." in done.stdout + done.stderr


def test_qgis_process_says_how_to_get_an_environment(qgis_process, tmp_path):
    done = qgis_process("run", "twinns:createdemosite", "--", f"FOLDER={tmp_path / 'site'}", TWINNS_PYTHON="")
    assert done.returncode != 0
    assert "twinns:setupcompute" in done.stdout + done.stderr


def test_qgis_process_makes_the_demo_site_with_the_real_worker(qgis_process, compute_python, tmp_path):
    folder = tmp_path / "site"
    done = qgis_process(
        "run", "twinns:createdemosite", "--", f"FOLDER={folder}", "SIZE=64", TWINNS_PYTHON=str(compute_python)
    )
    assert done.returncode == 0, done.stderr
    assert list(folder.rglob("*.tif"))


def test_qgis_process_downloads_scenes_with_the_real_worker(qgis_process, compute_python, tmp_path):
    values = np.random.default_rng(0).integers(1, 4000, (300, 300)).astype("uint16")
    (tmp_path / "archive").mkdir()
    band = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "archive/B02.tif"), 300, 300, 1, gdal.GDT_UInt16)
    band.SetGeoTransform((500000, 10, 0, 5600000, 0, -10))
    system = osr.SpatialReference()
    system.ImportFromEPSG(32631)
    band.SetProjection(system.ExportToWkt())
    band.GetRasterBand(1).WriteArray(values)
    del band
    with serving(tmp_path / "archive") as server:
        item = {"type": "Feature", "stac_version": "1.0.0", "id": "S2A_31UES_20210601_0_L2A", "geometry": None,
                "properties": {"datetime": "2021-06-01T10:50:31Z"}, "links": [],
                "assets": {"blue": {"href": f"{server.url}/B02.tif"}}}  # fmt: skip
        scenes = {"type": "FeatureCollection", "twinns:api": server.url, "features": [item]}
        (tmp_path / "scenes.geojson").write_text(json.dumps(scenes))
        done = qgis_process(
            "run", "twinns:downloadscenes", "--json", "--", f"SCENES={tmp_path / 'scenes.geojson'}", "MARGIN=0",
            "EXTENT=501000,502000,5598000,5599000 [EPSG:32631]", f"FOLDER={tmp_path / 'scenes'}",
            TWINNS_PYTHON=str(compute_python), TWINNS_OWN_HOSTS="127.0.0.1",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"] == {"FOLDER": str(tmp_path / "scenes"), "COUNT": 1}
    part = gdal.Open(str(tmp_path / "scenes/S2A_31UES_20210601_0_L2A/B02.tif"))
    left, _, _, top, _, _ = part.GetGeoTransform()
    row, column = round((5600000 - top) / 10), round((left - 500000) / 10)
    height, width = part.RasterYSize, part.RasterXSize
    assert (row, column) < (100, 100)
    np.testing.assert_array_equal(part.ReadAsArray(), values[row : row + height, column : column + width])
