"""The type of number in which a network multiplies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from twinns_qgis.networks.backend import Tensor, gpu_available
from twinns_qgis.networks.hyperparameters import SIZES
from twinns_qgis.reporter import Reporter

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
PRECISIONS = tuple(_POLICIES)
_CLEARLY_FASTER = 1.3
_REPETITIONS = 10
_MAPPED = {"cpu": 4096, "gpu": 65536}
"""Pixels of a part of a map. On a GPU, of fewer the time goes into starting the products, alike in both precisions."""


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Makes the networks that are built within it compute in a precision.

    In bfloat16 (the range of float32, 8 bits of mantissa) these stay float32: the weights, raw values and their
    scaling, batch statistics, the GRU's state, attention weights, logits and scores. So files of weights are alike.

    Args:
        precision: ``float32`` or ``bfloat16``.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def choose_mapping_precision(network: str, size: str) -> str:
    """Returns the precision that mapping is clearly fastest in, by a short measurement, or float32.

    On a processor the small networks gain a tenth by bfloat16 where products run at twice the rate, and 2ConvLSTM
    nothing: not worth the pixels that get another class.

    Args:
        network: The method whose network maps.
        size: Its size.
    """
    device = "gpu" if gpu_available() else "cpu"
    if device == "cpu" and (size == "small" or network == "2ConvLSTM"):
        return "float32"
    rates = product_rates(size, _MAPPED[device] // 32)
    return "bfloat16" if rates["bfloat16"] > _CLEARLY_FASTER * rates["float32"] else "float32"


def choose_precision(size: str, batch_size: int, reporter: Reporter) -> str:
    """Returns the precision that training is fastest in, or float32 if none is clearly faster.

    That is measured where products tell of a whole step: on a GPU, and on a processor at the size ``paper``. At smaller
    sizes a processor spends half of a step between the products, and was no faster in bfloat16 though they were.

    Args:
        size: Size of the network.
        batch_size: Pixels a batch.
        reporter: Receives what was chosen, and why, where that was measured.
    """
    if not gpu_available() and size != "paper":
        return "float32"
    rates = product_rates(size, batch_size)
    chosen = "bfloat16" if rates["bfloat16"] > _CLEARLY_FASTER * rates["float32"] else "float32"
    found = " and ".join(f"{rate / 1e12:.3g} TFLOP/s in {precision}" for precision, rate in rates.items())
    reporter.info(f"Computing in {chosen}: matrix products run at {found}")
    return chosen


def product_rates(size: str, batch_size: int) -> dict[str, float]:
    """Measures the matrix product that takes longest in training: a ConvGRU branch's second convolution.

    Args:
        size: Size of the network.
        batch_size: Pixels a batch.

    Returns:
        Floating point operations per second of that product and of the two of its gradient, by precision.
    """
    dates, filters = 32, SIZES[size].other
    rows, inner, columns = batch_size * dates, 9 * filters, 2 * filters
    products = {precision: _products(rows, inner, columns, precision) for precision in _POLICIES}
    seconds = dict.fromkeys(products, float("inf"))
    for _ in range(_REPETITIONS):  # in turn, so that what disturbs one disturbs both
        for precision, run in products.items():
            start = time.perf_counter()
            run()
            seconds[precision] = min(seconds[precision], time.perf_counter() - start)
    return {precision: 6 * rows * inner * columns / taken for precision, taken in seconds.items()}


def _products(rows: int, inner: int, columns: int, precision: str) -> Callable[[], Any]:
    """Returns what computes a product and its gradient, and waits for both; it has run once."""
    row = np.random.default_rng(0).random(inner, np.float32)

    def tensor(height: int, width: int) -> Tensor:
        return ops.cast(ops.outer(np.resize(row, height), np.resize(row, width)), precision)

    x, kernel, gradient = tensor(rows, inner), tensor(inner, columns), tensor(rows, columns)

    def run() -> Any:
        forward = ops.matmul(x, kernel)
        backward = ops.matmul(gradient, ops.transpose(kernel)), ops.matmul(ops.transpose(x), gradient)
        # A sum of one number of each can't be had before all are there.
        return float(sum(ops.cast(product[0, 0], "float32") for product in (forward, *backward)))

    run()
    return run
