"""Smoothing of maps: each pixel's class in the light of its neighbours'.

Bayesian smoothing is that of the R package sits: Camara, G., Assunção, R., Carvalho, A., Simões, R., Souza, F., Carlos,
F., Souza, A., Rorato, A. and Dal'Asta, A. P. (2024): Bayesian inference for post-processing of remote-sensing image
classification. Remote Sensing 16 (23), 4572.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinns_qgis.mapping.layouts import PERCENT_NODATA

_HALF_STEP = 0.5
"""Percent: probabilities are rounded to whole ones, so 0 and 100 may be as far off, and have a logit then."""
_ROWS = 1 << 15
"""Pixels that are sorted at once: their neighbours stay in the processor's cache."""


@dataclass(frozen=True)
class Bayes:
    """Bayesian smoothing of probabilities (Camara et al. 2024, equations 8 to 10).

    For each class the logit ``x = ln(p / (1 - p))`` of a pixel is drawn to the mean m of its neighbourhood, the pixel
    itself included, the more the less the neighbourhood varies: ``(s x + v m) / (s + v)``, with the variance s of the
    neighbourhood and the smoothness v. Mean and variance are those of the share of the neighbours where the class is
    likeliest, so that beyond an edge the other side has no say.

    Args:
        window: Side of the neighbourhood in pixels, odd.
        smoothness: v, the variance of logits that is taken for noise.
        share: The share of the neighbours, above 0 to 1.
    """

    window: int
    smoothness: float
    share: float

    def __call__(self, percents: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the smoothed logits.

        Args:
            percents: Probability of each class in percent, 255 where there are no data, shape (K, H + window - 1,
                W + window - 1).

        Returns:
            Shape (K, H, W); where there are no data they mean nothing.
        """
        return np.stack([self._smoothed(of_class) for of_class in percents])

    def _smoothed(self, percents: NDArray[np.uint8]) -> NDArray[np.float32]:
        leg = self.window // 2
        height, width = percents.shape[0] - 2 * leg, percents.shape[1] - 2 * leg
        # One more than the percentage, so that what is missing sorts to the end as 0.
        ranks = np.where(percents == PERCENT_NODATA, np.uint8(0), percents + np.uint8(1))
        windows = np.lib.stride_tricks.sliding_window_view(ranks, (self.window, self.window))
        smoothed = np.empty((height, width), np.float32)
        rows = max(1, _ROWS // width)
        for row in range(0, height, rows):
            own = windows[row : row + rows].reshape(-1, self.window**2)
            smoothed[row : row + rows] = self._of_rows(own).reshape(-1, width)
        return smoothed

    def _of_rows(self, ranks: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the smoothed logit of pixels whose neighbourhoods are given as ranks, shape (pixels, window ** 2)."""
        centre = _LOGITS[ranks[:, ranks.shape[1] // 2]]
        descending = np.sort(ranks, axis=1)[:, ::-1]
        count = np.ceil(self.share * np.count_nonzero(ranks, axis=1)).astype(np.int64)
        most = int(count.max(initial=0))
        logits = _LOGITS[descending[:, :most]]
        counted = np.arange(most) < count[:, None]
        number = np.maximum(count, 1)
        mean = (logits * counted).sum(axis=1) / number
        deviations = (logits - mean[:, None]) * counted
        # Of one neighbour alone there is no variance: the pixel takes its mean, which is itself.
        variance = (deviations * deviations).sum(axis=1) / np.maximum(number - 1, 1)
        weight = variance / (variance + self.smoothness)
        return (weight * centre + (1 - weight) * mean).astype(np.float32)


def _logits() -> NDArray[np.float32]:
    """Returns the logit of each rank: 0 for none, else one more than a percentage."""
    shares = np.clip(np.arange(101), _HALF_STEP, 100 - _HALF_STEP) / 100
    return np.concatenate([[0.0], np.log(shares / (1 - shares))]).astype(np.float32)


_LOGITS = _logits()


def majority(codes: NDArray[np.uint8], there: NDArray[np.bool_], window: int) -> NDArray[np.uint8]:
    """Returns the class that most pixels of each neighbourhood have, the pixel itself included.

    Where several have as many, the pixel keeps its own if it is one of them, else the lowest code is taken.

    Args:
        codes: Class codes, shape (H + window - 1, W + window - 1).
        there: Whether there is a class, likewise.
        window: Side of the neighbourhood in pixels, odd.

    Returns:
        Codes of shape (H, W); where there is no class they mean nothing.
    """
    leg = window // 2
    inner = codes[leg : codes.shape[0] - leg, leg : codes.shape[1] - leg]
    best, most = inner.copy(), np.full(inner.shape, -1, np.int32)
    for code in np.unique(codes[there]):
        count = _sums((codes == code) & there, window)
        better = (count > most) | ((count == most) & (inner == code))
        best[better], most[better] = code, count[better]
    return best


def _sums(members: NDArray[np.bool_], window: int) -> NDArray[np.int32]:
    """Returns how many members each neighbourhood has, by running sums along both axes."""
    sums = members.astype(np.int32)
    for axis in (0, 1):
        running = np.cumsum(sums, axis=axis)
        running = np.insert(running, 0, 0, axis=axis)
        length = running.shape[axis]
        sums = running.take(range(window, length), axis) - running.take(range(length - window), axis)
    return sums
