"""Outputs of a network outside training: blocks of any shape, by as few programs as the backend has to have."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks import prediction
from twinns_qgis.networks.prediction import Predictor

SHAPES = [(12, 12), (12, 7), (9, 12), (6, 7), (6, 5), (5, 5), (14, 9)]


@pytest.fixture(params=[False, True])
def every_shape(request, monkeypatch):
    """Whether every shape of blocks takes a program of its own."""
    monkeypatch.setattr(prediction, "compiles_every_shape", lambda: request.param)
    return request.param


@pytest.fixture
def shapes(monkeypatch):
    """The shapes of the blocks that go through the network, one for each call."""
    found, make = [], prediction.predictor

    def recording(*arguments, **options):
        predict = make(*arguments, **options)
        return lambda inputs: found.append(inputs["raw"].shape[1:3]) or predict(inputs)

    monkeypatch.setattr(prediction, "predictor", recording)
    return found


def test_smaller_blocks_are_filled_up_where_every_shape_takes_a_program(every_shape, shapes):
    raw = keras.Input((None, None, 2, 1), dtype="int16", name="raw")
    values = np.random.default_rng(0).integers(0, 9, (1, 14, 12, 2, 1)).astype("int16")
    cropped = keras.layers.Cropping2D(2)(keras.ops.cast(raw, "float32")[..., 0])
    predict = Predictor({"raw": raw}, {"cropped": cropped, "twice": 2 * cropped})
    predict.compile_for(8)
    for height, width in SHAPES:
        found = predict({"raw": values[:, :height, :width]})
        expected = values[:, 2 : height - 2, 2 : width - 2, :, 0]
        np.testing.assert_array_equal(found["cropped"], expected)
        np.testing.assert_array_equal(found["twice"], 2 * expected)
    assert shapes == ([*[(12, 12)] * 5, (5, 5), (14, 9)] if every_shape else SHAPES)
