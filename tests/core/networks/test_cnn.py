"""The convolution block: what batch normalisation does, real and frozen."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.cnn import ConvolutionBlock


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(3, 2, (16, 5, 5, 4)).astype("float32")


def block_and_features(batch_norm, x):
    """A block without dropout, and what its batch normalisation is given."""
    block = ConvolutionBlock(8, 3, 0.0, batch_norm)
    block.build(x.shape)
    return block, keras.ops.convert_to_numpy(block.convolution(x))


def test_real_batch_norm_normalises_by_the_batch_in_training(x):
    block, features = block_and_features("real", x)
    expected = (features - features.mean(axis=(0, 1, 2))) / np.sqrt(features.var(axis=(0, 1, 2)) + 1e-3)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(block(x, training=True)), expected, atol=1e-4)
    assert not np.allclose(keras.ops.convert_to_numpy(block.normalisation.moving_mean), 0)


@pytest.mark.parametrize("training", [True, False])
def test_frozen_batch_norm_scales_and_shifts_alone(x, training):
    block, features = block_and_features("frozen", x)
    scale, shift = np.arange(1.0, 9.0), np.arange(-4.0, 4.0)
    block.normalisation.gamma.assign(scale)
    block.normalisation.beta.assign(shift)
    found = keras.ops.convert_to_numpy(block(x, training=training))
    np.testing.assert_allclose(found, scale * features / np.sqrt(1 + 1e-3) + shift, rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(block.normalisation.moving_mean), 0)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(block.normalisation.moving_variance), 1)
    assert len(block.trainable_weights) == 4, "scale and shift are trained"
