"""Progress in parts, cancellation, and the time that is left."""

import pytest

from twinns_qgis import reporter as reporter_module
from twinns_qgis.errors import Cancelled
from twinns_qgis.reporter import TimeLeft


def test_a_part_moves_the_whole_between_its_ends(listener):
    part = listener.part(0.2, 0.6)
    part.progress(0)
    part.part(0.5, 1).progress(1)
    assert listener.fractions == pytest.approx([0.2, 0.6])


def test_a_part_is_cancelled_with_the_whole(listener):
    part = listener.part(0, 0.5)
    part.check_cancelled()
    listener.stop = True
    with pytest.raises(Cancelled):
        part.check_cancelled()


def test_what_a_part_says_reaches_the_whole(listener):
    part = listener.part(0, 0.5)
    part.info("one")
    part.warning("two")
    assert (listener.messages, listener.warnings) == (["one"], ["two"])


@pytest.mark.parametrize(("seconds", "expected"), [(10, "30 s left"), (60, "3 min left"), (3600, "3.0 h left")])
def test_time_left_is_measured_without_the_start(monkeypatch, seconds, expected):
    now = [0.0]
    monkeypatch.setattr(reporter_module.time, "monotonic", lambda: now[0])
    clock = TimeLeft()
    now[0] = 500.0  # loading and compiling
    assert clock.after(0.0) == ""
    now[0] += seconds
    assert clock.after(0.25) == expected
    assert clock.elapsed == 500 + seconds
