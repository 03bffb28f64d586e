"""Parameters of a job, as JSON and the command line give them."""

import math
import shlex
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import JOBS, TrainModel
from twinns_qgis.jobs.command_line import parse
from twinns_qgis.jobs.job import Job
from twinns_qgis.jobs.parameters import (
    Choice,
    Choices,
    Day,
    FileOutput,
    FilePath,
    FolderOutput,
    Limit,
    Number,
    Rasters,
    WholeNumber,
)
from twinns_qgis.locks import InUse
from twinns_qgis.reporter import Reporter


class Example(Job):
    command = "example"

    output: Path = FileOutput("Output", "Where to.")
    layers: tuple[Path, ...] = Rasters("Layers", "What from.", default=())
    start: date | None = Day("Start", "When.", default=None)
    step: int = WholeNumber("Step", "How often.", default=0, limit=Limit(0))
    share: float = Number("Share", "How much.", default=0.5, limit=Limit(0, 1, below=True))
    rate: float = Number("Rate", "How fast.", default=1.0, limit=Limit(0, above=True))
    units: str = Choice("Units", "In what.", default="dB", choices={"dB": "Decibels", "W": ""}, spellings={"watt": "W"})


def test_values_get_their_types():
    given = {"output": "a.tif", "layers": ["b.tif", "c.tif"], "start": "2018-03-01", "step": "15", "share": 0.25}
    job = Example.from_values(given | {"units": "watt"})
    assert job == Example(
        output=Path("a.tif"),
        layers=(Path("b.tif"), Path("c.tif")),
        start=date(2018, 3, 1),
        step=15,
        share=0.25,
        units="W",
    )


def test_a_call_tells_what_a_temporary_file_stands_for():
    job = Example.from_values({"output": "/tmp/x/1.gpkg"}, {"output": 'fields.gpkg|subset="a" = 1'})
    assert job.output == Path("/tmp/x/1.gpkg")
    assert shlex.split(job.call()) == ["twinns", "example", '--output=fields.gpkg|subset="a" = 1']


def test_null_means_the_default():
    assert Example.from_values({"output": "a.tif", "step": None, "layers": None}) == Example(output=Path("a.tif"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "needs the parameter 'output'.*Where to"),
        ({"output": None}, "needs the parameter 'output'"),
        ({"output": ""}, "'output' is ''.*a path"),
        ({"output": "a", "extra": 1}, "no parameter 'extra'.*output, layers"),
        ({"output": "a", "start": "1.3.2018"}, "'start' is '1.3.2018'.*YYYY-MM-DD"),
        ({"output": "a", "step": 1.5}, "'step' is 1.5.*a whole number"),
        ({"output": "a", "step": math.inf}, "'step' is inf.*a whole number"),
        ({"output": "a", "step": True}, "'step' is True.*a whole number"),
        ({"output": "a", "step": "often"}, "'step' is 'often'"),
        ({"output": "a", "share": "much"}, "'share' is 'much'.*a number"),
        ({"output": "a", "layers": "b.tif"}, "'layers' is 'b.tif'"),
        ({"output": "a", "layers": [1]}, r"'layers' is \[1\].*a path"),
        ({"output": "a", "units": "dBm"}, "'units' is 'dBm'.*dB, W"),
        ({"output": "a", "units": ["dB"]}, "'units' is .*dB, W"),
    ],
)
def test_wrong_values_are_named_with_what_was_expected(values, words):
    with pytest.raises(InputError, match=words):
        Example.from_values(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": -1}, "'step' is -1.*Expected 0 or more"),
        ({"share": 1.0}, "'share' is 1.0.*Expected 0 or more, below 1"),
        ({"share": -0.1}, "'share' is -0.1"),
        ({"share": math.nan}, "'share' is nan"),
        ({"rate": 0.0}, "'rate' is 0.0.*Expected more than 0"),
        ({"rate": math.inf}, "'rate' is inf"),
        ({"units": "dBm"}, "'units' is 'dBm'.*Expected one of dB, W"),
    ],
)
def test_values_beyond_their_limits_are_refused_whoever_gives_them(change, words):
    job = Example(output=Path("a.tif"))
    with pytest.raises(InputError, match=words):
        replace(job, **change)
    with pytest.raises(InputError, match=words):
        Example.from_values({"output": "a.tif", **change})


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(1), "1 or more"),
        (Limit(0, above=True), "more than 0"),
        (Limit(0, 100), "0 to 100"),
        (Limit(0, 100, above=True), "more than 0, up to 100"),
        (Limit(0, 1, above=True, below=True), "more than 0, below 1"),
    ],
)
def test_limits_are_told_in_words(limit, words):
    assert str(limit) == words


