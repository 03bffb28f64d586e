"""The job that smooths a map: what it does to a map whose truth is known, and what it leaves alone."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.features import sieve

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.jobs.smooth_map import SmoothMap
from twinns_qgis.mapping import smooth_map as module
from twinns_qgis.mapping.smoothing import Bayes
from twinns_qgis.reporter import Reporter

NAMES = {2: "water", 5: "wheat", 9: "wood"}
CODES = np.array(list(NAMES), "uint8")
COLORS = {2: (68, 119, 170, 255), 5: (221, 170, 51, 255), 9: (34, 136, 51, 255)}


@pytest.fixture
def noisy(site, tmp_path, write_raster):
    """Writes the probabilities of a classifier that is unsure of every pixel, and their map; returns the truth."""
    random = np.random.default_rng(0)
    logits = 1.2 * (np.arange(3)[:, None, None] == site.truth) + random.normal(0, 1, (3, *site.truth.shape))
    percents = np.rint(100 * np.exp(logits) / np.exp(logits).sum(axis=0)).astype("uint8")
    codes = CODES[percents.argmax(axis=0)]
    percents[:, :4, :4], codes[:4, :4] = 255, 0
    write_raster(tmp_path / "probabilities.tif", percents, names=tuple(NAMES.values()), nodata=255)
    write_raster(tmp_path / "map.tif", codes[None], nodata=0)
    with rasterio.open(tmp_path / "map.tif", "r+") as dataset:
        dataset.update_tags(1, **{f"CLASS_{code}": name for code, name in NAMES.items()})
        dataset.write_colormap(1, COLORS)
    return CODES[site.truth], codes, percents


def smoothed(tmp_path, **changes):
    how = {"map": tmp_path / "map.tif", "probabilities": tmp_path / "probabilities.tif", "output": tmp_path / "out.tif"}
    SmoothMap(**{**how, **changes}).run(changes.pop("reporter", Reporter()))
    with rasterio.open(tmp_path / "out.tif") as dataset:
        return dataset.read(1)


@pytest.mark.parametrize("method", ["bayes", "majority"])
def test_a_noisy_map_gets_more_accurate_and_no_data_stay(noisy, tmp_path, method):
    truth, codes, _ = noisy
    found = smoothed(tmp_path, filter=method, window=5)
    assert (found[:4, :4] == 0).all()
    assert (found != 0).sum() == (codes != 0).sum()
    inside = codes != 0
    assert (found == truth)[inside].mean() > (codes == truth)[inside].mean() + 0.1


def test_bayesian_smoothing_takes_the_likeliest_class_of_the_smoothed_logits(noisy, tmp_path):
    _, codes, percents = noisy
    found = smoothed(tmp_path, window=7, smoothness=10.0)
    framed = np.pad(percents, ((0, 0), (3, 3), (3, 3)), mode="symmetric")
    expected = CODES[Bayes(7, 10.0, 0.5)(framed).argmax(axis=0)]
    np.testing.assert_array_equal(found, np.where(codes == 0, 0, expected))


@pytest.mark.parametrize("method", ["bayes", "majority"])
def test_blocks_change_nothing(noisy, tmp_path, monkeypatch, method):
    whole = smoothed(tmp_path, filter=method)
    monkeypatch.setattr(module, "block_shape", lambda *arguments: (16, 32))
    np.testing.assert_array_equal(smoothed(tmp_path, filter=method), whole)


def test_the_map_keeps_its_names_colours_and_style(noisy, tmp_path):
    smoothed(tmp_path)
    with rasterio.open(tmp_path / "out.tif") as dataset:
        tags, colors = dataset.tags(1), dataset.colormap(1)
        assert dataset.tags()["TWINNS_CALL"].startswith("twinns smooth-map")
    assert {int(key[6:]): value for key, value in tags.items() if key.startswith("CLASS_")} == NAMES
    assert {code: colors[code] for code in COLORS} == COLORS
    assert "wheat" in (tmp_path / "out.qml").read_text(encoding="utf-8")


def test_what_qgis_adds_to_a_layer_counts(noisy, tmp_path):
    whole = smoothed(tmp_path, filter="majority")
    found = smoothed(tmp_path, map=Path(f"{tmp_path / 'map.tif'}|nodata=0"), filter="majority")
    np.testing.assert_array_equal(found, whole)


def test_small_patches_go_into_their_largest_neighbours(noisy, tmp_path):
    _, codes, _ = noisy
    before = smoothed(tmp_path, filter="majority", window=3)
    after = smoothed(tmp_path, filter="majority", window=3, minimum_unit=12)
    np.testing.assert_array_equal(after, sieve(before, 12, mask=codes != 0))
    assert (after != before).any()


def test_a_map_that_memory_cannot_hold_is_not_sieved(noisy, tmp_path, write_raster):
    write_raster(tmp_path / "big.tif", np.ones((1, 600, 600), "uint8"), nodata=0)
    with pytest.raises(InputError, match=r"takes 2\.2 MB; MEMORY is 1 MB"):
        smoothed(tmp_path, map=tmp_path / "big.tif", filter="majority", minimum_unit=5, memory=1)


def test_a_stopped_call_goes_on(noisy, tmp_path, monkeypatch):
    whole = smoothed(tmp_path)
    (tmp_path / "out.tif").unlink()
    monkeypatch.setattr(module, "block_shape", lambda *arguments: (16, 32))
    block, made = module.SmoothingPlan.block, []

    def stopping(plan, window, threads):
        if len(made) == 4:
            raise Cancelled
        made.append(window)
        return block(plan, window, threads)

    monkeypatch.setattr(module.SmoothingPlan, "block", stopping)
    with pytest.raises(Cancelled, match="4 of 8 blocks are kept"):
        smoothed(tmp_path)
    made.clear()
    monkeypatch.setattr(module.SmoothingPlan, "block", lambda *how: made.append(how) or block(*how))
    np.testing.assert_array_equal(smoothed(tmp_path), whole)
    assert len(made) == 4


def test_what_does_not_fit_is_refused(noisy, tmp_path, write_raster):
    with pytest.raises(InputError, match="WINDOW is 4"):
        smoothed(tmp_path, window=4)
    with pytest.raises(InputError, match="needs PROBABILITIES"):
        smoothed(tmp_path, probabilities=None)
    write_raster(tmp_path / "shifted.tif", noisy[2], names=tuple(NAMES.values()), nodata=255, origin=(500010, 5600000))
    with pytest.raises(InputError, match="one run") as caught:
        smoothed(tmp_path, probabilities=tmp_path / "shifted.tif")
    assert "500010" in caught.value.message
    write_raster(tmp_path / "others.tif", noisy[2], names=("water", "wheat", "orchard"), nodata=255)
    with pytest.raises(InputError, match="'orchard' is none of them"):
        smoothed(tmp_path, probabilities=tmp_path / "others.tif")
    write_raster(tmp_path / "reals.tif", noisy[2].astype("float32"), names=tuple(NAMES.values()))
    with pytest.raises(InputError, match="float32 values"):
        smoothed(tmp_path, probabilities=tmp_path / "reals.tif")
    beyond = noisy[2] + np.uint8(90)
    write_raster(tmp_path / "beyond.tif", beyond, names=tuple(NAMES.values()), nodata=255)
    with pytest.raises(InputError, match="percentages, 0 to 100"):
        smoothed(tmp_path, probabilities=tmp_path / "beyond.tif")
    with pytest.raises(InputError, match=r"map\.tif"):
        smoothed(tmp_path, output=tmp_path / "map.tif")
