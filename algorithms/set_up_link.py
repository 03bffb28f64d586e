"""The link in messages that opens the dialog to set the compute environment up."""

from __future__ import annotations

from qgis import utils
from qgis.PyQt.QtCore import QObject, QUrl, pyqtSlot
from qgis.PyQt.QtGui import QDesktopServices

from .environment import check_interpreter
from .translation import tr

_SCHEME = "twinns"
_ALGORITHM = "twinns:setupcompute"


def can_compute() -> tuple[bool, str]:
    """Returns whether there is a compute environment, and how to get one, with the link where QGIS has windows."""
    executable, why_not = check_interpreter()
    if executable or utils.iface is None:
        return executable, why_not
    return False, f'{why_not}<p><a href="{_ALGORITHM}">' + tr("Set it up now") + "</a></p>"


class SetUpLink(QObject):
    """Opens the dialog when the link is clicked, for as long as it is followed."""

    def follow(self) -> None:
        """Begins to listen."""
        # By the name of the slot: PyQt calls no plain function here.
        QDesktopServices.setUrlHandler(_SCHEME, self, "open")

    def forget(self) -> None:
        """Listens no more."""
        QDesktopServices.unsetUrlHandler(_SCHEME)

    @pyqtSlot(QUrl)  # type: ignore[untyped-decorator, unused-ignore]
    def open(self, url: QUrl) -> None:
        """Opens the dialog, if the link is the one."""
        import processing

        if url.toString() == _ALGORITHM:
            processing.execAlgorithmDialog(_ALGORITHM)
