"""The sandbox of SELECTs: an in-memory DuckDB, closed before a query runs. The only module that knows DuckDB.

It holds copies of the tables that a query names. DuckDB's access to files, network, extensions, other databases, Python
variables and its own settings is switched off and locked, but for reading the Parquet files that are named; the operating
system forbids the process to write files and bounds its memory and time. So it belongs into a process of its own:
`tshdb.query` and `tshdb.cohorts.worker` fork one.
"""

from __future__ import annotations

import csv
import json
import math
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb import system
from tshdb.answer_types import MOST_DIGITS, as_told, refusal
from tshdb.errors import IntegrityError, InvalidInput, NotFound, ResourceError, TshdbError
from tshdb.snapshots import LEAST_ROWS, Snapshots
from tshdb.views import VIEWS

if TYPE_CHECKING:
    from tshdb.objects import ObjectStore

MEMORY_BYTES = 4 << 30
MOST_COPIED = 1_000_000  # rows
ROWS_OF_A_GROUP = 100_000  # of a Parquet file that is written
EXPRESSION = "expression"
PROFILES = ("profile_id", "sample_id", "part_id", "is_selected")
_NULL = "\\N"
_ERRORS = {kind.__name__: kind for kind in (IntegrityError, InvalidInput, NotFound, ResourceError, TshdbError)}
Fetch = Callable[[str, Sequence[str]], Iterable[Sequence[Any]]]


def open_sandbox(threads: int) -> Any:
    """An empty DuckDB in memory that loads nothing by itself; `lock` closes it."""
    duckdb = _library()
    return duckdb.connect(
        ":memory:",
        config={
            "threads": str(threads),
            "memory_limit": "3GB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
        },
    )


def _library() -> Any:
    """DuckDB's compiled module: what is around it takes four times as long to import, in every process that asks."""
    try:
        import _duckdb
    except ImportError:
        import duckdb

        return duckdb
    return _duckdb


def require_one_select(connection: Any, sql: str, where: str) -> None:
    """Raises InvalidInput for anything but one SELECT."""
    duckdb = _library()
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise InvalidInput(str(error).partition("\n")[0], where=where) from None
    if len(statements) != 1:
        raise InvalidInput(f"found {len(statements)} statements", where=where, repair="Give exactly one SELECT")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT and kind != duckdb.StatementType.EXPLAIN:
        raise InvalidInput(
            f"found {str(kind).rpartition('.')[2]}", where=where, repair="Only SELECT is allowed; nothing was run"
        )


def run(connection: Any, sql: str, parameters: Mapping[str, Any] | None, tables: Iterable[str], where: str) -> Any:
    """DuckDB's result of a SELECT, its rows still to be fetched (`fetched`). Raises as `fetched` does."""
    return _translated(lambda: connection.execute(sql, parameters or None), connection, tables, where)


def told(connection: Any, sql: str, parameters: Mapping[str, Any] | None, tables: Iterable[str], where: str) -> Any:
    """(names, types, result) of a SELECT whose values Python holds as DuckDB does (`answer_types`). Raises as `fetched` does."""
    bare, result = _bare(sql), None
    columns = _described(connection, bare, parameters)
    if columns is None:
        result = run(connection, sql, parameters, tables, where)
        columns = [(name, kind) for name, kind, *_ in result.description]
    casts = [as_told(kind) for _, kind in columns]
    if any(casts):
        given = [f"c{i}" for i in range(len(columns))]
        shown = ", ".join(f"CAST({c} AS {to})" if to else c for c, to in zip(given, casts, strict=True))
        sql, result = f"SELECT {shown} FROM ({bare}\n) AS answer({', '.join(given)})", None
    result = result or run(connection, sql, parameters, tables, where)
    return [name for name, _ in columns], [str(kind) for _, kind in columns], result


def _described(connection: Any, bare: str, parameters: Mapping[str, Any] | None) -> list[tuple[str, Any]] | None:
    """Names and types of the columns of a SELECT that is not run for it; None for what has no such description, as EXPLAIN."""
    try:
        described = connection.execute(f"DESCRIBE {bare}", parameters or None).fetchall()
    except _library().Error:  # if it is of the query, its run says so
        return None
    return [(name, connection.sqltype(kind)) for name, kind, *_ in described]


def _bare(sql: str) -> str:
    """One statement without the semicolon and the comments behind it."""
    tokens = _library().tokenize(sql)
    ends = [at for at, _ in tokens if sql.encode()[at : at + 1] == b";"]
    return sql.encode()[: ends[0]].decode() if ends else sql


