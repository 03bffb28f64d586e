"""The temporal controller plays the year of a series."""

import json
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsApplication,
    QgsContrastEnhancement,
    QgsDateTimeRange,
    QgsMapLayer,
    QgsMultiBandColorRenderer,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
    QgsTemporalUtils,
)
from qgis.PyQt.QtCore import QDateTime, Qt
from qgis.PyQt.QtTest import QTest

DATES = ("2018-03-01", "2018-03-11", "2018-04-01")
BANDS = ("B2", "B3", "B4")


def moment(text, spec=Qt.TimeSpec.LocalTime):
    found = QDateTime.fromString(f"{text}T00:00:00", Qt.DateFormat.ISODate)
    found.setTimeSpec(spec)
    return found


def frame(first, last, spec=Qt.TimeSpec.LocalTime):
    return QgsDateTimeRange(moment(first, spec), moment(last, spec), True, False)


@pytest.fixture
def series(make_series):
    """A series whose values are 10 times the number of the band."""
    path = make_series(bands=BANDS, dates=DATES)
    dataset = gdal.Open(path, gdal.GA_Update)
    for number in range(1, dataset.RasterCount + 1):
        dataset.GetRasterBand(number).Fill(10 * number)
    return path


@pytest.fixture
def add(project):
    """Adds a layer to the project as QGIS does when one is opened by hand: its style comes last."""

    def call(layer):
        def style(_):
            layer.loadDefaultStyle()

        project.layersAdded.connect(style)
        project.addMapLayer(layer)
        project.layersAdded.disconnect(style)
        QTest.qWait(1)
        return layer

    return call


@pytest.fixture
def shown(canvas, project, add):
    """Shows a layer in a map; returns the colour that it has in a range of time."""

    def show(layer, renderer, shown):
        for name in ("Red", "Green", "Blue"):
            enhancement = QgsContrastEnhancement(Qgis.DataType.Int16)
            enhancement.setMinimumValue(0)
            enhancement.setMaximumValue(255)
            enhancement.setContrastEnhancementAlgorithm(
                QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
            )
            setter = getattr(renderer, f"set{name}ContrastEnhancement", None) or renderer.setContrastEnhancement
            setter(enhancement)
        layer.setRenderer(renderer)
        if not project.mapLayers():
            add(layer)
            canvas.setDestinationCrs(layer.crs())
            canvas.setLayers([layer])
            canvas.setExtent(layer.extent())
        canvas.setTemporalRange(shown)
        canvas.refresh()
        canvas.waitWhileRendering()
        QgsApplication.processEvents()
        return canvas.grab().toImage().pixelColor(20, 20).getRgb()[:3]

    return show


def test_colours_follow_the_controller(shown, series):
    layer = QgsRasterLayer(series, "s2")
    frames = [frame("2018-03-01", "2018-03-11"), frame("2018-03-11", "2018-03-21"), frame("2018-04-05", "2018-04-06")]
    seen = [shown(layer, QgsMultiBandColorRenderer(layer.dataProvider(), 6, 5, 4), one) for one in frames]
    assert seen == [(30, 20, 10), (60, 50, 40), (90, 80, 70)]


def test_a_colour_without_a_band_stays_without(shown, series):
    layer = QgsRasterLayer(series, "s2")
    seen = shown(layer, QgsMultiBandColorRenderer(layer.dataProvider(), 3, 2, -1), frame("2018-03-11", "2018-03-21"))
    assert seen[:2] == (60, 50)


@pytest.mark.parametrize(("band", "expected"), [(1, [10, 40, 70]), (2, [20, 50, 80])])
def test_greys_follow_the_controller_and_stay_with_their_band(shown, series, band, expected):
    layer = QgsRasterLayer(series, "s2")
    frames = [frame("2018-03-01", "2018-03-11"), frame("2018-03-11", "2018-03-21"), frame("2018-04-01", "2018-04-11")]
    seen = [shown(layer, QgsSingleBandGrayRenderer(layer.dataProvider(), band), one)[0] for one in frames]
    assert seen == expected


@pytest.mark.parametrize("spec", [Qt.TimeSpec.LocalTime, Qt.TimeSpec.UTC])
def test_a_frame_shows_its_last_date_and_not_that_at_which_it_ends(shown, series, spec):
    layer = QgsRasterLayer(series, "s2")
    shown(layer, layer.renderer().clone(), frame("2018-03-01", "2018-04-01", spec))
    assert {layer.bandName(band)[-13:-3] for band in layer.renderer().usesBands()} == {"2018-03-11"}


def test_the_dates_stay_when_the_controller_is_switched_off(shown, series):
    layer = QgsRasterLayer(series, "s2")
    shown(layer, layer.renderer().clone(), frame("2018-03-11", "2018-03-12"))
    seen = layer.renderer().usesBands()
    shown(layer, layer.renderer().clone(), QgsDateTimeRange(QDateTime(), QDateTime()))
    assert layer.renderer().usesBands() == seen


def test_a_series_that_is_opened_by_hand_tells_the_controller_its_year(canvas, project, add, series):
    style = str(Path(series).with_suffix(".qml"))
    QgsRasterLayer(series, "s2").saveNamedStyle(style, QgsMapLayer.StyleCategory.Symbology)
    add(QgsRasterLayer(series, "s2"))
    year = QgsTemporalUtils.calculateTemporalRangeForProject(project)
    assert (year.begin(), year.end()) == (moment("2018-03-01"), moment("2018-04-22"))


def test_a_series_whose_dates_were_taken_away_keeps_none(canvas, project, add, series, tmp_path):
    add(QgsRasterLayer(series, "s2")).temporalProperties().setIsActive(False)
    assert project.write(str(tmp_path / "project.qgs"))
    project.clear()
    assert project.read(str(tmp_path / "project.qgs"))
    QTest.qWait(1)
    (layer,) = project.mapLayers().values()
    assert not layer.temporalProperties().isActive()


@pytest.mark.parametrize(
    ("bands", "dates"),
    [
        (("B4",), ("2018-05-07",)),
        (("B4", "slope of the ground"), ("2018-05-07", "2018-06-07")),
        (("B4",), ("2018-02-28", "2018-02-30")),
    ],
)
def test_other_rasters_are_left_alone(canvas, add, make_series, bands, dates):
    layer = add(QgsRasterLayer(make_series(bands=bands, dates=dates), "a"))
    assert not layer.temporalProperties().isActive()


def test_dates_that_bands_tell_are_no_date_of_the_file(canvas, add, echo, run, series, tmp_path):
    add(QgsRasterLayer(series, "stack"))
    run("preparesentinel2", {"LAYERS": [series], "OUTPUT": str(tmp_path / "o.tif")})
    assert json.loads(echo.read_text())["parameters"]["dates"] is None


def test_the_plugin_lets_the_controller_play(plugin, qgis_iface, add, series, monkeypatch):
    monkeypatch.setattr("qgis.utils.iface", qgis_iface)
    plugin.initGui()
    layer = add(QgsRasterLayer(series, "s2"))
    qgis_iface.mapCanvas().setTemporalRange(frame("2018-03-11", "2018-03-12"))
    assert sorted(layer.renderer().usesBands()) == [4, 5, 6]
    plugin.unload()
    qgis_iface.mapCanvas().setTemporalRange(frame("2018-04-01", "2018-04-12"))
    assert sorted(layer.renderer().usesBands()) == [4, 5, 6]
    plugin.initProcessing()
