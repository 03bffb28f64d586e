"""Ranges of the variables against plain numpy."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from twinns_qgis.errors import InputError
from twinns_qgis.networks.variables import scaled_variables
from twinns_qgis.samples.pixels import label_pixels
from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.series.series import Series
from twinns_qgis.training import ranges
from twinns_qgis.training.ranges import RangeFinder, read_samples_and_ranges


def find(name, path, scaling="range"):
    series = Series.open(path)
    finder = RangeFinder(name, series, scaling)
    for window in series.grid.blocks(16):
        finder.visit(series.read(window))
    return finder.sensor()


def test_ranges_span_all_valid_values_of_bands_and_indices(make_series):
    values = np.random.default_rng(0).integers(100, 6000, (40, 30, 3, 10)).astype("int16")
    values[3, 4, 1] = -32768
    sensor = find("sentinel2", make_series("s2.tif", values))
    reflectance = values[(values != -32768).all(axis=-1)] * 1e-4
    red, nir = reflectance[:, 2], reflectance[:, 6]
    ndvi = (nir - red) / (nir + red)
    np.testing.assert_allclose(sensor.minimum[:10], reflectance.min(axis=0), rtol=1e-6)
    np.testing.assert_allclose(sensor.maximum[:10], reflectance.max(axis=0), rtol=1e-6)
    np.testing.assert_allclose((sensor.minimum[10], sensor.maximum[10]), (ndvi.min(), ndvi.max()), rtol=1e-5)


def test_radar_ranges_are_in_decibels(make_series):
    values = np.array([[[[1, 255]], [[101, 5]]]], "uint8")
    sensor = find("sentinel1", make_series("s1.tif", values))
    np.testing.assert_allclose(sensor.minimum, (1 * 0.1 - 25.1, 5 * 0.1 - 32.1), rtol=1e-6)
    np.testing.assert_allclose(sensor.maximum, (101 * 0.1 - 25.1, 255 * 0.1 - 32.1), rtol=1e-6)


def test_series_without_a_value_is_refused(make_series):
    with pytest.raises(InputError, match=r"s1.tif holds no valid value"):
        find("sentinel1", make_series("s1.tif", np.zeros((4, 4, 2, 2), "uint8")))


def test_percentiles_are_those_of_all_values_and_what_lies_beyond_is_clipped(make_series):
    values = np.random.default_rng(0).integers(1, 256, (40, 30, 3, 2)).astype("uint8")
    values[3, 4, 1] = 0
    sensor = find("sentinel1", make_series("s1.tif", values), "percentiles")
    decibels = values[(values != 0).all(axis=-1)] * 0.1 + (-25.1, -32.1)
    np.testing.assert_allclose((sensor.minimum, sensor.maximum), np.percentile(decibels, (1, 99), axis=0), atol=1e-5)
    extremes = decibels.min(axis=0), decibels.max(axis=0)
    np.testing.assert_allclose((sensor.lowest, sensor.highest), extremes, atol=1e-5)
    scaled = keras.ops.convert_to_numpy(scaled_variables(sensor, values[None]))[0]
    expected = (values * 0.1 + (-25.1, -32.1) - sensor.minimum) / np.subtract(sensor.maximum, sensor.minimum)
    present = (values != 0).all(axis=-1)
    np.testing.assert_allclose(scaled[present], expected.clip(0, 1)[present], atol=1e-5)


@pytest.mark.parametrize("dates", [7, 8, 9])
def test_percentiles_of_a_large_series_are_those_of_a_sample_of_all_dates(make_series, monkeypatch, dates):
    monkeypatch.setattr(ranges, "_SAMPLE", 2000)
    values = np.random.default_rng(0).integers(1, 100, (40, 50, dates, 2))
    values += np.arange(dates)[:, None] * (150 // dates)
    sensor = find("sentinel1", make_series("s1.tif", values.astype("uint8")), "percentiles")
    decibels = values.reshape(-1, 2) * 0.1 + (-25.1, -32.1)
    spread = (sensor.minimum, sensor.maximum) - np.percentile(decibels, (1, 99), axis=0)
    assert 0 < np.abs(spread).max() < 0.5


@st.composite
def rasters(draw):
    """Raw values of a small Sentinel-2 series, shape (H, W, T, 10), some of them missing in one of three ways."""
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    values = random.uniform(-300, 9000, (5, 4, draw(st.integers(1, 4)), 10)).astype("float32")
    missing = random.random(values.shape) < draw(st.sampled_from([0, 0.02, 0.1]))
    values[missing] = random.choice([np.nan, np.inf, -np.inf, -32768], missing.sum())
    return values


@given(rasters())
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ranges_and_percentiles_are_those_of_all_spectra_without_a_missing_value(make_series, values):
    present = values.reshape(-1, 10)[(np.isfinite(values) & (values != -32768)).all(axis=-1).ravel()] / 1e4
    assume(len(present))
    path = make_series("s2.tif", values)
    for scaling, percentiles in (("range", (0, 100)), ("percentiles", (1, 99))):
        sensor = find("sentinel2", path, scaling)
        expected = np.percentile(present, percentiles, axis=0)
        np.testing.assert_allclose((sensor.minimum[:10], sensor.maximum[:10]), expected, rtol=1e-4, atol=1e-6)


def test_ranges_span_the_whole_series_and_samples_what_lies_round_the_polygons(site, listener):
    series = {"sentinel1": Series.open(site.sentinel1)}
    polygons = read_polygons(str(site.polygons), "name")
    one = replace(polygons, table=polygons.table[:1], objects=polygons.objects[:1])
    pixels = label_pixels(one, series["sentinel1"].grid)[0]
    stores, (sensor,) = read_samples_and_ranges(series, pixels, "range", listener)
    with rasterio.open(site.sentinel1) as dataset:
        raw = dataset.read().reshape(4, 2, -1)  # dates, polarisations
    decibels = raw * 0.1 + np.array([[-25.1], [-32.1]])
    np.testing.assert_allclose(sensor.minimum, decibels.min(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(sensor.maximum, decibels.max(axis=(0, 2)), rtol=1e-6)
    assert len(pixels.rows) == 8 * 8
    assert len(stores["sentinel1"].values) == (1 + 8 + 2) ** 2  # the raster ends one pixel before the polygon
