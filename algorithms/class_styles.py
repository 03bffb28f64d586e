"""What the style of a layer says of its classes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from qgis.core import (
    NULL,
    QgsCategorizedSymbolRenderer,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
    QgsRendererCategory,
    QgsVectorLayer,
)


def classes_of_style(layer: QgsVectorLayer, field: str) -> list[tuple[str, str, str]]:
    """Returns the classes of a layer's categorised style, in its order: value, name and colour ``#rrggbb`` of each.

    A style by something else than the field of the class gives a class the look of its features, if it is the same for
    all of them.

    Args:
        layer: The layer.
        field: The field of the class.
    """
    renderer = layer.renderer()
    while renderer is not None and not isinstance(renderer, QgsCategorizedSymbolRenderer):
        renderer = renderer.embeddedRenderer()  # such as that of inverted or of merged polygons
    if renderer is None:
        return []
    by_field = _is_field(renderer.classAttribute(), field)
    categories = renderer.categories()
    values = [_values(category) for category in categories] if by_field else _seen_in(layer, renderer, field)
    rows: dict[str, tuple[str, str]] = {}
    names: set[str] = set()
    for category, own in zip(categories, values):
        for value in own:
            if value and value not in rows:
                label = category.label().strip() if len(own) == 1 else ""
                name = label if label and label not in names else value
                names.add(name)
                rows[value] = (name, category.symbol().color().name())
    return [(value, *look) for value, look in rows.items()]


def _is_field(attribute: str, field: str) -> bool:
    expression = QgsExpression(attribute)
    return attribute == field or (expression.isField() and expression.rootNode().name() == field)


def _values(category: QgsRendererCategory) -> list[str]:
    """Returns the values of a category, several of a group, as the class field has them."""
    value = category.value()
    return [_text(one) for one in value] if isinstance(value, (list, tuple)) else [_text(value)]


def _seen_in(layer: QgsVectorLayer, renderer: QgsCategorizedSymbolRenderer, field: str) -> list[list[str]]:
    """Returns for each category the values of a field whose features are all of that category."""
    attribute = renderer.classAttribute()
    # A name that is no expression, as it has a space.
    quoted = attribute in layer.fields().names()
    expression = QgsExpression(QgsExpression.quotedColumnRef(attribute) if quoted else attribute)
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    expression.prepare(context)
    category_of = {value: index for index, one in enumerate(renderer.categories()) for value in _values(one)}
    seen: defaultdict[str, set[int | None]] = defaultdict(set)
    for feature in layer.getFeatures(QgsFeatureRequest()):
        context.setFeature(feature)
        seen[_text(feature[field])].add(category_of.get(_text(expression.evaluate(context))))
    return [
        sorted(value for value, categories in seen.items() if categories == {index})
        for index in range(len(renderer.categories()))
    ]


def _text(value: Any) -> str:
    if value is None or value == NULL:
        return ""  # of a category, all other values
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
