"""One combination of a multiverse, computed in a copy of the study's database; and processes that compute several at once.

Each process has a copy of its own, and combinations that follow each other, so that what they have in common is computed once.
A result depends on the study and the settings alone: it is the same in any process, and after whatever was computed before.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import text

from tshdb.database import reading, writing
from tshdb.engine.rebuild import Rebuild
from tshdb.engine.report import Report
from tshdb.engine.units import now
from tshdb.errors import Busy, IntegrityError, ResourceError
from tshdb.guests.listing import Listing, listing_of
from tshdb.multiverse import found
from tshdb.multiverse.asked import Followed
from tshdb.multiverse.found import Found
from tshdb.multiverse.kept import Permuted, Result
from tshdb.multiverse.origin import Origins
from tshdb.multiverse.permuted import Exchanges, permuted, way_of
from tshdb.optimism import Labels
from tshdb.parent import end_with_parent
from tshdb.pool import ignore_ctrl_c, started_quietly
from tshdb.study import Study
from tshdb.variants.copies import VariantStudy
from tshdb.variants.settings import VariantSettings, shown
from tshdb.version import __version__

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from tshdb.engine.world import World

WHERE = "tshdb multiverse"
SAME_AGAIN = "Run the same command again"


class Specified(NamedTuple):
    """A combination as it is to be computed. made_of: what its result rests on."""

    labels: tuple[str, ...]
    settings: VariantSettings
    world: World
    made_of: str


class Wanted(NamedTuple):
    """What is read of each combination. analysis: that makes the row; data: their state; exchanges: None where outcomes stay."""

    followed: Followed
    analysis: str
    data: str
    exchanges: Exchanges | None


def computed(root: Path, listing: Listing, wanted: Wanted, one: Specified, copy: Path, n_workers: int = 1) -> Result:
    """Compute one combination in the copy, and read its row. n_workers: processes that compute its units."""
    began = time.perf_counter()
    copied = VariantStudy(root, one.settings, copy)
    try:
        with writing(copied.engine) as connection:
            connection.execute(text("DELETE FROM leases"))  # of who computes in the study
        rebuild = Rebuild(
            copied, listing.analyses, names=[wanted.analysis], jobs=n_workers, absent=listing.absent_tables,
            untrusted=listing.untrusted, origin_of=listing.origin,
        )  # fmt: skip
        report = rebuild.run(WHERE)
        _refuse_unsettled(report)
        followed = replace(wanted.followed, analysis=wanted.analysis)
        rows = found.rows_of(copy, followed)
        exchanged: Permuted | None = None
        row = found.the_one(rows, followed) if rows else None
        is_optimistic = fingerprint = None
        if row is not None:
            if "is_optimistic" in row.values:
                is_optimistic = _is_optimistic(copied, row, one.world.by_name[row.analysis].makes.__table__)
            with reading(copied.engine) as connection:
                fingerprint = connection.execute(
                    text("SELECT fingerprint FROM units WHERE unit_id = :unit"), {"unit": row.unit_id}
                ).scalar_one()
                measure = followed.measure
                if wanted.exchanges is not None and row.values[measure.column] is not None:
                    way = way_of(connection, copied.objects, rebuild.world, row, measure)
                    exchanged = permuted(way, wanted.exchanges)
    finally:
        copied.engine.dispose()
    values, measure = (row.values if row is not None else {}), wanted.followed.measure
    return Result(
        made_of=one.made_of,
        data=wanted.data,
        settings=shown(one.settings.values),
        estimate=values.get(measure.column),
        lower=values.get(measure.lower) if measure.lower else None,
        upper=values.get(measure.upper) if measure.upper else None,
        p=values.get(measure.p) if measure.p else None,
        n=values.get("n"),
        n_events=values.get("n_events"),
        is_optimistic=is_optimistic,
        reason=values.get("reason") if row is not None else _why_no_row(report, wanted.analysis),
        fingerprint=fingerprint,
        computed_at=now(),
        program=__version__,
        seconds=round(time.perf_counter() - began, 3),
        permuted=exchanged,
    )


def _is_optimistic(copied: Study, row: Found, table: Any) -> bool:
    """Whether a fit behind the row looked at its patients' outcome. Of a table that says it itself, what it says."""
    is_noted = table.columns["is_optimistic"].info.get("label")
    return (
        Labels(copied).of_unit(row.unit_id).of_row(row.values) is not None
        if is_noted
        else bool(row.values["is_optimistic"])
    )


