"""Where blocks are worked on: in threads of this process, or on the workers of a Dask cluster."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import rasterio
from joblib import cpu_count
from rasterio.windows import Window

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.rasters.block_store import Block, BlockStore
from twinns_qgis.rasters.blocks import Threads, cache_bytes
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from distributed import Client

# Dask is imported where it is used: that takes longer than many a small series.

_CONNECT = 20
"""Seconds to wait for the scheduler, and for its first worker."""
_ADDRESS = re.compile(r"(\w+://)?[^/\s]+:\d+")
"""Without a port, Dask would wait for an answer longer than it was told to."""
_PAUSE = 0.1
"""Seconds between two looks at what is finished and whether the user cancelled."""


class Plan(Protocol):
    """How blocks are made; it travels to other processes as it is."""

    def block(self, window: Window, threads: Threads) -> Block:
        """Returns the values and counts of a block."""


def finish_here(
    plan: Plan, store: BlockStore, numbers: Sequence[int], memory: int, at_once: int, reporter: Reporter
) -> Generator[int, None, None]:
    """Makes blocks on all cores; yields the number of each that is finished, in their order.

    Args:
        plan: How a block is made.
        store: Where it goes.
        numbers: The blocks to make.
        memory: Memory that GDAL's cache follows from, in MB.
        at_once: How many blocks are under way at once.
        reporter: Says whether the user cancelled.

    Raises:
        Cancelled: The user asked the job to stop.
        InputError: Something among the inputs can't be read, or the disk takes no more.
    """
    with (
        rasterio.Env(GDAL_CACHEMAX=cache_bytes(memory)),
        Threads(reporter) as threads,
        ThreadPoolExecutor(at_once) as blocks_at_once,
    ):

        def finish(number: int) -> int:
            store.save(number, plan.block(store.windows[number], threads))
            return number

        under_way: deque[Future[int]] = deque()
        for number in numbers:
            reporter.check_cancelled()
            under_way.append(blocks_at_once.submit(finish, number))
            if len(under_way) == at_once:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def finish_on_cluster(
    scheduler: str, plan: Plan, store: BlockStore, numbers: Sequence[int], memory: int, reporter: Reporter
) -> Generator[int, None, None]:
    """Makes blocks on the workers of a Dask cluster; yields the number of each that is finished, in any order.

    Workers open the inputs and write their blocks by the paths that this process uses, so these must mean the same
    files there. A block whose worker is lost is given to another one.

    Args:
        scheduler: Address of the scheduler, such as ``tcp://10.0.0.1:8786``.
        plan: How a block is made.
        store: Where it goes.
        numbers: The blocks to make.
        memory: Memory that a worker may use, in MB.
        reporter: Says whether the user cancelled.

    Raises:
        Cancelled: The user asked the job to stop.
        InputError: There is no such scheduler, or no worker that can do it; or as `finish_here` does.
    """
    from distributed import CancelledError, KilledWorker, as_completed
    from distributed.comm.core import CommClosedError

    with _connect(scheduler) as client:
        futures = client.map(
            _finish, list(numbers), plan=plan, store=store, memory=memory, version=__version__, pure=False
        )
        coming, waiting = as_completed(futures, loop=client.loop), len(futures)
        try:
            while waiting:
                reporter.check_cancelled()
                done = coming.next_batch(block=False)
                for future in done:
                    yield future.result()
                waiting -= len(done)
                if not done:
                    time.sleep(_PAUSE)
        except KilledWorker as error:
            raise InputError(
                f"A block was given up, as the workers of {scheduler} that got it died one after another: {error}.",
                "Give the workers more memory, or lower MEMORY, which each of them uses.",
            ) from error
        except (CommClosedError, CancelledError) as error:
            raise InputError(
                f"The connection to the Dask scheduler {scheduler} is lost.",
                "Start it and its workers once more, and call again.",
            ) from error
        except ModuleNotFoundError as error:
            raise InputError(
                f"The workers of {scheduler} can't do the work: {error}.",
                "Start them in an environment with the same packages as this one.",
            ) from error
        finally:
            with suppress(CommClosedError, CancelledError, TimeoutError):  # of a scheduler that is gone
                client.cancel(futures, force=True)


@contextmanager
def _connect(scheduler: str) -> Iterator[Client]:
    from distributed import Client

    if not _ADDRESS.fullmatch(scheduler):
        raise InputError(
            f"SCHEDULER is '{scheduler}', which is no address.",
            "Give the one that 'dask scheduler' prints, such as tcp://10.0.0.1:8786.",
        )
    try:
        client = Client(scheduler, timeout=_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at SCHEDULER, {scheduler}: {error}.",
            "Start one with 'dask scheduler', and give the address that it prints.",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT)
        except TimeoutError as error:
            raise InputError(
                f"The Dask scheduler {scheduler} has no worker.", f"Start some with 'dask worker {scheduler}'."
            ) from error
        yield client


def _finish(number: int, plan: Plan, store: BlockStore, memory: int, version: str) -> int:
    """Makes a block on a worker of the cluster."""
    from distributed import get_worker

    if version != __version__:
        raise InputError(
            f"A worker of the cluster has TWINNS {__version__}, {version} is expected.",
            "Start the workers in an environment with the same packages as this one.",
        )
    count = 1 if get_worker().state.nthreads > 1 else cpu_count()
    with rasterio.Env(GDAL_CACHEMAX=cache_bytes(memory)), Threads(Reporter(), count) as threads:
        store.save(number, plan.block(store.windows[number], threads))
    return number
