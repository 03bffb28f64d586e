"""The methods by name."""

import math
from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.methods import description, method_names, network_of, title
from twinns_qgis.networks.architectures import architecture

DOCS = Path(__file__).resolve().parents[2] / "docs/training-and-mapping.md"


def documented():
    """The table of the methods in the documentation: its cells, by method."""
    section = DOCS.read_text(encoding="utf-8").split("## Methods")[1].split("## Training")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row for row in rows}


def test_all_methods_of_the_paper_are_there():
    assert set(method_names()) == {
        "TWINNS", "TWINNS(S1)", "TWINNS(S2)", "FullCNN", "FullRNN", "TWINNSNoAux", "2ConvLSTM",
        "RF(S1,S2)", "RFLF(S1,S2)", "RF(TWINNS)",
    }  # fmt: skip


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="There is no network 'magic'"):
        description("magic")


@pytest.mark.parametrize(
    ("method", "network", "words"),
    [
        ("TWINNS(S1)", "TWINNS(S1)", "TWINNS(S1), size small"),
        ("RF(S1,S2)", None, "RF(S1,S2)"),
        ("RF(TWINNS)", "TWINNS", "RF(TWINNS), size small"),
    ],
)
def test_methods_without_a_network_have_no_size(method, network, words):
    assert network_of(method) == network
    assert title(method, "small") == words


@pytest.mark.parametrize("method", method_names())
def test_more_dates_hold_more_values_at_each_pixel(method, make_sensors):
    few, many = make_sensors(3, 4), make_sensors(24, 34)
    assert 0 < description(method).values_per_pixel(few, "small") < description(method).values_per_pixel(many, "small")


def test_the_documentation_lists_every_method():
    assert tuple(documented()) == method_names()


@pytest.mark.parametrize("method", method_names())
def test_the_documentation_tells_sensors_and_trainable_parameters(method, make_sensors):
    sensors = [sensor for sensor in make_sensors(24, 34) if description(method).sees(sensor.name)]
    _, _, seen, *counts = documented()[method]
    assert seen == ("any" if len(sensors) == 2 else f"Sentinel-{sensors[0].name[-1]}")
    network = network_of(method)
    for size, count in zip(("paper", "compact", "small"), counts, strict=True):
        if network is None:
            assert count == "-"
        else:
            weights = architecture(network).build(sensors, 13, size).trainable_weights
            assert int(count.replace(" ", "")) == sum(math.prod(weight.shape) for weight in weights)
