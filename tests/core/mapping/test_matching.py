"""A series that is not what the model was trained on is refused, with what was expected and found."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.matching import check_series
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import read_model


@pytest.fixture(scope="module")
def sensors(random_model):
    return read_model(random_model).manifest.sensors


@pytest.fixture
def series(site):
    return {name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")}


def test_series_of_the_training_match(sensors, series):
    check_series(sensors, series, "model")


def test_other_number_of_dates_is_refused(sensors, series, make_series):
    longer = Series.open(make_series("longer.tif", np.ones((60, 60, 6, 10), "int16")))
    with pytest.raises(InputError, match=r"has 6 dates, 2018-01-01 to 2018-04-11; model expects 5 dates"):
        check_series(sensors, {**series, "sentinel2": longer}, "model")


def test_other_bands_are_refused(sensors, series, make_series):
    fewer = Series.open(make_series("fewer.tif", np.ones((60, 60, 5, 3), "int16")))
    with pytest.raises(InputError, match="has the bands B2 B3 B4; model expects B2 B3 B4 B5"):
        check_series(sensors, {**series, "sentinel2": fewer}, "model")


def test_missing_series_is_refused(sensors, series):
    with pytest.raises(InputError, match="trained on sentinel1 and sentinel2, given: sentinel2"):
        check_series(sensors, {"sentinel2": series["sentinel2"]}, "model")