def as_parquet(
    connection: Any, sql: str, parameters: Mapping[str, Any] | None, sink: Any, tables: Iterable[str], where: str
) -> int:
    """Write the answer to one SELECT as Parquet, by DuckDB's own Arrow types, and give its number of rows.

    sink: a file that is written to from its beginning to its end. Raises InvalidInput for what Parquet cannot hold, and as
    `fetched` does.
    """
    import duckdb  # noqa: F401  it gives connections `sql`, whose rows come as Arrow without a copy
    import pyarrow as pa
    from pyarrow import parquet

    def write() -> int:
        relation = connection.sql(sql, params=dict(parameters) if parameters else None)
        if refused := refusal(list(relation.columns), list(relation.types)):
            what, repair = refused
            raise InvalidInput(what, where=where, repair=repair)
        n, has_huge = 0, any("HUGEINT" in str(kind) for kind in relation.types)
        with relation.to_arrow_reader(ROWS_OF_A_GROUP) as reader, parquet.ParquetWriter(sink, reader.schema) as writer:
            for batch in reader:
                if has_huge:
                    _require_digits(batch, where)
                writer.write_batch(batch)
                n += batch.num_rows
        return n

    try:
        return _translated(write, connection, tables, where)
    except (pa.ArrowException, OSError) as error:  # what DuckDB says while rows are taken comes by way of Arrow
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = str(error)
        if "Out of Memory" in said or "bad allocation" in said:
            raise ResourceError("the query needs too much memory", where=where, repair="Ask for less") from None
        raise InvalidInput(said.partition("\n")[0], where=where) from None


def _require_digits(batch: Any, where: str) -> None:
    """Raises InvalidInput for whole numbers that are larger than Parquet's, of 38 digits."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        raise InvalidInput(
            "a HUGEINT has more than the 38 digits that Parquet keeps", where=where, repair="Cast it to VARCHAR"
        ) from None


def fetched(connection: Any, result: Any, n: int, tables: Iterable[str], where: str) -> list[tuple]:
    """The next rows of a result, n at most. Raises InvalidInput for what DuckDB refuses, ResourceError without memory.

    tables: all that can be asked for, to say which was meant.
    """
    return _translated(lambda: result.fetchmany(n), connection, tables, where)


def _translated(act: Callable[[], Any], connection: Any, tables: Iterable[str], where: str) -> Any:
    duckdb = _library()
    try:
        return act()
    except duckdb.OutOfMemoryException:
        raise ResourceError("the query needs too much memory", where=where, repair="Ask for less") from None
    except duckdb.IOException as error:
        raise ResourceError(
            str(error).partition("\n")[0], where=where, repair="See to the disk; then ask again"
        ) from None
    except duckdb.Error as error:
        message, repair = _explained(connection, error, tables)
        raise InvalidInput(message, where=where, repair=repair) from None


def _explained(connection: Any, error: Exception, tables: Iterable[str]) -> tuple[str, str]:
    """What DuckDB found wrong, and what helps: the names that were meant."""
    from tshdb.sql_names import explained

    named = connection.execute("SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    return explained(error, [*tables, *VIEWS, EXPRESSION], sorted(name for (name,) in named))


def lock(connection: Any, readable: Sequence[str], seconds: float) -> None:
    """No files but `readable` (SQL texts of paths), no settings, no writing, bounded memory and time: of the whole process."""
    if readable:
        connection.execute(f"SET allowed_paths = [{', '.join(readable)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    system.forbid_files()
    system.limit_more_memory(MEMORY_BYTES)
    system.limit_cpu(seconds * 2)  # beyond what loading took


def keep(connection: Any, kept: Snapshots, table: str, version: str | int | None) -> None:
    """Keep a large table for the next query."""
    if version is None:
        return
    (n,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    if n < LEAST_ROWS or (path := kept.begin()) is None:
        return
    try:
        connection.execute(f'COPY "{table}" TO {path_text(path)} (FORMAT parquet, COMPRESSION zstd)')
        kept.keep(table, version, path)
    except OSError:
        path.unlink(missing_ok=True)


def path_text(path: Path) -> str:
    """A path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"


def select_all(table: str, columns: Sequence[str]) -> str:
    """The SELECT of all rows of a table of the study's database."""
    named = ", ".join(f'"{c}"' for c in columns)
    return f'SELECT {named} FROM "{table}"'


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    """Rows as DuckDB reads them quickest, without pyarrow or pandas."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for row in rows:
            writer.writerow([_NULL if v is None else v for v in row])


def make_table(connection: Any, table: str, types: Mapping[str, str]) -> None:
    """Make a table without rows."""
    definition = ", ".join(f'"{c}" {t}' for c, t in types.items())
    connection.execute(f'CREATE TABLE "{table}" ({definition})')


def load_csv(connection: Any, table: str, types: Mapping[str, str], path: Path) -> None:
    """Make a table of what `write_csv` wrote. Raises IntegrityError for a value that is not of its column's type."""
    duckdb = _library()
    columns = ", ".join(f"'{c}': '{t}'" for c, t in types.items())
    make_table(connection, table, types)
    try:
        connection.execute(
            f'INSERT INTO "{table}" SELECT * FROM read_csv({path_text(path)}, header = false, auto_detect = false, '
            f"delim = ',', quote = '\"', escape = '\"', nullstr = '{_NULL}', allow_quoted_nulls = true, "
            f"new_line = '\\r\\n', columns = {{{columns}}})"
        )
    except duckdb.ConversionException as error:
        said = next((line.strip() for line in str(error).splitlines() if "Error when converting" in line), "")
        raise IntegrityError(
            f"a value is not of its column's type ({said or str(error).splitlines()[0]})", where=f"table {table}",
            repair="Run: tshdb check",
        ) from None  # fmt: skip


