"""Figures of the training report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from twinns_qgis.assessment.insight import Importance
from twinns_qgis.assessment.reliability import BINS, Trust
from twinns_qgis.reports.drawing import BLUE, QUIET, RED, plain_axes, to_svg
from twinns_qgis.training.history import Epoch

_FEW = 30
"""Up to so many epochs each is marked: a line alone would hide that it joins few points."""
_UPRIGHT = 4
"""Names of more bands stand upright."""


def learning_curves(history: Sequence[Epoch], best_epoch: int) -> str:
    """Draws loss and accuracy against the epoch, for training and validation part, side by side.

    Args:
        history: The epochs, one or more.
        best_epoch: The epoch whose weights were kept; it is marked.

    Returns:
        An SVG element.
    """
    figure = Figure(figsize=(9.6, 3.1), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    epochs = [epoch.epoch for epoch in history]
    _curves(loss, epochs, [epoch.loss for epoch in history], [epoch.validation_loss for epoch in history])
    _curves(accuracy, epochs, [epoch.accuracy for epoch in history], [epoch.validation_accuracy for epoch in history])
    loss.set_title("Loss", loc="left", fontsize=11)
    accuracy.set_title("Accuracy of the score", loc="left", fontsize=11)
    loss.set_ylim(bottom=0)
    for axes in (loss, accuracy):
        _mark(axes, best_epoch)
    lines = loss.get_lines()[:2]
    figure.legend(handles=lines, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return to_svg(figure)


def reliability_plot(trust: Trust) -> str:
    """Draws accuracy against confidence, before and after calibration, with the diagonal that both should lie on.

    Args:
        trust: What confidence is worth.

    Returns:
        An SVG element.
    """
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    for axes, title, found in zip(
        figure.subplots(1, 2, sharey=True),
        ("As the scores come", f"With a temperature of {trust.temperature:.2f}"),
        (trust.raw, trust.calibrated),
        strict=True,
    ):
        share = found.count / max(1, found.count.max())
        filled = found.count > 0
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.bar((np.arange(BINS) + 0.5) / BINS, 0.25 * share, width=0.9 / BINS, color="#e4e4e4")
        axes.plot(found.confidence[filled], found.accuracy[filled], "o-", color=BLUE, linewidth=1.2, markersize=4)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_title(f"expected error {100 * found.expected_error:.1f} %", loc="right", fontsize=9, color=QUIET)
        axes.set_xlabel("Confidence", color=QUIET)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        plain_axes(axes)
    figure.axes[0].set_ylabel("Accuracy", color=QUIET)
    return to_svg(figure)


def attention_map(dates: Sequence[date], classes: Sequence[str], weights: NDArray[np.float64]) -> str:
    """Draws the mean attention to each date, for each class a row, on the axis of the dates.

    Args:
        dates: The T dates, ascending.
        classes: Names of the K classes.
        weights: Attention, shape (K, T), each row summing to 1; NaN where a class has none.

    Returns:
        An SVG element.
    """
    figure = Figure(figsize=(9.6, 1.2 + 0.24 * len(classes)), layout="constrained")
    axes = figure.subplots()
    days = date2num(dates)
    gaps = np.diff(days) / 2 if len(days) > 1 else np.array([1.0])
    edges = np.array([days[0] - gaps[0], *(days[1:] - gaps[: len(days) - 1]), days[-1] + gaps[-1]])
    times = weights * len(dates)
    mesh = axes.pcolormesh(
        edges, np.arange(len(classes) + 1), times, cmap="Blues", vmin=0, vmax=max(2.0, float(np.nanmax(times)))
    )
    axes.plot(days, np.zeros(len(days)), "|", color=QUIET, markersize=6, clip_on=False)
    axes.set_yticks(np.arange(len(classes)) + 0.5, labels=list(classes))
    axes.invert_yaxis()
    axes.xaxis_date()
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    plain_axes(axes)
    axes.grid(visible=False)
    bar = figure.colorbar(mesh, ax=axes, pad=0.01)
    bar.set_label("times the mean of all dates", color=QUIET, fontsize=9)
    bar.ax.tick_params(colors=QUIET, labelsize=9, length=3)
    bar.outline.set_visible(False)
    return to_svg(figure)


def importance_plot(dates: Sequence[date], bands: Sequence[str], importance: Importance) -> str:
    """Draws the accuracy that is lost without each date, and without each band, side by side, in points.

    Returns:
        An SVG element.
    """
    figure = Figure(figsize=(9.6, 2.8), layout="constrained")
    widths = [3, 1 + len(bands) / 12] if dates else [1]
    panels = figure.subplots(1, len(widths), sharey=True, squeeze=False, width_ratios=widths)[0]
    if dates:
        panels[0].vlines(date2num(dates), 0, 100 * np.array(importance.dates), color=BLUE, linewidth=3)
        panels[0].xaxis_date()
        panels[0].xaxis.set_major_formatter(ConciseDateFormatter(panels[0].xaxis.get_major_locator()))
        panels[0].set_title("Without each date", loc="left", fontsize=11)
    panels[-1].bar(np.arange(len(bands)), 100 * np.array(importance.bands), color=BLUE, width=0.6)
    panels[-1].set_xticks(np.arange(len(bands)), labels=list(bands), rotation=90 if len(bands) > _UPRIGHT else 0)
    panels[-1].set_title("Without each band", loc="left", fontsize=11)
    panels[0].set_ylabel("Accuracy lost, points", color=QUIET)
    for axes in panels:
        axes.axhline(0, color=QUIET, linewidth=0.8)
        plain_axes(axes)
    return to_svg(figure)


def _curves(axes: Axes, epochs: Sequence[int], training: Sequence[float], validation: Sequence[float]) -> None:
    marker = "." if len(epochs) <= _FEW else None
    axes.plot(epochs, training, color=BLUE, marker=marker, linewidth=1.4, label="training")
    axes.plot(epochs, validation, color=RED, marker=marker, linewidth=1.4, label="validation")
    axes.set_xlabel("Epoch", color=QUIET)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    plain_axes(axes)


def _mark(axes: Axes, epoch: int) -> None:
    """Marks an epoch; its label stands above the axes, where no curve passes."""
    axes.axvline(epoch, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set_title(f"best epoch {epoch}", loc="right", fontsize=9, color=QUIET)
