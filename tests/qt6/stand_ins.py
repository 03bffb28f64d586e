"""Stand-ins for the classes of QGIS, made from their declarations, in a Python whose Qt is PyQt6.

They know the names that the declarations know, and no others. A method takes what one of its overloads takes, numbers
for members of enumerations not among it. What is set by a constructor or by ``setThing``, ``thing`` gives back; else a
method returns the plainest value of its declared type.
"""

import ast
import builtins
import enum
import functools
import importlib
import inspect
import re
import sys
import types
from importlib.machinery import ModuleSpec

from PyQt6 import sip
from PyQt6.QtCore import pyqtSignal

_MADE = {}
"""The classes that were made, by their full names."""
_QT = ("QtCore", "QtGui", "QtWidgets", "QtXml", "QtNetwork", "QtSql", "QtPrintSupport")


class _Module(types.ModuleType):
    """One of QGIS's modules; a class is made when it is first asked for."""

    def __init__(self, name, path):
        super().__init__(f"qgis.{name}")
        self._nodes = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)}

    def __getattr__(self, name):
        if name not in self._nodes:
            raise AttributeError(f"{self.__name__} has no {name}")
        made = _make_class(self._nodes[name], name)
        setattr(self, name, made)
        return made


def install(declarations):
    """Puts them in place of QGIS, and PyQt6 in that of its Qt.

    Args:
        declarations: The folder with the stub files of the package ``qgis``.
    """
    package = types.ModuleType("qgis")
    package.__path__ = []
    package.__spec__ = ModuleSpec("qgis", None, is_package=True)
    modules = {
        "qgis": package,
        "qgis.PyQt": types.ModuleType("qgis.PyQt"),
        "qgis.utils": types.ModuleType("qgis.utils"),
    }
    modules |= {f"qgis.PyQt.{name}": importlib.import_module(f"PyQt6.{name}") for name in _QT}
    modules |= {f"qgis.{name}": _Module(name, declarations / "qgis" / f"_{name}.pyi") for name in ("core", "gui")}
    sys.modules |= modules
    for name, module in modules.items():
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(modules[parent], own, module)
    modules["qgis.PyQt"].sip = sip
    modules["qgis.core"].NULL = None  # as in QGIS 4
    modules["qgis.utils"].iface = None


def _make_class(node, name):
    namespace = {"__module__": "qgis", "__qualname__": name}
    if ast.unparse(node.bases[0]) in ("enum.IntEnum", "enum.IntFlag"):
        exec(compile(ast.Module([node], []), name, "exec"), {"enum": enum}, namespace)
        return _MADE.setdefault(name, namespace[node.name])
    methods = {}
    aliases = {}
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            namespace[child.name] = _make_class(child, f"{name}.{child.name}")
        elif isinstance(child, ast.FunctionDef):
            methods.setdefault(child.name, []).append(child)
        elif isinstance(child, ast.Assign):
            namespace[child.targets[0].id] = None
        elif isinstance(child, ast.AnnAssign) and child.value:
            aliases[child.target.id] = ast.unparse(child.value)
        elif isinstance(child, ast.AnnAssign) and "pyqtSignal" in ast.unparse(child.annotation):
            namespace[child.target.id] = pyqtSignal(object)
    for alias, target in aliases.items():
        namespace[alias] = namespace.get(target) or _resolve(target)
    bases = tuple(_resolve(ast.unparse(base)) for base in node.bases)
    bases = tuple(object if base in (sip.wrapper, sip.simplewrapper) else base for base in bases)
    for method, overloads in methods.items():
        namespace[method] = _property(method) if _is_property(overloads[0]) else _method(name, method, overloads)
    return _MADE.setdefault(name, types.new_class(node.name, bases, exec_body=lambda body: body.update(namespace)))


