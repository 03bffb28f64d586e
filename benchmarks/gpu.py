"""A GPU: pixels mapped and samples trained per second, beside the card's own matrix product, by Keras' backends.

    python benchmarks/gpu.py [--backends jax torch] [--parts rates map train agree memory whole] [--seconds 420]

For networks with random weights and random values of Reunion's dates (24 x 2 and 34 x 10 bands). Each measurement has a
process and a limit of time of its own, so that one that fails or hangs costs the others little; each line is printed as
soon as it is known. Without a GPU all runs on the processor, which tells whether the script works and no more.

- ``rates``: the rate of a product of two matrices of 8192 x 8192; in float32 as the backend has it by itself, with and
  without TF32 (the range of float32 with 10 bits of mantissa).
- ``map``: pixels per second from arrays in memory to arrays in memory, by the side of the parts; their share of the
  rate in the same precision (float32: as the backend has it by itself); seconds until the first part was there,
  compiling included; the most memory of the card in use.
- ``train``: samples per second at the first of SIZES (forward, backward, Adam, batches from compact samples), by batch
  size, and seconds until the first epoch was over.
- ``agree``: pixels with the class that float32 on the processor gives them, by the same weights.
- ``memory``: what a part does that needs more memory than the card has left.
- ``whole``: ``map-cover`` of SITE, a folder with model.twinns, sentinel1.tif and sentinel2.tif, in processes as users
  start them; the pixels that have the class that the processor gives them, in float32.
"""

from __future__ import annotations

import argparse
import os
import subprocess  # runs this script and the package
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

SIZES = ("paper", "compact", "small")
SIDES = {"paper": (64, 128, 256), "compact": (128, 256), "small": (256,)}
BATCHES = (64, 256, 1024, 4096)
LIMITS = {"rates": 60, "map": 120, "train": 200, "agree": 120, "memory": 90, "whole": 150}
"""Seconds that a measurement may take."""
HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}
TIMED = 1.0
"""Seconds that a rate is measured over, at least."""
LEFT = 1024
"""Memory of the card, in MB, that is left where it is to run out."""


def main() -> None:
    options = _options()
    if options.measurement:
        part, *about = options.measurement.split()
        MEASUREMENTS[part](options, *about)
        return
    end = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        for part, backend, about in _measurements(options):
            seconds = min(LIMITS[part], end - time.monotonic())
            if seconds < 15:
                print(f"{part} {backend} {about}: no time left", flush=True)
                continue
            _run([*sys.argv[1:], "--folder", folder, "--measurement", f"{part} {about}"], backend, seconds)


