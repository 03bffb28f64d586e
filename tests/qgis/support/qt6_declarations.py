"""The declarations of the QGIS that runs, as they are where it is made with Qt 6.

QGIS brings stub files (.pyi) of its classes. In QGIS 4 their Qt is PyQt6, enumerations are Python's own and hold the
old names of members in their scope alone, and a set of flags has no class of its own. What is declared as one of some
base classes is given as one of its subclasses, of which the declarations tell nothing.
"""

import ast
import enum
import re
from pathlib import Path

import qgis.core
import qgis.gui

_MODULES = {"core": qgis.core, "gui": qgis.gui}
_BASES = re.compile(
    r"\b(QgsDataProvider|QgsExpressionNode|QgsLayerTreeNode|QgsMapLayerTemporalProperties|"
    r"QgsProcessingParameterDefinition|LayerDetails)\b(?!\.)"
)


def write_declarations(folder):
    """Writes them as the package ``qgis`` below a folder."""
    package = folder / "qgis"
    (package / "PyQt").mkdir(parents=True)
    (package / "__init__.pyi").touch()
    (package / "utils.pyi").write_text("from typing import Any\n\niface: Any\n")
    (package / "PyQt/__init__.pyi").write_text("from PyQt6 import sip as sip\n")
    for name in ("QtCore", "QtGui", "QtNetwork", "QtWidgets"):
        (package / f"PyQt/{name}.pyi").write_text(f"from PyQt6.{name} import *\n")
    for name, module in _MODULES.items():
        (package / f"_{name}.pyi").write_text(_declarations(module))
        (package / f"{name}.pyi").write_text(f"from qgis._{name} import *\n")
    with (package / "core.pyi").open("a") as file:
        file.write("\nNULL: None\n")


def _declarations(module):
    stub = Path(qgis.core.__file__).parents[1] / f"_{module.__name__.split('.')[1]}.pyi"
    tree = ast.parse(stub.read_text(encoding="utf-8").replace("PyQt5", "PyQt6"), type_comments=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns and _BASES.search(ast.unparse(node.returns)):
            node.returns = ast.Name("typing.Any")
    tree.body = [_converted(node, getattr(module, getattr(node, "name", ""), None)) for node in tree.body]
    declared = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    # sip declares no exceptions.
    exceptions = [
        f"class {name}(Exception): ..."
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, Exception) and name not in declared
    ]
    return "\n".join(["import enum", ast.unparse(tree), *exceptions, ""])


def _converted(node, real):
    """Returns a declaration as it is with Qt 6; `real` is what is declared, where QGIS has it."""
    if not isinstance(node, ast.ClassDef):
        return node
    if ast.unparse(node.bases[0]) == "int":
        return _enumeration(node.name, _members(node, real), flags=False)
    body = []
    sets = dict(filter(None, map(_set_of_flags, node.body)))
    for child in node.body:
        name = getattr(child, "name", "")
        if name in sets:
            body += ast.parse(f"{name}: typing.TypeAlias = {sets[name]}").body
        elif isinstance(child, ast.ClassDef) and ast.unparse(child.bases[0]) == "int":
            members = _members(child, getattr(real, name, None))
            body.append(_enumeration(name, members, flags=name in sets.values()))
        else:
            body.append(_converted(child, getattr(real, name, None)))
    declared = {getattr(child, "name", "") for child in node.body}
    for name, found in vars(real).items() if real else ():
        if _is_enumeration(found) and name not in declared and found.__qualname__ != f"{node.name}.{name}":
            body += ast.parse(f"{name}: typing.TypeAlias = {found.__qualname__}").body
    node.body = body or [ast.Pass()]
    return node


def _is_enumeration(found):
    return isinstance(found, type) and (issubclass(found, enum.Enum) or type(found).__name__ == "enumtype")


def _members(node, real):
    """Returns the members of an enumeration, those under their names of older QGIS too, with their numbers."""
    names = [child.targets[0].id for child in node.body if isinstance(child, ast.Assign)]
    if real is None:
        return {name: number for number, name in enumerate(names)}
    names += [name for name, found in vars(real).items() if isinstance(found, real) and name not in names]
    return {name: int(getattr(real, name)) for name in names}


def _enumeration(name, members, *, flags):
    lines = [f"    {member} = {number}" for member, number in members.items()]
    return ast.parse("\n".join([f"class {name}(enum.{'IntFlag' if flags else 'IntEnum'}):", *lines])).body[0]


def _set_of_flags(node):
    """Returns the name of a set of flags, and that of its flags; None if the declaration is none."""
    if not isinstance(node, ast.ClassDef):
        return None
    makers = [child for child in node.body if getattr(child, "name", "") == "__init__"]
    if not any(getattr(child, "name", "") == "__ixor__" for child in node.body):
        return None
    takes = ast.unparse(makers[-1].args.args[1].annotation)  # both, the flag last
    return node.name, re.findall(r"\w+", takes)[-1]
