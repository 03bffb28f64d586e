import hashlib
import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio

from twinns_qgis.demo import create_demo_site
from twinns_qgis.demo.acquisitions import sentinel1_dates, sentinel2_overpasses
from twinns_qgis.demo.classes import CLASSES, CODES
from twinns_qgis.demo.conditions import Conditions
from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.jobs.prepare_sentinel1 import PrepareSentinel1
from twinns_qgis.jobs.prepare_sentinel2 import PrepareSentinel2
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL2_BANDS, Series

SIZE = 64
MAKE_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from pathlib import Path
from twinns_qgis.demo import create_demo_site
from twinns_qgis.reporter import Reporter
create_demo_site(Path(sys.argv[1]), size=int(sys.argv[2]), seed=0, reporter=Reporter())
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "site"
    create_demo_site(folder, size=SIZE, seed=0, reporter=Reporter())
    return folder


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_in_another_process(demo, tmp_path):
    subprocess.run([sys.executable, "-c", MAKE_IN_ANOTHER_PROCESS, tmp_path / "again", str(SIZE)], check=True)
    assert hashes(demo) == hashes(tmp_path / "again")


def test_another_seed_gives_another_site(demo, tmp_path):
    create_demo_site(tmp_path / "other", size=SIZE, seed=1, reporter=Reporter())
    same = hashes(demo).items() & hashes(tmp_path / "other").items()
    alike = {"classes.csv", "truth.qml", "truth.tif.aux.xml"}  # they tell of the classes alone
    assert all(path.name in alike or "_EDG_" in path.name for path, _ in same)


def test_the_polygons_tell_the_class_as_text_and_as_code(demo):
    table = geopandas.read_file(demo / "polygons.gpkg", layer="polygons")
    assert list(table.columns) == ["id", "class", "code", "geometry"]
    assert table.id.is_unique
    assert set(zip(table["class"], table["code"], strict=True)) == {
        (item.land_cover.name, item.land_cover.code) for item in CLASSES
    }


def test_the_true_map_has_the_colours_of_the_classes(demo):
    with rasterio.open(demo / "truth.tif") as dataset:
        assert (dataset.shape, dataset.dtypes, dataset.nodata) == ((SIZE, SIZE), ("uint8",), 0)
        colors = dataset.colormap(1)
        assert dataset.read_masks(1).all()
    for line in (demo / "classes.csv").read_text().splitlines()[1:]:
        code, _, color = line.split(",")
        assert "#" + bytes(colors[int(code)][:3]).hex() == color


def test_every_pixel_is_clear_on_several_dates(demo):
    masks = np.stack([rasterio.open(path).read(1) > 0 for path in sorted(demo.rglob("*_CLM_R1.tif"))])
    assert len(masks) == 24
    assert 0.25 < masks.mean() < 0.45
    assert (~masks).sum(axis=0).min() >= 5
    assert masks[0].mean() < 0.5


def test_both_sensors_share_a_grid_that_the_coarser_pixels_fit(demo):
    grids = set()
    for path in [*demo.rglob("*.tif")]:
        with rasterio.open(path) as dataset:
            grids.add((dataset.crs.to_epsg(), *dataset.bounds))
    assert len(grids) == 1


@pytest.fixture(scope="module")
def series(demo, tmp_path_factory):
    """The series that the plugin prepares from the products of both sensors."""
    folder = tmp_path_factory.mktemp("series")
    paths = {"sentinel1": folder / "sentinel1.tif", "sentinel2": folder / "sentinel2.tif"}
    PrepareSentinel2(folder=demo / "sentinel2", output=paths["sentinel2"]).run(Reporter())
    PrepareSentinel1(folder=demo / "sentinel1", reference=paths["sentinel2"], output=paths["sentinel1"]).run(Reporter())
    return {sensor: Series.open(path) for sensor, path in paths.items()}


