"""Parameters of a job, as JSON and the command line give them."""

import math
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import JOBS
from twinns_qgis.jobs.job import ABOVE_0, AT_LEAST_0, SHARE_BELOW_1, Job, parameter


@dataclass(frozen=True, kw_only=True)
class Example(Job):
    id: ClassVar[str] = "example"
    command: ClassVar[str] = "example"

    output: Path = parameter("Where to.")
    layers: tuple[Path, ...] = parameter("What from.", default=())
    start: date | None = parameter("When.", default=None)
    step: int = parameter("How often.", default=0, limit=AT_LEAST_0)
    share: float = parameter("How much.", default=0.5, limit=SHARE_BELOW_1)
    rate: float = parameter("How fast.", default=1.0, limit=ABOVE_0)
    overwrite: bool = parameter("Whether.", default=False)
    units: str = parameter("In what.", default="dB", choices=("dB", "power"))


def test_values_get_their_types():
    given = {"output": "a.tif", "layers": ["b.tif", "c.tif"], "start": "2018-03-01", "step": "15", "share": 1}
    job = Example.from_values(given | {"overwrite": True})
    assert job == Example(
        output=Path("a.tif"),
        layers=(Path("b.tif"), Path("c.tif")),
        start=date(2018, 3, 1),
        step=15,
        share=1.0,
        overwrite=True,
    )


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
        ({"output": "a", "step": "often"}, "'step' is 'often'"),
        ({"output": "a", "share": "much"}, "'share' is 'much'.*a number"),
        ({"output": "a", "overwrite": "yes"}, "'overwrite' is 'yes'"),
        ({"output": "a", "layers": "b.tif"}, "'layers' is 'b.tif'"),
        ({"output": "a", "units": "dBm"}, "'units' is 'dBm'.*dB, power"),
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
    ],
)
def test_numbers_beyond_their_limits_are_refused(change, words):
    job = Example(output=Path("a.tif"))
    job.check_numbers()
    with pytest.raises(InputError, match=words):
        replace(job, **change).check_numbers()


@pytest.mark.parametrize("job", JOBS.values())
def test_a_job_has_the_same_name_everywhere_and_a_summary(job):
    assert job.id == job.command.replace("-", "")
    assert job.__doc__
