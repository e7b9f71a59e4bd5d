"""SELECTs over all tables of the study and its expression values, in a sandbox (`tshdb.sandbox`).

The query runs in a child process, which holds copies of just those tables that the query names (of large ones a Parquet
file is kept, one a table version), and `expression`, a view of the Parquet parts.
"""

from __future__ import annotations

import base64
import io
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from tshdb import sandbox
from tshdb.code_in_database import refuse_code_of_others
from tshdb.errors import NotFound, ResourceError
from tshdb.files import temporary_folder
from tshdb.forked import Forked, OutOfTime
from tshdb.snapshots import Snapshots
from tshdb.sqlite_files import to_read, unchanged
from tshdb.views import VIEWS

if TYPE_CHECKING:
    from tshdb.objects import ObjectStore

SECONDS = 60.0
MAX_BYTES = 1 << 30
ROWS_AT_ONCE = 5_000
BYTES_AT_ONCE = 1 << 20
WHERE = "sql"
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


class _Form(StrEnum):
    """In which form a child process gives the rows."""

    PLAIN = "plain"
    EXACT = "exact"
    PARQUET = "parquet"


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
        elif isinstance(part, list):
            answers[-1].rows += part
    return answers


def stream_query(
    study: Queried, sql: str, parameters: dict[str, Any] | None = None, *, seconds: float = SECONDS,
    max_bytes: int | None = None, is_exact: bool = False,
) -> Iterator[Answer]:  # fmt: skip
    """The answer as it comes: first without rows, then some thousand rows at a time. Raises as `run_query` does.

    is_exact: values are as `tshdb.sandbox.exact` has them; else decimals are floats, where these keep their digits.
    """
    head: Answer | None = None
    form = _Form.EXACT if is_exact else _Form.PLAIN
    for part in _messages(study, [(sql, parameters or {})], seconds, max_bytes, form):
        if isinstance(part, Answer):
            head = part
            yield Answer(head.columns, head.types, [])
        elif head is not None and isinstance(part, list):
            yield Answer(head.columns, head.types, part)


def parquet_query(
    study: Queried, sql: str, file: IO[bytes], parameters: dict[str, Any] | None = None, *, seconds: float = SECONDS
) -> int:
    """Write the answer as Parquet, by DuckDB's own Arrow types, as it comes. Gives its number of rows.

    Raises as `run_query` does, and InvalidInput for two columns of one name and for types that Parquet does not keep.
    """
    n = 0
    for _, part in parquet_queries(study, [(sql, parameters or {})], seconds=seconds):
        if isinstance(part, bytes):
            file.write(part)
        else:
            n = part
    return n


def stream_queries(
    study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], *, seconds: float = SECONDS
) -> Iterator[tuple[int, Answer]]:
    """The answers to several SELECTs with their values, of one state of the database: (which, a part as `stream_query` has it).

    Values are as `tshdb.sandbox.exact` has them. Raises as `run_query` does.
    """
    i, head = -1, Answer([], [], [])
    for part in _messages(study, asked, seconds, None, _Form.EXACT):
        if isinstance(part, Answer):
            i, head = i + 1, part
            yield i, Answer(head.columns, head.types, [])
        elif isinstance(part, list):
            yield i, Answer(head.columns, head.types, part)


def parquet_queries(
    study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], *, seconds: float = SECONDS
) -> Iterator[tuple[int, bytes | int]]:
    """The same as Parquet: (which, the next bytes of its file; at the end its number of rows). Raises as `parquet_query` does."""
    i = 0
    for part in _messages(study, asked, seconds, None, _Form.PARQUET):
        if isinstance(part, bytes):
            yield i, part
        elif isinstance(part, int):
            yield i, part
            i += 1


def _messages(
    study: Queried,
    asked: Sequence[tuple[str, dict[str, Any]]],
    seconds: float,
    max_bytes: int | None,
    form: _Form = _Form.PLAIN,
) -> Iterator[Answer | list[tuple] | bytes | int]:
    """What a child process answers: of each query an Answer without rows, then its rows, some thousand at a time.

    As Parquet: the bytes of the file in their order, then the number of rows.
    """
    if study.sqlite_path is not None:
        to_read(study.sqlite_path)  # where it has to be copied, the copy is this process's, which takes it away
    deadline = time.monotonic() + seconds
    child = Forked(lambda _reader, writer: _tell(study, asked, seconds, writer, form))
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
            elif "bytes" in answer:
                yield base64.b64decode(answer["bytes"])
            elif "n_rows" in answer:
                yield int(answer["n_rows"])
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
        forget_moved(study)
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


def forget_moved(study: Queried) -> None:
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
    study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float, writer: int, form: _Form
) -> None:
    for message in _answer(study, asked, seconds, writer, form):
        if form is _Form.EXACT and isinstance(message, list):
            message = [list(map(sandbox.exact, row)) for row in message]
        sandbox.send(writer, message)
    sandbox.send(writer, {"end": True})


