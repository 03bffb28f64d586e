"""The GRU of the paper (equations 4-6), and its recurrence, forth and back through the dates.

The gradient is written out, as that of automatic differentiation takes a third more time to train: it forms the
gradient of each kernel at every date and adds them up, where one product over all dates does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from twinns_qgis.networks.backend import Tensor, scan_dates, stack_dates


@keras.saving.register_keras_serializable(package="twinns")
class GatedRecurrentUnit(keras.layers.Layer):
    """A GRU whose reset gate acts before the recurrent product (equations 4-6).

    This is neither PyTorch's GRU nor Keras' default one, which reset after it.

    Args:
        units: Size of the state.

    Call arguments:
        x: Features, dates first, shape (T, ..., C).

    Output shape:
        (T, ..., units): the state after each date; before the first it is 0.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Sequence[int | None]) -> None:
        # The kernels of the gates z and r and of the candidate state stand side by side: one product serves all.
        self.input_kernel = self.add_weight((input_shape[-1], 3 * self.units), "glorot_uniform", name="input_kernel")
        self.gate_kernel = self.add_weight((self.units, 2 * self.units), "orthogonal", name="gate_kernel")
        self.state_kernel = self.add_weight((self.units, self.units), "orthogonal", name="state_kernel")
        self.bias = self.add_weight((3 * self.units,), "zeros", name="bias")
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        from_input = ops.cast(ops.matmul(x, self.input_kernel) + self.bias, "float32")
        gates, candidates = ops.split(from_input, [2 * self.units], axis=-1)
        # Outside a compiled function TensorFlow's variables are no tensors, and refused by what has its own gradient.
        kernels = (ops.copy(kernel) for kernel in (self.gate_kernel, self.state_kernel))
        return ops.cast(gated_recurrence(gates, candidates, *kernels), self.compute_dtype)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@ops.custom_gradient  # type: ignore[untyped-decorator]  # Keras has no type hints
def gated_recurrence(
    gates: Tensor, candidates: Tensor, gate_kernel: Tensor, candidate_kernel: Tensor
) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]]]:
    """Returns the state after each date; before the first it is 0.

    ``z, r = sigmoid(gates_t + h Wg)``, ``c = tanh(candidates_t + (r * h) Wc)``, ``h = z * h + (1 - z) * c``.

    What adds up over the dates keeps the type of the inputs; products have that of the kernels, which may be coarser.

    Args:
        gates: What the inputs, and the bias, give to the gates z and r, shape (T, ..., 2C).
        candidates: What they give to the candidate state, shape (T, ..., C).
        gate_kernel: Wg, shape (C, 2C).
        candidate_kernel: Wc, shape (C, C).

    Returns:
        States of shape (T, ..., C).
    """

    def step(state: Tensor, now: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        gates_t, candidates_t = now
        z, r = ops.split(ops.sigmoid(gates_t + _product(state, gate_kernel)), 2, axis=-1)
        kept = r * state
        candidate = ops.tanh(candidates_t + _product(kept, candidate_kernel))
        difference = state - candidate
        state = candidate + z * difference
        return state, (state, z, r, kept, candidate, difference)

    nothing = ops.zeros_like(candidates[0])
    _, (states, *steps) = scan_dates(step, nothing, (gates, candidates))
    all_states, all_kept = stack_dates(states), steps[2]

    def gradient(*arguments: Any, upstream: Tensor | None = None) -> tuple[Tensor, ...]:
        """Returns the gradients of the four arguments; PyTorch gives `upstream` by name."""
        (of_states,) = arguments if upstream is None else (upstream,)
        back_from_gates, back_from_candidate = _transposed(gate_kernel, candidate_kernel)

        def back(of_state: Tensor, now: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
            of_state_t, z, r, kept, candidate, difference = now
            of_state = of_state + of_state_t
            of_entering = of_state * (1 - z)
            of_candidate = of_entering * (1 - candidate * candidate)
            of_kept = _product(of_candidate, back_from_candidate)
            of_gate = ops.concatenate([of_entering * z * difference, of_kept * kept * (1 - r)], axis=-1)
            of_state = of_state - of_entering + of_kept * r + _product(of_gate, back_from_gates)
            return of_state, (of_gate, of_candidate)

        _, of_inputs = scan_dates(back, nothing, (of_states, *steps), backwards=True)
        of_gates, of_candidates = map(stack_dates, of_inputs)
        # The state before the first date is 0 and adds nothing.
        of_gate_kernel = _outer(all_states[:-1], of_gates[1:], gate_kernel.dtype)
        of_candidate_kernel = _outer(stack_dates(all_kept), of_candidates, candidate_kernel.dtype)
        return of_gates, of_candidates, of_gate_kernel, of_candidate_kernel

    return all_states, gradient


def _transposed(gate_kernel: Tensor, candidate_kernel: Tensor) -> list[Tensor]:
    """Returns the transposes of the kernels.

    Side by side, so that something stands between transposing and each product: else TensorFlow makes one operation of
    the two, which transposes anew at every date and takes three times as long.
    """
    both = ops.transpose(ops.concatenate([gate_kernel, candidate_kernel], axis=-1))
    return ops.split(both, [gate_kernel.shape[-1]])


def _product(x: Tensor, kernel: Tensor) -> Tensor:
    return ops.cast(ops.matmul(ops.cast(x, kernel.dtype), kernel), x.dtype)


def _outer(left: Tensor, right: Tensor, dtype: Any) -> Tensor:
    """Returns the sum of the outer products over all dates and samples."""
    left, right = (ops.cast(ops.reshape(part, (-1, part.shape[-1])), dtype) for part in (left, right))
    return ops.matmul(ops.transpose(left), right)
