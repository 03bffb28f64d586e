"""The job that maps: its outputs and what it refuses."""

import re
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.files import sha256_of
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.mapping import choice
from twinns_qgis.mapping.sizes import Sizes
from twinns_qgis.training.exit_curve import ExitCurve
from twinns_qgis.training.model_file import read_model, write_model


@pytest.fixture(scope="module")
def model(site, tmp_path_factory):
    from twinns_qgis.reporter import Reporter

    path = tmp_path_factory.mktemp("trained") / "model.twinns"
    TrainModel(
        sentinel1=site.sentinel1, sentinel2=site.sentinel2, polygons=str(site.polygons), class_field="code",
        size="small", epochs=4, learning_rate=1e-3, model=path,
    ).run(Reporter())  # fmt: skip
    return path


@pytest.fixture
def settings(site, model, tmp_path):
    return {
        "model": model,
        "sentinel1": site.sentinel1,
        "sentinel2": site.sentinel2,
        "output": tmp_path / "map.tif",
    }


def test_map_holds_the_classes_of_the_ground_and_its_origin(settings, site, listener, model):
    assert MapCover(**settings).run(listener) == {"output": str(settings["output"])}
    with rasterio.open(settings["output"]) as dataset:
        agreement = (dataset.read(1) == 10 * (site.truth + 1)).mean()
        tags = dataset.tags()
    assert agreement > 0.9
    assert tags["TWINNS_MODEL_SHA256"] == sha256_of(model)
    assert tags["TWINNS_CALL"].startswith("twinns map-cover --model")


def test_a_table_of_classes_orders_names_and_colors_the_legend_and_leaves_the_codes(settings, site, listener, tmp_path):
    (tmp_path / "classes.csv").write_text("class,name,color\n30,Wald,#00aa00\n10,,#0000ff\n", encoding="utf-8")
    model = tmp_path / "model.twinns"
    TrainModel(
        sentinel1=site.sentinel1, sentinel2=site.sentinel2, polygons=str(site.polygons), class_field="code",
        method="RF", trees="20", depths="10", classes=tmp_path / "classes.csv", model=model,
    ).run(listener)  # fmt: skip
    MapCover(**{**settings, "model": model}).run(listener)
    with rasterio.open(settings["output"]) as dataset:
        assert (dataset.read(1) == 10 * (site.truth + 1)).mean() > 0.9
        assert dataset.colormap(1)[30][:3] == (0, 0xAA, 0)
    legend = re.findall(r'label="(\w+)"', settings["output"].with_suffix(".qml").read_text(encoding="utf-8"))
    assert legend == ["Wald", "10", "20"]


def test_extent_in_another_crs_cuts_the_map(settings, listener):
    with rasterio.open(settings["sentinel2"]) as dataset:
        left, _, _, top = dataset.bounds
    middle = Transformer.from_crs(32631, 4326, always_xy=True).transform(left + 205, top - 305)
    east, north = 1e-6, 1e-6  # degrees, some 10 cm: it lies in one pixel
    extent = f"{middle[0] - east},{middle[0] + east},{middle[1] - north},{middle[1] + north} [EPSG:4326]"
    MapCover(**settings, extent=extent).run(listener)
    with rasterio.open(settings["output"]) as dataset:
        assert tuple(dataset.bounds) == (left + 200, top - 310, left + 210, top - 300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": Path("nowhere.twinns")}, "nowhere.twinns does not exist"),
        ({"sentinel2": None}, "trained on sentinel1 and sentinel2, given: sentinel1"),
        ({"output": Path("/nowhere/map.tif")}, "folder /nowhere of the output map.tif does not exist"),
        ({"output": Path("/proc/map.tif")}, "/proc/map.tif can't be written"),
        ({"extent": "0,10,0,10"}, "does not overlap the raster"),
        ({"extent": "everything"}, "extent 'everything' can't be read"),
        ({"mask": "nowhere.gpkg"}, "polygons nowhere.gpkg do not exist"),
        ({"scheduler": "nonsense"}, "SCHEDULER is 'nonsense', which is no address"),
        ({"memory": 0}, "'memory' is 0"),
        ({"agreement": 0.0}, "'agreement' is 0.0"),
    ],
)
def test_what_cannot_be_used_is_refused(settings, listener, change, message):
    with pytest.raises(InputError, match=message):
        MapCover(**{**settings, **change}).run(listener)


