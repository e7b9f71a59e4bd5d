"""Connections to the study's database: SQLite or PostgreSQL, one writer at a time on both.

A read transaction sees one state of the database from its first to its last statement. Write transactions are
serialised, by SQLite's own lock (BEGIN IMMEDIATE) or by an advisory lock on PostgreSQL, so that what a writer checks
still holds when it commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.code_in_database import refuse_code_of_others
from tshdb.errors import Busy, IntegrityError, InvalidInput, ResourceError
from tshdb.shown_addresses import without_secrets
from tshdb.sqlite_files import is_unwritable, to_read, unchanged

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

REVISION = "0038"
BUSY_SECONDS = 30
WRITER_LOCK, STUDY_LOCK = 7_481_001, 7_481_002


def create(url: str) -> Engine:
    """An engine for `url`; foreign keys are on, and SQLite keeps its journal as a write-ahead log."""
    from sqlalchemy import URL, create_engine, event
    from sqlalchemy.exc import ArgumentError

    if url.startswith("postgresql://"):
        url = "postgresql+psycopg" + url.removeprefix("postgresql")
    try:
        path = sqlite_path(url)
        if path is not None and is_unwritable(path):
            return _as_read_only(path)
        engine = create_engine(url if path is None else URL.create("sqlite", database=str(path)))
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InvalidInput(
            f"'{without_secrets(url)}' is not a database that can be opened ({error})",
            where="study.toml: database",
            repair="Use sqlite:///study.db or postgresql://user@host/name (pip install 'tshdb[postgresql]')",
        ) from None
    if "@" in (engine.url.host or ""):  # drivers would repeat what follows the first one, which is of the password
        raise InvalidInput(
            f"'{without_secrets(url)}' has a password with signs that end it", where="study.toml: database",
            repair="Write them by their codes: @ as %40, / as %2F, : as %3A",
        )  # fmt: skip
    if engine.dialect.name == "sqlite":
        return _as_sqlite(engine)
    if engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "handle_error", _say_server_trouble)
    else:
        raise InvalidInput(f"database {engine.dialect.name} is not supported", repair="Use SQLite or PostgreSQL")
    return engine


def private() -> Engine:
    """An empty SQLite database that nobody else can see: one connection, a file without a name, gone with this process."""
    from sqlalchemy import StaticPool, create_engine

    return _as_sqlite(create_engine("sqlite://", creator=_unnamed, poolclass=StaticPool))


def _as_read_only(path: Path) -> Engine:
    """The engine of a file that nobody can write: what would write to it says so."""
    import sqlite3

    from sqlalchemy import URL, create_engine, event

    def opened() -> Any:
        return sqlite3.connect(to_read(path), uri=True, check_same_thread=False)

    engine = create_engine(URL.create("sqlite", database=str(path)), creator=opened)
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _unnamed() -> Any:
    import sqlite3

    return sqlite3.connect("", check_same_thread=False)  # SQLite takes the file's name away as soon as it is open


def _as_sqlite(engine: Engine) -> Engine:
    from sqlalchemy import event

    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, by its letters: `#`, `?` and `%` mean nothing in it. None for a server."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def _prepare_sqlite(connection, _record) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",  # before the journal, for which another's last moment may have to be waited for
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        "cache_size = -65536",  # KiB
        "mmap_size = 1073741824",
    ):
        connection.execute(f"PRAGMA {pragma}")


OF_SERVER = {  # SQLSTATE, or its class of two letters -> what it is, and the repair
    "42501": (
        "this user may not do that",
        "Ask the owner of the database for the right, or read with a user who has it",
    ),
    "25006": ("it can only be read", "Name a user who may write in study.toml: [study] database"),
    "57014": ("it stopped the statement", "Run the same command again; a limit of time on the server may be too short"),
    "53": ("it has no more room, memory or connections", "Free some, then run the same command again"),
    "58": ("it cannot read or write its files", "See to the server's disk, then run the same command again"),
}


def _say_server_trouble(context: Any) -> None:
    """A server that does not answer, refuses us, or goes away is one line: where it is and what to do, never the password."""
    error, url = context.original_exception, context.engine.url
    if not isinstance(error, context.dialect.dbapi.Error):
        return
    state = getattr(error, "sqlstate", None) or ""
    what, repair = OF_SERVER.get(state) or OF_SERVER.get(state[:2]) or ("", "")
    if context.connection is None or context.is_disconnect:
        what = "the server refused" if context.connection is None else "the server went away"
        repair = (
            "See that it runs, and that study.toml names it, its user and its database; then run the same command again"
        )
    if not what:
        return
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no reason given"]
    said = next((line for line in lines[::-1] if "failed:" in line), lines[0]).rpartition("failed:")[2].strip()
    where = f"PostgreSQL at {url.host or 'this machine'}:{url.port or 5432}, database {url.database}"
    raise ResourceError(f"{what} ({without_secrets(said)})", where=where, repair=repair) from None


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tshdb_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("tshdb_writes"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
        _refuse_lost_lock(connection)
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _refuse_lost_lock(connection: Connection) -> None:
    """The session that holds the study for us may have ended alone: then another command may hold it by now."""
    holder = connection.get_execution_options().get("tshdb_lock_held_by")
    if holder is None:
        return
    held = (
        f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = {STUDY_LOCK} "
        f"AND pid = {holder} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    if not connection.exec_driver_sql(held).scalar():
        raise ResourceError(
            "the session that held the study was ended; nothing was written", where="PostgreSQL",
            repair="Run the same command again",
        )  # fmt: skip


@contextmanager
def translated(where: str = "") -> Iterator[None]:
    """Turns what the database says of locks, disks and damage into errors with a repair. where: its file or server."""
    import sqlite3

    from sqlalchemy.exc import DatabaseError, OperationalError

    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        text = _message(error)
        if "locked" in text or "lock timeout" in text:
            raise Busy(
                "another command is writing to the study", where=where, repair="Try again when it has ended"
            ) from error
        if "disk is full" in text or "No space left" in text or "disk I/O error" in text:
            raise ResourceError(
                f"the database cannot be written ({text}{_cause(error)})", where=where, repair=_REPAIR
            ) from error
        if "readonly" in text or "unable to open" in text:
            raise ResourceError(
                f"the database cannot be opened for writing ({text}{_cause(error)})", where=where,
                repair="See that you may write to the file and its folder, then run the same command again",
            ) from error  # fmt: skip
        raise
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if "malformed" in _message(error) or "not a database" in _message(error):
            raise IntegrityError(
                f"the database is damaged ({_message(error)}{_cause(error)}), or its disk cannot be read",
                where=where,
                repair="Run tshdb check. Restore a backup where it says so, too: tshdb restore",
            ) from error
        raise


_REPAIR = (
    "Free some disk space, and see that the disk is sound; then run the same command again: nothing is half-written"
)


def _cause(error: Exception) -> str:
    """SQLite's own name of what failed, such as SQLITE_IOERR_FSYNC."""
    name = getattr(getattr(error, "orig", None) or error, "sqlite_errorname", "")
    return f", {name}" if name else ""


