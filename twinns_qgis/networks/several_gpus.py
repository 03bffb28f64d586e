"""Training on several GPUs at once, each with its share of every batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras

from twinns_qgis.networks.backend import gpus
from twinns_qgis.reporter import Reporter


def gpus_to_train_on(batch_size: int, reporter: Reporter) -> tuple[str, ...]:
    """Returns the GPUs that share a training's batches; the reporter is warned of those that stay idle, and why.

    Args:
        batch_size: Pixels a batch, on all GPUs together.
        reporter: Receives the number of GPUs in use, and warnings.

    Returns:
        Names of several GPUs, or none: Keras computes where it does by itself.
    """
    found = gpus()
    if len(found) < 2:
        return ()
    if keras.backend.backend() != "jax":
        reporter.warning(
            f"Training uses one of {len(found)} GPUs, as with {keras.backend.backend()} it can't share batches. To use "
            "all, add JAX with CUDA to the compute environment and set the environment variable KERAS_BACKEND to jax."
        )
        return ()
    used = next(count for count in range(len(found), 0, -1) if batch_size % count == 0)
    if used < len(found):
        reporter.warning(
            f"Training uses {used} of {len(found)} GPUs, as a BATCH_SIZE of {batch_size} can't be shared evenly by "
            f"more. To use all, choose a multiple of {len(found)}."
        )
    else:
        reporter.info(f"Training on {used} GPUs, with {batch_size // used} pixels of each batch on each")
    return found[:used] if used > 1 else ()


@contextmanager
def sharing_batches(devices: Sequence[str]) -> Iterator[None]:
    """Spreads each batch of the trainings within it, and of their networks, over several devices.

    JAX compiles one program for all of them, so that loss, gradient and the statistics of batch normalisation are those
    of the whole batch, as on one device.

    Args:
        devices: Their names; with fewer than two, all is as it was.
    """
    if len(devices) < 2:
        yield
        return
    with keras.distribution.DataParallel(devices=list(devices)).scope():
        yield


def shares() -> int:
    """Returns the number of devices that share a batch here: its pixels must be a multiple."""
    distribution = keras.distribution.distribution()
    return distribution.num_model_replicas if distribution else 1
