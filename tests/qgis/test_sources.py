"""What the plugin's sources may hold, and how they agree with the core, found by walking their syntax trees."""

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = [ROOT / "__init__.py", ROOT / "plugin.py", *sorted((ROOT / "algorithms").glob("*.py"))]
JOBS = ROOT / "twinns_qgis/jobs"

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


@plugin_sources
def test_the_plugin_is_in_the_language_of_python_39(path):
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


def fields_of_jobs():
    """The fields of each job, its base's too: their help, default, whether they are needed, and their choices."""
    nodes = [node for path in JOBS.glob("*.py") for node in tree(path).body if isinstance(node, ast.ClassDef)]
    classes = {node.name: node for node in nodes}
    jobs = {}
    for node in nodes:
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and line.target.id == "id" and line.value:
                jobs[ast.literal_eval(line.value)] = fields_of(node, classes)
    return jobs


def fields_of(node, classes):
    bases = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
    fields = {name: field for base in bases for name, field in fields_of(base, classes).items()}
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.annotation) != "ClassVar[str]":
            words = [word for word in line.value.keywords if word.arg in ("default", "choices")]
            options = {word.arg: ast.literal_eval(word.value) for word in words}
            fields[line.target.id] = (ast.literal_eval(line.value.args[0]), options)
    return fields


def test_every_job_is_an_algorithm(provider):
    assert fields_of_jobs().keys() == {item.name() for item in provider.algorithms()} - {"landcover"}


@pytest.mark.parametrize("job", fields_of_jobs())
def test_the_parameters_are_the_fields_of_the_job(provider, job):
    fields = fields_of_jobs()[job]
    definitions = {item.name(): item for item in provider.algorithm(job).parameterDefinitions()}
    assert sorted(definitions) == sorted(name.upper() for name in fields)
    for name, (text, options) in fields.items():
        definition = definitions[name.upper()]
        assert definition.help()
        if name != "polygons":  # QGIS gives a layer, not a path
            assert definition.help() == text
        optional = bool(definition.flags() & definition.Flag.FlagOptional)
        default = options.get("default")
        if default is None or default == ():
            assert optional == ("default" in options), name
        else:
            assert definition.defaultValue() == default
            assert type(definition.defaultValue()) is type(default)
        if options.get("choices"):
            assert tuple(definition.options()) == options["choices"]
            assert definition.usesStaticStrings()


def test_the_metadata_hold_what_the_plugin_repository_asks_for():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    metadata = parser["general"]
    for name in ("name", "description", "version", "author", "email", "about", "tracker", "repository"):
        assert metadata[name]
    assert metadata["qgisMinimumVersion"] == "3.22"
    assert metadata["qgisMaximumVersion"] == "4.99"
    assert metadata["hasProcessingProvider"] == "yes"
    assert "External dependencies" in metadata["about"]
    assert (ROOT / metadata["icon"]).is_file()
