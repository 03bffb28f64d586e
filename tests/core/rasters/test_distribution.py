"""Blocks in this process: in their order, as many at once as was said."""

import threading
from types import SimpleNamespace

import pytest

from twinns_qgis.errors import Cancelled
from twinns_qgis.rasters.distribution import finish_here
from twinns_qgis.reporter import Reporter


class Plan:
    """Makes a block of its window; notes how many were under way at once."""

    def __init__(self, together=1):
        self.barrier = threading.Barrier(together)
        self.under_way = self.most = 0
        self.lock = threading.Lock()

    def block(self, window, threads):
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.barrier.wait(10)  # all that are to be under way at once wait for each other
        with self.lock:
            self.under_way -= 1
        if window == "broken":
            raise ZeroDivisionError
        return window


class Store:
    def __init__(self, windows):
        self.windows, self.saved = windows, {}

    def save(self, number, block):
        self.saved[number] = block


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_so_many_blocks_are_under_way_at_once(at_once):
    plan, store = Plan(at_once), Store("abcdef")
    assert list(finish_here(plan, store, range(6), 16, at_once, Reporter())) == list(range(6))
    assert store.saved == dict(enumerate("abcdef"))
    assert plan.most == at_once


def test_an_error_in_a_block_comes_through_and_later_blocks_are_not_begun():
    store = Store(["a", "broken", "c", "d", "e"])
    with pytest.raises(ZeroDivisionError):
        list(finish_here(Plan(), store, range(5), 16, 2, Reporter()))
    assert 4 not in store.saved


def test_a_cancelled_job_begins_no_block(listener):
    plan, store = SimpleNamespace(), Store("ab")
    listener.stop = True
    with pytest.raises(Cancelled):
        list(finish_here(plan, store, range(2), 16, 2, listener))
    assert not store.saved