def _resolve(text):
    """Returns what an annotation names; None for what has no class of its own."""
    text = re.sub(r"[' ]|\bNone\b|\b_core\.|typing\.Optional", "", text).strip("[]|")
    if text in _MADE:
        return _MADE[text]
    first, _, rest = text.partition(".")
    if first in _QT or text == "PyQt6.sip.wrapper" or text == "PyQt6.sip.simplewrapper":
        found = importlib.import_module(f"PyQt6.{first}") if first in _QT else sip
        rest = rest.removeprefix("sip.")
    else:
        homes = (sys.modules["qgis.core"], sys.modules["qgis.gui"], builtins)
        home = next((home for home in homes if first in getattr(home, "_nodes", vars(home))), None)
        found = getattr(home, first) if home else None
    for name in filter(None, rest.split(".")):
        found = getattr(found, name, None)
    return found if isinstance(found, type) else None


def _is_property(node):
    return any(ast.unparse(one) == "property" for one in node.decorator_list)


def _property(name):
    return property(lambda self: _given(self).get(name))


def _method(owner, name, overloads):
    static = any(ast.unparse(one) == "staticmethod" for one in overloads[0].decorator_list)

    def call(self, args, kwargs):
        for overload in overloads:
            bound = _bound(overload, args, kwargs, skip=0 if static else 1)
            if bound is not None:
                return _result(self, name, bound, overload)
        raise TypeError(f"{owner}.{name}() takes neither {args} nor {kwargs}: {[*map(_signature, overloads)]}")

    if static and name == "instance":  # there is one
        return staticmethod(functools.cache(lambda: call(None, (), {})))
    if static:
        return staticmethod(lambda *args, **kwargs: call(None, args, kwargs))
    if name == "__init__":

        def start(self, *args, **kwargs):
            if _begin(self):
                call(self, args, kwargs)

        return start
    return lambda self, *args, **kwargs: call(self, args, kwargs)


def _signature(overload):
    return ast.unparse(overload.args)


def _bound(overload, args, kwargs, skip):
    """Returns the arguments by name, None if the overload does not take them."""
    parameters = overload.args.args[skip:]
    optional = len(overload.args.defaults)
    kinds = [
        inspect.Parameter(
            one.arg,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=... if place >= len(parameters) - optional else inspect.Parameter.empty,
        )
        for place, one in enumerate(parameters)
    ]
    try:
        bound = inspect.Signature(kinds).bind(*args, **kwargs).arguments
    except TypeError:
        return None
    annotations = {one.arg: ast.unparse(one.annotation) if one.annotation else "" for one in parameters}
    return bound if all(_takes(annotations[name], value) for name, value in bound.items()) else None


def _takes(annotation, value):
    wanted = _resolve(annotation)
    if wanted is None or value is None:
        return True
    if issubclass(wanted, enum.Enum) or wanted is str:
        return isinstance(value, wanted)
    if wanted in (int, float):
        return isinstance(value, (int, float))
    return True


def _result(self, name, bound, overload):
    if name == "__init__":
        _given(self).update(bound)
        return None
    if self is not None and (match := re.fullmatch("set([A-Z].*)", name)) and bound:
        key = match[1][0].lower() + match[1][1:]
        _given(self)[key] = next(iter(bound.values()))
        return self
    if self is not None and name in _given(self) and not bound:
        return _given(self)[name]
    return _plainest(ast.unparse(overload.returns) if overload.returns else "None")


def _given(self):
    return self.__dict__.setdefault("_values", {})


def _plainest(annotation):
    if annotation.lower().startswith(("typing.list", "list", "typing.iterable")):
        return []
    if annotation.lower().startswith(("typing.dict", "dict")):
        return {}
    if match := re.match(r"(?:typing\.)?[Tt]uple\[(.*)\]", annotation):
        return tuple(_plainest(part.strip()) for part in match[1].split(","))
    found = _resolve(annotation)
    if found is None:
        return None
    if found.__module__ != "qgis" or issubclass(found, enum.Enum):
        return found(0) if issubclass(found, enum.Enum) else found()
    try:
        return found()
    except TypeError:  # it can't be made of nothing
        return found.__new__(found)


def _begin(made):
    """Lets Qt make its part of an object, whose classes are real; returns whether that was still to be done."""
    if "_begun" in made.__dict__:
        return False
    made._begun = True
    next((one for one in type(made).__mro__ if one.__module__.startswith("PyQt6")), object).__init__(made)
    return True
