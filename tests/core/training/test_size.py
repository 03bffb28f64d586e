"""The size of a network where the user leaves it open."""

import pytest

from twinns_qgis.jobs.declarations import SIZES as DECLARED
from twinns_qgis.networks.hyperparameters import SIZES
from twinns_qgis.training import size as sizes
from twinns_qgis.training.size import AUTO, choose_size


@pytest.mark.parametrize(("gpu", "size"), [(True, "paper"), (False, "compact")])
def test_auto_is_the_papers_size_on_a_gpu_alone_and_says_why(listener, monkeypatch, gpu, size):
    monkeypatch.setattr(sizes, "gpu_available", lambda: gpu)
    assert choose_size(AUTO, listener) == size
    assert f"Size {size}" in listener.messages[0]
    assert "GPU" in listener.messages[0]


def test_a_size_that_is_asked_for_is_not_touched(listener):
    assert [choose_size(size, listener) for size in SIZES] == list(SIZES)
    assert not listener.messages


def test_what_can_be_asked_for_is_auto_and_every_size():
    assert list(DECLARED) == [AUTO, *SIZES]
