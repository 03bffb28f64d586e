"""The methods by name."""

import math
from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.methods import METHODS, Method

DOCS = Path(__file__).resolve().parents[2] / "docs/training-and-mapping.md"


def documented():
    """The table of the methods in the documentation: its cells, by method."""
    section = DOCS.read_text(encoding="utf-8").split("## Methods")[1].split("## Training")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


def test_the_methods_are_those_that_are_declared():
    assert list(METHODS) == list(declarations.METHODS)
    for paper_name, name in declarations.SPELLINGS.items():
        assert METHODS[name].paper_name == paper_name


@pytest.mark.parametrize("name", [*METHODS, "RF(S1,S2)", "RFLF(S1,S2)"])
def test_a_method_is_found_by_its_name_and_by_the_papers(name):
    assert name in (Method.of(name).name, Method.of(name).paper_name)


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="There is no method 'magic'"):
        Method.of("magic")


@pytest.mark.parametrize(
    ("method", "network", "words"),
    [
        ("TWINNS(S1)", "TWINNS(S1)", "TWINNS(S1), size small"),
        ("RF", None, "RF(S1,S2)"),
        ("RF(TWINNS)", "TWINNS", "RF(TWINNS), size small"),
    ],
)
def test_methods_without_a_network_have_no_size(method, network, words):
    trained = METHODS[method].trained_network
    assert (trained.name if trained else None) == network
    assert METHODS[method].title("small") == words


def test_a_method_without_a_network_builds_none(make_sensors):
    with pytest.raises(InputError, match="has no network"):
        METHODS["RF"].build(make_sensors(3, 4), 5, "small")


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_what_a_method_has_no_use_for_is_a_parameter_of_training(method):
    assert method.unused <= set(declarations.TrainModel.parameters())
    assert ("epochs" in method.unused) == (method.network is None)
    assert ("trees" in method.unused) == (method.forests is None)


@pytest.mark.parametrize("method", METHODS)
def test_more_dates_hold_more_values_at_each_pixel(method, make_sensors):
    few, many = make_sensors(3, 4), make_sensors(24, 34)
    assert 0 < METHODS[method].values_per_pixel(few, "small") < METHODS[method].values_per_pixel(many, "small")


def test_the_documentation_lists_every_method():
    assert list(documented()) == list(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_the_documentation_tells_sensors_and_trainable_parameters(method, make_sensors):
    sensors = [sensor for sensor in make_sensors(24, 34) if METHODS[method].sees(sensor.name)]
    _, _, seen, *counts = documented()[method]
    assert seen == ("any" if len(sensors) == 2 else f"Sentinel-{sensors[0].name[-1]}")
    network = METHODS[method].network
    for size, count in zip(("paper", "compact", "small"), counts, strict=True):
        if network is None:
            assert count == "-"
        else:
            weights = network.build(sensors, 13, size).trainable_weights
            assert int(count.replace(" ", "")) == sum(math.prod(weight.shape) for weight in weights)
