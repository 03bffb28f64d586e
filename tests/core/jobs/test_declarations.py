"""What jobs declare, and what is made from it."""

import ast
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from twinns_qgis.jobs import JOBS, declarations
from twinns_qgis.jobs.declarations import DECLARATIONS
from twinns_qgis.jobs.parameters import Choice, Field

ROOT = Path(__file__).resolve().parents[3]
DECLARED = [(job, name, parameter) for job in DECLARATIONS for name, parameter in job.parameters().items()]

every_parameter = pytest.mark.parametrize(
    ("job", "name", "parameter"), DECLARED, ids=[f"{job.command}-{name}" for job, name, _ in DECLARED]
)


def test_every_declaration_has_its_job_and_every_job_its_declaration():
    assert list(JOBS) == [declaration.id() for declaration in DECLARATIONS]
    for declaration in DECLARATIONS:
        assert issubclass(JOBS[declaration.id()], declaration)


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_a_job_explains_itself(declaration):
    assert declaration.__name__ == declaration.command.title().replace("-", "")
    assert declaration.summary.endswith(".")
    assert len(declaration.description) > 100
    assert all(text.strip() for text in declaration.texts())


@every_parameter
def test_a_parameter_explains_itself(job, name, parameter):
    assert parameter.help.endswith(".")
    assert parameter.label[0].isupper()
    assert not parameter.label.endswith(".")


@every_parameter
def test_a_default_is_one_that_the_parameter_allows(job, name, parameter):
    if parameter.required or parameter.default in (None, ()):
        return
    for one in parameter.default if parameter.several else [parameter.default]:
        assert parameter.read(one) == one
        assert type(parameter.read(one)) is type(one)
    assert parameter.check(parameter.default) == ""


@every_parameter
def test_the_annotation_is_the_type_of_the_values(job, name, parameter):
    annotations = {}
    for one in job.__mro__:
        annotations = {**inspect.get_annotations(one), **annotations}
    annotation = annotations[name]
    kind = inspect.signature(parameter.read).return_annotation
    kind = "str" if kind == "Any" else kind
    wanted = f"tuple[{kind}, ...]" if parameter.several else kind
    assert annotation == (f"{wanted} | None" if parameter.default is None else wanted)


@every_parameter
def test_words_are_such_as_qgis_can_hold(job, name, parameter):
    """A comma in a word of an enumeration makes QGIS refuse it."""
    if isinstance(parameter, Choice):
        assert not [word for word in parameter.choices if "," in word]
        assert set(parameter.spellings.values()) <= set(parameter.choices)
    if isinstance(parameter, Field):
        assert parameter.of in job.parameters()


def test_choices_of_one_name_are_the_same_in_all_jobs():
    """So a graphical model, which knows its inputs by name, can show what they mean."""
    found = {}
    for _, name, parameter in DECLARED:
        if isinstance(parameter, Choice):
            assert found.setdefault(name, parameter.choices) == parameter.choices


def test_the_declarations_load_with_the_standard_library_alone():
    code = (
        "import sys; from twinns_qgis.jobs import declarations, parameters; "
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"twinns_qgis", "__main__"}


def test_the_declarations_import_nothing_but_what_lies_beside_them():
    beside = {"parameters", "shared", "demo", "preparation", "mapping", "assessment"}
    for file in Path(declarations.__file__).parent.glob("*.py"):
        tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        assert {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.level} <= beside


def test_the_reference_in_the_documentation_is_that_of_the_declarations():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools/reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    assert (ROOT / "docs/parameters.md").read_text(encoding="utf-8") == reference.page(), "run `make reference`"
