"""A normalisation folded into the next product gives what the two give one after the other."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.folding import Affine


@pytest.fixture
def affine():
    random = np.random.default_rng(0)
    return Affine(*(keras.ops.convert_to_tensor(random.normal(size=6).astype("float32")) for _ in range(2)))


@pytest.mark.parametrize("shape", [(6, 4), (3, 3, 6, 4)])
def test_folded_kernels_and_biases_do_what_both_do(affine, shape):
    random = np.random.default_rng(1)
    kernel, bias = random.normal(size=shape), random.normal(size=4)
    window = random.normal(size=(10, *shape[:-1]))
    scale, shift = (keras.ops.convert_to_numpy(part).astype(float) for part in (affine.scale, affine.shift))
    axes = tuple(range(1, len(shape)))
    expected = np.tensordot(window * scale + shift, kernel, (axes, tuple(range(len(shape) - 1)))) + bias
    folded = affine.into(*(keras.ops.convert_to_tensor(part.astype("float32")) for part in (kernel, bias)))
    folded_kernel, folded_bias = (keras.ops.convert_to_numpy(part) for part in folded)
    found = np.tensordot(window, folded_kernel, (axes, tuple(range(len(shape) - 1)))) + folded_bias
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_batch_normalisation_outside_training_is_affine():
    random = np.random.default_rng(2)
    layer = keras.layers.BatchNormalization()
    layer.build((None, 6))
    layer.set_weights([random.uniform(0.5, 2, 6), *random.normal(size=(2, 6)), random.uniform(0.5, 2, 6)])
    x = random.normal(size=(20, 6)).astype("float32")
    found = keras.ops.convert_to_numpy(Affine.of(layer)(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(layer(x, training=False)), atol=1e-5)