def place_of(engine: Engine) -> str:
    """Where a database lies, as people are told: its file, or its server and name."""
    url = engine.url
    return (url.database or "") if engine.dialect.name == "sqlite" else f"{url.host or 'this machine'}/{url.database}"


def _message(error: Exception) -> str:
    """What the driver said, without passwords: SQLAlchemy's errors hold it, a cursor's own are it."""
    return without_secrets(str(getattr(error, "orig", None) or error))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read transaction: one state of the database. It is rolled back; PostgreSQL refuses to write in it."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    with translated(place_of(engine)), unchanged(file or None), engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction, alone in the study: committed at the end, rolled back on any error."""
    with (
        translated(place_of(engine)),
        engine.connect().execution_options(tshdb_writes=True) as connection,
        connection.begin(),
        _own_writing(connection),
    ):
        yield connection


@contextmanager
def altering(engine: Engine) -> Iterator[Connection]:
    """As `writing`, for changes of the schema: a table of SQLite that others refer to is made anew, and takes its old place.

    References are looked at when all is done. Raises IntegrityError when one leads nowhere.
    """
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with translated(place_of(engine)), engine.connect().execution_options(tshdb_writes=True) as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys = OFF")  # has no effect inside of a transaction
        try:
            with connection.begin():
                with _own_writing(connection):
                    yield connection
                lost = tuples(connection, "PRAGMA foreign_key_check")
                if lost:
                    raise IntegrityError(
                        f"{len(lost)} rows refer to rows that are not there", where=f"table {lost[0][0]}",
                        repair="Nothing was changed: restore a backup of the study",
                    )  # fmt: skip
        finally:
            if not connection.invalidated:  # what interrupts a statement closes it, and the next has them on
                raw.execute("PRAGMA foreign_keys = ON")


