"""The methods by name."""

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.networks.methods import description, method_names, network_of, title


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