def test_truncated_series_is_refused_by_name(settings, listener, tmp_path):
    broken = tmp_path / "broken.tif"
    content = Path(settings["sentinel2"]).read_bytes()
    broken.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"broken\.tif"):
        MapCover(**{**settings, "sentinel2": broken}).run(listener)
    assert not settings["output"].exists()


def test_two_outputs_of_one_name_are_refused(settings, listener):
    with pytest.raises(InputError, match="Two outputs have the same name"):
        MapCover(**settings, confidence=settings["output"]).run(listener)


def test_two_outputs_of_one_style_are_refused(settings, listener):
    with pytest.raises(InputError, match=r"Two outputs have the same name, .*\.qml"):
        MapCover(**settings, confidence=settings["output"].with_suffix(".tiff")).run(listener)


def test_a_map_may_be_called_like_its_model(settings, listener):
    model = settings["output"].with_suffix(".twinns")
    model.write_bytes(settings["model"].read_bytes())
    MapCover(**{**settings, "model": model}).run(listener)
    assert settings["output"].exists()


def test_a_map_does_not_take_the_style_of_its_mask(settings, listener, site):
    mask = settings["output"].with_suffix(".gpkg")
    mask.write_bytes(site.polygons.read_bytes())
    mask.with_suffix(".qml").write_text("the user's")
    with pytest.raises(InputError, match=r"\.qml is one of the inputs"):
        MapCover(**settings, mask=str(mask)).run(listener)
    assert mask.with_suffix(".qml").read_text() == "the user's"


@pytest.mark.parametrize("name", ["model", "sentinel1", "sentinel2"])
def test_an_output_that_is_an_input_is_refused(settings, listener, name):
    before = Path(settings[name]).read_bytes()
    with pytest.raises(InputError, match="is one of the inputs, which it would replace"):
        MapCover(**{**settings, "output": Path(settings[name])}).run(listener)
    assert Path(settings[name]).read_bytes() == before


