"""SELECTs over all tables of the study and its expression values, in a sandbox (`tshdb.sandbox`).

The query runs in a child process, which holds copies of just those tables that the query names (of large ones a Parquet
file is kept, one a table version), and `expression`, a view of the Parquet parts.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tshdb import sandbox
from tshdb.code_in_database import refuse_code_of_others
from tshdb.errors import NotFound, ResourceError
from tshdb.forked import Forked, OutOfTime
from tshdb.places import to_read
from tshdb.snapshots import Snapshots
from tshdb.views import VIEWS

if TYPE_CHECKING:
    from tshdb.objects import ObjectStore

SECONDS = 60.0
MAX_BYTES = 1 << 30
ROWS_AT_ONCE = 5_000
WHERE = "sql"
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


class Queried(Protocol):
    """What a query needs of a study."""

    @property
    def caches(self) -> Path: ...

    @property
    def database_url(self) -> str: ...

    @property
    def sqlite_path(self) -> Path | None: ...

    @property
    def objects(self) -> ObjectStore: ...


@dataclass
class Answer:
    """Columns, their DuckDB types, and rows."""

    columns: list[str]
    types: list[str]
    rows: list[tuple]


def run_query(
    study: Queried, sql: str, parameters: dict[str, Any] | None = None, *, seconds: float = SECONDS
) -> Answer:
    """The answer to one SELECT.

    parameters: values of $name in the query. Raises InvalidInput for anything but one SELECT or for SQL that DuckDB
    refuses, ResourceError when it takes more than `seconds`, too much memory, or more than 1 GiB of answer.
    """
    (answer,) = _gathered(study, [(sql, parameters or {})], seconds)
    return answer


def run_queries(study: Queried, queries: Sequence[str], *, seconds: float = SECONDS) -> list[Answer]:
    """The answers to several SELECTs, of one state of the database; many times quicker than one by one.

    Raises as `run_query` does, and then gives no answer at all.
    """
    return _gathered(study, [(sql, {}) for sql in queries], seconds)


def _gathered(study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float) -> list[Answer]:
    answers: list[Answer] = []
    for part in _messages(study, asked, seconds, MAX_BYTES):
        if isinstance(part, Answer):
            answers.append(part)
        else:
            answers[-1].rows += part
    return answers


def stream_query(
    study: Queried,
    sql: str,
    parameters: dict[str, Any] | None = None,
    *,
    seconds: float = SECONDS,
    max_bytes: int | None = None,
    is_exact: bool = False,
) -> Iterator[Answer]:
    """The answer as it comes: first without rows, then some thousand rows at a time. Raises as `run_query` does.

    is_exact: values are as `tshdb.sandbox.exact` has them; else decimals are floats.
    """
    head: Answer | None = None
    for part in _messages(study, [(sql, parameters or {})], seconds, max_bytes, is_exact):
        if isinstance(part, Answer):
            head = part
            yield Answer(head.columns, head.types, [])
        elif head is not None:
            yield Answer(head.columns, head.types, part)


def _messages(
    study: Queried,
    asked: Sequence[tuple[str, dict[str, Any]]],
    seconds: float,
    max_bytes: int | None,
    is_exact: bool = False,
) -> Iterator[Answer | list[tuple]]:
    """What a child process answers: of each query an Answer without rows, then its rows, some thousand at a time."""
    deadline = time.monotonic() + seconds
    child = Forked(lambda _reader, writer: _tell(study, asked, seconds, writer, is_exact))
    is_done, is_late, code = False, False, None
    try:
        while (answer := child.hear(deadline)) is not None:
            if max_bytes is not None and child.n_bytes > max_bytes:
                raise ResourceError(
                    "the answer is larger than 1 GiB", where=WHERE, repair="Write it to a file with --out"
                )
            if isinstance(answer, list):
                yield [tuple(row) for row in answer]
            elif "columns" in answer:
                yield Answer(answer["columns"], answer["types"], [])
            else:
                is_done = True
                if "error" in answer:
                    raise sandbox.error_of(answer["error"])
                return
        is_done = True
    except OutOfTime:
        is_late = True
    finally:
        code = child.end(is_done)
        _forget_moved(study)
    if code:
        raise RuntimeError("the query's process failed; its traceback is above")
    if is_late:
        raise ResourceError(
            f"the query was stopped after {seconds:.0f} s", where=WHERE,
            repair="Ask for less, in smaller steps, or give it more time (--seconds)",
        )  # fmt: skip
    raise ResourceError(
        "the system ended the query's process: it wanted more memory than it may have, or more time of a processor",
        where=WHERE, repair="Ask for less, or in smaller steps; ulimit -a shows the limits that are set here",
    )  # fmt: skip


def _forget_moved(study: Queried) -> None:
    """What is kept of tables stays only at the versions that they have now: a withdrawal may have been here before us.

    It removes what it finds; what a query writes behind it, of the state that it began with, is removed here.
    """
    path = study.sqlite_path
    if path is None or not path.is_file():
        return
    with suppress(OSError, sqlite3.Error), closing(sqlite3.connect(to_read(path), uri=True)) as raw:
        rows = raw.execute(sandbox.select_all("table_versions", ["table_name", "version"]))
        Snapshots(study.caches).keep_only({str(table): str(version) for table, version in rows})


# --------------------------------------------------------------------------------------------- in the child


def _tell(
    study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float, writer: int, is_exact: bool
) -> None:
    for message in _answer(study, asked, seconds):
        if is_exact and isinstance(message, list):
            message = [list(map(sandbox.exact, row)) for row in message]
        sandbox.send(writer, message)
    sandbox.send(writer, {"end": True})


def _answer(study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float) -> Iterator[Any]:
    """What the child says of each query: columns and types, then lists of rows."""
    connection = sandbox.open_sandbox(threads=2)
    for sql, _ in asked:
        sandbox.require_one_select(connection, sql, WHERE)
    tables, readable = _load_tables(study, connection, "\n".join(sql for sql, _ in asked), seconds)
    sandbox.lock(connection, readable, seconds)
    for sql, parameters in asked:
        result = sandbox.run(connection, sql, parameters, tables, WHERE)
        yield {"columns": [d[0] for d in result.description], "types": [str(d[1]) for d in result.description]}
        while rows := sandbox.fetched(connection, result, ROWS_AT_ONCE, tables, WHERE):
            yield rows


def _load_tables(study: Queried, connection: Any, sql: str, seconds: float) -> tuple[list[str], list[str]]:
    """Copy the tables that the query mentions, and make the view of the expression values.

    Gives the names of all tables, and the SQL texts of the files that the query may read.
    """
    words = {word.lower() for word in _WORD.findall(sql)}  # naming a table too many costs a copy and nothing else
    views = [v for v in VIEWS.values() if v.name in words]
    words |= {table for view in views for table in view.tables}
    readable: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tshdb-sql-") as folder:
        fetch = _fetcher(study, seconds)
        known = sandbox.known_tables(fetch, study.sqlite_path is not None)
        rows = fetch("table_versions", ["table_name", "version"]) if study.sqlite_path is not None else []
        versions = {table: n for table, n in rows if isinstance(n, int)}  # it becomes part of a file's name
        kept = Snapshots(study.caches)
        for table in [t for t in known if t in words]:
            path = kept.find(table, versions.get(table))
            if path is None:
                copy = Path(folder) / f"{table}.csv"
                sandbox.write_csv(copy, fetch(table, list(known[table])))
                sandbox.load_csv(connection, table, known[table], copy)
                sandbox.keep(connection, kept, table, versions.get(table))
            else:
                readable.extend(sandbox.load_parquet(connection, table, path))
        if sandbox.EXPRESSION in words:
            profiles, paths = sandbox.located(study.objects, fetch("expression_profiles", sandbox.PROFILES))
            sandbox.write_csv(Path(folder) / "profiles.csv", profiles)
            readable += sandbox.make_expression(connection, Path(folder) / "profiles.csv", paths)
    sandbox.make_views(connection, (view.name for view in views))
    return list(known), readable


def guest_columns_of(study: Queried) -> dict[str, dict[str, str]]:
    """table -> column -> type, of the guests' tables that a study describes."""
    from tshdb.sqltypes import table_columns

    ours = table_columns()
    known = sandbox.known_tables(_fetcher(study), study.sqlite_path is not None)
    return {name: columns for name, columns in known.items() if name not in ours}


def _fetcher(study: Queried, seconds: float = SECONDS) -> sandbox.Fetch:
    """A function (table, columns) -> rows, all from one state of the database. A server ends its part itself after `seconds`."""
    path = study.sqlite_path
    if path is not None:
        if not path.is_file():
            raise NotFound("the database does not exist", where=str(path))
        raw = sqlite3.connect(to_read(path), uri=True, isolation_level=None)
        raw.execute("BEGIN")
        refuse_code_of_others(raw.execute, True, str(path))
        return lambda table, columns: raw.execute(sandbox.select_all(table, columns))
    from tshdb.database import create, limit, tuples

    connection = create(study.database_url).connect()
    connection.begin()
    limit(connection, seconds)
    refuse_code_of_others(lambda sql: tuples(connection, sql), False, "the study's database")
    return lambda table, columns: map(tuple, connection.exec_driver_sql(sandbox.select_all(table, columns)))
