"""Which outputs QGIS loads, how they look there, and what they tell of themselves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import (
    QgsLayerTree,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsVectorLayer,
)

from .year import tell_dates

_GROUP = "TWINNS"
_FROM_THE_GROUND = ("preparesentinel1", "preparesentinel2", "mapcover", "smoothmap")
"""The algorithms whose rasters lie upon each other, the last one's on top."""
_RANK = "twinns/rank"
_VECTOR = QgsProcessingUtils.LayerHint.Vector


class Result:
    """A raster that an algorithm wrote.

    Args:
        algorithm: The algorithm's name.
        order: The place of the output among the algorithm's.
        made: What was made, and from what, in a sentence.
        call: The call that makes it again.
    """

    def __init__(self, algorithm: str, order: int, made: str, call: str) -> None:
        self.rank = 100 * _FROM_THE_GROUND.index(algorithm) - order if algorithm in _FROM_THE_GROUND else -100
        self.made = f"{made}, {datetime.now().astimezone():%Y-%m-%d %H:%M}"
        self.call = call


class _Shown(QgsProcessingLayerPostProcessorInterface):
    """Shows a result in the style beside its file, which Processing passes over, and at its place among the others."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self._result = result

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        if isinstance(layer, QgsVectorLayer) or Path(layer.source()).with_suffix(".qml").is_file():
            layer.loadDefaultStyle()
        metadata = layer.metadata()
        metadata.setTitle(layer.name())
        metadata.setAbstract(self._result.made)
        metadata.addHistoryItem(self._result.call)
        layer.setMetadata(metadata)
        if isinstance(layer, QgsRasterLayer):
            tell_dates(layer)
        _put_into_group(layer, self._result.rank, context)
        layer.triggerRepaint()


def load_instead(asked: str, shown: str, context: QgsProcessingContext) -> None:
    """Lets QGIS load what is to be shown, if it was to load what was asked for and that is another file."""
    layers = context.layersToLoadOnCompletion()
    if shown != asked and asked in layers:
        layers[shown] = layers.pop(asked)
        context.setLayersToLoadOnCompletion(layers)


def show_footprints(path: str, output: str, label: str, context: QgsProcessingContext) -> None:
    """Lets QGIS load a scene list, which is a file to Processing and a layer of footprints to its user."""
    if context.project():
        context.addLayerToLoadOnCompletion(
            path, QgsProcessingContext.LayerDetails(label, context.project(), output, _VECTOR)
        )


_KEPT: list[_Shown] = []
"""Every one in use: QGIS keeps none alive, and deletes each with its context, so none can serve twice."""


def show_result(path: str, result: Result, context: QgsProcessingContext) -> None:
    """Lets the layer at `path`, if it is to be loaded, look as it should."""
    if not context.willLoadLayerOnCompletion(path):
        return
    details = context.layerToLoadOnCompletionDetails(path)
    if hasattr(details, "groupName"):  # QGIS 3.32
        details.groupName = _GROUP
        details.layerSortKey = result.rank
    _KEPT.append(_Shown(result))
    details.setPostProcessor(_KEPT[-1])


def _put_into_group(layer: QgsMapLayer, rank: int, context: QgsProcessingContext) -> None:
    """Moves a layer into the group of results, below those of a higher rank, unless Processing puts it into a group."""
    root = context.project().layerTreeRoot()
    node = root.findLayer(layer.id())
    if node is None or ProcessingConfig.getSetting(ProcessingConfig.RESULTS_GROUP_NAME):
        return
    layer.setCustomProperty(_RANK, rank)
    group = root.findGroup(_GROUP) or root.insertGroup(0, _GROUP)
    higher = [
        place
        for place, child in enumerate(group.children())
        if QgsLayerTree.isLayer(child) and child.layer() and int(child.layer().customProperty(_RANK, -100)) > rank
    ]
    moved = node.clone()
    moved.setExpanded(isinstance(layer, QgsRasterLayer) and layer.renderer().type() == "paletted")  # the map's legend
    group.insertChildNode(max(higher, default=-1) + 1, moved)
    node.parent().removeChildNode(node)