def _answer(
    study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float, writer: int, form: _Form
) -> Iterator[Any]:
    """What the child says of each query: columns and types, then lists of rows; or the number of rows of a Parquet file."""
    connection = sandbox.open_sandbox(threads=2)
    for sql, _ in asked:
        sandbox.require_one_select(connection, sql, WHERE)
    words = words_of(sql for sql, _ in asked)
    tables, readable, _ = load_tables(study, connection, words, seconds)
    if form is _Form.PARQUET:
        import duckdb  # noqa: F401  all that writing needs, before the process may take little
        import pyarrow.parquet  # noqa: F401
    sandbox.lock(connection, readable, seconds)
    for sql, parameters in asked:
        if form is _Form.PARQUET:
            with _Sink(writer) as sink:
                n = sandbox.as_parquet(connection, sql, parameters, sink, tables, WHERE)
            yield {"n_rows": n}
            continue
        yield from told(connection, sql, parameters, tables)


def told(connection: Any, sql: str, parameters: dict[str, Any], tables: Sequence[str]) -> Iterator[Any]:
    """What is said of a query whose tables are there: its columns and types, then its rows, some thousand at a time."""
    names, kinds, result = sandbox.told(connection, sql, parameters, tables, WHERE)
    yield {"columns": names, "types": kinds}
    while rows := sandbox.fetched(connection, result, ROWS_AT_ONCE, tables, WHERE):
        yield rows


class _Sink(io.BufferedIOBase):
    """A file whose bytes are told to the parent, some at a time."""

    def __init__(self, writer: int):
        self._writer, self._parts, self._held, self._told = writer, list[bytes](), 0, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._told + self._held

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._held += len(part)
        if self._held >= BYTES_AT_ONCE:
            self.flush()
        return len(part)

    def flush(self) -> None:
        if self._held:
            told = base64.b64encode(b"".join(self._parts)).decode()
            self._parts, self._told, self._held = [], self._told + self._held, 0
            sandbox.send(self._writer, {"bytes": told})


def words_of(queries: Iterable[str]) -> set[str]:
    """The words of some queries, in small letters: the names of their tables are among them."""
    words = {word.lower() for sql in queries for word in _WORD.findall(sql)}
    return words | {table for name in words & VIEWS.keys() for table in VIEWS[name].tables}


def load_tables(
    study: Queried, connection: Any, words: set[str], seconds: float, most_rows: int = 0
) -> tuple[list[str], list[str], set[str]]:
    """Copy the tables that are among some words, and make the view of the expression values.

    most_rows: all other tables that have no more are copied, too. Gives the names of all tables, the SQL texts of the files that
    queries may read, and the tables that are there now.
    """
    views = [v for v in VIEWS.values() if v.name in words]  # naming a table too many costs a copy and nothing else
    readable: list[str] = []
    with temporary_folder("tshdb-sql-") as folder, unchanged(study.sqlite_path):
        fetch = _fetcher(study, seconds)
        known = sandbox.known_tables(fetch, study.sqlite_path is not None)
        rows = fetch("table_versions", ["table_name", "version"]) if study.sqlite_path is not None else []
        versions = {table: n for table, n in rows if isinstance(n, int)}  # it becomes part of a file's name
        kept = Snapshots(study.caches)
        for table in [t for t in known if t in words]:
            path = kept.find(table, versions.get(table))
            if path is None:
                copy = folder / f"{table}.csv"
                sandbox.write_csv(copy, fetch(table, list(known[table])))
                sandbox.load_csv(connection, table, known[table], copy)
                sandbox.keep(connection, kept, table, versions.get(table))
            else:
                readable.extend(sandbox.load_parquet(connection, table, path))
        there = words & known.keys()
        connection.execute("BEGIN")  # many tables are soon made by one transaction
        for table in [t for t in known if most_rows and t not in words]:
            rows = list(islice(fetch(table, list(known[table])), most_rows + 1))
            if not rows:  # as most tables of most studies are
                sandbox.make_table(connection, table, known[table])
            elif len(rows) <= most_rows:
                sandbox.write_csv(folder / f"{table}.csv", rows)
                sandbox.load_csv(connection, table, known[table], folder / f"{table}.csv")
            else:
                continue
            there.add(table)
        connection.execute("COMMIT")
        if sandbox.EXPRESSION in words:
            profiles, paths = sandbox.located(study.objects, fetch("expression_profiles", sandbox.PROFILES))
            sandbox.write_csv(folder / "profiles.csv", profiles)
            readable += sandbox.make_expression(connection, folder / "profiles.csv", paths)
    sandbox.make_views(connection, (view.name for view in views))
    return list(known), readable, there


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
