"""SELECTs over all tables of the study and its expression values, in a sandbox. The only module that knows DuckDB.

The query runs in a child process: an in-memory DuckDB that holds copies of just those tables that the query names (of
large ones a Parquet file is kept, one a table version), and `expression`, a view of the Parquet parts. Before the query
runs, DuckDB's access to files, network, extensions, other databases, Python variables and its own settings is switched
off and locked, but for reading the parts that the study's rows name and the kept tables that the query names; the
operating system forbids the child to write files and bounds its memory and time.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import select
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tshdb.errors import IntegrityError, InvalidInput, NotFound, ResourceError, TshdbError
from tshdb.snapshots import LEAST_ROWS, Snapshots
from tshdb.views import VIEWS

if TYPE_CHECKING:
    from tshdb.objects import ObjectStore

SECONDS = 60.0
MEMORY_BYTES = 4 << 30
MAX_BYTES = 1 << 30
ROWS_AT_ONCE = 5_000
EXPRESSION = "expression"
_NULL = "\\N"
_ERRORS = {kind.__name__: kind for kind in (IntegrityError, InvalidInput, NotFound, ResourceError, TshdbError)}


class Queried(Protocol):
    """What a query needs of a study."""

    root: Path

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
) -> Iterator[Answer]:
    """The answer as it comes: first without rows, then some thousand rows at a time. Raises as `run_query` does."""
    head: Answer | None = None
    for part in _messages(study, [(sql, parameters or {})], seconds, max_bytes):
        if isinstance(part, Answer):
            head = part
            yield Answer(head.columns, head.types, [])
        elif head is not None:
            yield Answer(head.columns, head.types, part)


def _messages(
    study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float, max_bytes: int | None
) -> Iterator[Answer | list[tuple]]:
    """What a child process answers: of each query an Answer without rows, then its rows, some thousand at a time."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(study, asked, seconds, writer)
    os.close(writer)
    status = None
    try:
        for line in _lines(reader, seconds, max_bytes):
            answer = json.loads(line)
            if isinstance(answer, list):
                yield [tuple(row) for row in answer]
            elif "columns" in answer:
                yield Answer(answer["columns"], answer["types"], [])
            elif "error" in answer:
                kind, message, where, repair = answer["error"]
                raise _ERRORS[kind](message, where=where, repair=repair)
            else:
                return
    finally:
        os.close(reader)
        status = _end(child)
    if os.WIFEXITED(status):  # it was not stopped: it failed
        raise RuntimeError("the query's process failed; its traceback is above")
    raise ResourceError(
        f"the query was stopped: more than {seconds:.0f} s or {MEMORY_BYTES >> 30} GiB",
        where="sql",
        repair="Ask for less, or in smaller steps",
    )


def _lines(reader: int, seconds: float, max_bytes: int | None) -> Iterator[bytes]:
    """The lines that the child sends, until it closes the pipe or is out of time."""
    deadline = time.monotonic() + seconds
    waiting = b""
    size = 0
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(reader, 1 << 20) if ready else b""
        if not chunk:
            return
        size += len(chunk)
        if max_bytes is not None and size > max_bytes:
            raise ResourceError("the answer is larger than 1 GiB", where="sql", repair="Write it to a file with --out")
        *lines, waiting = (waiting + chunk).split(b"\n")
        yield from lines


def _end(child: int) -> int:
    """Leave no child behind; gives how it ended. One that has closed its pipe is about to end by itself."""
    for _ in range(20):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


# --------------------------------------------------------------------------------------------- in the child


