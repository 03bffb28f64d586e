"""The tables that forests are fitted on."""

import numpy as np
import pytest

from twinns_qgis.errors import Cancelled
from twinns_qgis.forests.tables import SeriesTables
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.series.series import Series
from twinns_qgis.training.learners import forest as forest_module
from twinns_qgis.training.learners.forest import tabulate
from twinns_qgis.training.ranges import RangeFinder


@pytest.fixture
def sensors(site):
    found = []
    for name in ("sentinel1", "sentinel2"):
        series = Series.open(getattr(site, name))
        ranges = RangeFinder(name, series)
        ranges.visit(series.read())
        found.append(ranges.sensor())
    return tuple(found)


@pytest.fixture
def stores(sensors):
    """Seven patches of random values, each stored by itself."""
    random = np.random.default_rng(0)
    return {
        sensor.name: SampleStore(
            random.integers(1, 250, (175, len(sensor.dates), len(sensor.bands))).astype(sensor.dtype),
            np.arange(175, dtype=np.int32).reshape(7, 5, 5),
        )
        for sensor in sensors
    }


@pytest.mark.parametrize("per_sensor", [False, True])
def test_each_pixel_has_its_row_in_the_order_asked_for(sensors, stores, monkeypatch, per_sensor):
    monkeypatch.setattr(forest_module, "_PATCHES_AT_ONCE", 2)
    tables = SeriesTables(sensors, per_sensor)
    order = np.array([6, 0, 3, 3, 1])
    found = tabulate(tables, stores, order, Reporter())
    assert set(found) == set(tables.variables)
    for row, sample in enumerate(order):
        alone = tables({name: store.gather(np.array([sample])) for name, store in stores.items()})
        for name, table in found.items():
            np.testing.assert_array_equal(table[row], alone[name][0, 0, 0])


def test_cancelling_stops_it(sensors, stores, listener):
    listener.stop = True
    with pytest.raises(Cancelled):
        tabulate(SeriesTables(sensors, per_sensor=False), stores, np.arange(7), listener)
