"""Several GPUs: which are used, what is told of the others, and that sharing batches changes no result.

Devices are simulated: JAX takes the processor for two, in a process of its own, as a backend is chosen once.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from twinns_qgis.networks import several_gpus
from twinns_qgis.networks.several_gpus import gpus_to_train_on, shares, sharing_batches

ROOT = Path(__file__).resolve().parents[3]
TRAINING = """
import json
import keras
import numpy as np
from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.several_gpus import shares, sharing_batches
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.fit import Fitting, compile_network, fit, make_batches
from datetime import date

random = np.random.default_rng(0)
dates = (date(2018, 1, 1), date(2018, 2, 1))
sensor = Sensor("sentinel1", dates, ("VV", "VH"), (0.1, 0.1), (-25.1, -32.1), 0.0, "uint8", (-25.0, -32.0), (0.4, -6.6))
values = random.integers(1, 255, (40 * 25, 2, 2)).astype("uint8")
stores = {"sentinel1": SampleStore(values, np.arange(1000, dtype="int32").reshape(40, 5, 5))}
labels = random.integers(0, 3, 40)

def train(devices):
    with sharing_batches(devices):
        keras.utils.set_random_seed(1)
        network = architectures()["TWINNS(S1)"].build([sensor], 3, "small")
        fitting = Fitting(2, 8, 1e-3, seed=2, optimizer="sgd")
        compile_network(network, fitting)
        batches = make_batches(network, stores, labels, np.arange(TRAINED), np.arange(32, 40), fitting)
        history = fit(network, *batches, fitting, reporter=Reporter(), keep=lambda history: None)
        return shares(), history[-1].loss, history[-1].validation_loss, network.get_weights()

one, two = train([]), train(keras.distribution.list_devices("cpu"))
print(json.dumps({
    "shares": [one[0], two[0]], "loss": [one[1], two[1]], "validation_loss": [one[2], two[2]],
    "difference": max(float(np.abs(a - b).max()) for a, b in zip(one[3], two[3])),
}))
"""


def train_on_one_and_on_two(trained):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed")
    # Without its optimisations XLA compiles in half the time.
    flags = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"
    two = {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
    call = [sys.executable, "-c", TRAINING.replace("TRAINED", str(trained))]
    done = subprocess.run(call, cwd=ROOT, env={**os.environ, **two}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_train_to_the_weights_of_one():
    found = train_on_one_and_on_two(24)
    assert found["shares"] == [1, 2]
    assert found["loss"][1] == pytest.approx(found["loss"][0], rel=1e-5)
    assert found["validation_loss"][1] == pytest.approx(found["validation_loss"][0], rel=1e-5)
    assert found["difference"] < 1e-5


def test_a_last_batch_that_can_not_be_shared_evenly_is_filled_up():
    found = train_on_one_and_on_two(25)
    assert found["shares"] == [1, 2]
    assert np.isfinite(found["loss"]).all()
    assert found["difference"] > 0


@pytest.mark.parametrize(
    ("backend", "found", "batch_size", "used", "told"),
    [
        ("jax", 0, 64, 0, None),
        ("jax", 1, 64, 0, None),
        ("tensorflow", 1, 64, 0, None),
        ("jax", 4, 64, 4, None),
        ("jax", 3, 64, 2, "2 of 3 GPUs.*multiple of 3"),
        ("jax", 2, 63, 0, "1 of 2 GPUs.*multiple of 2"),
        ("tensorflow", 2, 64, 0, "one of 2 GPUs.*with tensorflow.*KERAS_BACKEND to jax"),
        ("torch", 4, 64, 0, "one of 4 GPUs.*with torch.*KERAS_BACKEND to jax"),
    ],
)
def test_gpus_that_stay_idle_are_a_warning(monkeypatch, listener, backend, found, batch_size, used, told):
    names = tuple(f"gpu:{number}" for number in range(found))
    monkeypatch.setattr(several_gpus, "gpus", lambda: names)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert gpus_to_train_on(batch_size, listener) == names[:used]
    assert len(listener.warnings) == (told is not None)
    if told:
        assert re.search(told, listener.warnings[0])


def test_one_device_shares_nothing():
    with sharing_batches(["gpu:0"]):
        assert shares() == 1
