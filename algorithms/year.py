"""The year of a series, as the temporal controller plays it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from qgis.core import Qgis, QgsDateTimeRange, QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime, QTimer

from .series import dated_bands

_DATED = "twinns/dated"
"""The property of layers whose dates were told: who takes them away again is to keep it so."""
_COLOURS: dict[str, tuple[str, ...]] = {"multibandcolor": ("redBand", "greenBand", "blueBand")}
_SINGLE: dict[str, tuple[str, ...]] = {"singlebandgray": ("grayBand",), "singlebandpseudocolor": ("band",)}
"""How renderers call the bands that they show."""


class Year:
    """Shows each series at the date at which the temporal controller of a map stands, for as long as it is followed.

    QGIS itself leaves colours of three bands as they are; of greys, it takes another band of the date.

    Args:
        canvas: The map.
    """

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas

    def follow(self) -> None:
        """Begins to listen."""
        self._canvas.temporalRangeChanged.connect(self._show)
        QgsProject.instance().layersAdded.connect(self._tell)

    def forget(self) -> None:
        """Listens no more."""
        self._canvas.temporalRangeChanged.disconnect(self._show)
        QgsProject.instance().layersAdded.disconnect(self._tell)

    def _tell(self, layers: list[QgsMapLayer]) -> None:
        # Later: QGIS loads the style of a layer once it has added it, and with the style that it has no dates.
        QTimer.singleShot(0, partial(_tell_dates_of_new, [layer.id() for layer in layers]))

    def _show(self) -> None:
        shown = self._canvas.temporalRange()
        for layer in QgsProject.instance().mapLayers().values():
            if isinstance(layer, QgsRasterLayer) and layer.temporalProperties().isActive():
                _show_date(layer, shown)


def _tell_dates_of_new(layers: list[str]) -> None:
    for layer in map(QgsProject.instance().mapLayer, layers):
        if isinstance(layer, QgsRasterLayer) and not are_told(layer) and not layer.temporalProperties().isActive():
            tell_dates(layer)


def are_told(layer: QgsMapLayer) -> bool:
    """Whether QGIS has the dates of a layer from `tell_dates`."""
    return bool(layer.customProperty(_DATED))


def tell_dates(layer: QgsRasterLayer) -> None:
    """Tells QGIS the dates of a series: those of each band, from 3.38, else the first and the last."""
    dated = dated_bands(layer)
    days = {match[1] for match in dated.values()}
    if len(days) < 2 or len(dated) < layer.bandCount() or not all(_start(day).isValid() for day in days):
        return
    layer.setCustomProperty(_DATED, True)
    mode = _mode_of_bands()
    if mode is None:
        ranges = list(_ranges(days).values())
        layer.temporalProperties().setFixedTemporalRange(
            QgsDateTimeRange(ranges[0].begin(), ranges[-1].end(), True, False)
        )
    else:
        layer.temporalProperties().setMode(mode)
        _tell_dates_of(layer, layer.renderer().usesBands())
    layer.temporalProperties().setIsActive(True)


def _show_date(layer: QgsRasterLayer, shown: QgsDateTimeRange) -> None:
    """Shows the bands that a layer shows at the last date of a range."""
    dated = dated_bands(layer)
    numbers = {(match[1], match[2]): number for number, match in dated.items()}
    end = QDateTime(shown.end().date(), shown.end().time())  # in no time zone, as the days
    begun = [day for day, _ in numbers if end.isValid() and _start(day).isValid() and _start(day) < end]
    renderer = layer.renderer()
    if not begun or not dated.keys() >= set(renderer.usesBands()):
        return
    channels = _COLOURS
    if _mode_of_bands() is None:
        channels = {**_COLOURS, **_SINGLE}
    else:  # QGIS changes single bands itself
        _tell_dates_of(layer, renderer.usesBands())
    for channel in channels.get(renderer.type(), ()):
        band = getattr(renderer, channel)()
        if band in dated:  # a colour may have none
            getattr(renderer, f"set{channel[0].upper()}{channel[1:]}")(numbers.get((max(begun), dated[band][2]), band))
    layer.legendChanged.emit()
    layer.triggerRepaint()


def _tell_dates_of(layer: QgsRasterLayer, bands: Collection[int]) -> None:
    """Tells the dates of all bands with the names of these: QGIS shows the last one of a date, of those it is told."""
    dated = dated_bands(layer)
    names = {dated[band][2] for band in bands if band in dated}
    ranges = _ranges({match[1] for match in dated.values()})
    told = {band: ranges[match[1]] for band, match in dated.items() if match[2] in names}
    layer.temporalProperties().setFixedRangePerBand(told)


def _mode_of_bands() -> object:
    """Returns the way in which bands have dates; None before QGIS 3.38."""
    return getattr(getattr(Qgis, "RasterTemporalMode", None), "FixedRangePerBand", None)


def _ranges(days: Collection[str]) -> dict[str, QgsDateTimeRange]:
    """Returns how long each of several dates is shown: until the next, the last one for as long as the one before."""
    ascending = sorted(days)
    starts = [_start(day) for day in ascending]
    ends = [*starts[1:], starts[-1].addDays(starts[-2].daysTo(starts[-1]))]
    return {day: QgsDateTimeRange(start, end, True, False) for day, start, end in zip(ascending, starts, ends)}


def _start(day: str) -> QDateTime:
    return QDateTime(QDate.fromString(day, Qt.DateFormat.ISODate), QTime(0, 0))
