"""Whatever QGIS knows of a raster reaches the worker, and what it can't read is told."""

import json
import zipfile
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsRasterLayer, QgsRasterRange


@pytest.fixture
def series(make_series):
    """Makes a series with or without a value for no data; returns its path."""

    def make(name="s2.tif", nodata=-32768, bands=("B4", "B8")):
        path = make_series(name, bands)
        if nodata is not None:
            dataset = gdal.Open(path, gdal.GA_Update)
            for band in range(1, dataset.RasterCount + 1):
                dataset.GetRasterBand(band).SetNoDataValue(nodata)
        return path

    return make


@pytest.fixture
def zipped(series, tmp_path):
    """Makes an archive of some series; returns its path."""

    def make(*members):
        with zipfile.ZipFile(tmp_path / "year 2018.zip", "w") as archive:
            for member in members:
                archive.write(series(), member)
        return str(tmp_path / "year 2018.zip")

    return make


@pytest.fixture
def opened(project):
    """Opens a raster in the project; returns its layer."""

    def make(source, provider="gdal"):
        layer = QgsRasterLayer(source, "mine", provider)
        project.addMapLayer(layer)
        return layer

    return make


@pytest.fixture
def told(run, echo, make_model, tmp_path):
    """Maps a series; returns how the worker is told of it."""
    model = make_model(sentinel2=["B4", "B8"])

    def call(layer):
        run("mapcover", {"SENTINEL2": layer, "MODEL": model, "OUTPUT": str(tmp_path / "map.tif")})
        return json.loads(echo.read_text())["parameters"]["sentinel2"]

    return call


@pytest.fixture
def refusal(provider, context, tmp_path):
    """Returns why a layer is not prepared."""

    def check(layer):
        parameters = {"LAYERS": [layer], "OUTPUT": str(tmp_path / "out.tif")}
        good, why_not = provider.algorithm("preparesentinel2").create().checkParameterValues(parameters, context)
        assert not good
        return why_not

    return check


def set_nodata(layer, own, *ranges, bands=(1, 2)):
    for band in bands:
        layer.dataProvider().setUseSourceNoDataValue(band, own)
        layer.dataProvider().setUserNoDataValue(band, [QgsRasterRange(*pair) for pair in ranges])


@pytest.mark.parametrize(
    ("in_file", "own", "ranges", "expected"),
    [
        (-32768, True, [], ""),
        (None, True, [], ""),
        (None, False, [], ""),
        (-32768, False, [], "|nodata=none"),
        (-32768, False, [(0, 0)], "|nodata=0"),
        (-32768, True, [(0, 0)], "|nodata=-32768,0"),
        (-32768, True, [(-32768, -32768)], "|nodata=-32768"),
        (None, True, [(-9999.5, -9999.5)], "|nodata=-9999.5"),
    ],
)
def test_no_data_values_that_were_set_count(told, series, opened, in_file, own, ranges, expected):
    path = series(nodata=in_file)
    layer = opened(path)
    set_nodata(layer, own, *ranges)
    assert told(layer) == path + expected


def test_a_crs_and_no_data_values_count_together(told, series, opened):
    path = series()
    layer = opened(path)
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    set_nodata(layer, True, (0, 0))
    assert told(layer) == f"{path}|crs=EPSG:32632|nodata=-32768,0"


@pytest.mark.parametrize("ranges", [[(0, 5)], [(0, 0), (1, 1)]])
def test_no_data_values_that_the_worker_can_not_take_are_told(refusal, series, opened, ranges):
    layer = opened(series())
    set_nodata(layer, True, *ranges)
    assert "The no data values of the layer 'mine' are ranges, several" in refusal(layer)


def test_no_data_values_of_one_band_alone_are_told(refusal, series, opened):
    layer = opened(series())
    set_nodata(layer, True, (0, 0), bands=(2,))
    assert "not the same for all bands" in refusal(layer)


@pytest.mark.parametrize("shown", ["/vsizip/{}/a/s2.tif", "/vsizip/{}"])
def test_a_raster_in_an_archive_is_named_by_a_path_that_goes_on_within_it(told, zipped, opened, shown):
    path = zipped("a/s2.tif")
    layer = opened(shown.format(path))
    assert layer.isValid()
    assert told(layer) == f"{path}/a/s2.tif"


@pytest.mark.parametrize("name", ["a|b.tif", "Äcker #1 100 %20 & 'co' \"x\".tif", "a?b=c.tif", "two\nlines.tif"])
def test_any_name_of_a_file_will_do(told, series, opened, name):
    path = series(name)
    assert told(opened(path)) == path


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("/vsicurl/https://example.org/a b/s2.tif?key=1", "https://example.org/a b/s2.tif?key=1"),
        ("/vsis3/bucket/s2.tif", "s3://bucket/s2.tif"),
    ],
)
def test_a_raster_on_a_server_is_named_by_its_address(plugin, source, address):
    from twinns.algorithms.rasters import raster_file

    assert raster_file(QgsRasterLayer(source, "far", "gdal")) == address


def test_a_part_of_a_file_is_told(refusal, series, opened, tmp_path):
    path = str(tmp_path / "year.gpkg")
    gdal.Translate(path, series(), format="GPKG", outputType=gdal.GDT_Byte, creationOptions=["RASTER_TABLE=may"])
    layer = opened(f"GPKG:{path}:may")
    assert layer.isValid()
    assert "The layer 'mine' is a part of a file" in refusal(layer)
    assert "choose their folder instead" in refusal(layer)


def test_options_that_a_layer_was_opened_with_are_told(refusal, series, opened):
    why_not = refusal(opened(f"{series()}|option:NUM_THREADS=2"))
    assert why_not.startswith("The layer 'mine' was opened with options that are not handed on: NUM_THREADS=2.")


def test_a_layer_of_a_map_service_is_told(refusal, opened):
    why_not = refusal(opened("type=xyz&url=https://example.org/{z}/{x}/{y}.png", "wms"))
    assert "'mine' is not a raster in a file" in why_not
    assert "holds no measurements" in why_not


def test_an_archive_whose_file_is_gone_is_told(refusal, zipped, opened):
    layer = opened(f"/vsizip/{zipped('a/s2.tif')}")
    Path(zipped("b.tif", "c.tif")).touch()
    assert "The archive of the layer 'mine' can't be read" in refusal(layer)