def test_the_products_become_series_with_all_dates_and_bands(series):
    assert series["sentinel2"].dates == tuple(item.day for item in sentinel2_overpasses())
    assert series["sentinel1"].dates == sentinel1_dates()
    assert series["sentinel2"].bands == SENTINEL2_BANDS
    assert series["sentinel1"].bands == SENTINEL1_BANDS


def test_clear_values_of_the_products_are_those_of_the_series(demo, series):
    optical = series["sentinel2"]
    values = optical.read()[:, :, 3, optical.bands.index("B4")]
    (red,) = demo.glob(f"sentinel2/*_{optical.dates[3]:%Y%m%d}-*/*_FRE_B4.tif")
    (mask,) = red.parent.glob("MASKS/*_CLM_R1.tif")
    clear = rasterio.open(mask).read(1) == 0
    np.testing.assert_array_equal(values[clear], rasterio.open(red).read(1)[clear])


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        create_demo_site(tmp_path, size=SIZE, reporter=Reporter())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    create_demo_site(folder, size=SIZE, reporter=Reporter())
    assert (folder / "truth.tif").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("size", [0, 62, 65])
def test_sizes_that_cannot_be_are_refused(tmp_path, size):
    with pytest.raises(InputError, match=f"is {size}"):
        create_demo_site(tmp_path / "site", size=size, reporter=Reporter())


def test_a_cancelled_run_leaves_nothing(tmp_path):
    class Impatient(Reporter):
        def __init__(self):
            self.fractions = []

        def progress(self, fraction, message=""):
            self.fractions.append(fraction)

        @property
        def cancelled(self):
            return len(self.fractions) > 5

    reporter = Impatient()
    with pytest.raises(Cancelled):
        create_demo_site(tmp_path / "site", size=SIZE, reporter=reporter)
    assert reporter.fractions == sorted(reporter.fractions)
    assert list(tmp_path.iterdir()) == []


def test_the_remains_of_a_killed_run_are_named(tmp_path):
    (tmp_path / "site.partial").mkdir()
    with pytest.raises(InputError, match=r"site\.partial exists"):
        create_demo_site(tmp_path / "site", size=SIZE, reporter=Reporter())


def test_noise_lies_on_the_same_fields_and_changes_what_is_measured(demo, tmp_path):
    create_demo_site(tmp_path / "hard", size=SIZE, seed=0, conditions=Conditions(noise=2), reporter=Reporter())
    usual, hard = hashes(demo), hashes(tmp_path / "hard")
    assert all(usual[name] == hard[name] for name in map(Path, ("polygons.gpkg", "truth.tif")))
    deviations = [_deviation(folder, "early crop") for folder in (demo, tmp_path / "hard")]
    assert 1.5 < deviations[1] / deviations[0] < 2.5


def test_fewer_labels_leave_three_polygons_of_each_class(tmp_path):
    create_demo_site(tmp_path / "few", size=SIZE, seed=0, conditions=Conditions(labelled=0.01), reporter=Reporter())
    table = geopandas.read_file(tmp_path / "few" / "polygons.gpkg")
    assert set(table["class"].value_counts()) == {3}


def test_another_year_has_the_same_fields_and_other_values(demo, tmp_path):
    create_demo_site(tmp_path / "later", size=SIZE, seed=0, conditions=Conditions(year=2020), reporter=Reporter())
    usual, later = hashes(demo), hashes(tmp_path / "later")
    assert all(usual[name] == later[name] for name in map(Path, ("polygons.gpkg", "truth.tif")))
    rasters = {path.name for path in later if path.suffix == ".tif" and path.name != "truth.tif"}
    assert all("_2020" in name for name in rasters)


def _deviation(site, name):
    """Returns the deviation of VV in dB among the pixels of a class, within the first date."""
    with rasterio.open(site / "truth.tif") as truth, rasterio.open(min((site / "sentinel1").glob("*vv*"))) as vv:
        own = truth.read(1) == CODES[name]
        return vv.read(1)[own].std()
