"""What holds for the repository as a whole: its frame, and who may import whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "twinns_qgis"
FLOW = (
    "rasters", "reports", "series", "samples", "networks", "forests", "methods", "training", "mapping", "assessment",
    "demo", "jobs", "compute", "__main__",
)  # fmt: skip
MODULES = sorted(CORE.rglob("*.py"))
DISTRIBUTIONS = {
    "pystac": "pystac-client",
    "pystac_client": "pystac-client",
    "requests_aws4auth": "requests-aws4auth",
    "sklearn": "scikit-learn",
}
OTHER_BACKENDS = {"jax", "torch"}


def imports(path: Path) -> Iterator[str]:
    """Yields the full names that a module imports, wherever in it, relative ones resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join((*base, *filter(None, [node.module])))
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def imported_libraries(path: Path) -> set[str]:
    """Returns the top-level packages that a module imports, other than Python's own and the core."""
    return {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"twinns_qgis"}


def place(name: Sequence[str]) -> int:
    """Returns how far down the flow a module lies; what all parts use, and other libraries, lie before it."""
    return FLOW.index(name[1]) if name[0] == "twinns_qgis" and len(name) > 1 and name[1] in FLOW else -1


def committed_texts() -> Iterator[tuple[str, str]]:
    """Yields the path and text of each file that is committed or would be."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        path = ROOT / name
        if path.is_file():
            yield name, path.read_bytes().decode("utf-8", errors="replace")


def found(pattern: str) -> list[str]:
    return [f"{name}: {match.group()}" for name, text in committed_texts() for match in re.finditer(pattern, text)]


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert found(r"(?i)\b(pypi|pythonhosted|debian|npmjs|anaconda|crates)\.(org|com|io)\b") == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert found(rf"(?<![\w.~}}/-])(/root|/work|{re.escape(str(Path.home()))})/\w+") == []


def test_all_files_tell_the_same_version() -> None:
    versions = {
        name: re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE).group(1)
        for name, pattern in (
            ("metadata.txt", r"^version=(.+)$"),
            ("pyproject.toml", r'^version = "(.+)"$'),
            ("twinns_qgis/__init__.py", r'^__version__ = "(.+)"$'),
        )
    }
    assert len(set(versions.values())) == 1, versions


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"## [{version.group(1)}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_data_flow_one_way_through_the_core(path: Path) -> None:
    own = place(path.relative_to(ROOT).with_suffix("").parts)
    assert not [name for name in imports(path) if place(name.split(".")) > own]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_the_core_knows_nothing_of_qgis(path: Path) -> None:
    assert imported_libraries(path).isdisjoint({"qgis", "PyQt5", "PyQt6", "processing", "osgeo"})


def test_what_sets_the_environment_up_needs_nothing_but_python() -> None:
    assert {library for path in (CORE / "compute").rglob("*.py") for library in imported_libraries(path)} == set()


@pytest.mark.parametrize("part", ["networks", "training"])
def test_networks_and_training_run_on_every_backend_of_keras(part: str) -> None:
    libraries = {library for path in (CORE / part).rglob("*.py") for library in imported_libraries(path)}
    assert "tensorflow" not in libraries


def test_every_library_that_the_core_imports_is_declared() -> None:
    dependencies = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text("utf-8"), re.M | re.S)
    declared = set(re.findall(r'^\s*"([\w-]+)', dependencies.group(1).lower(), re.MULTILINE))
    libraries = {library for path in MODULES for library in imported_libraries(path)} - OTHER_BACKENDS
    assert {DISTRIBUTIONS.get(library, library) for library in libraries} <= declared


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also those that are imported where they are used: who reads them must not go round and round."""
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}
    graph = {name: set(imports(path)) & names.keys() - {name} for name, path in names.items()}
    # A package's own first file gathers its modules.
    graph = {name: {other for other in others if not name.startswith(f"{other}.")} for name, others in graph.items()}
    TopologicalSorter(graph).prepare()
