"""The steps of cohorts, answered in the sandbox of `tshdb sql`: one forked child for all cohorts of a look.

The child reads the steps and says which tables they read; the parent hands it the rows, by its own connection; the child
closes the sandbox and answers cohort by cohort. What takes too long, or too much memory, is an error of that cohort alone:
another child goes on behind it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tshdb import sandbox
from tshdb.cohorts.reads import Reads, reads_of
from tshdb.cohorts.rows import LOADING_SECONDS, Home, Rows
from tshdb.cohorts.steps import Definition, place_of, walk
from tshdb.errors import InvalidInput, ResourceError, TshdbError
from tshdb.files import temporary_folder
from tshdb.forked import Forked, OutOfTime
from tshdb.snapshots import Snapshots

SECONDS = 15.0  # that one cohort may take
ROWS_AT_ONCE = 50_000
MOST_STRANGERS = 100_000
NOTHING = Reads(frozenset(), frozenset(), False)
ALWAYS = frozenset({"patients"})  # whom there is


class Asked(NamedTuple):
    """A cohort and its steps."""

    name: str
    definition: Definition

    @property
    def where(self) -> str:
        return f"cohort {self.name}"


class Answered(NamedTuple):
    """tables: that the steps read; versions: of these, and of the patients; moved: by step, who came or
    left, or why there is no answer."""

    tables: frozenset[str]
    versions: dict[str, str]
    moved: list[list[str]] | TshdbError


class _Early(Exception):
    """The child has ended before it began with the first cohort: who is to blame is seen one by one."""

    def __init__(self, reason: TshdbError | None):
        self.reason = reason


def answers(rows: Rows, asked: Sequence[Asked], seconds: float | None = None) -> Iterator[tuple[Asked, Answered]]:
    """The answer for each cohort, in their order. seconds: that one may take; SECONDS by default."""
    limit = SECONDS if seconds is None else seconds
    known = rows.known()
    waiting, at_once = list(asked), len(asked)
    while waiting:
        n = 0
        try:
            for answered in _by_one_child(rows, known, waiting[:at_once], limit):
                yield waiting[n], answered
                n += 1
        except _Early as early:
            if at_once == 1:
                yield waiting[0], Answered(frozenset(), {}, early.reason or _stopped(waiting[0], limit))
                n = 1
            at_once = 1
        waiting = waiting[n:]


def _by_one_child(
    rows: Rows, known: Mapping[str, Mapping[str, str]], asked: Sequence[Asked], seconds: float
) -> Iterator[Answered]:
    """The answers as far as one child comes: to the first that stops it, which is answered with why."""

    with temporary_folder("tshdb-cohorts-") as folder:
        child = Forked(lambda reader, writer: _act(reader, writer, asked, known, rows.home, seconds))
        is_done, code, is_ready, n = False, None, False, 0
        tables: list[frozenset[str]] = []
        versions: dict[str, str] = {}

        def answered(moved: list[list[str]] | TshdbError) -> Answered:
            read_now = tables[n] | ALWAYS
            return Answered(tables[n], {t: v for t, v in versions.items() if t in read_now}, moved)

        try:
            read = _heard(child, seconds)
            if read is not None:
                tables = [frozenset(of["tables"]) for of in read]
                every = ALWAYS.union(*tables)
                versions = rows.versions(every)
                child.tell(_handed(rows, known, every, versions, read, folder))
                is_ready = _heard(child, LOADING_SECONDS) is not None
            while is_ready and n < len(asked) and (moved := child.hear(time.monotonic() + seconds)) is not None:
                yield answered(sandbox.error_of(moved["error"]) if isinstance(moved, dict) else moved)
                n += 1
            is_done = True
        except OutOfTime:
            pass
        finally:
            code = child.end(is_done)
            _forget_withdrawn(rows, versions)
        if code:
            raise RuntimeError("the process of the cohorts failed; its traceback is above")
        if not is_ready:
            raise _Early(None)
        if n < len(asked):
            yield answered(_stopped(asked[n], seconds))


def _forget_withdrawn(rows: Rows, versions: Mapping[str, str]) -> None:
    """What was kept of tables stays only where the database has not gone on: a withdrawal may have been here before us."""
    if rows.home is None or not versions or rows.are_committed(versions):
        return
    for table, version in versions.items():
        Snapshots(rows.home.root).forget(table, version)


def _heard(child: Forked, seconds: float) -> Any:
    """What the child says before it begins; None when it has ended."""
    heard = child.hear(time.monotonic() + seconds)
    if isinstance(heard, dict) and "error" in heard:
        raise _Early(sandbox.error_of(heard["error"]))
    return heard


def _stopped(asked: Asked, seconds: float) -> ResourceError:
    return ResourceError(
        f"its SQL was stopped: more than {seconds:.0f} s or {sandbox.MEMORY_BYTES >> 30} GiB",
        where=asked.where,
        repair="Ask for less, or in smaller steps",
    )


def _handed(
    rows: Rows,
    known: Mapping[str, Mapping[str, str]],
    tables: frozenset[str],
    versions: Mapping[str, str],
    read: Sequence[Mapping[str, Any]],
    folder: Path,
) -> dict[str, Any]:
    """Where the child finds the rows of its tables: kept files of large ones, the rest written here, in `folder`."""
    kept = Snapshots(rows.home.root) if rows.home is not None else None
    may_keep = kept is not None and rows.are_committed(versions)
    handed = []
    for table in sorted(tables):
        path = kept.find(table, versions.get(table)) if kept is not None else None
        of_table = {"table": table, "is_kept": path is not None, "version": versions.get(table) if may_keep else None}
        if path is None:
            path = folder / f"{table}.csv"
            sandbox.write_csv(path, rows.of(table, list(known[table])))
        handed.append(of_table | {"path": str(path)})
    if not any(of["wants_expression"] for of in read):
        return {"tables": handed, "profiles": None, "paths": []}
    if rows.home is None:
        raise _Early(InvalidInput("the values of `expression` are beside the database", where="cohorts"))
    try:
        profiles, paths = sandbox.located(rows.home.objects, rows.of("expression_profiles", sandbox.PROFILES))
    except TshdbError as error:
        raise _Early(error) from None
    sandbox.write_csv(folder / "profiles.csv", profiles)
    return {"tables": handed, "profiles": str(folder / "profiles.csv"), "paths": paths}


# --------------------------------------------------------------------------------------------------- in the child


def _act(
    reader: int,
    writer: int,
    asked: Sequence[Asked],
    known: Mapping[str, Mapping[str, str]],
    home: Home | None,
    seconds: float,
) -> None:
    connection = sandbox.open_sandbox(threads=1)  # the order of rows is one and the same
    read = [_read(connection, one, known) for one in asked]
    plain = [r if isinstance(r, Reads) else NOTHING for r in read]
    sandbox.send(
        writer,
        [{"tables": sorted(r.tables), "wants_expression": r.wants_expression} for r in plain],
    )
    with os.fdopen(reader, encoding="utf-8") as told:
        line = told.readline()
    if not line:
        return
    _load(
        connection,
        json.loads(line),
        known,
        home,
        frozenset().union(*(r.views for r in plain)),
        seconds * len(asked),
    )
    sandbox.send(writer, {"ready": True})
    patients = {patient for (patient,) in connection.execute("SELECT patient_id FROM patients").fetchall()}
    for one, reads in zip(asked, read, strict=True):
        try:
            if isinstance(reads, TshdbError):
                raise reads
            sandbox.send(writer, _moved(connection, one, patients, known))
        except (TshdbError, MemoryError) as error:
            sandbox.send(writer, {"error": sandbox.as_words(error)})


def _read(connection: Any, asked: Asked, known: Mapping[str, Any]) -> Reads | TshdbError:
    """What all steps of a cohort read."""
    tables: set[str] = set()
    views: set[str] = set()
    wants_expression = False
    try:
        for i, step in enumerate(asked.definition.steps, 1):
            with refused(place_of(asked.definition, i, asked.where)):
                reads = reads_of(connection, step.sql, known)
            tables |= reads.tables
            views |= reads.views
            wants_expression |= reads.wants_expression
    except TshdbError as error:
        return error
    return Reads(frozenset(tables), frozenset(views), wants_expression)


def _load(
    connection: Any, handed: dict, known: Mapping, home: Home | None, views: frozenset[str], seconds: float
) -> None:
    readable = []
    for of in handed["tables"]:
        table, path = of["table"], Path(of["path"])
        if of["is_kept"]:
            readable.extend(sandbox.load_parquet(connection, table, path))
            continue
        sandbox.load_csv(connection, table, known[table], path)
        if of["version"] is not None and home is not None:
            sandbox.keep(connection, Snapshots(home.root), table, of["version"])
    if handed["profiles"]:
        readable += sandbox.make_expression(connection, Path(handed["profiles"]), handed["paths"])
    sandbox.make_views(connection, views)
    sandbox.lock(connection, readable, seconds)


def _moved(connection: Any, asked: Asked, patients: set[str], known: Mapping[str, Any]) -> list[list[str]]:
    def select(sql: str, where: str) -> set[str]:
        return _patients(connection, sql, where, patients, known)

    return [list(moved.patients) for moved in walk(asked.definition, asked.where, select)]


def _patients(connection: Any, sql: str, where: str, patients: set[str], known: Mapping[str, Any]) -> set[str]:
    """The patients that one SELECT gives."""
    with refused(where):
        result = sandbox.run(connection, sql, None, known, where)
    columns = [d[0] for d in result.description]
    position = next((i for i, name in enumerate(columns) if name.lower() == "patient_id"), None)
    if position is None:
        raise InvalidInput(
            f"the SELECT gives {', '.join(columns)}", where=where, repair="It must give a column patient_id"
        )
    chosen: set[Any] = set()
    strangers: set[Any] = set()
    while len(strangers) <= MOST_STRANGERS:
        with refused(where):
            rows = sandbox.fetched(connection, result, ROWS_AT_ONCE, known, where)
        if not rows:
            break
        chosen.update(row[position] for row in rows)
        strangers = chosen - patients - {None}
    if strangers:
        more = "at least " if len(strangers) > MOST_STRANGERS else ""
        raise InvalidInput(
            f"{more}{len(strangers)} of its {len(chosen - {None})} values of patient_id are no patients of the study, "
            f"such as {min(map(str, strangers))!r}",
            where=where,
            repair="Select patient_id from patients, samples or follow_ups",
        )
    return chosen - {None}


@contextmanager
def refused(where: str) -> Iterator[None]:
    """What DuckDB says of a step, as an error of that step."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"the SQL was refused ({error.message})", where=where, repair=error.repair) from None
    except ResourceError as error:
        raise ResourceError(error.message, where=where, repair=error.repair) from None
