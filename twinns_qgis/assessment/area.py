"""Accuracy and class areas from a probability sample, with confidence intervals (Olofsson et al. 2014).

Olofsson, P., Foody, G. M., Herold, M., Stehman, S. V., Woodcock, C. E. and Wulder, M. A. (2014): Good practices for
estimating area and assessing accuracy of land change. Remote Sensing of Environment 148, 42-57.

The strata are the map's classes: of each, as many pixels were drawn as one liked, each with the same probability. So a
share within a stratum is that of its sample, and strata count by their area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z = 1.96
"""Standard errors to each side of an estimate: so the paper has it for intervals of 95 %, rounded."""


@dataclass(frozen=True)
class Estimate:
    """What was estimated, and how far off it may be.

    Args:
        value: The estimates, NaN where the sample tells nothing.
        error: Their standard errors, NaN where there are too few samples to tell.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]

    @property
    def half(self) -> NDArray[np.float64]:
        """Half the width of the 95 % confidence intervals."""
        return Z * self.error


@dataclass(frozen=True)
class AreaAdjusted:
    """What a stratified random sample says of a map of K classes.

    Args:
        proportions: Estimated share of the area by map class (rows) and reference class (columns), shape (K, K).
        accuracy: Overall accuracy (equation 1), shape ().
        users: User's accuracy of each class (equation 2), shape (K,).
        producers: Producer's accuracy of each class (equation 3), shape (K,).
        areas: Area of each class in the reference (equations 8 to 11), shape (K,), in the unit of the map's areas.
        unsampled: Whether a class of the map has an area and no sample, shape (K,): what is said of the whole then
            leaves out its area.
    """

    proportions: NDArray[np.float64]
    accuracy: Estimate
    users: Estimate
    producers: Estimate
    areas: Estimate
    unsampled: NDArray[np.bool_]


def area_adjusted(counts: NDArray[np.int64], mapped: NDArray[np.float64]) -> AreaAdjusted:
    """Estimates accuracy and areas from a stratified random sample whose strata are the map's classes.

    Args:
        counts: Sampled pixels by map class (rows) and reference class (columns), shape (K, K).
        mapped: Area of each class on the map, shape (K,).

    Example:
        Forest that became something else, and forest that did not, on 100 and 900 hectares:

        >>> found = area_adjusted(np.array([[45, 5], [10, 140]]), np.array([100.0, 900.0]))
        >>> round(float(found.accuracy.value), 3)
        0.93
        >>> [round(float(area)) for area in found.areas.value]
        [150, 850]
    """
    drawn = counts.sum(axis=1)
    sampled = drawn > 0
    unsampled = ~sampled & (mapped > 0)
    weights = np.where(sampled, mapped, 0.0)
    area = float(weights.sum())
    weights = weights / area if area else weights
    shares = counts / np.maximum(drawn, 1)[:, None]
    # The variance of each share of a stratum; one sample alone tells none.
    with np.errstate(divide="ignore", invalid="ignore"):
        variances = shares * (1 - shares) / (drawn - 1)[:, None]
    variances[(drawn == 1) & (weights > 0)] = np.nan
    variances[weights == 0] = 0.0
    proportions = weights[:, None] * shares
    right, variance_right = shares.diagonal(), variances.diagonal()
    of_reference = proportions.sum(axis=0)
    squared = weights[:, None] ** 2 * variances
    with np.errstate(divide="ignore", invalid="ignore"):
        producers = proportions.diagonal() / of_reference
        # Equation 7: what adds to a class from its own stratum, and from all others.
        from_own = (1 - producers) ** 2 * squared.diagonal()
        from_others = producers**2 * (squared.sum(axis=0) - squared.diagonal())
        producers_error = np.sqrt(from_own + from_others) / of_reference
    users = np.where(sampled, right, np.nan)
    return AreaAdjusted(
        proportions=proportions,
        accuracy=Estimate(proportions.trace(), np.sqrt(squared.diagonal().sum())),
        users=Estimate(users, np.where(drawn > 1, np.sqrt(variance_right), np.nan)),
        producers=Estimate(producers, producers_error),
        areas=Estimate(area * of_reference, area * np.sqrt(squared.sum(axis=0))),
        unsampled=unsampled,
    )