def load_parquet(connection: Any, table: str, path: Path) -> list[str]:
    """Make a table of a kept file. Gives what the query must be allowed to read of it, as SQL texts of paths: for `lock`.

    A copy, unless it is very large: of a file DuckDB does not know how many values a column has, and may join on the
    unit of 100,000 profiles before it joins on their samples.
    """
    source = f"read_parquet({path_text(path)})"
    (n,) = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    if n <= MOST_COPIED:
        connection.execute(f'CREATE TABLE "{table}" AS SELECT * FROM {source}')
        return []
    connection.execute(f'CREATE VIEW "{table}" AS SELECT * FROM {source}')
    return [path_text(path)]


def make_views(connection: Any, names: Iterable[str]) -> None:
    """The views of `tshdb.views`, once their tables are there."""
    for name in names:
        connection.execute(f"CREATE VIEW {name} AS {VIEWS[name].select(connection)}")


def located(objects: ObjectStore, profiles: Iterable[Sequence[Any]]) -> tuple[list[tuple], list[str]]:
    """(rows with the path of each profile's part, the paths), of rows of PROFILES; the parts' bytes are verified."""
    rows = list(profiles)
    paths = [str(objects.verified(part)) for part in sorted({row[2] for row in rows})]
    return [(p, s, str(objects.path(part)), bool(chosen)) for p, s, part, chosen in rows], paths


def make_expression(connection: Any, rows: Path, paths: Sequence[str]) -> list[str]:
    """`expression`: profile_id, sample_id, gene, value, is_selected, for every profile; values as they stand in their source.

    rows, paths: what `located` gives, the rows by `write_csv`. Gives the paths as SQL texts, for `lock`.
    """
    types = {"profile_id": "VARCHAR", "sample_id": "VARCHAR", "path": "VARCHAR", "is_selected": "BOOLEAN"}
    load_csv(connection, "_profiles", types, rows)
    if not paths:
        connection.execute(
            "CREATE VIEW expression AS SELECT profile_id, sample_id, '' AS gene, 0.0 AS value, is_selected "
            "FROM _profiles WHERE false"
        )
        return []
    quoted = [path_text(Path(p)) for p in paths]
    connection.execute(
        "CREATE VIEW expression AS SELECT p.profile_id, p.sample_id, v.gene, v.value, p.is_selected "
        f"FROM read_parquet([{', '.join(quoted)}], filename = true) v "
        "JOIN _profiles p ON p.profile_id = v.profile AND p.path = v.filename"
    )
    return quoted


def known_tables(fetch: Fetch, is_sqlite: bool) -> dict[str, dict[str, str]]:
    """table -> column -> type, of this program's tables and those of guests that the study describes."""
    from tshdb.sqltypes import guest_columns, table_columns

    ours = table_columns()
    catalog, name = ("sqlite_master", "name") if is_sqlite else ("pg_tables", "tablename")
    there = {name for (name,) in fetch(catalog, [name])}
    if "guest_tables" not in there:
        return ours
    guests = guest_columns((str(t), str(c)) for t, c in fetch("guest_tables", ["table_name", "columns"]))
    return ours | {name: columns for name, columns in guests.items() if name in there and name not in ours}


# ------------------------------------------------------------------------------------------------------- the process


def begin_child() -> None:
    """What a forked process does first: signals end it, and it does not belong to the parent's group."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.setsid()


def send(writer: int, message: Any) -> None:
    """One line of JSON."""
    try:
        line = json.dumps(message, default=_plain)
    except TypeError:  # a map, whose keys are dates or such
        line = json.dumps(_with_text_keys(message), default=_plain)
    view = memoryview(line.encode() + b"\n")
    while view:
        view = view[os.write(writer, view[: 1 << 20]) :]


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """What JSON has no type for: decimals are numbers where a number keeps all their digits; bytes are hex, all else is text."""
    if isinstance(value, Decimal) and len(value.as_tuple().digits) <= MOST_DIGITS:
        return float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def exact(value: Any) -> Any:
    """A value as JSON, from which it can be had back by its column's type.

    Numbers that JSON has not (NaN, Infinity, -Infinity) and decimals are text, bytes their hex; a map whose keys are no text is a
    list of pairs. Dates and times come as text (`told`).
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: exact(each) for key, each in value.items()}
        return [[exact(key), exact(each)] for key, each in value.items()]
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def as_words(error: TshdbError | MemoryError) -> list[str | None]:
    """An error as JSON; `error_of` gives it back."""
    if isinstance(error, MemoryError):
        return ["ResourceError", f"more than {MEMORY_BYTES >> 30} GiB of memory", "sql", "Ask for less"]
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _ERRORS)
    return [kind, error.message, error.where, error.repair]


def error_of(words: Sequence[Any]) -> TshdbError:
    """The error that `as_words` told."""
    kind, message, where, repair = words
    return _ERRORS[kind](message, where=where, repair=repair)
