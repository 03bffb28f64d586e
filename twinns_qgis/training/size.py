"""The size of a network where the user leaves it open."""

from __future__ import annotations

from twinns_qgis.networks.backend import gpu_available
from twinns_qgis.reporter import Reporter

AUTO = "auto"
"""The value of SIZE that leaves the choice open."""


def choose_size(asked: str, reporter: Reporter) -> str:
    """Returns the size that a network is to have: the paper's on a GPU, else ``compact``, unless one is asked for.

    Args:
        asked: The value of SIZE.
        reporter: Receives what was chosen, and why.
    """
    if asked != AUTO:
        return asked
    if gpu_available():
        reporter.info("Size paper, as there is a GPU to compute on")
        return "paper"
    reporter.info("Size compact, as there is no GPU to compute on: on a processor the size paper takes days")
    return "compact"
