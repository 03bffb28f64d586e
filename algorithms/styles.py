"""Which outputs QGIS loads, and how they look there."""

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


def load_instead(asked: str, written: str, context: QgsProcessingContext) -> None:
    """Lets QGIS load what was written, if it was to load what was asked for and that could not be replaced."""
    layers = context.layersToLoadOnCompletion()
    if written != asked and asked in layers:
        layers[written] = layers.pop(asked)
        context.setLayersToLoadOnCompletion(layers)


_KEPT: list[_OwnStyle] = []
"""Every style in use: QGIS keeps none alive, and deletes each with its context, so none can serve twice."""


def use_own_style(path: str, context: QgsProcessingContext) -> None:
    """Lets the layer at `path`, if it is to be loaded, show the style that lies beside its file, if there is one."""
    if context.willLoadLayerOnCompletion(path) and Path(path).with_suffix(".qml").is_file():
        _KEPT.append(_OwnStyle())
        context.layerToLoadOnCompletionDetails(path).setPostProcessor(_KEPT[-1])