def _child(study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float, writer: int) -> None:
    """Answer on the pipe and end at once, without the parent's handlers."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        try:
            for message in _answer(study, asked, seconds):
                _send(writer, message)
            reply: dict[str, Any] = {"end": True}
        except TshdbError as error:
            kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _ERRORS)
            reply = {"error": [kind, error.message, error.where, error.repair]}
        except MemoryError:
            reply = {"error": ["ResourceError", f"more than {MEMORY_BYTES >> 30} GiB of memory", "sql", "Ask for less"]}
        _send(writer, reply)
        os._exit(0)
    except BaseException:  # the child must never return into the parent's code
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)


def _send(writer: int, message: Any) -> None:
    """One line."""
    view = memoryview(json.dumps(message, default=_plain).encode() + b"\n")
    while view:
        view = view[os.write(writer, view[: 1 << 20]) :]


def _plain(value: Any) -> Any:
    """What JSON has no type for: decimals are numbers, bytes their hex, everything else its text."""
    if isinstance(value, Decimal):
        return float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _answer(study: Queried, asked: Sequence[tuple[str, dict[str, Any]]], seconds: float) -> Iterator[Any]:
    """What the child says of each query: columns and types, then lists of rows."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "2",
            "memory_limit": "3GB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
        },
    )
    for sql, _ in asked:
        _require_one_select(duckdb, connection, sql)
    tables = _load_tables(study, connection, "\n".join(sql for sql, _ in asked))
    _lock(connection, seconds)
    try:
        for sql, parameters in asked:
            result = connection.execute(sql, parameters or None)
            yield {"columns": [d[0] for d in result.description], "types": [str(d[1]) for d in result.description]}
            while rows := result.fetchmany(ROWS_AT_ONCE):
                yield rows
    except duckdb.OutOfMemoryException:
        raise ResourceError("the query needs too much memory", where="sql", repair="Ask for less") from None
    except duckdb.Error as error:
        message, repair = _explained(connection, error, tables)
        raise InvalidInput(message, where="sql", repair=repair) from None


def _require_one_select(duckdb, connection, sql: str) -> None:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise InvalidInput(str(error).partition("\n")[0], where="sql") from None
    if len(statements) != 1:
        raise InvalidInput(f"found {len(statements)} statements", where="sql", repair="Give exactly one SELECT")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT and kind != duckdb.StatementType.EXPLAIN:
        raise InvalidInput(
            f"found {str(kind).rpartition('.')[2]}", where="sql", repair="Only SELECT is allowed; nothing was run"
        )


