"""Figures of the report on a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from twinns_qgis.reports.drawing import BLUE, QUIET, plain_axes, to_svg

_DARK = 0.6
"""Share of the colour scale from which on numbers are white."""


def accuracies_plot(accuracies: Mapping[str, Sequence[float]]) -> str:
    """Draws the accuracy of each run, a row for each method, with the mean as a bar across.

    Args:
        accuracies: Those of each method's runs, 0 to 1, in the order to show.

    Returns:
        An SVG element.
    """
    figure = Figure(figsize=(9.6, 1.0 + 0.36 * len(accuracies)), layout="constrained")
    axes = figure.subplots()
    for row, values in enumerate(accuracies.values()):
        points = 100 * np.array(values)
        axes.plot(points, np.full(len(points), row), "o", color=BLUE, alpha=0.45, markersize=7, markeredgewidth=0)
        axes.plot([points.mean()] * 2, [row - 0.32, row + 0.32], color="#1c2126", linewidth=2)
    axes.set_yticks(range(len(accuracies)), labels=list(accuracies))
    axes.set_ylim(len(accuracies) - 0.5, -0.5)
    axes.set_xlabel("Accuracy on the test part, %: each run, and their mean", color=QUIET)
    plain_axes(axes)
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.8)
    return to_svg(figure)


def f_measures_map(classes: Sequence[str], methods: Sequence[str], f_measures: NDArray[np.float64]) -> str:
    """Draws the F-measures as a heat map: classes down, methods across, with the numbers in percent.

    Args:
        classes: Names of the K classes.
        methods: Names of the M methods.
        f_measures: Shape (K, M), 0 to 1; NaN where there is none.

    Returns:
        An SVG element.
    """
    figure = Figure(figsize=(9.6, 1.0 + 0.3 * len(classes)), layout="constrained")
    axes = figure.subplots()
    axes.pcolormesh(f_measures, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1.5)
    for (row, column), value in np.ndenumerate(f_measures):
        text = "\N{EN DASH}" if np.isnan(value) else f"{100 * value:.1f}"
        color = "white" if value > _DARK else "#1c2126"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9, color=color)
    axes.set_xticks(np.arange(len(methods)) + 0.5, labels=list(methods))
    axes.set_yticks(np.arange(len(classes)) + 0.5, labels=list(classes))
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    plain_axes(axes)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return to_svg(figure)