@contextmanager
def _own_writing(connection: Connection) -> Iterator[None]:
    """Notes the versions of the tables that change until the end as left by ourselves (SQLite alone).

    A table that somebody else had changed before stays as it is: its rows are still to be looked at.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    suspects = "', '".join(changed_by_others(connection) if _notes_versions(connection) else ())
    yield
    if not _notes_versions(connection):  # it has not come so far, or a migration has gone back
        return
    connection.exec_driver_sql(
        f"UPDATE table_versions SET written = version WHERE written IS NOT version AND table_name NOT IN ('{suspects}')"
    )


def _notes_versions(connection: Connection) -> bool:
    """Whether the database has come so far in its history that it notes what we write."""
    return bool(tuples(connection, "SELECT 1 FROM pragma_table_info('table_versions') WHERE name = 'written'"))


def changed_by_others(connection: Connection) -> dict[str, int]:
    """table -> version, of the tables that were changed by another hand than ours, since we last looked at them."""
    if connection.dialect.name != "sqlite":
        return {}
    return dict(tuples(connection, "SELECT table_name, version FROM table_versions WHERE written IS NOT version"))


def limit(connection: Connection, seconds: float) -> None:
    """To the end of the transaction, PostgreSQL itself stops a statement after so long, and a wait of the session for us.

    Whoever asked may be gone by then: a backend that waits for a lock does not notice that.
    """
    if connection.dialect.name == "postgresql":
        most = max(1, round(seconds * 1000))
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {most}")
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {most}")


def refuse_code(engine: Engine, root: Path) -> None:
    """Raises IntegrityError for a database that holds code of somebody else (`tshdb.code_in_database`)."""
    with reading(engine) as connection:
        refuse_code_of_others(lambda sql: tuples(connection, sql), engine.dialect.name == "sqlite", str(root))


def next_id(connection: Connection, column) -> int:
    """The number after the largest in an integer key. Call it inside `writing`, where no other writer can be."""
    from sqlalchemy import func, select

    return (connection.execute(select(func.max(column))).scalar() or 0) + 1


def upsert(connection: Connection, table, rows: list[dict], keys: tuple[str, ...]) -> None:
    """Insert `rows`, or update the rows that have the same `keys`."""
    if not rows:
        return
    from sqlalchemy.dialects import postgresql, sqlite

    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name](table)
    values = {c: insert.excluded[c] for c in rows[0] if c not in keys}
    if values:
        statement = insert.on_conflict_do_update(index_elements=list(keys), set_=values)
    else:
        statement = insert.on_conflict_do_nothing()
    connection.execute(statement, rows)


def tuples(connection: Connection, sql: str) -> list[tuple]:
    """All rows of a SELECT as the driver gives them, for large sets."""
    result = connection.exec_driver_sql(sql)
    cursor: Any = result.cursor
    try:
        return cursor.fetchall()
    finally:
        result.close()


def bulk_insert(connection: Connection, table, rows: list[dict]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


@contextmanager
def _temporary(connection: Connection, name: str, kind: str, values) -> Iterator[str]:
    if connection.dialect.name == "postgresql":
        yield _setting(connection, name, kind, values)
        return
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} (id {kind} PRIMARY KEY)")
    try:
        rows = [(v,) for v in dict.fromkeys(values)]
        if rows:
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES (?)", rows)
        yield name
    finally:
        if connection.in_transaction() and not connection.invalidated:
            connection.exec_driver_sql(f"DROP TABLE {name}")


def _setting(connection: Connection, name: str, kind: str, values) -> str:
    """The values as a setting of the transaction: whoever may only read makes no temporary table."""
    ids = list(dict.fromkeys(values))
    connection.exec_driver_sql(f"SELECT set_config('tshdb.{name}', %s::{kind}[]::text, true)", (ids,))
    return f"unnest(current_setting('tshdb.{name}')::{kind}[]) AS {name} (id)"


def numbers(connection: Connection, name: str, values):
    """`name` with one integer column `id`, for joins instead of long IN lists. Gives what stands behind FROM."""
    return _temporary(connection, name, "BIGINT", map(int, values))


def texts(connection: Connection, name: str, values):
    """As `numbers`, with one text column `id`."""
    return _temporary(connection, name, "TEXT", values)