def _refuse_unsettled(report: Report) -> None:
    """Raises Busy, IntegrityError where something stands as other settings made it: it would be read as this combination's."""
    for name, reasons in report.discarded.items():
        raise Busy(f"{name} was left due: {next(iter(reasons))}", where=WHERE, repair=SAME_AGAIN)
    for unit, detail in report.held.items():
        raise IntegrityError(f"{unit} is not made again: {detail}", where=WHERE, repair="tshdb check --full says more")


def _why_no_row(report: Report, analysis: str) -> str:
    """Why there is no row: what failed, what is blocked, or that the analysis gave none."""
    for name, failures in report.failed.items():
        for key, message in failures.items():
            return f"{name}/{key} failed: {message}"
    if blocked := report.blocked.get(analysis):
        return next(iter(blocked.values()))
    return "no such row came out"


# -------------------------------------------------------------------------------------------------- several at once


def shares(n_combinations: int, n_processes: int) -> list[range]:
    """Which combinations each process begins with, by number: neighbours, that have most in common."""
    bounds = [n_combinations * i // n_processes for i in range(n_processes + 1)]
    return [range(first, last) for first, last in zip(bounds, bounds[1:], strict=False)]


class Workers:
    """Processes that compute combinations. They end with this one, however that ends."""

    def __init__(self, root: Path, wanted: Wanted, copies: Sequence[Path]):
        context = multiprocessing.get_context("spawn")
        self._connections: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for copy in copies:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, root, wanted, copy), daemon=True)
            with started_quietly():
                process.start()
            theirs.close()
            self._connections.append(ours)
            self._processes.append(process)

    def results(self, pending: Sequence[Specified]) -> Iterator[Result]:
        """The results as they come. A process without any left takes the last one of who has most left."""
        left = [deque(share) for share in shares(len(pending), len(self._connections))]
        at_work = {}

        def give(connection: Connection, mine: deque[int]) -> None:
            number = mine.popleft() if mine else max(left, key=len).pop()
            one = pending[number]
            with suppress(BrokenPipeError):  # it has ended: what is waited for says so
                connection.send((one.labels, one.settings, one.made_of))
            at_work[connection] = mine

        for connection, mine in zip(self._connections, left, strict=True):
            give(connection, mine)
        while at_work:
            ready = wait(list(at_work))
            for connection in [each for each in at_work if each in ready]:
                mine = at_work.pop(connection)
                result = _received(connection)
                if any(left):
                    give(connection, mine)
                yield result

    def close(self) -> None:
        """End them, whatever they are at: their copies go with what is half-done."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()


def _received(connection: Connection) -> Result:
    """A result. Raises what was raised over it, and ResourceError where its process has ended."""
    try:
        found = connection.recv()
    except (EOFError, ConnectionError):
        raise ResourceError(
            "a process that computed combinations was ended from outside", where=WHERE,
            repair=f"{SAME_AGAIN}; with --jobs 1 it needs less memory",
        ) from None  # fmt: skip
    if isinstance(found, Result):
        return found
    error, trace = found
    error.add_note(trace)
    raise error


def _serve(connection: Connection, root: Path, wanted: Wanted, copy: Path) -> None:
    """The life of a process: a combination comes, its result goes. It ends with the one that started it."""
    ignore_ctrl_c()  # who started us hears it, too, and ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    study = Study(root)
    listing, origins = listing_of(study), None
    while True:
        try:
            labels, settings, made_of = connection.recv()
        except EOFError:  # nobody is left to ask
            return
        try:
            world = listing.world(settings)
            if origins is None:
                copied = VariantStudy(root, settings, copy)
                with reading(copied.engine) as database:
                    origins = Origins(database, world, wanted.analysis)
                copied.engine.dispose()
            if origins.of(world) != made_of:
                raise Busy(
                    "the program's code, or a file that settings name, was changed meanwhile",
                    where=WHERE,
                    repair=SAME_AGAIN,
                )
            said: Any = computed(root, listing, wanted, Specified(labels, settings, world, made_of), copy)
        except Exception as error:  # it is raised by who asked
            said = error, traceback.format_exc()
        connection.send(said)
