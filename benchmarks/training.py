"""Training: the compact samples against stored patches, and the speed of fitting against the machine's own.

    .venv/bin/python benchmarks/training.py [--pixels 300000] [--sizes compact small] [--steps 20] [--rounds 3]

Prints, for random series of Reunion's dates (24 x 2 and 34 x 10 bands), the seconds and the memory that it takes to
build the samples of so many labelled pixels, against patches of 5 x 5 stored for each; then, for each size, the samples
fitted per second (forward, backward, Adam), the share of the rate of the machine's own matrix product, and the ratio to
a plain Keras model of the same layers, TimeDistributed and GRU, fitted on stored patches. The three take turns, and the
best of the rounds counts for each. Shares and ratios are given by the clock and by the seconds of the processor: on a
machine that does other things too, the second says more of the program, and the first more of the machine.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers, ops
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.backend import compiles_training
from twinns_qgis.networks.classifiers import SCORE, loss_weights
from twinns_qgis.networks.hyperparameters import SIZES
from twinns_qgis.networks.precision import computing_in
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.pixels import LabelledPixels
from twinns_qgis.samples.store import SampleStore, read_samples
from twinns_qgis.series.series import SENTINEL2_BANDS, Series, series_layout, write_series
from twinns_qgis.training.batches import TrainingBatches

SIDE = 1024
CLASSES = 13
PRODUCT = 3000
"""Side of the square matrices that are multiplied."""
SENSORS = {"sentinel1": (24, ("VV", "VH"), "uint8"), "sentinel2": (34, SENTINEL2_BANDS, "int16")}


def main() -> None:
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    series = {name: make_series(options.folder / f"reunion_{name}.tif", *how) for name, how in SENSORS.items()}
    pixels = draw_pixels(series["sentinel2"].grid, options.pixels)
    stores = report_samples(series, pixels)
    titles = (
        "size",
        "samples/s",
        "plain's",
        "GFLOP/s of a product",
        "share of it",
        "by processor",
        "ratio",
        "by processor",
        "seconds of the processor for an epoch of 10,000",
    )
    print(", ".join(titles))
    for size in options.sizes:
        report_fitting(size, series, stores, options)


def make_series(path: Path, dates: int, bands: tuple[str, ...], dtype: str) -> Series:
    if not path.exists():
        grid = Grid(CRS.from_epsg(32740), from_origin(340000, 7680000, 10, 10), SIDE, SIDE)
        days = [date(2017, 1, 1) + timedelta(days=10 * number) for number in range(dates)]
        highest, nodata = (255, 0) if dtype == "uint8" else (6000, -32768)
        ones = (1.0,) * len(bands)
        layout = series_layout(
            grid, days, bands, dtype=dtype, nodata=nodata, scale=ones, offset=(0.0,) * len(bands), tags={}
        )
        random = np.random.default_rng(0)
        with write_series(path, layout) as writer:
            for row in range(0, SIDE, 256):
                values = random.integers(1, highest, (256, SIDE, dates, len(bands))).astype(dtype)
                writer.write(values, Window(0, row, SIDE, 256))
    return Series.open(path)


def draw_pixels(grid: Grid, count: int) -> LabelledPixels:
    """Draws square fields of 20 x 20 pixels until there are so many pixels."""
    random = np.random.default_rng(0)
    fields = random.permutation((SIDE // 20) ** 2)[: -(-count // 400)]
    rows = (fields // (SIDE // 20) * 20)[:, None, None] + np.arange(20)[:, None]
    columns = (fields % (SIDE // 20) * 20)[:, None, None] + np.arange(20)[None, :]
    rows, columns = (part.ravel()[:count] for part in np.broadcast_arrays(rows, columns))
    return LabelledPixels(grid, rows, columns, np.repeat(np.arange(len(fields)), 400)[:count])


def report_samples(series: dict[str, Series], pixels: LabelledPixels) -> dict[str, SampleStore]:
    start = time.monotonic()
    stores = {name: read_samples(one, pixels, Reporter()) for name, one in series.items()}
    seconds = time.monotonic() - start
    held = sum(store.values.nbytes + store.patches.nbytes for store in stores.values())
    patches = sum(len(pixels) * 25 * store.values[0].nbytes for store in stores.values())
    start = time.monotonic()
    some = np.arange(min(10_000, len(pixels)))
    for store in stores.values():
        store.gather(some)
    copying = (time.monotonic() - start) * len(pixels) / len(some)
    print(f"{len(pixels):,} labelled pixels: {seconds:.1f} s and {held / 1e6:,.0f} MB as compact samples;")
    print(f"as patches {patches / 1e6:,.0f} MB ({patches / held:.1f} times) and {copying:.1f} s more to copy them")
    return stores


def report_fitting(size: str, series: dict, stores: dict, options: argparse.Namespace) -> None:
    sensors = [
        Sensor(
            name, one.dates, one.bands, one.scale, one.offset, one.nodata, one.dtype,
            *(tuple([end] * len(Sensor.of(name, one).variables)) for end in (0.0, 6000.0)),
        )
        for name, one in series.items()
    ]  # fmt: skip
    with computing_in(options.precision):
        network = architectures()["TWINNS"].build(sensors, CLASSES, size)
    labels = np.random.default_rng(0).integers(0, CLASSES, len(stores["sentinel2"].patches))
    samples = np.arange(64 * options.steps)
    outputs = (*loss_weights(network), SCORE)
    plain = plain_model(sensors, size)
    patches = {name: store.gather(samples).astype("float32") for name, store in stores.items()}
    one = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(PRODUCT, PRODUCT)).astype("float32"))
    ours, theirs, product = least_seconds(
        [
            fitting(network, [TrainingBatches(stores, labels, samples, 64, outputs, seed=0)], outputs),
            fitting(plain, [patches, dict.fromkeys(plain.output, labels[samples])], tuple(plain.output)),
            lambda: np.asarray(ops.matmul(one, one)),
        ],
        options.rounds,
    )
    # Two operations a multiplication, forward once and backward twice.
    share = 6 * multiplications(sensors, size) * len(samples) / ours / (2 * PRODUCT**3 / product)
    speeds = f"{len(samples) / ours[0]:8.0f}{len(samples) / theirs[0]:8.0f}{2e-9 * PRODUCT**3 / product[0]:8.0f}"
    ratio, epoch = theirs / ours, 10_000 * ours[1] / len(samples)
    print(f"{size:>8}{speeds}{share[0]:8.0%}{share[1]:8.0%}{ratio[0]:8.2f}{ratio[1]:8.2f}{epoch:8.0f}", flush=True)


def fitting(network: keras.Model, data: list, outputs: tuple[str, ...]) -> Callable[[], object]:
    """Returns a call that fits a network for an epoch."""
    loss = {
        name: None if name == SCORE else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        for name in outputs
    }
    network.compile(optimizer=keras.optimizers.Adam(2e-4), loss=loss, jit_compile=compiles_training())
    how = {"batch_size": 64} if len(data) > 1 else {}
    return lambda: network.fit(*data, epochs=1, verbose=0, shuffle=False, **how)


def least_seconds(calls: list[Callable[[], object]], rounds: int) -> np.ndarray:
    """Returns the least seconds of each call, by the clock and of the processor, after one that is not counted."""
    seconds = np.full((len(calls), 2), np.inf)
    for call in calls:
        call()
    for _ in range(rounds):
        for number, call in enumerate(calls):
            start = np.array([time.monotonic(), time.process_time()])
            call()
            seconds[number] = np.minimum(seconds[number], [time.monotonic(), time.process_time()] - start)
    return seconds


def plain_model(sensors: list[Sensor], size: str) -> keras.Model:
    """The same layers as a plain Keras model would have them, without indices and scaling, one patch a sample."""
    inputs, features, outputs = {}, [], {}
    for sensor in sensors:
        units = SIZES[size].of(sensor.name)
        raw = inputs[sensor.name] = keras.Input((5, 5, len(sensor.dates), len(sensor.bands)), name=sensor.name)
        variables = layers.Concatenate()([raw, raw])[..., : len(sensor.variables)]
        stacked = layers.Reshape((5, 5, len(sensor.dates) * len(sensor.variables)))(variables)
        for filters, kernel in ((units, 3), (2 * units, 3), (2 * units, 1)):
            stacked = layers.Conv2D(filters, kernel, activation="relu")(stacked)
            stacked = layers.Dropout(0.4)(layers.BatchNormalization()(stacked))
        dates = layers.Permute((3, 1, 2, 4))(variables)
        for filters in (units, 2 * units):
            dates = layers.TimeDistributed(layers.Conv2D(filters, 3, activation="relu"))(dates)
            dates = layers.TimeDistributed(layers.BatchNormalization())(dates)
        states = layers.GRU(2 * units, return_sequences=True, reset_after=False)(
            layers.Reshape((len(sensor.dates), 2 * units))(dates)
        )
        weights = layers.Softmax(axis=1)(layers.Dense(1, use_bias=False)(layers.Dense(2 * units, "tanh")(states)))
        attended = layers.Flatten()(layers.Dot(axes=1)([weights, states]))
        features += [layers.Flatten()(stacked), attended]
    for number, feature in enumerate(features):
        outputs[f"auxiliary_{number}"] = layers.Dense(CLASSES, name=f"auxiliary_{number}")(feature)
    fused = layers.Concatenate()(features)
    for _ in range(2):
        fused = layers.Dense(SIZES[size].dense, activation="relu")(fused)
    outputs["fusion"] = layers.Dense(CLASSES, name="fusion")(fused)
    return keras.Model(inputs, outputs)


def multiplications(sensors: list[Sensor], size: str) -> int:
    """Returns the multiplications of TWINNS for one patch, forward."""
    count, features = 0, 0
    for sensor in sensors:
        width, dates, variables = SIZES[size].of(sensor.name), len(sensor.dates), len(sensor.variables)
        wide = 2 * width
        count += 9 * 9 * dates * variables * width + 9 * width * wide + wide * wide
        count += dates * (
            9 * 9 * variables * width + 9 * width * wide + 3 * wide * wide + 3 * wide * wide + wide * wide
        )
        features += 2 * wide
    dense = SIZES[size].dense
    return count + features * dense + dense * dense + (features + dense) * CLASSES


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels", type=int, default=300_000)
    parser.add_argument("--sizes", nargs="+", default=["compact", "small"], choices=list(SIZES))
    parser.add_argument("--steps", type=int, default=20, help="batches of 64 samples an epoch")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"], help="of ours")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
