"""Where Keras computes, and on what."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from twinns_qgis.errors import InputError

Tensor = Any
"""A tensor of whichever backend Keras runs on."""

Dates = Any
"""A tensor by date, dates first, or a list of one for each date."""

DEVICES = ("auto", "cpu", "gpu")
_OUT_OF_MEMORY = {"ResourceExhaustedError", "OutOfMemoryError", "MemoryError"}


def use_device(device: str) -> None:
    """Chooses where Keras computes; to be called before anything imports Keras.

    Args:
        device: ``cpu`` hides the GPUs; ``auto`` and ``gpu`` use the first one, if there is one.
    """
    # TensorFlow's greetings are no news to the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # That blocks of a map have several shapes is no news either.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Other programs may need the GPU too: memory is taken as it is needed.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # PyTorch's threads wait for each other in a loop that keeps the processor busy: beside other programs, steps of a
    # training took 1.5 s instead of 0.05.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = "cpu"
        os.environ["KERAS_TORCH_DEVICE"] = "cpu"  # Apple's and Intel's GPUs too


def gpu_available() -> bool:
    """Returns whether Keras' backend computes on a GPU."""
    import keras

    backend = keras.backend.backend()
    if backend == "torch":  # Keras has no list of devices for it
        return bool(keras.ops.zeros(()).device.type != "cpu")
    if backend == "jax":  # where there is no GPU, to ask for a list of them is an error
        import jax

        return bool(jax.default_backend() == "gpu")
    return bool(keras.distribution.list_devices("gpu"))


def gpus() -> tuple[str, ...]:
    """Returns the names of the GPUs that Keras' backend sees; of PyTorch's, those of NVIDIA and AMD."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    return tuple(keras.distribution.list_devices("gpu")) if gpu_available() else ()


def compiles_training() -> bool:
    """Returns whether the steps of a training are to be compiled by XLA.

    JAX is slow without. TensorFlow gains on a GPU; on the CPU compiled training is slower. PyTorch has no XLA.
    """
    import keras

    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and gpu_available())


def compiles_blocks() -> bool:
    """Returns whether networks that are built now are to be compiled by XLA when they go through blocks of a map.

    On a GPU always. On the CPU it makes float32 faster by 6 to 15 % and bfloat16 half as fast, as XLA multiplies that
    as float32 there.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        return False
    return gpu_available() or backend == "jax" or keras.config.dtype_policy().compute_dtype == "float32"


def compiles_every_shape() -> bool:
    """Returns whether even what is computed once is to be compiled: JAX would compile each loop anew at every call."""
    import keras

    return bool(keras.backend.backend() == "jax")


def predictor(network: Any, compiled: bool) -> Callable[[dict[str, Any]], Any]:
    """Returns what computes the outputs of a network, outside training, from its inputs; both are arrays by name.

    Keras has JAX's programs consume the weights and give them back: they would be lost if the memory of the device runs
    out, and with it the chance to go on in smaller parts.

    Args:
        network: The network.
        compiled: Whether a program is compiled for each shape of the inputs; JAX always does.
    """
    import keras

    if keras.backend.backend() != "jax":
        network.jit_compile = compiled
        return network.predict_on_batch
    import jax
    import numpy as np

    program = jax.jit(lambda *state: network.stateless_call(*state, training=False)[0])

    def predict(inputs: dict[str, Any]) -> Any:
        kinds = network.trainable_variables, network.non_trainable_variables
        return jax.tree.map(np.array, program(*([variable.value for variable in kind] for kind in kinds), inputs))

    return predict


def scan_dates(
    step: Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, tuple[Tensor, ...]]],
    state: Tensor,
    inputs: Sequence[Dates],
    backwards: bool = False,
) -> tuple[Tensor, Sequence[Dates]]:
    """Goes through the dates with a state.

    JAX compiles one date for all: 24 and 34 of them took minutes. The others take them one by one, taken apart at once,
    as the gradient of a slice is as large as what it was cut from.

    Args:
        step: What makes of the state and a date's inputs the next state and the outputs.
        state: The first state.
        inputs: Each by date.
        backwards: Whether the last date comes first.

    Returns:
        The last state, and each of the outputs by date; `stack_dates` makes a tensor of one.
    """
    from keras import ops

    if compiles_every_shape():
        return ops.scan(step, state, tuple(inputs), reverse=backwards)
    by_date = list(zip(*(one if isinstance(one, list) else ops.unstack(one) for one in inputs), strict=True))
    outputs = []
    for now in reversed(by_date) if backwards else by_date:
        state, made = step(state, now)
        outputs.append(made)
    return state, [list(one) for one in zip(*(reversed(outputs) if backwards else outputs), strict=True)]


def stack_dates(values: Dates) -> Tensor:
    """Returns what `scan_dates` gives as a tensor, dates first."""
    from keras import ops

    return ops.stack(values) if isinstance(values, list) else values


def describe_device(device: str) -> str:
    """Returns in words where Keras computes.

    Raises:
        InputError: `device` is ``gpu`` and there is none.
    """
    import keras

    found = gpu_available()
    if device == "gpu" and not found:
        raise InputError(
            f"There is no GPU that {keras.backend.backend()} can use.",
            "Choose DEVICE cpu or auto, or set up the compute environment for the GPU.",
        )
    return f"Computing on the {'GPU' if found else 'CPU'} with {keras.backend.backend()}"


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an error, of any of Keras' backends, says that the device's memory ran out."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & _OUT_OF_MEMORY) or "RESOURCE_EXHAUSTED" in str(error)
