"""Mapping: pixels per second, against the machine's own matrix product, a plain Keras model, and a random forest.

    .venv/bin/python benchmarks/mapping.py [--sizes paper compact small] [--side 64] [--rounds 3]

For networks with random weights and random values of Reunion's dates (24 x 2 and 34 x 10 bands), in one run: pixels
mapped per second in float32 and in bfloat16, by blocks of SIDE x SIDE (at the paper's size in float32, of half of it);
the share of the rate of the machine's matrix product in the same precision; the ratio to a plain Keras model of the
same layers that predicts extracted patches of 5 x 5 in batches of 256; the ratio to scikit-learn's forest of 300 trees;
and the share of pixels that have the class they have in float32. A last line tells how much faster blocks are of which
an early exit leaves a share of the pixels to the ConvGRU branches. All take turns, and the best of the rounds counts
for each, by the clock and by the seconds of the processor.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import ops
from sklearn.ensemble import RandomForestClassifier
from training import CLASSES, PRODUCT, SENSORS, least_seconds, plain_model

from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.early_exit import ExitingNetwork
from twinns_qgis.networks.exit_rule import ExitRule
from twinns_qgis.networks.hyperparameters import SIZES
from twinns_qgis.networks.precision import PRECISIONS, computing_in
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.samples.store import MARGIN

TREES = 300
PATCHES = 256
"""Patches a batch of the plain model."""


def main() -> None:
    options = _options()
    sensors = make_sensors()
    patches = draw_patches(sensors)
    forest, rows = make_forest(sensors)
    factors = {precision: make_factor(precision) for precision in PRECISIONS}
    print(
        "size, precision, px/s, share of a product's rate, by processor, ratio to plain Keras, by processor, to "
        "forest, by processor, classes as in float32"
    )
    for size in options.sizes:
        plain, exact = plain_model(sensors, size), None
        for precision in PRECISIONS:
            side = options.side // 2 if (size, precision) == ("paper", "float32") else options.side
            block, factor = draw_block(sensors, side), factors[precision]
            network = make_network(sensors, size, precision, side)
            if exact is None:
                exact = network
            seconds = least_seconds(
                [
                    lambda: network.scores(block),  # noqa: B023
                    lambda: plain.predict_on_batch(patches),  # noqa: B023
                    lambda: forest.predict_proba(rows),
                    lambda: wait(ops.matmul(factor, factor)),  # noqa: B023
                ],
                options.rounds,
            )
            counts = (side**2, PATCHES, len(rows), 2 * PRODUCT**3)
            ours, theirs, trees, product = (count / spent for count, spent in zip(counts, seconds, strict=True))
            share = 2 * multiplications(sensors, size, side) / side**2 * ours / product
            print(f"{size:>8}{precision:>9}{ours[0]:9,.0f}{share[0]:8.0%}{share[1]:8.0%}", end="")
            for ratio in (*(ours / theirs), *(ours / trees)):
                print(f"{ratio:8.2f}", end="")
            same = exact.scores(block).argmax(axis=-1) == network.scores(block).argmax(axis=-1)
            print(f"{same.mean():9.2%}", flush=True)
        time_early_exit(exact, draw_block(sensors, options.side), size, options)


def time_early_exit(
    network: TrainedNetwork, block: dict[str, np.ndarray], size: str, options: argparse.Namespace
) -> None:
    """Prints how many times as fast a block is, by the share of its pixels that the ConvGRU branches go through."""
    exiting = ExitingNetwork(network.network, ExitRule(2.0, 1.0))  # no pixel may leave: those that are wanted stay
    network.compile_for(options.side)
    exiting.compile_for(options.side)
    random = np.random.default_rng(0)
    shares = (0.0, 0.05, 0.1, 0.2, 0.5)
    stay = [random.random((options.side, options.side)) < share for share in shares]
    runs = [lambda wanted=wanted: exiting.scores(block, wanted) for wanted in stay]
    whole, *early = (clock for clock, _ in least_seconds([lambda: network.scores(block), *runs], options.rounds))
    gains = ", ".join(f"{share:.0%} {whole / spent:.1f}" for share, spent in zip(shares, early, strict=True))
    print(f"{size:>8} early exit, times as fast by the share that stays: {gains}", flush=True)


def make_factor(precision: str) -> Any:
    return ops.cast(np.random.default_rng(0).normal(size=(PRODUCT, PRODUCT)), precision)


def wait(product: Any) -> float:
    return float(ops.cast(product[0, 0], "float32"))


def make_network(sensors: list[Sensor], size: str, precision: str, side: int) -> TrainedNetwork:
    keras.utils.set_random_seed(0)
    with computing_in(precision):
        network = TrainedNetwork(architectures()["TWINNS"].build(sensors, CLASSES, size))
    network.compile_for(side)
    return network


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
