"""The attentive ConvGRU branch on a block of a map: date by date, in memory that does not grow with the dates.

What comes out is what `AttentiveConvGRUBranch` makes of all dates at once (paper, equations 2-9), by other means: each
normalisation is within the next product, and attention keeps a running maximum and running sums instead of all states
(Milakov and Gimelshein 2018, Online normalizer calculation for softmax, arXiv:1805.02867).
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from twinns_qgis.networks.attention import Attention
from twinns_qgis.networks.backend import Tensor
from twinns_qgis.networks.cnn import ConvolutionBlock, convolve
from twinns_qgis.networks.gru import GatedRecurrentUnit

_LOWEST = -1e30
"""Below every attention score; with minus infinity, a difference of two would be no number."""

_Attended = tuple[Tensor, Tensor, Tensor]


def features_date_by_date(
    first: ConvolutionBlock,
    second: ConvolutionBlock,
    recurrence: GatedRecurrentUnit,
    attention: Attention,
    x: Tensor,
    places: Tensor | None = None,
) -> Tensor:
    """Returns the features that the layers of a branch make of a block, as outside training.

    Args:
        first: The first convolution.
        second: The second one, with 2l filters.
        recurrence: The GRU, of 2l units.
        attention: The attention over dates.
        x: Variables, shape (N, H, W, T, V).
        places: Those of the (H - 4)(W - 4) pixels whose features are wanted, counted row by row, shape (P,); N is 1
            then. By default all.

    Returns:
        Shape (N, H - 4, W - 4, 2l), or (P, 2l).
    """
    samples, height, width = ops.shape(x)[0], ops.shape(x)[1] - 4, ops.shape(x)[2] - 4
    by_date = ops.transpose(x, (3, 0, 1, 2, 4))
    convolved = _convolutions(first, second, places)
    next_state = _recurrence(recurrence, second)

    def step(date: Tensor, before: tuple[Tensor, _Attended]) -> tuple[Tensor, _Attended]:
        state, attended = before
        state = next_state(convolved(ops.take(by_date, date, axis=0)), state)
        return state, _attend(attention, state, attended)

    pixels, units = samples * height * width if places is None else ops.shape(places)[0], second.filters
    nothing = ops.zeros((pixels, units)), ops.zeros((pixels, 1)), ops.full((pixels, 1), _LOWEST)
    _, (total, weights, _) = ops.fori_loop(0, x.shape[3], step, (ops.zeros((pixels, units)), nothing))
    features = ops.cast(total / weights, attention.compute_dtype)
    return features if places is not None else ops.reshape(features, (samples, height, width, units))


def _convolutions(first: ConvolutionBlock, second: ConvolutionBlock, places: Tensor | None) -> Callable[..., Tensor]:
    """Returns what makes of a date's variables, shape (N, H, W, V), the rectified features of P pixels, (P, 2l)."""
    kernel, bias = second.after(first.affine())

    def everywhere(x: Tensor) -> Tensor:
        return ops.reshape(convolve(convolve(x, *first.after(None)), kernel, bias), (-1, second.filters))

    def at_places(x: Tensor) -> Tensor:
        once = convolve(x, *first.after(None))
        width = ops.shape(once)[2]
        corner = places // (width - 2) * width + places % (width - 2)
        window = [row * width + column for row in range(3) for column in range(3)]
        seen = ops.take(ops.reshape(once, (-1, first.filters)), ops.stack([corner + one for one in window], 1), axis=0)
        windows = ops.reshape(seen, (-1, 9 * first.filters))
        return ops.relu(ops.matmul(windows, ops.reshape(kernel, (-1, second.filters))) + bias)

    return everywhere if places is None else at_places


def _recurrence(layer: GatedRecurrentUnit, before: ConvolutionBlock) -> Callable[[Tensor, Tensor], Tensor]:
    """Returns what makes of rectified features and a state, both of shape (P, 2l), the next state (equations 4-6)."""
    kernel, bias = before.affine().into(layer.input_kernel, layer.bias)
    kernels, biases = ops.split(kernel, 3, axis=-1), ops.split(bias, 3)  # whose products need not be taken apart then
    from_state = (*ops.split(layer.gate_kernel, 2, axis=-1), layer.state_kernel)

    def gate(number: int, x: Tensor, state: Tensor) -> Tensor:
        products = (
            ops.matmul(x, kernels[number]) + biases[number],
            ops.matmul(ops.cast(state, x.dtype), from_state[number]),
        )
        return ops.cast(products[0], "float32") + ops.cast(products[1], "float32")

    def next_state(x: Tensor, state: Tensor) -> Tensor:
        z, r = ops.sigmoid(gate(0, x, state)), ops.sigmoid(gate(1, x, state))
        candidate = ops.tanh(gate(2, x, r * state))
        return candidate + z * (state - candidate)

    return next_state


def _attend(attention: Attention, state: Tensor, before: _Attended) -> _Attended:
    """Takes a date's state, shape (P, 2l), into the sums over the dates (equations 7-9).

    Returns:
        The weighted sum of the states (P, 2l), the sum of the weights (P, 1), and the highest score so far (P, 1), by
        whose power of e both are divided, so that none overflows.
    """
    total, weights, highest = before
    score = ops.expand_dims(attention.scores(ops.cast(state, attention.compute_dtype)), -1)
    now_highest = ops.maximum(highest, score)
    weight, fading = ops.exp(score - now_highest), ops.exp(highest - now_highest)
    return total * fading + weight * state, weights * fading + weight, now_highest
