"""The box of a dialog in which one of several words is chosen, each shown by what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper, dialogTypes
from qgis.core import QgsProcessingParameterDefinition
from qgis.gui import QgsGui
from qgis.PyQt.QtWidgets import QComboBox


class ChoiceWidget(WidgetWrapper):
    """A box of choices; QGIS's own would show the bare words, which scripts and models hold.

    In the model designer QGIS's own serves, as the choice can come from an input of the model there.
    """

    def __new__(cls, parameter: QgsProcessingParameterDefinition, dialog: Any, *where: int, **more: Any) -> Any:
        if dialogTypes.get(type(dialog).__name__) == DIALOG_MODELER:
            registry = QgsGui.processingGuiRegistry()
            return registry.createModelerParameterWidget(dialog.model, dialog.childId, parameter, dialog.context)
        return super().__new__(cls, parameter, dialog, *where, **more)

    def createWidget(self, labels: Mapping[str, str]) -> QComboBox:
        box = QComboBox()
        for word in self.parameterDefinition().options():
            box.addItem(labels[word], word)
        box.currentIndexChanged.connect(lambda _: self.widgetValueHasChanged.emit(self))
        return box

    def setValue(self, value: Any) -> None:
        self.widget.setCurrentIndex(max(0, self.widget.findData(value)))

    def value(self) -> str:
        return self.widget.currentData()
