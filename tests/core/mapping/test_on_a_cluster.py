"""Mapping by the workers of a Dask cluster: real processes on loopback."""

import signal
import time
from dataclasses import replace

import pytest
from distributed import Client

from twinns_qgis.errors import InputError
from twinns_qgis.jobs.map_cover import MapCover


@pytest.fixture
def run(wide_site, tmp_path, listener):
    """Returns a function that maps, and returns the bytes of the map and of the probabilities."""

    def run(**changes):
        outputs = {"output": tmp_path / "map.tif", "probabilities": tmp_path / "shares.tif"}
        MapCover(**{**wide_site, **outputs, **changes}).run(listener)
        return [path.read_bytes() for path in outputs.values()]

    return run


@pytest.mark.slow
def test_three_workers_give_the_same_bytes_though_one_is_killed_midway_and_one_is_added(
    scheduler, start_workers, run, listener
):
    workers = list(start_workers(3))
    reached = {}

    def disturb(fraction, message=""):
        if fraction > 0.2 and "killed" not in reached:
            reached["killed"] = fraction
            known = workers_of(scheduler)
            workers[0].kill()
            for worker in workers[1:]:
                worker.send_signal(signal.SIGSTOP)  # so that there is work left when the new one has started
            start_workers(1)
            wait_for_another_worker(scheduler, known)
            for worker in workers[1:]:
                worker.send_signal(signal.SIGCONT)

    listener.progress = disturb
    on_cluster = run(scheduler=scheduler)
    assert reached["killed"] < 1, "blocks were left for the new worker"
    listener.progress = lambda fraction, message="": None
    assert run() == on_cluster


def workers_of(scheduler):
    with Client(scheduler, set_as_default=False) as client:
        return set(client.scheduler_info()["workers"])


def wait_for_another_worker(scheduler, known):
    for _ in range(600):
        if workers_of(scheduler) - known:
            return
        time.sleep(0.1)
    raise TimeoutError("The new worker has not come.")


@pytest.mark.slow
def test_a_model_that_is_another_file_on_the_worker_is_refused(scheduler, start_workers, run, monkeypatch):
    from twinns_qgis.training import model_file

    start_workers(1)
    read = model_file.read_model
    monkeypatch.setattr(model_file, "read_model", lambda path: replace(read(path), sha256="0" * 64))
    with pytest.raises(InputError, match="is not the model that the call began with"):
        run(scheduler=scheduler)
