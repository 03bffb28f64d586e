"""How outputs look in QGIS."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
)


class _OwnStyle(QgsProcessingLayerPostProcessorInterface):
    """Gives a layer the style in the ``.qml`` beside its file, which Processing passes over."""

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        layer.loadDefaultStyle()
        layer.triggerRepaint()


_KEPT: list[_OwnStyle] = []
"""Every style in use: QGIS keeps none alive, and deletes each with its context, so none can serve twice."""


def use_own_style(path: str, context: QgsProcessingContext) -> None:
    """Lets the layer at `path`, if it is to be loaded, show the style that lies beside its file, if there is one."""
    if context.willLoadLayerOnCompletion(path) and Path(path).with_suffix(".qml").is_file():
        _KEPT.append(_OwnStyle())
        context.layerToLoadOnCompletionDetails(path).setPostProcessor(_KEPT[-1])