def _explained(connection, error: Exception, tables: Iterable[str]) -> tuple[str, str]:
    """What DuckDB found wrong, and what helps: the names that were meant."""
    from tshdb.sql_names import explained

    named = connection.execute("SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    return explained(error, [*tables, *VIEWS, EXPRESSION], sorted(name for (name,) in named))


def _lock(connection, seconds: float) -> None:
    """No files but the registered parts, no settings, no writing, bounded memory and time."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY_BYTES, hard))
    cpu = int(seconds * 2) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))


def _address_space() -> int:
    """Bytes that this process has mapped already: a notebook with large libraries leaves a query as much as a terminal."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def _load_tables(study: Queried, connection, sql: str) -> list[str]:
    """Copy the tables that the query mentions, and make the view of the expression values. Gives the names of all tables."""
    words = set(_words(sql))
    views = [v for v in VIEWS.values() if v.name in words]
    words |= {table for view in views for table in view.tables}
    wants_expression = EXPRESSION in words
    readable: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tshdb-sql-") as folder:
        fetch = _fetcher(study)
        known = _known(study, fetch)
        wanted = [t for t in known if t in words]
        rows = fetch("table_versions", ["table_name", "version"]) if study.sqlite_path is not None else []
        versions = {table: n for table, n in rows if isinstance(n, int)}  # it becomes part of a file's name
        kept = Snapshots(study.root)
        for table in wanted:
            path = kept.find(table, versions.get(table))
            if path is None:
                _copy(connection, table, known[table], fetch(table, list(known[table])), Path(folder))
                _keep(connection, kept, table, versions.get(table))
            else:
                connection.execute(f'CREATE VIEW "{table}" AS SELECT * FROM read_parquet({_text(path)})')
                readable.append(_text(path))
        if wants_expression:
            readable += _make_expression(study, connection, fetch, Path(folder))
    if readable:
        connection.execute(f"SET allowed_paths = [{', '.join(readable)}]")
    for view in views:
        connection.execute(f"CREATE VIEW {view.name} AS {view.select(connection)}")
    return list(known)


def _known(study: Queried, fetch) -> dict[str, dict[str, str]]:
    """table -> column -> type, of this program's tables and those of guests that the study describes."""
    from tshdb.sqltypes import guest_columns, table_columns

    ours = table_columns()
    catalog = ("sqlite_master", "name") if study.sqlite_path is not None else ("pg_tables", "tablename")
    there = {name for (name,) in fetch(catalog[0], [catalog[1]])}
    if "guest_tables" not in there:
        return ours
    guests = guest_columns(fetch("guest_tables", ["table_name", "columns"]))
    return ours | {name: columns for name, columns in guests.items() if name in there and name not in ours}


def guest_columns_of(study: Queried) -> dict[str, dict[str, str]]:
    """table -> column -> type, of the guests' tables that a study describes."""
    from tshdb.sqltypes import table_columns

    ours = table_columns()
    return {name: columns for name, columns in _known(study, _fetcher(study)).items() if name not in ours}


def _keep(connection, kept: Snapshots, table: str, version: int | None) -> None:
    """Keep a large table for the next query."""
    if version is None:
        return
    (n,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    if n < LEAST_ROWS or (path := kept.begin()) is None:
        return
    try:
        connection.execute(f'COPY "{table}" TO {_text(path)} (FORMAT parquet, COMPRESSION zstd)')
        kept.keep(table, version, path)
    except OSError:
        path.unlink(missing_ok=True)


def _text(path: Path) -> str:
    """A path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"


def _words(sql: str) -> list[str]:
    """The identifiers in the text, in lower case; naming a table too many costs a copy and nothing else."""
    import re

    return [w.lower() for w in re.findall(r"[A-Za-z_][A-Za-z_0-9]*", sql)]


def _fetcher(study: Queried):
    """A function (table, columns) -> rows, all from one state of the database."""
    path = study.sqlite_path
    if path is not None:
        if not path.is_file():
            raise NotFound("the database does not exist", where=str(path))
        raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        raw.execute("BEGIN")
        return lambda table, columns: raw.execute(f'SELECT {_quoted(columns)} FROM "{table}"')
    from tshdb.database import create

    connection = create(study.database_url).connect()
    connection.begin()
    return lambda table, columns: map(tuple, connection.exec_driver_sql(f'SELECT {_quoted(columns)} FROM "{table}"'))


def _quoted(columns: list[str]) -> str:
    return ", ".join(f'"{c}"' for c in columns)


def _copy(connection, table: str, types: dict[str, str], rows, folder: Path) -> None:
    """Hand rows to DuckDB as CSV: its own reader is faster than inserting, and needs neither pyarrow nor pandas."""
    path = folder / f"{table}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for row in rows:
            writer.writerow([_NULL if v is None else v for v in row])
    columns = ", ".join(f"'{c}': '{t}'" for c, t in types.items())
    definition = ", ".join(f'"{c}" {t}' for c, t in types.items())
    connection.execute(f'CREATE TABLE "{table}" ({definition})')
    connection.execute(
        f"INSERT INTO \"{table}\" SELECT * FROM read_csv('{path}', header = false, auto_detect = false, "
        f"delim = ',', quote = '\"', escape = '\"', nullstr = '{_NULL}', allow_quoted_nulls = true, "
        f"new_line = '\\r\\n', columns = {{{columns}}})"
    )


def _make_expression(study: Queried, connection, fetch, folder: Path) -> list[str]:
    """`expression`: profile_id, sample_id, gene, value, for every profile; values as they stand in their source.

    Gives the paths that it reads, as SQL text.
    """
    rows = list(fetch("expression_profiles", ["profile_id", "sample_id", "part_id", "is_selected"]))
    parts = sorted({row[2] for row in rows})
    paths = [str(study.objects.verified(part)) for part in parts]
    types = {"profile_id": "VARCHAR", "sample_id": "VARCHAR", "path": "VARCHAR", "is_selected": "BOOLEAN"}
    located = [(p, s, str(study.objects.path(part)), bool(chosen)) for p, s, part, chosen in rows]
    _copy(connection, "_profiles", types, located, folder)
    if not paths:
        connection.execute(
            "CREATE VIEW expression AS SELECT profile_id, sample_id, '' AS gene, 0.0 AS value, is_selected "
            "FROM _profiles WHERE false"
        )
        return []
    quoted = [_text(Path(p)) for p in paths]
    connection.execute(
        "CREATE VIEW expression AS SELECT p.profile_id, p.sample_id, v.gene, v.value, p.is_selected "
        f"FROM read_parquet([{', '.join(quoted)}], filename = true) v "
        "JOIN _profiles p ON p.profile_id = v.profile AND p.path = v.filename"
    )
    return quoted
