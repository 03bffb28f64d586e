"""Figures of reports: the style of their axes, and SVG to put into HTML.

Figures are drawn with matplotlib's objects alone: its `pyplot` keeps global state, which threads would share.
"""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

BLUE, RED, QUIET = "#4477aa", "#cc3311", "#666666"


def plain_axes(axes: Axes) -> None:
    """Styles axes for reports: light lines across, no frame above and to the right."""
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, labelsize=9, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")


def to_svg(figure: Figure) -> str:
    """Returns a figure as an SVG element."""
    buffer = io.StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
