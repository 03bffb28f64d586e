"""The plugin in QGIS, and workers that behave as a test wants."""

import contextlib
import json
import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from osgeo import gdal, osr
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback, QgsProject
from qgis.gui import QgsMapCanvas

ROOT = Path(__file__).resolve().parents[2]

# What a worker begins with: it reads the job, and can speak.
WORKER = f"""#!{sys.executable}
import json, os, signal, sys, time
if sys.argv[1:] != ["-m", "twinns_qgis", "worker"]:
    sys.exit("a call that no worker knows: " + " ".join(sys.argv[1:]))
request = json.loads(sys.stdin.readline())
def say(**message):
    print(json.dumps(message), flush=True)
def finish(**outputs):
    say(type="result", outputs=outputs)
    sys.exit()
"""


@pytest.fixture(scope="session")
def plugin(qgis_app, qgis_processing, tmp_path_factory):
    """The plugin, started by the plugin loader."""
    from qgis import utils

    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "twinns").symlink_to(ROOT)
    sys.path.insert(0, str(plugins))
    utils.plugin_paths.append(str(plugins))
    utils.updateAvailablePlugins()
    assert utils.loadPlugin("twinns")
    assert utils.startProcessingPlugin("twinns")
    yield utils.plugins["twinns"]
    utils.unloadPlugin("twinns")


@pytest.fixture
def provider(plugin):
    """The plugin's provider."""
    return QgsApplication.processingRegistry().providerById("twinns")


@pytest.fixture
def program(tmp_path):
    """Makes an executable file of a text; returns its path."""

    def make(text):
        path = tmp_path / f"program{len(list(tmp_path.glob('program*')))}"
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def worker(program, monkeypatch):
    """Makes a stand-in for the interpreter that runs the given lines as its worker, and chooses it."""

    def make(lines):
        path = program(WORKER + lines)
        monkeypatch.setenv("TWINNS_PYTHON", str(path))
        return path

    return make


@pytest.fixture
def echo(worker):
    """Chooses a worker that writes the request to a file, and returns that file."""
    path = worker("open(sys.argv[0] + '.json', 'w').write(json.dumps(request))\nfinish()\n")
    return path.with_name(path.name + ".json")


@pytest.fixture
def project():
    """The project, which is emptied in the end."""
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def canvas(plugin, project):
    """A map whose temporal controller the series of the project follow."""
    from twinns.algorithms.year import Year

    canvas = QgsMapCanvas()
    canvas.resize(40, 40)
    canvas.setCachingEnabled(True)  # as that of QGIS's window
    year = Year(canvas)
    year.follow()
    yield canvas
    year.forget()
    canvas.deleteLater()


@pytest.fixture
def make_series(tmp_path):
    """Makes a series of one sensor, 4 x 4 pixels, as a file, with or without a CRS; returns its path."""

    def make(name="s2.tif", bands=("B4",), dates=("2018-05-07",), epsg=32631):
        descriptions = [f"{day} {band}" for day in dates for band in bands]
        path = str(tmp_path / name)
        dataset = gdal.GetDriverByName("GTiff").Create(path, 4, 4, len(descriptions), gdal.GDT_Int16)
        if epsg:
            crs = osr.SpatialReference()
            crs.ImportFromEPSG(epsg)
            dataset.SetProjection(crs.ExportToWkt())
        dataset.SetGeoTransform((500000, 10, 0, 5600040, 0, -10))
        for number, description in enumerate(descriptions, 1):
            dataset.GetRasterBand(number).SetDescription(description)
        return path

    return make


@pytest.fixture
def make_view(make_series):
    """Makes a Sentinel-1 series with its view beside it; returns the path of the view."""

    def make(name="s1.tif", dates=("2018-05-07", "2018-05-19")):
        series = Path(make_series(name, bands=("VV", "VH"), dates=dates))
        bands = (f"<Description>{day} {name}</Description>" for day in dates for name in ("VV", "VH", "VV-VH"))
        source = f'<SimpleSource><SourceFilename relativeToVRT="1">{series.name}</SourceFilename></SimpleSource>'
        text = "".join(f'<VRTRasterBand dataType="Float32">{band}{source}</VRTRasterBand>' for band in bands)
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(32631)
        place = f"<SRS>{crs.ExportToWkt()}</SRS><GeoTransform>500000, 10, 0, 5600040, 0, -10</GeoTransform>"
        view = series.with_name(series.name + ".vrt")
        view.write_text(f'<VRTDataset rasterXSize="4" rasterYSize="4">{place}{text}</VRTDataset>')
        return str(view)

    return make


@pytest.fixture
def make_model(tmp_path):
    """Makes a model file as far as QGIS reads one; returns its path."""

    def make(dates=("2018-05-07",), **bands):
        sensors = [{"name": name, "dates": dates, "bands": of_one} for name, of_one in bands.items()]
        with zipfile.ZipFile(tmp_path / "a.twinns", "w") as archive:
            archive.writestr("manifest.json", json.dumps({"sensors": sensors}))
        return str(tmp_path / "a.twinns")

    return make


class Feedback(QgsProcessingFeedback):
    """Remembers what it is told."""

    def __init__(self):
        super().__init__(False)
        self.said = []

    def setProgressText(self, text):
        self.said.append(("progress", text))

    def pushInfo(self, info):
        self.said.append(("info", info))

    def pushWarning(self, warning):
        self.said.append(("warning", warning))

    def pushDebugInfo(self, info):
        self.said.append(("debug", info))

    def reportError(self, error, fatalError=False):
        self.said.append(("error", error))


@pytest.fixture
def feedback():
    return Feedback()


@pytest.fixture
def context():
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    yield context
    # pytest lets go of it only after QGIS has ended, when layers can't be closed any more.
    context.temporaryLayerStore().removeAllMapLayers()


@pytest.fixture
def run(provider, context, feedback):
    """Runs an algorithm as Processing does, but for the exceptions, which the caller gets."""

    def call(name, parameters):
        algorithm = provider.algorithm(name).create()
        good, why_not = algorithm.checkParameterValues(parameters, context)
        assert good, why_not
        results, _ = algorithm.run(parameters, context, feedback, {}, False)
        return results

    return call


@pytest.fixture
def running():
    """Finds the running processes whose command line holds a text."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("processes are found through /proc, which only Linux has")

    def find(text):
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if str(text).encode() in (process / "cmdline").read_bytes():
                    found.append(int(process.name))
        return found

    return find


@pytest.fixture(scope="session")
def compute_python():
    """The interpreter of a real compute environment."""
    path = Path(os.environ.get("TWINNS_PYTHON") or ROOT / ".venv/bin/python")
    if not path.is_file():
        pytest.skip(f"there is no compute environment at {path}: `make setup` makes it")
    return path
