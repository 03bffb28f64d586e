"""A branch that goes through a block date by date gives what the equations say of each patch."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.convgru import AttentiveConvGRUBranch

T, V, HEIGHT, WIDTH = 7, 3, 9, 11


@pytest.fixture
def branch(randomise):
    branch = AttentiveConvGRUBranch(4, 0.4)
    branch.build((None, None, None, T, V))
    return randomise(branch)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(2, HEIGHT, WIDTH, T, V)).astype("float32")


@pytest.fixture
def expected(branch, x, equations):
    """The features of every pixel by the equations in float64, patch by patch."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(float), (5, 5), axis=(1, 2))
    patches = np.moveaxis(windows, (-2, -1), (3, 4)).reshape(-1, 5, 5, T, V)
    return equations.convgru(branch, patches)[0].reshape(2, HEIGHT - 4, WIDTH - 4, -1)


def test_a_block_has_the_features_of_its_patches(branch, x, expected):
    found = keras.ops.convert_to_numpy(branch(x, training=False))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_places_of_a_block_have_their_features(branch, x, expected):
    places = np.array([0, 6, 7, 34, 13, 13], "int32")
    found = keras.ops.convert_to_numpy(branch.at_places(x[:1], places))
    np.testing.assert_allclose(found, expected[0].reshape(-1, 8)[places], rtol=1e-4, atol=1e-5)


def test_attention_scores_beyond_what_e_can_be_raised_to_give_numbers(branch, x):
    branch.attention.context.assign(branch.attention.context * 1000)
    sharp = keras.ops.convert_to_numpy(branch(x, training=False))
    together = keras.ops.convert_to_numpy(branch(x[:, :5, :5], training=False))
    assert np.isfinite(sharp).all()
    np.testing.assert_allclose(sharp[:, :1, :1], together, rtol=1e-4, atol=1e-5)
