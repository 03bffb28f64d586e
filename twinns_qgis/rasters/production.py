"""From a plan to its rasters: block by block, so that a killed job goes on where it stopped."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from twinns_qgis import __version__
from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.files import scratch_file
from twinns_qgis.locks import locked
from twinns_qgis.rasters.block_store import BlockStore
from twinns_qgis.rasters.blocks import block_windows
from twinns_qgis.rasters.distribution import Plan, finish_here, finish_on_cluster
from twinns_qgis.rasters.fingerprint import described, hashed, states
from twinns_qgis.rasters.layout import TILE, Layout
from twinns_qgis.rasters.replacing import check_raster_output, give_raster_name
from twinns_qgis.rasters.unpacking import Unpacked
from twinns_qgis.reporter import Reporter, TimeLeft, in_bytes


class RasterPlan(Plan, Protocol):
    """How rasters are made from files."""

    def sources(self) -> Iterable[Path]:
        """Returns the files that the blocks are made from, and whose name, size and time of change tell their content.

        A plan that tells the content of its files by itself leaves them out.
        """

    def conclude(self, tally: Mapping[str, Any], reporter: Reporter) -> None:
        """Checks what was counted in all blocks, before the rasters appear; raises `InputError` to prevent that."""


@dataclass(frozen=True)
class Machine:
    """The memory and the processes that a job may use.

    Args:
        memory: Memory in MB, of each process.
        scheduler: Address of a Dask scheduler whose workers do the work; None for this process.
        at_once: How many blocks this process has under way: with two, one is read while the other is computed.
    """

    memory: int
    scheduler: str | None = None
    at_once: int = 1


class Finish(Protocol):
    """Makes an output of a raster that was put together."""

    copies: float
    """Room on the disk that it takes meanwhile, in sizes of the blocks."""

    def __call__(self, name: str, path: Path, assembled: Path) -> AbstractContextManager[None]:
        """Writes the output, and moves it to its name when the context is left.

        So all outputs are ready before the first one takes its name.

        Args:
            name: The raster.
            path: The output.
            assembled: The raster as it was put together, beside the output; it may be used up.
        """


class AsAssembled:
    """Takes rasters as outputs as they are."""

    copies = 1.0

    @contextmanager
    def __call__(self, name: str, path: Path, assembled: Path) -> Iterator[None]:
        """Moves the raster to its name; see `Finish`."""
        yield
        give_raster_name(assembled, path)


_AS_ASSEMBLED = AsAssembled()
_MUCH = 0.2
"""Share of the free room on the disk from which on users hear of what is needed."""


def make_rasters(
    plan: RasterPlan,
    layouts: Mapping[str, Layout],
    outputs: Mapping[str, Path],
    shape: tuple[int, int],
    machine: Machine,
    reporter: Reporter,
    finish: Finish = _AS_ASSEMBLED,
) -> dict[str, Any]:
    """Writes the rasters of a plan block by block, from finished blocks where a stopped call left some.

    Blocks that a killed call with the same plan left are used. The rasters appear together when the last block is
    finished; until then the blocks lie in a folder beside the first output.

    Args:
        plan: How a block is made.
        layouts: The rasters by name, all on one grid.
        outputs: Where those that are wanted go.
        shape: Height and width of the blocks.
        machine: What may be used.
        reporter: Receives progress and warnings.
        finish: What becomes of the rasters that were put together.

    Returns:
        The sums of what was counted in the blocks.

    Raises:
        InUse: Another process is at work on one of the outputs.
        InputError: Something among the inputs can't be used, or the disk has no room; the outputs are as before then.
        Cancelled: The user asked the job to stop.
    """
    with locked(outputs.values()):
        for path in outputs.values():
            check_raster_output(path)
        store = _store(plan, layouts, outputs, shape)
        try:
            with store.open(reporter) as finished, reporter.last_resort(lambda: _leave(store)):
                _finish_blocks(plan, store, finished, machine, _Room(store, finish.copies, reporter), reporter)
                tally = store.tally()
                _conclude(plan, tally, store, reporter)
                with ExitStack() as stack:
                    for name, path in outputs.items():
                        assembled = stack.enter_context(scratch_file(path, "assembled"))
                        store.assemble(name, assembled)
                        stack.enter_context(finish(name, path, assembled))
        except Cancelled as error:
            raise Cancelled(" ".join([error.message, _what_is_left(store)]).rstrip()) from error
        except InputError as error:
            raise InputError(error.message, " ".join([error.hint, _what_is_left(store)]).rstrip()) from error
    reporter.progress(1.0)
    return tally


def blocks_folder(output: Path) -> Path:
    """Returns the folder of what rasters are made from, block by block, beside the first of them."""
    return output.with_name(f"{output.name}.blocks")


@contextmanager
def unpacked_for(output: Path, layouts: Iterable[Layout], shape: tuple[int, int]) -> Iterator[Unpacked | None]:
    """Yields what unpacks archives for the blocks of rasters; None if all is one block, which reads them once.

    Args:
        output: The first of the rasters.
        layouts: The rasters, all on one grid, for which it leaves room.
        shape: Height and width of the blocks.
    """
    layouts = list(layouts)
    grid = layouts[0].grid
    if shape == (grid.height, grid.width):
        yield None
        return
    with Unpacked(
        blocks_folder(output), spare=round((1 + AsAssembled.copies) * sum(one.bytes for one in layouts))
    ) as one:
        yield one


def is_begun(
    plan: RasterPlan, layouts: Mapping[str, Layout], outputs: Mapping[str, Path], shape: tuple[int, int]
) -> bool:
    """Returns whether a stopped call has left blocks that `make_rasters` would use; the arguments are the same."""
    store = _store(plan, layouts, outputs, shape)
    return store.left == store.fingerprint


def _store(
    plan: RasterPlan, layouts: Mapping[str, Layout], outputs: Mapping[str, Path], shape: tuple[int, int]
) -> BlockStore:
    grid = next(iter(layouts.values())).grid
    windows = block_windows(grid, shape)
    tile = math.gcd(TILE, *(int(corner) for window in windows for corner in (window.row_off, window.col_off)))
    first = next(iter(outputs.values()))
    tiled = {name: replace(layout, tile=tile) for name, layout in layouts.items()}
    fingerprint = {
        "the version of TWINNS": __version__,
        # But for the tags, which come in when the rasters are put together.
        "the rasters": hashed({name: replace(layout, tags={}) for name, layout in tiled.items()}),
        "the size of the blocks": hashed(windows),
        **described(plan),
        **states(plan.sources()),
    }
    return BlockStore(blocks_folder(first), tiled, windows, fingerprint)


def _finish_blocks(
    plan: Plan, store: BlockStore, finished: frozenset[int], machine: Machine, room: _Room, reporter: Reporter
) -> None:
    count = len(store.windows)
    missing = [number for number in range(count) if number not in finished]
    if finished:
        reporter.info(f"{len(finished)} of {count} blocks are there from a call that was stopped: going on from there.")
    clock, done = TimeLeft(), len(finished)
    reporter.progress(done / count, f"{done} of {count} blocks")
    if machine.scheduler:
        numbers = finish_on_cluster(machine.scheduler, plan, store, missing, machine.memory, reporter)
    else:
        numbers = finish_here(plan, store, missing, machine.memory, machine.at_once, reporter)
    with closing(numbers):
        for done, _ in enumerate(numbers, len(finished) + 1):
            reporter.progress(done / count, f"{done} of {count} blocks {clock.after(done / count)}".rstrip())
            if done & (done - 1) == 0:  # the more blocks, the surer the estimate
                room.check(done / count)


def _conclude(plan: RasterPlan, tally: Mapping[str, Any], store: BlockStore, reporter: Reporter) -> None:
    try:
        plan.conclude(tally, reporter)
    except InputError:
        store.remove()  # the blocks are what is wrong
        raise


class _Room:
    """Watches over the room on the disk: for the blocks, and for the rasters that are put together from them."""

    def __init__(self, store: BlockStore, copies: float, reporter: Reporter) -> None:
        self._store = store
        self._times = 1 + copies
        most, free = self._times * sum(layout.bytes for layout in store.layouts.values()), self._free()
        if most > _MUCH * free:
            reporter.info(
                f"Room on the disk: at most {in_bytes(most)} are needed while working, {in_bytes(free)} are free."
            )

    def check(self, share: float) -> None:
        """Extrapolates from the finished blocks.

        Args:
            share: The share of the blocks that is finished.

        Raises:
            InputError: There will not be room enough.
        """
        written = self._store.bytes
        needed, free = self._times * written / share - written, self._free()
        if needed > free:
            raise InputError(
                f"The disk of {self._store.folder.parent} has {in_bytes(free)} free, and about {in_bytes(needed)} more "
                "are needed: for the blocks, and for what is put together from them.",
                "Free some space, or choose another disk.",
            )

    def _free(self) -> int:
        return shutil.disk_usage(self._store.folder).free


def _leave(store: BlockStore) -> str:
    """Does what leaving the store does, where there is no time to leave it; returns what is left."""
    if not store.finished:
        store.remove()
    return _what_is_left(store)


def _what_is_left(store: BlockStore) -> str:
    if not store.finished:
        return ""
    return (
        f"{store.finished} of {len(store.windows)} blocks are kept in {store.folder}: the same call goes on from them. "
        "Remove the folder if you don't want that."
    )
