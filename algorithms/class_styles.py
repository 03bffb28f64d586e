"""What the style of a layer says of its classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import NULL, QgsCategorizedSymbolRenderer, QgsExpression, QgsFeatureRenderer


def classes_of_style(renderer: QgsFeatureRenderer | None, field: str) -> list[tuple[str, str, str]]:
    """Returns the classes of a categorised style by a field, in its order: value, name and colour ``#rrggbb`` of each.

    Args:
        renderer: The style of a layer.
        field: The field of the class; a style by another one says nothing of it.
    """
    while renderer is not None and not isinstance(renderer, QgsCategorizedSymbolRenderer):
        renderer = renderer.embeddedRenderer()  # such as that of inverted or of merged polygons
    if renderer is None or not _is_field(renderer.classAttribute(), field):
        return []
    rows: dict[str, tuple[str, str]] = {}
    names: set[str] = set()
    for category in renderer.categories():
        for value, label in _values(category.value(), category.label().strip()):
            if value and value not in rows:
                name = label if label and label not in names else value
                names.add(name)
                rows[value] = (name, category.symbol().color().name())
    return [(value, *look) for value, look in rows.items()]


def _is_field(attribute: str, field: str) -> bool:
    expression = QgsExpression(attribute)
    return attribute == field or (expression.isField() and expression.rootNode().name() == field)


def _values(value: Any, label: str) -> Iterator[tuple[str, str]]:
    """Yields the values of a category as texts, each with its label; those of a group are called by themselves."""
    if isinstance(value, (list, tuple)):
        yield from ((_text(one), "") for one in value)
    else:
        yield _text(value), label


def _text(value: Any) -> str:
    if value is None or value == NULL:
        return ""  # all other values
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