@given(st.floats(), st.floats(-10, 10), st.floats(-10, 10), st.booleans(), st.booleans())
@settings(deadline=None)
def test_a_limit_allows_what_its_bounds_say(number, minimum, maximum, above, below):
    allowed = Limit(minimum, maximum, above, below).allows(number)
    assert allowed == (
        (number > minimum or (number == minimum and not above))
        and (number < maximum or (number == maximum and not below))
    )


WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8)


def values_of(parameter):
    """Returns what a parameter can be, as the job has it."""
    if isinstance(parameter, Choices):
        return st.lists(st.sampled_from(list(parameter.choices)), min_size=1, unique=True).map(tuple)
    if isinstance(parameter, Choice):
        return st.sampled_from(list(parameter.choices))
    if isinstance(parameter, Number):
        limit = parameter.limit
        numbers = st.integers if isinstance(parameter, WholeNumber) else st.floats
        high = limit.maximum if limit.maximum < math.inf else 1e6
        numbers = numbers(int(limit.minimum), int(high)) if numbers is st.integers else numbers(limit.minimum, high)
        return numbers.filter(limit.allows)
    if isinstance(parameter, Day):
        return st.dates()
    if parameter.several:
        return st.lists(WORDS.map(Path), max_size=3).map(tuple)
    if isinstance(parameter, FilePath):
        return WORDS.map(Path)
    return st.one_of(WORDS, st.just("-61.5,-60,14,15 [EPSG:4326]"))


@pytest.mark.parametrize("job", JOBS.values())
def test_the_call_of_a_job_gives_the_job(job):
    parameters = {name: values_of(parameter) for name, parameter in job.parameters().items()}
    optional = {name: values for name, values in parameters.items() if not job.parameters()[name].required}
    required = {name: values for name, values in parameters.items() if name not in optional}

    @given(st.fixed_dictionaries(required, optional=optional))
    @settings(deadline=None, max_examples=30)
    def check(values):
        original = job(**values)
        command, options = parse(shlex.split(original.call())[1:])
        assert command == job.command
        assert options.pop("json") is False
        assert job.from_values(options) == original

    check()


def test_a_call_leaves_out_what_makes_no_difference():
    job = Example(output=Path("a.tif"), step=3, share=0.25)
    assert job.call(leave_out=["step"]) == "twinns example --output=a.tif --share=0.25"


@pytest.mark.parametrize("name", ["RF(S1,S2)", "RF"])
def test_the_papers_names_of_the_forests_are_understood(name):
    given = {"polygons": "p.gpkg", "class_field": "class", "model": "m.twinns"}
    assert TrainModel.from_values({**given, "method": name}).method == "RF"
    options = [f"--{key.replace('_', '-')}={value}" for key, value in given.items()]
    assert parse(["train-model", *options, "--method", name])[1]["method"] == "RF"


@pytest.mark.parametrize(
    ("job", "name"),
    [
        (job, name)
        for job in JOBS.values()
        for name, parameter in job.parameters().items()
        if parameter.output and not isinstance(parameter, FolderOutput)
    ],
    ids=lambda value: value if isinstance(value, str) else value.id(),
)
def test_a_job_leaves_each_output_alone_that_another_process_is_writing(tmp_path, job, name):
    """Those beside the first one were written by both."""
    outputs = {name: tmp_path / f"{name}.tif" for name, parameter in job.parameters().items() if parameter.output}
    needed = {name: Path("none") for name, parameter in job.parameters().items() if parameter.required}
    waiting = job(**{**needed, **outputs})
    partial = tmp_path / f"{name}.tif.partial"
    with FileLock(tmp_path / f"{name}.tif.lock"):
        partial.write_text("of the other process")
        with pytest.raises(InUse, match=rf"Another process is writing the same output, .*{name}\.tif"):
            waiting.run(Reporter())
        assert partial.read_text() == "of the other process"
