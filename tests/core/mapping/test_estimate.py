"""How long a map will take is told from a part that is computed by a program that is ready."""

from types import SimpleNamespace

import pytest
from rasterio.windows import Window

from twinns_qgis.mapping import estimate
from twinns_qgis.reporter import Reporter


@pytest.mark.parametrize(("device", "first", "expected"), [("gpu", 20.0, 64.0), ("cpu", 2.0, 64.0), ("cpu", 20.0, 3.2)])
def test_compiling_does_not_count_where_that_is_what_takes_long(monkeypatch, device, first, expected):
    clock, seconds = [0.0], iter([first, 1.0])

    def scores(*arguments):
        clock[0] += next(seconds)

    monkeypatch.setattr(estimate.time, "monotonic", lambda: clock[0])
    inference = SimpleNamespace(side=8, device=device, scorer=lambda: SimpleNamespace(scores=scores))
    plan = SimpleNamespace(inference=inference, window=Window(0, 0, 20, 20), series={})
    grid = SimpleNamespace(width=20, height=20)
    assert estimate.pixels_per_second(plan, grid, Reporter()) == pytest.approx(expected)