def _measurements(options: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Yields parts, backends, and what of a part has a process of its own."""
    for part in options.parts:
        for about in options.sizes if part in ("map", "agree") else [""]:
            for backend in options.backends:
                yield part, backend, about


def _run(arguments: list[str], backend: str, seconds: float, **variables: str) -> None:
    command = [sys.executable, __file__, *arguments]
    environment = {**os.environ, "KERAS_BACKEND": backend, **variables}
    start = time.monotonic()
    try:
        status = str(subprocess.run(command, timeout=seconds, env=environment, check=False).returncode)
    except subprocess.TimeoutExpired:
        status = "stopped"
    print(f"# {arguments[-1]} {backend}: {time.monotonic() - start:.0f} s, status {status}", flush=True)


def measure_rates(options: argparse.Namespace) -> None:
    say("rates", device())
    for precision in options.precisions:
        say("rates", precision, f"{product_rate(precision) / 1e12:.1f} TFLOP/s")
    for tf32 in (True, False):
        allow_tf32(tf32)
        say("rates", f"float32 {'with' if tf32 else 'without'} TF32", f"{product_rate('float32') / 1e12:.1f} TFLOP/s")


def measure_mapping(options: argparse.Namespace, size: str) -> None:
    from mapping import draw_block, make_network, make_sensors, multiplications

    sensors = make_sensors()
    for precision in options.precisions:
        product = product_rate(precision)
        for side in options.sides or SIDES[size]:
            with going_on("map", precision, size, side):
                before, start = peak(), time.monotonic()
                network, block = make_network(sensors, size, precision, side), draw_block(sensors, side)
                network.scores(block)
                first = time.monotonic() - start
                rate = side**2 / seconds_of(lambda: network.scores(block))  # noqa: B023
                share = 2 * multiplications(sensors, size, side) / side**2 * rate / product
                told = f"{rate:,.0f} px/s, {share:.0%} of {product / 1e12:.0f} TFLOP/s, first after {first:.1f} s"
                say("map", precision, size, side, f"{told}, {memory_since(before)}")


def measure_training(options: argparse.Namespace) -> None:
    import keras
    import numpy as np
    from mapping import CLASSES, make_sensors
    from training import fitting

    from twinns_qgis.networks.architectures import architectures
    from twinns_qgis.networks.classifiers import SCORE, loss_weights
    from twinns_qgis.networks.precision import computing_in
    from twinns_qgis.training.batches import TrainingBatches

    class Watching(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            """Wants to know of each batch, as the package's training does: Keras waits for it then."""

    size, sensors, random = options.sizes[0], make_sensors(), np.random.default_rng(0)
    stores = {sensor.name: draw_store(sensor, random) for sensor in sensors}
    labels = random.integers(0, CLASSES, 20_000)
    for precision in options.precisions:
        for batch in options.batches:
            with going_on("train", precision, size, batch):
                before, start = peak(), time.monotonic()
                with computing_in(precision):
                    network = architectures()["TWINNS"].build(sensors, CLASSES, size)
                outputs = (*loss_weights(network), SCORE)
                steps = max(4, 2**14 // batch) if on_gpu() else 2
                samples = np.arange(batch * steps) % len(labels)
                data = TrainingBatches(stores, labels, samples, batch, outputs, seed=0)
                fitting(network, [data], outputs)
                watching = [Watching()]

                def epoch() -> None:
                    network.fit(data, verbose=0, shuffle=False, callbacks=watching)  # noqa: B023

                epoch()
                first = time.monotonic() - start
                rate = len(samples) / seconds_of(epoch, 1)
                told = f"{rate:,.0f} samples/s, first epoch of {steps} after {first:.1f} s"
                say("train", precision, size, batch, f"{told}, {memory_since(before)}")


def draw_store(sensor: Any, random: Any) -> Any:
    """Returns compact samples of 20 000 labelled pixels with random values."""
    from twinns_qgis.samples.store import SampleStore

    values = random.integers(1, 255, (20_000, len(sensor.dates), len(sensor.bands))).astype(sensor.dtype)
    return SampleStore(values, random.integers(0, len(values), (20_000, 5, 5)).astype("int32"))


def measure_agreement(options: argparse.Namespace, size: str) -> None:
    """Compares with a process on the processor, which leaves weights and scores in the folder."""
    import numpy as np
    from mapping import draw_block, make_network, make_sensors

    sensors = make_sensors()
    side = options.exact or (32 if on_gpu() else 8)
    block = draw_block(sensors, side)
    weights, exact = options.folder / f"{size}.weights.h5", options.folder / f"{size}.npy"
    if options.exact:
        network = make_network(sensors, size, "float32", 0)
        network.network.save_weights(weights)
        np.save(exact, network.scores(block))
        return
    if not exact.exists():
        arguments = [*sys.argv[1:-2], "--exact", str(side), "--measurement", f"agree {size}"]
        _run(arguments, backend(), LIMITS["agree"], **HIDDEN)
    scores = np.load(exact)
    for precision in options.precisions:
        with going_on("agree", precision, size):
            network = make_network(sensors, size, precision, side)
            network.network.load_weights(weights)
            found = network.scores(block)
            same = (found.argmax(-1) == scores.argmax(-1)).mean()
            say("agree", precision, size, f"{same:.2%}, scores within {np.abs(found - scores).max():.1e}")


def measure_lack_of_memory(options: argparse.Namespace) -> None:
    import numpy as np
    from keras import ops
    from mapping import CLASSES, draw_block, make_network, make_sensors

    from twinns_qgis.mapping.devices import free_memory
    from twinns_qgis.mapping.scoring import Scorer

    size, precision = options.sizes[0], options.precisions[0]
    side, sensors = max(options.sides or SIDES[size]), make_sensors()
    block = {name: values[0] for name, values in draw_block(sensors, side).items()}
    network, free = make_network(sensors, size, precision, side), free_memory()
    taken = [ops.zeros((2**28,), "float32") for _ in range(((free or LEFT) - LEFT) // 1024)]
    model = SimpleNamespace(classifier=network, manifest=SimpleNamespace(classes=range(CLASSES)))
    scorer = Scorer(model, side, compiled=True)
    for turn in ("first", "second"):
        start = time.monotonic()
        scored = scorer.scores(block, np.ones((side, side), bool), lambda: None)
        lacking = f"{1024 * len(taken)} of {free} MB taken" if taken else "no card"
        whole = bool(np.allclose(scored.scores.sum(-1), 1, atol=1e-3))
        told = f"{lacking}, halved to {scorer.limit}, {time.monotonic() - start:.1f} s, all scored: {whole}"
        say("memory", precision, size, side, f"{turn} block: {told}")


def measure_whole(options: argparse.Namespace) -> None:
    """Maps as users do, on the GPU in the precision that is chosen and in float32, and on the processor."""
    import rasterio

    def read(path: Path) -> Any:
        with rasterio.open(path) as raster:
            return raster.read(1)

    if options.site is None:
        say("whole", "no SITE")
        return
    exact = options.folder / "processor.tif"
    runs = [("gpu" if on_gpu() else "auto", precision) for precision in ("auto", "float32")]
    for where, precision in [*([] if exact.exists() else [("cpu", "float32")]), *runs]:
        output = exact if where == "cpu" else options.folder / f"{backend()}_{precision}.tif"
        command = [sys.executable, "-m", "twinns_qgis", "map-cover"]
        for name, value in {
            "sentinel1": options.site / "sentinel1.tif",
            "sentinel2": options.site / "sentinel2.tif",
            "model": options.site / "model.twinns",
            "output": output,
            "device": where,
            "precision": precision,
        }.items():
            command += [f"--{name}", str(value)]
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print("\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-25:]), flush=True)
        told = f"{time.monotonic() - start:.1f} s, status {done.returncode}"
        if done.returncode == 0 and exact.exists():
            told += f", classes as on the processor {(read(output) == read(exact)).mean():.3%}"
        say("whole", where, precision, told)


MEASUREMENTS: dict[str, Callable[..., None]] = {
    "rates": measure_rates,
    "map": measure_mapping,
    "train": measure_training,
    "agree": measure_agreement,
    "memory": measure_lack_of_memory,
    "whole": measure_whole,
}


def say(part: str, *about: object) -> None:
    print(f"{part} {backend()} {' '.join(map(str, about))}", flush=True)


@contextmanager
def going_on(*about: object) -> Iterator[None]:
    """Tells an error within it, whatever it is: the next measurement may work."""
    try:
        yield
    except Exception as error:
        say(*map(str, about), f"{type(error).__name__}: {str(error)[:300]}")


def backend() -> str:
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def on_gpu() -> bool:
    from twinns_qgis.networks.backend import gpu_available

    return gpu_available()


def device() -> str:
    if not on_gpu():
        return "on the processor"
    if backend() == "torch":
        import torch

        return f"{torch.__version__} on {torch.cuda.get_device_name(0)}"
    if backend() == "jax":
        import jax

        return f"{jax.__version__} on {jax.devices()[0].device_kind}"
    import tensorflow

    details = tensorflow.config.experimental.get_device_details(tensorflow.config.list_physical_devices("GPU")[0])
    return f"{tensorflow.__version__} on {details.get('device_name')}"


def peak() -> int:
    """Returns the most bytes of the card that the backend has had in use."""
    if not on_gpu():
        return 0
    if backend() == "torch":
        import torch

        return int(torch.cuda.max_memory_allocated())
    if backend() == "jax":
        import jax

        return int((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0))
    import tensorflow

    return int(tensorflow.config.experimental.get_memory_info("GPU:0")["peak"])


def memory_since(before: int) -> str:
    now = peak()
    return f"{now / 2**20:,.0f} MB" if now > before else "no more memory than before"


def allow_tf32(allowed: bool) -> None:
    if backend() == "torch":
        import torch

        torch.backends.cuda.matmul.allow_tf32 = allowed
    elif backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if allowed else "highest")
    else:
        import tensorflow

        tensorflow.config.experimental.enable_tensor_float_32_execution(allowed)


def product_rate(precision: str) -> float:
    """Returns the operations per second of a product of large matrices."""
    import numpy as np
    from keras import ops

    side, repetitions = (8192, 10) if on_gpu() else (512, 2)
    # Divided so that products of products stay as large as they are.
    values = np.random.default_rng(0).standard_normal((side, side), "float32") / side**0.5
    factor = ops.cast(values, precision)

    def run() -> float:
        product = factor
        for _ in range(repetitions):
            product = ops.matmul(factor, product)
        return float(ops.cast(product[0, 0], "float32"))

    return repetitions * 2 * side**3 / seconds_of(run)


def seconds_of(call: Callable[[], Any], warm: int = 2) -> float:
    """Returns the seconds of a call, the least of as many as take a second, after some that do not count."""
    for _ in range(warm):
        call()
    least, end = float("inf"), time.perf_counter() + TIMED
    while least == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - start)
    return least


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", nargs="+", default=["jax", "torch"])
    parser.add_argument("--parts", nargs="+", default=list(LIMITS), choices=list(LIMITS))
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--sides", nargs="+", type=int, help="of the parts of a map; by default some for each size")
    parser.add_argument("--precisions", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--batches", nargs="+", type=int, default=list(BATCHES))
    parser.add_argument("--site", type=Path, help="folder of a model and series to map")
    parser.add_argument("--seconds", type=float, default=420, help="that all may take")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--exact", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measurement", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
