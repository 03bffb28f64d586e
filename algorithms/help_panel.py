"""The help beside a dialog: what the algorithm does, and what each parameter and each choice means."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from qgis.core import QgsProcessingModelAlgorithm

from ..twinns_qgis.jobs.parameters import Choice, Declaration, Parameter
from .metadata import metadata
from .translation import tr


def help_of_job(declaration: type[Declaration]) -> str:
    """Returns the help of a job as HTML; QGIS makes a paragraph of each line."""
    parameters = declaration.parameters().values()
    inputs = [parameter for parameter in parameters if not parameter.output]
    groups = {
        "": [parameter for parameter in inputs if not parameter.advanced],
        tr("Results"): [parameter for parameter in parameters if parameter.output],
        tr("Advanced parameters"): [parameter for parameter in inputs if parameter.advanced],
    }
    paragraphs = [escape(text, quote=False) for text in tr(declaration.description).split("\n\n")]
    for title, members in groups.items():
        if title and members:
            paragraphs.append(f"<br><b><u>{title}</u></b>")
        paragraphs += [_paragraph(tr(one.label), tr(one.help), one) for one in members]
    return "\n".join(paragraphs)


def help_of_model(model: QgsProcessingModelAlgorithm, choices: Mapping[str, Choice]) -> str:
    """Returns the help of a graphical model as HTML.

    Args:
        model: The model.
        choices: What its inputs can be, by name, where they are choices.
    """
    inputs = [definition for definition in model.parameterDefinitions() if not definition.isDestination()]
    told = [_paragraph(one.description(), one.help(), choices.get(one.name())) for one in inputs]
    return "\n".join([escape(tr(model.helpContent()["ALG_DESC"]), quote=False), *told])


def manual_page(page: str) -> str:
    """Returns the address of a page of the documentation, of which the plugin's metadata tell the site."""
    return f"{metadata()['homepage']}/docs/{page}"


def _paragraph(label: str, text: str, parameter: Parameter | None) -> str:
    paragraph = f"<b>{escape(label, quote=False)}</b><br>{escape(text, quote=False)}"
    if not isinstance(parameter, Choice):
        return paragraph
    items = "".join(f"<li>{escape(tr(choice), quote=False)}</li>" for choice in parameter.choices.values())
    return f"{paragraph}<ul>{items}</ul>"
