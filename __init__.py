"""TWINNS for QGIS: the folder of this file is the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plugin import TwinnsPlugin


def classFactory(iface: Any) -> TwinnsPlugin:  # noqa: N802, QGIS calls it so
    """Returns the plugin; QGIS calls this when it loads it."""
    from .plugin import TwinnsPlugin

    return TwinnsPlugin()