def test_map_of_one_row_and_one_pixel(settings, listener):
    with rasterio.open(settings["sentinel2"]) as dataset:
        left, _, _, top = dataset.bounds
    for width, name in ((600, "row"), (10, "pixel")):
        output = settings["output"].with_name(f"{name}.tif")
        MapCover(**{**settings, "output": output}, extent=f"{left},{left + width},{top - 10},{top}").run(listener)
        with rasterio.open(output) as dataset:
            assert dataset.read(1).shape == (1, width // 10)
            assert np.isin(dataset.read(1), [10, 20, 30]).all()


def test_a_mask_leaves_out_what_lies_outside_of_its_polygons(settings, listener, site):
    MapCover(**settings).run(listener)
    with rasterio.open(settings["output"]) as dataset:
        whole = dataset.read(1)
    fields = geopandas.read_file(site.polygons)
    water = settings["output"].with_name("water.gpkg")
    fields[fields.name == "water"].to_crs("EPSG:4326").to_file(water, layer="lakes")
    MapCover(**settings, mask=f"{water}|layername=lakes").run(listener)
    with rasterio.open(settings["output"]) as dataset:
        masked = dataset.read(1)
    inner = np.kron(np.ones((6, 6), bool), np.pad(np.ones((8, 8), bool), 1))  # the polygons leave a pixel at their rim
    np.testing.assert_array_equal(masked, np.where(inner & (site.truth == 0), whole, 0))


def classes_of(settings, listener, name, **changes):
    output = settings["output"].with_name(f"{name}.tif")
    MapCover(**{**settings, **changes, "output": output}).run(listener)
    with rasterio.open(output) as dataset:
        return dataset.read(1)


def test_an_early_exit_agrees_with_the_whole_network_and_tells_how_far(settings, listener):
    whole = classes_of(settings, listener, "whole")
    early = classes_of(settings, listener, "early", early_exit="on", agreement=95.0)
    assert (early == whole).mean() > 0.9
    (told,) = [message for message in listener.messages if message.startswith("Early exit:")]
    skipped, compared, agreeing = (float(text) for text in re.findall(r"([\d.]+)(?:%| pixels from)", told))
    assert 0 < skipped <= 100
    assert compared == 64, "of the one block"
    assert agreeing == pytest.approx(100 * (early == whole).mean(), abs=10), "as far as 64 of 3600 tell"


def test_the_gain_of_an_early_exit_is_told_where_there_are_many_parts(settings, listener, monkeypatch):
    monkeypatch.setattr(choice, "choose_sizes", lambda *arguments: Sizes((32, 32), 8, 100))
    classes_of(settings, listener, "early", early_exit="on", agreement=95.0)
    assert any("times as fast as a probe of the whole network" in message for message in listener.messages)


def test_a_model_without_an_early_exit_is_refused(settings, model, listener, tmp_path):
    read = read_model(model)
    without = tmp_path / "without.twinns"
    write_model(without, replace(read.manifest, early_exit=None), read.classifier, read.history)
    with pytest.raises(InputError, match=r"without\.twinns, of method TWINNS, has no early exit"):
        MapCover(**{**settings, "model": without, "early_exit": "on"}).run(listener)


def test_an_agreement_that_no_exit_reaches_is_refused_with_the_best_there_is(settings, model, listener, tmp_path):
    read = read_model(model)
    poor = tmp_path / "poor.twinns"
    curve = ExitCurve(1.0, (0.5, 0.9), (0.4, 0.1), (0.8, 0.9))
    write_model(poor, replace(read.manifest, early_exit=curve), read.classifier, read.history)
    with pytest.raises(InputError, match=r"leaves 99\.50% of the pixels their class: .* 90\.00% at best"):
        MapCover(**{**settings, "model": poor, "early_exit": "on"}).run(listener)


def test_bfloat16_gives_nearly_the_same_map_and_the_log_says_so(settings, listener):
    exact = classes_of(settings, listener, "exact", precision="float32")
    coarse = classes_of(settings, listener, "coarse", precision="bfloat16")
    assert (coarse == exact).mean() > 0.98
    assert any("at once, in bfloat16 on the CPU" in message for message in listener.messages)


def test_a_stopped_map_goes_on_in_the_precision_that_it_began_with(settings, listener, monkeypatch):
    monkeypatch.setattr(choice, "choose_mapping_precision", lambda network, size: "bfloat16")
    monkeypatch.setattr(choice, "choose_sizes", lambda *arguments: Sizes((16, 16), 16, 100))
    stop_at(0.3, settings, listener)
    monkeypatch.setattr(choice, "choose_mapping_precision", lambda network, size: "float32")
    goes_on(settings, listener)


def test_a_stopped_map_goes_on_though_a_gpu_has_more_or_less_memory_free_now(settings, listener, monkeypatch):
    monkeypatch.setattr(choice, "gpu_available", lambda: True)
    monkeypatch.setattr(choice, "choose_sizes", lambda *arguments: Sizes((16, 16), arguments[-1], 100))
    monkeypatch.setattr(choice, "free_memory", lambda: 16)
    stop_at(0.3, settings, listener)
    monkeypatch.setattr(choice, "free_memory", lambda: 32)
    goes_on(settings, listener)


def stop_at(share, settings, listener):
    listener.progress = lambda fraction, message="": setattr(listener, "stop", fraction >= share)
    with pytest.raises(Cancelled):
        MapCover(**settings).run(listener)
    listener.progress, listener.stop = lambda fraction, message="": None, False


def goes_on(settings, listener):
    MapCover(**settings).run(listener)
    assert any("blocks are there from a call that was stopped" in message for message in listener.messages)
    assert listener.warnings == []
