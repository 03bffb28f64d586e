"""Blocks on a Dask cluster: a real scheduler and two real workers on loopback."""

import re
import signal
import time
from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.rasters import distribution
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2


@pytest.fixture
def prepare(tmp_path, make_theia, listener):
    random = np.random.default_rng(0)
    for day in (date(2018, 3, 5), date(2018, 3, 15)):
        clouds = (random.random((256, 256)) < 0.3).astype("uint8")
        make_theia(tmp_path / "products", day, random.integers(0, 9000, (256, 256)), clouds, size=256)

    def run(name, scheduler=None):
        prepare_sentinel2(
            Outputs(tmp_path / name),
            Inputs(folder=tmp_path / "products"),
            Period(),
            machine=Machine(1, scheduler),
            reporter=listener,
        )
        return (tmp_path / name).read_bytes()

    return run


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed_midway(scheduler, start_workers, prepare, listener):
    workers = start_workers(2)
    killed = []

    def kill_one(fraction, message=""):
        if fraction > 0.2 and not killed:
            killed.append(workers[0].pid)
            workers[0].send_signal(signal.SIGKILL)

    listener.progress = kill_one
    assert prepare("cluster.tif", scheduler) == prepare("here.tif")
    assert killed


@pytest.mark.slow
def test_a_cancelled_job_leaves_the_cluster_to_others(scheduler, start_workers, prepare, listener, tmp_path):
    from distributed import Client

    start_workers(1)
    listener.progress = lambda fraction, message="": setattr(listener, "stop", fraction > 0)
    with pytest.raises(Cancelled, match="blocks are kept"):
        prepare("cluster.tif", scheduler)
    time.sleep(1)
    with Client(scheduler, set_as_default=False) as client:
        assert not any(client.processing().values())


def test_a_scheduler_that_does_not_answer_is_named(prepare, monkeypatch, tmp_path):
    monkeypatch.setattr(distribution, "_CONNECT", 0.5)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at SCHEDULER, tcp://127\.0\.0\.1:9"):
        prepare("out.tif", "tcp://127.0.0.1:9")
    assert not (tmp_path / "out.tif.blocks").exists()


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1", "10.0.0.1 8786"])
def test_a_scheduler_is_an_address_with_a_port(prepare, address):
    with pytest.raises(InputError, match=f"SCHEDULER is '{address}', which is no address"):
        prepare("out.tif", address)


def test_a_scheduler_without_workers_is_named(scheduler, prepare, monkeypatch):
    monkeypatch.setattr(distribution, "_CONNECT", 0.5)
    with pytest.raises(InputError, match="has no worker"):
        prepare("out.tif", scheduler)


@pytest.mark.slow
def test_a_product_that_a_worker_cannot_read_is_named(scheduler, start_workers, prepare, tmp_path):
    start_workers(1)
    band = next((tmp_path / "products").rglob("*_B4.tif"))
    band.write_bytes(band.read_bytes()[:-3000])
    with pytest.raises(InputError, match=re.escape(band.name)):
        prepare("out.tif", scheduler)
