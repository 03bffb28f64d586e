"""Texts that users see."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication


def tr(text: str) -> str:
    """Returns a text in the language of QGIS, where there is a translation."""
    return QCoreApplication.translate("TWINNS", text)
