"""The job that designs a sample, and the way from there to an assessment and to a training."""

import geopandas
import numpy as np
import pyogrio
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.jobs.assess_map import AssessMap
from twinns_qgis.jobs.design_sample import DesignSample
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.reporter import Reporter

NAMES = {1: "water", 2: "wheat", 3: "wood"}


@pytest.fixture
def cover(site, tmp_path, write_raster):
    """Writes a map of the site whose tenth is wrong; returns its path and codes."""
    random = np.random.default_rng(0)
    codes = site.truth + 1
    wrong = random.random(codes.shape) < 0.1
    codes[wrong] = random.integers(1, 4, wrong.sum())
    write_raster(tmp_path / "map.tif", codes.astype("uint8")[None], nodata=0)
    with rasterio.open(tmp_path / "map.tif", "r+") as dataset:
        dataset.update_tags(1, **{f"CLASS_{code}": name for code, name in NAMES.items()})
    return tmp_path / "map.tif", codes


def label(path, truth):
    """Labels a sample as somebody would who knows the land; returns the layer."""
    table = geopandas.read_file(path, layer="sample")
    columns, rows = ((table.geometry.x - 500000) // 10).astype(int), ((5600000 - table.geometry.y) // 10).astype(int)
    table["class"] = [NAMES[code] for code in truth[rows, columns] + 1]
    labelled = path.with_name("labelled.gpkg")
    table.to_file(labelled, layer="sample")
    return labelled


def test_points_hide_what_the_map_shows_and_lie_at_pixels_centres(cover, tmp_path):
    outputs = DesignSample(map=cover[0], size=90, allocation="equal", output=tmp_path / "sample.gpkg").run(Reporter())
    table = geopandas.read_file(tmp_path / "sample.gpkg", layer="sample")
    assert outputs["count"] == len(table) == 90
    assert list(table.columns) == ["id", "class", "note", "geometry"]
    assert table["class"].isna().all()
    assert table["id"].tolist() == list(range(1, 91))
    assert set(table.geometry.x % 10) == set(table.geometry.y % 10) == {5.0}
    style = pyogrio.read_dataframe(tmp_path / "sample.gpkg", layer="layer_styles")
    assert all(name in style["styleQML"][0] for name in NAMES.values())


def test_a_labelled_sample_assesses_the_map_and_its_intervals_hold_the_truth(site, cover, tmp_path):
    path, codes = cover
    area = [float((site.truth == number).sum()) / 100 for number in range(3)]
    held = []
    for seed in range(10):
        DesignSample(map=path, size=200, seed=seed, output=tmp_path / "sample.gpkg").run(Reporter())
        how = {"reference": str(label(tmp_path / "sample.gpkg", site.truth)), "class_field": "class"}
        table = tmp_path / "table.csv"
        AssessMap(map=path, **how, probability_sample="yes", table=table).run(Reporter())
        rows = [row.split(",") for row in table.read_text().splitlines()]
        found = {(row[0], row[1]): (float(row[3]), float(row[4])) for row in rows if row[0].startswith("adjusted")}
        value, half = found["adjusted_accuracy", ""]
        held.append(abs(value - (codes == site.truth + 1).mean()) <= half)
        held += [
            abs(found["adjusted_area", name][0] - own) <= found["adjusted_area", name][1]
            for name, own in zip(NAMES.values(), area, strict=True)
        ]
    assert np.mean(held) >= 0.85


def test_a_labelled_sample_trains_a_model(site, cover, tmp_path):
    DesignSample(map=cover[0], size=90, allocation="equal", output=tmp_path / "sample.gpkg").run(Reporter())
    outputs = TrainModel(
        sentinel1=site.sentinel1,
        sentinel2=site.sentinel2,
        polygons=str(label(tmp_path / "sample.gpkg", site.truth)),
        class_field="class",
        method="RF",
        trees="20",
        depths="20",
        touching_pixels="keep",
        model=tmp_path / "model.twinns",
    ).run(Reporter())
    assert outputs["accuracy"] > 0.9


def test_the_number_of_points_follows_from_the_error_that_is_wanted(cover, tmp_path, listener):
    how = {"map": cover[0], "expected": "0.9", "target_error": 0.02, "allocation": "proportional"}
    outputs = DesignSample(**how, output=tmp_path / "sample.gpkg").run(listener)
    assert outputs["count"] == pytest.approx(225, abs=2)  # 0.9 * 0.1 / 0.02**2
    assert any(message.startswith(f"{outputs['count']} points: water ") for message in listener.messages)


def test_more_points_than_wanted_and_than_a_class_has_are_told(cover, tmp_path, listener):
    DesignSample(map=cover[0], size=30, least=50, output=tmp_path / "sample.gpkg").run(listener)
    assert any("more than the 30 that were wanted" in warning for warning in listener.warnings)
    DesignSample(map=cover[0], size=100_000, allocation="equal", output=tmp_path / "sample.gpkg").run(listener)
    assert any("All pixels of water, wheat, wood are drawn" in warning for warning in listener.warnings)


def test_what_cannot_be_sampled_is_refused(cover, tmp_path, write_raster):
    write_raster(tmp_path / "one.tif", np.ones((1, 5, 5), "uint8"), nodata=0)
    with pytest.raises(InputError, match="shows 1 class"):
        DesignSample(map=tmp_path / "one.tif", output=tmp_path / "sample.gpkg").run(Reporter())
    with pytest.raises(InputError, match=r"can't be written to .*sample\.shp"):
        DesignSample(map=cover[0], output=tmp_path / "sample.shp").run(Reporter())
