"""Random fields and random streams."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Stream(IntEnum):
    """What random numbers are drawn for: each has a stream of its own, so that none depends on what else is drawn."""

    FIELDS = 1
    COVER = 2
    VARIATION = 3
    LABELS = 4
    SENTINEL2 = 5
    SENTINEL1 = 6


def generator(seed: int, stream: Stream, index: int = 0) -> np.random.Generator:
    """Returns the random numbers of a stream; `index` tells its dates apart."""
    return np.random.default_rng([seed, int(stream), index])


def smooth_noise(rng: np.random.Generator, size: int, scale: float) -> NDArray[np.float64]:
    """Returns Gaussian noise that is correlated in space.

    Args:
        rng: Where the random numbers come from.
        size: Width and height.
        scale: Standard deviation, in pixels, of the Gaussian that the white noise is convolved with.

    Returns:
        Noise of mean 0 and standard deviation 1, shape (size, size), periodic at its edges.
    """
    rows = np.fft.fftfreq(size)[:, np.newaxis]
    columns = np.fft.rfftfreq(size)
    response = np.exp(-2 * (np.pi * scale) ** 2 * (rows**2 + columns**2))
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * response, s=(size, size))
    return (noise - noise.mean()) / noise.std()
