"""What holds for every layer: its description, which model files hold, makes the same layer."""

import importlib
import pkgutil

import keras
import numpy as np
import pytest

from twinns_qgis import networks

for module in pkgutil.walk_packages(networks.__path__, "twinns_qgis.networks."):
    importlib.import_module(module.name)
LAYERS = {name: layer for name, layer in keras.saving.get_custom_objects().items() if name.startswith("twinns>")}

EXAMPLES = {
    "ScaledVariables": ({"bands": ("VV",), "scale": (0.1,), "offset": (-25.0,), "nodata": 0, "minimum": (-25.0,),
                         "maximum": (0.0,), "clip": True}, (2, 5, 5, 3, 1)),
    "ConvolutionBlock": ({"filters": 4, "kernel_size": 3, "dropout": 0.1, "batch_norm": "frozen"}, (2, 5, 5, 3)),
    "ConvolutionalBranch": ({"filters": 4, "dropout": 0.1, "batch_norm": "frozen"}, (2, 5, 5, 3, 2)),
    "AttentiveConvGRUBranch": ({"filters": 4, "dropout": 0.1, "batch_norm": "frozen"}, (2, 5, 5, 3, 2)),
    "GatedRecurrentUnit": ({"units": 4}, (3, 2, 5)),
    "Attention": ({}, (3, 2, 5)),
    "ConvLSTMBranch": ({"filters": 4}, (1, 5, 5, 3, 2)),
    "Dropout": ({"rate": 0.25}, (2, 3)),
    "Score": ({"auxiliary_weight": 0.3}, (3, 2, 4)),
}  # fmt: skip
"""What each layer is made from, and the shape of its input."""


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_layer_is_made_again_from_its_description(name):
    layer_class = LAYERS[name]
    short = name.removeprefix("twinns>")
    if short not in EXAMPLES:
        pytest.fail(f"Add an example of {short}.")
    arguments, shape = EXAMPLES[short]
    layer = layer_class(**arguments)
    x = np.random.default_rng(0).uniform(0, 1, shape).astype("float32")
    if short == "Score":
        x, shape = list(x), [shape[1:]] * len(x)
    expected = keras.ops.convert_to_numpy(layer(x))
    config = layer.get_config()
    assert arguments.items() <= {key: value for key, value in config.items() if key in arguments}.items()
    again = layer_class.from_config(config)
    again.build(shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(x)), expected)
