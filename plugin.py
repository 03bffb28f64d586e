"""The plugin: it registers the provider, in QGIS and in ``qgis_process``."""

from __future__ import annotations

from qgis import utils
from qgis.core import QgsApplication

from .algorithms.provider import TwinnsProvider
from .algorithms.set_up_link import SetUpLink
from .algorithms.year import Year


class TwinnsPlugin:
    """What the plugin loader starts and stops."""

    def __init__(self) -> None:
        self._provider: TwinnsProvider | None = None
        self._link = SetUpLink()
        self._year: Year | None = None

    def initProcessing(self) -> None:
        provider = TwinnsProvider()
        if QgsApplication.processingRegistry().addProvider(provider):
            # A model finds the provider's own algorithms only once the provider is registered.
            provider.refreshAlgorithms()
            self._provider = provider

    def initGui(self) -> None:
        self.initProcessing()
        self._link.follow()
        self._year = Year(utils.iface.mapCanvas())
        self._year.follow()

    def unload(self) -> None:
        self._link.forget()
        if self._year is not None:
            self._year.forget()
            self._year = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
