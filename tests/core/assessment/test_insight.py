"""What a classifier goes by: attention against the equations in numpy, importance where one date or band decides."""

import keras
import numpy as np
import pytest
from equations import softmax, variables, weights

from twinns_qgis.assessment.insight import attention_by_class, permutation_importance, some_of
from twinns_qgis.forests.tables import SeriesTables
from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.forest_search import Examples, ForestGrid, search_forest

PIXELS = 120


def stores_of(values):
    """Returns stores of patches that share nothing."""
    return {
        name: SampleStore(
            raw.reshape(-1, *raw.shape[3:]), np.arange(raw[..., 0, 0].size, dtype=np.int32).reshape(-1, 5, 5)
        )
        for name, raw in values.items()
    }


@pytest.fixture
def patches(make_sensors, make_values):
    return make_values(make_sensors(4, 6), PIXELS, 5, 5)


def test_attention_is_that_of_equations_7_and_8(make_sensors, patches, randomise):
    sensors = make_sensors(4, 6)
    network = randomise(architectures()["TWINNS"].build(sensors, 3, "small"))
    labels = np.arange(PIXELS) % 2  # no pixel of the third class
    found = attention_by_class(TrainedNetwork(network), stores_of(patches), np.arange(PIXELS), labels, 3)
    for sensor in sensors:
        branch = network.get_layer(f"{sensor.name}_convgru_branch")
        x = variables(sensor, patches[sensor.name])
        states = np.array(branch._states(keras.ops.convert_to_tensor(x, "float32"), training=False))[:, :, 0, 0]
        kernel, bias, context = (part for part in weights(branch.attention))
        scores = np.tanh(states @ kernel + bias) @ context
        expected = softmax(scores.T)
        np.testing.assert_allclose(found[sensor.name][0], expected[labels == 0].mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(found[sensor.name][:2].sum(axis=1), 1, atol=1e-5)
        assert np.isnan(found[sensor.name][2]).all()


def test_classifiers_without_attention_have_none(make_sensors, patches):
    network = architectures()["FullCNN"].build(make_sensors(4, 6), 3, "small")
    assert attention_by_class(TrainedNetwork(network), stores_of(patches), np.arange(9), np.zeros(9, int), 3) == {}


def test_the_date_and_the_band_that_decide_are_found(make_sensors, patches):
    """A forest on labels that follow from one band at one date."""
    sensors = make_sensors(4, 6)
    labels = (patches["sentinel2"][:, 2, 2, 3, 7] > 3500).astype(int)
    forests = trained_on(sensors, patches, labels)
    found = permutation_importance(forests, sensors, stores_of(patches), np.arange(PIXELS), labels, 0, Reporter())
    dates, bands = found["sentinel2"].dates, found["sentinel2"].bands
    assert (len(dates), len(bands), found["sentinel2"].pixels) == (6, 10, PIXELS)
    assert np.argmax(dates) == 3
    assert np.argmax(bands) == 7
    assert min(dates[3], bands[7]) > 0.15
    assert max(*found["sentinel1"].dates, *found["sentinel1"].bands) < 0.1


def trained_on(sensors, patches, labels):
    tables = SeriesTables(sensors, per_sensor=False)
    rows = tables(patches)["series"][:, 0, 0]
    examples = Examples(rows, labels)
    searched = search_forest(examples, examples, ForestGrid.parse("20", "60"), 0, Reporter())
    return TrainedForests(tables, {"series": searched.forest})


def test_of_a_large_part_some_pixels_are_looked_at():
    assert some_of(np.arange(10), 0).tolist() == list(range(10))
    drawn = some_of(np.arange(50_000), 0)
    assert len(np.unique(drawn)) == 1000
    assert drawn.tolist() == some_of(np.arange(50_000), 0).tolist()
