"""The job that assesses a map: what it writes, against a truth that is known."""

import csv

import geopandas
import numpy as np
import pytest
from shapely.geometry import Point
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from twinns_qgis.errors import InputError
from twinns_qgis.jobs.assess_map import AssessMap
from twinns_qgis.reporter import Reporter

ORIGIN = 500000, 5600000


@pytest.fixture
def noisy(site, tmp_path, write_raster):
    """Writes the site's truth with a tenth of its pixels wrong, as codes 10, 20 and 30; returns path and codes."""
    random = np.random.default_rng(0)
    codes = 10 * (site.truth + 1)
    wrong = random.random(codes.shape) < 0.1
    codes[wrong] = random.choice([10, 20, 30], wrong.sum())
    write_raster(tmp_path / "map.tif", codes.astype("uint8")[None], nodata=0)
    return tmp_path / "map.tif", codes


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_map_of_a_site_is_assessed_against_its_polygons(site, noisy, tmp_path, listener):
    path, codes = noisy
    outputs = AssessMap(
        map=path,
        reference=str(site.polygons),
        class_field="code",
        report=tmp_path / "report.html",
        table=tmp_path / "table.csv",
    ).run(listener)
    inner = np.zeros(codes.shape, bool)
    for row in range(0, 60, 10):
        for column in range(0, 60, 10):
            inner[row + 1 : row + 9, column + 1 : column + 9] = True
    truth, mapped = 10 * (site.truth[inner] + 1), codes[inner]
    assert outputs["accuracy"] == pytest.approx(accuracy_score(truth, mapped))
    assert outputs["kappa"] == pytest.approx(cohen_kappa_score(truth, mapped))
    assert outputs["f_measure"] == pytest.approx(f1_score(truth, mapped, average="weighted"))
    table = rows(tmp_path / "table.csv")
    pixels = {(row["class"], row["other"]): int(row["value"]) for row in table if row["measure"] == "pixels"}
    assert pixels["10", "20"] == ((mapped == 10) & (truth == 20)).sum()
    area = {row["class"]: float(row["value"]) for row in table if row["measure"] == "mapped_area"}
    assert area["30"] == pytest.approx((codes == 30).sum() / 100)
    groups = {row["other"]: float(row["value"]) for row in table if row["measure"] == "accuracy_of_group"}
    assert set(groups) == {"inside", "at the border", "50 to 199 pixels"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{100 * outputs['accuracy']:.2f}" in page
    assert "not drawn at random" in page
    assert "http" not in page


def test_a_random_sample_tells_of_the_whole_map_and_its_interval_holds_the_truth(site, noisy, tmp_path):
    path, codes = noisy
    truth, random, held = 10 * (site.truth + 1), np.random.default_rng(1), []
    for _ in range(20):
        chosen = [np.argwhere(codes == code)[random.permutation((codes == code).sum())[:60]] for code in (10, 20, 30)]
        places = np.concatenate(chosen)
        points = [Point(ORIGIN[0] + 10 * column + 5, ORIGIN[1] - 10 * row - 5) for row, column in places]
        table = geopandas.GeoDataFrame({"class": truth[tuple(places.T)]}, geometry=points, crs="EPSG:32631")
        table.to_file(tmp_path / "sample.gpkg")
        AssessMap(
            map=path,
            reference=str(tmp_path / "sample.gpkg"),
            class_field="class",
            probability_sample="yes",
            table=tmp_path / "table.csv",
        ).run(Reporter())
        found = next(row for row in rows(tmp_path / "table.csv") if row["measure"] == "adjusted_accuracy")
        held.append(abs(float(found["value"]) - (codes == truth).mean()) <= float(found["half_width"]))
    assert sum(held) >= 17


def test_a_training_split_leaves_its_training_polygons_out(site, noisy, tmp_path):
    path, _ = noisy
    fields = geopandas.read_file(site.polygons)
    fields["split"] = np.where(np.arange(len(fields)) % 2, "train", "test")
    fields.to_file(tmp_path / "split.gpkg")
    how = {"map": path, "reference": str(tmp_path / "split.gpkg"), "class_field": "code", "split_field": "split"}
    AssessMap(**how, table=tmp_path / "table.csv").run(Reporter())
    pixels = sum(int(row["value"]) for row in rows(tmp_path / "table.csv") if row["measure"] == "pixels")
    assert pixels == 18 * 64


def test_polygons_are_no_random_sample(site, noisy):
    with pytest.raises(InputError, match="PROBABILITY_SAMPLE is yes, and the reference holds polygons"):
        AssessMap(map=noisy[0], reference=str(site.polygons), class_field="code", probability_sample="yes").run(
            Reporter()
        )


def test_inputs_are_spared(site, noisy):
    with pytest.raises(InputError, match=r"map\.tif"):
        AssessMap(map=noisy[0], reference=str(site.polygons), class_field="code", report=noisy[0]).run(Reporter())
