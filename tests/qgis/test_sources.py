"""What the plugin's sources may hold, and how they agree with the core, found by walking their syntax trees."""

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = [ROOT / "__init__.py", ROOT / "plugin.py", *sorted((ROOT / "algorithms").glob("*.py"))]
SHARED = [
    ROOT / "twinns_qgis/__init__.py",
    *(ROOT / "twinns_qgis/jobs" / name for name in ("__init__.py", "parameters.py")),
    *(ROOT / "twinns_qgis/jobs/declarations").glob("*.py"),
]
"""What QGIS's own Python reads of the core."""

plugin_sources = pytest.mark.parametrize("path", PLUGIN, ids=lambda path: path.name)


def tree(path, **options):
    return ast.parse(path.read_text(encoding="utf-8"), **options)


@plugin_sources
def test_the_plugin_imports_qgis_and_the_standard_library_alone(path):
    # `processing` is the part of QGIS that holds the options.
    allowed = {"qgis", "processing", *sys.stdlib_module_names}
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
    assert {name for name in found if name.split(".")[0] not in allowed} == set()
    assert not [name for name in found if name.startswith("PyQt")]


@pytest.mark.parametrize("path", sorted((ROOT / "twinns_qgis").rglob("*.py")), ids=lambda path: path.name)
def test_the_core_imports_no_qgis(path):
    for node in ast.walk(tree(path)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.split(".")[0] in ("qgis", "processing", "PyQt5", "PyQt6")]


@pytest.mark.parametrize("path", [*PLUGIN, *SHARED], ids=lambda path: path.name)
def test_what_qgis_reads_is_in_the_language_of_python_39(path):
    tree(path, feature_version=(3, 9))


def unscoped(module):
    """The `QgsClass.Member` that are neither called, as static methods are, nor the scope of something."""
    scopes = {ast.unparse(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}
    scopes |= {ast.unparse(node.value) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    members = [
        ast.unparse(node)
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and re.match("Q[A-Za-z]", node.value.id)
    ]
    return [member for member in members if member not in scopes]


def test_an_unscoped_member_is_found():
    source = "Qt.ISODate, Qt.DateFormat.ISODate, QProcess.NotRunning, QProcess(), QgsApplication.instance()"
    assert unscoped(ast.parse(source)) == ["Qt.ISODate", "QProcess.NotRunning"]


@plugin_sources
def test_members_of_enumerations_are_reached_through_their_enumeration(path):
    """Qt 6 knows them by no other name."""
    assert unscoped(tree(path)) == []


def test_the_metadata_hold_what_the_plugin_repository_asks_for():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    metadata = parser["general"]
    for name in ("name", "description", "version", "author", "email", "about", "tracker", "repository"):
        assert metadata[name]
    assert metadata["qgisMinimumVersion"] == "3.22"
    assert metadata["qgisMaximumVersion"] == "4.99"
    assert "supportsQt6" not in metadata  # of builds before QGIS 4, which asks for the maximum version alone
    assert metadata["hasProcessingProvider"] == "yes"
    assert "External dependencies" in metadata["about"]
    assert (ROOT / metadata["icon"]).is_file()
