"""Mapping: pixels per second, against the machine's own matrix product, a plain Keras model, and a random forest.

    .venv/bin/python benchmarks/mapping.py [--sizes paper compact small] [--side 64] [--rounds 3]

For networks with random weights and random values of Reunion's dates (24 x 2 and 34 x 10 bands), in one run: pixels
mapped per second, by blocks of SIDE x SIDE; the share of the rate of the machine's matrix product in float32; the ratio
to a plain Keras model of the same layers that predicts extracted patches of 5 x 5 in batches of 256; and the ratio to
scikit-learn's forest of 300 trees. All take turns, and the best of the rounds counts for each, by the clock and by the
seconds of the processor.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from datetime import date, timedelta

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from keras import ops
from sklearn.ensemble import RandomForestClassifier
from training import CLASSES, PRODUCT, SENSORS, least_seconds, plain_model

from twinns_qgis.networks.architectures import architecture
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.networks.width import SIZES
from twinns_qgis.samples.store import MARGIN

TREES = 300
PATCHES = 256
"""Patches a batch of the plain model."""


def main() -> None:
    options = _options()
    sensors = make_sensors()
    block, patches = draw_block(sensors, options.side), draw_patches(sensors)
    forest, rows = make_forest(sensors)
    one = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(PRODUCT, PRODUCT)).astype("float32"))
    counts = (options.side**2, PATCHES, len(rows), 2 * PRODUCT**3)
    print(
        "size, px/s, share of a product's rate, by processor, ratio to plain Keras, by processor, to forest, by "
        "processor"
    )
    for size in options.sizes:
        network, plain = make_network(sensors, size), plain_model(sensors, size)
        seconds = least_seconds(
            [
                lambda: network.scores(block),  # noqa: B023
                lambda: plain.predict_on_batch(patches),  # noqa: B023
                lambda: forest.predict_proba(rows),
                lambda: np.asarray(ops.matmul(one, one)),
            ],
            options.rounds,
        )
        ours, theirs, trees, product = (count / spent for count, spent in zip(counts, seconds, strict=True))
        share = 2 * multiplications(sensors, size, options.side) / options.side**2 * ours / product
        print(f"{size:>8}{ours[0]:9,.0f}{share[0]:8.0%}{share[1]:8.0%}", end="")
        for ratio in (*(ours / theirs), *(ours / trees)):
            print(f"{ratio:8.2f}", end="")
        print(flush=True)


def make_network(sensors: list[Sensor], size: str) -> TrainedNetwork:
    return TrainedNetwork(architecture("TWINNS").build(sensors, CLASSES, size))


def make_sensors() -> list[Sensor]:
    sensors = []
    for name, (dates, bands, dtype) in SENSORS.items():
        days = tuple(date(2017, 1, 1) + timedelta(days=10 * number) for number in range(dates))
        ones = (1.0,) * len(bands)
        sensor = Sensor(name, days, bands, ones, (0.0,) * len(bands), 0 if dtype == "uint8" else -32768, dtype)
        count = len(sensor.variables)
        sensors.append(replace(sensor, minimum=(0.0,) * count, maximum=(6000.0,) * count))
    return sensors


def draw_block(sensors: list[Sensor], side: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shape = (1, side + 2 * MARGIN, side + 2 * MARGIN)
    return {
        sensor.name: random.integers(1, 255, (*shape, len(sensor.dates), len(sensor.bands))).astype(sensor.dtype)
        for sensor in sensors
    }


def draw_patches(sensors: list[Sensor]) -> dict[str, np.ndarray]:
    patches = draw_block(sensors, 1)
    return {name: np.repeat(values, PATCHES, axis=0).astype("float32") for name, values in patches.items()}


def make_forest(sensors: list[Sensor]) -> tuple[RandomForestClassifier, np.ndarray]:
    """Returns a forest, and the variables of pixels to put into it."""
    random = np.random.default_rng(0)
    variables = sum(len(sensor.dates) * len(sensor.variables) for sensor in sensors)
    labels = random.integers(0, CLASSES, 3000)
    values = random.normal(size=(3000, variables)).astype("float32") + labels[:, None] / 10
    forest = RandomForestClassifier(TREES, n_jobs=-1, random_state=0).fit(values, labels)
    return forest, np.repeat(values, 5, axis=0)


def multiplications(sensors: list[Sensor], size: str, side: int) -> int:
    """Returns the multiplications of TWINNS for a block: each convolution once a pixel, and date."""
    pixels, rim = side**2, (side + 2) ** 2
    count, features = 0, 0
    for sensor in sensors:
        width, dates, variables = SIZES[size].of(sensor.name), len(sensor.dates), len(sensor.variables)
        wide = 2 * width
        first = rim * 9 * dates * variables * width
        count += first + pixels * (9 * width * wide + wide * wide)
        count += first + pixels * dates * (9 * width * wide + 7 * wide * wide)
        features += 2 * wide
    dense = SIZES[size].dense
    return count + pixels * (features * dense + dense * dense + (features + dense) * CLASSES)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["paper", "compact", "small"], choices=list(SIZES))
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
