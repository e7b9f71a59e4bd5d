"""Where a cohort's rows come from: the caller's own connection, so that rows which it has not committed are seen.

Versions say whether a table is as it was. On SQLite triggers give a new number at each change, by whatever hand
(`table_versions`). On PostgreSQL a version is a digest of the table's row versions as this transaction sees them, each known by
its place and the transaction that wrote it: a scan, in the server, of no values.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tshdb.sandbox import known_tables, select_all
from tshdb.sqlite_files import to_read

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tshdb.objects import ObjectStore

LOADING_SECONDS = 300.0  # that the rows of large tables may take
SYSTEM = "SELECT system_identifier FROM pg_control_system()"
PLACES = (
    "SELECT '{0}', concat_ws(':', '\"{0}\"'::regclass::oid, pg_relation_filenode('\"{0}\"'::regclass), count(*), "
    "coalesce(sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)::numeric), 0)) FROM \"{0}\""
)


class Home(Protocol):
    """What is beside the database: the study's folder, where answers are kept, and its objects."""

    root: Path

    @property
    def objects(self) -> ObjectStore: ...


class Rows(Protocol):
    """One state of a study's database. home: None where only the database is known."""

    home: Home | None

    def known(self) -> dict[str, dict[str, str]]:
        """table -> column -> type."""
        ...

    def of(self, table: str, columns: Sequence[str]) -> Iterable[Sequence[Any]]: ...

    def versions(self, tables: Collection[str]) -> dict[str, str]:
        """table -> its version; a table without one is left out."""
        ...

    def are_committed(self, versions: Mapping[str, str]) -> bool:
        """Whether anybody else sees the tables at these versions, now."""
        ...


class SqliteRows:
    """By a connection of the standard library, as `tshdb status` has one."""

    def __init__(self, connection: sqlite3.Connection, home: Home | None):
        self.connection, self.home = connection, home
        self._known: dict[str, dict[str, str]] | None = None

    def known(self) -> dict[str, dict[str, str]]:
        if self._known is None:
            self._known = known_tables(self.of, is_sqlite=True)
        return self._known

    def of(self, table: str, columns: Sequence[str]) -> Iterable[Sequence[Any]]:
        return self.connection.execute(select_all(table, columns))

    def versions(self, tables: Collection[str]) -> dict[str, str]:
        return _sqlite_versions(self.connection, tables)

    def are_committed(self, versions: Mapping[str, str]) -> bool:
        path = next(file for _, name, file in self.connection.execute("PRAGMA database_list") if name == "main")
        if not path:
            return False
        try:
            with closing(sqlite3.connect(to_read(path), uri=True)) as other:
                return _sqlite_versions(other, versions) == versions
        except sqlite3.Error:  # not seen is not committed
            return False


def _sqlite_versions(connection: sqlite3.Connection, tables: Collection[str]) -> dict[str, str]:
    rows = connection.execute("SELECT table_name, version FROM table_versions")
    return {str(table): str(version) for table, version in rows if table in tables and isinstance(version, int)}


class PostgresqlRows:
    """By a connection of SQLAlchemy."""

    def __init__(self, connection: Connection, home: Home | None):
        self.connection, self.home = connection, home
        self._known: dict[str, dict[str, str]] | None = None

    def known(self) -> dict[str, dict[str, str]]:
        if self._known is None:
            self._known = known_tables(self.of, is_sqlite=False)
        return self._known

    def of(self, table: str, columns: Sequence[str]) -> Iterable[Sequence[Any]]:
        from tshdb.database import tuples

        with _limited(self.connection):
            return tuples(self.connection, select_all(table, columns))

    def versions(self, tables: Collection[str]) -> dict[str, str]:
        with _limited(self.connection):
            return _postgresql_versions(self.connection, tables)

    def are_committed(self, versions: Mapping[str, str]) -> bool:
        from sqlalchemy.exc import DBAPIError

        from tshdb.database import reading
        from tshdb.errors import Busy

        try:
            with reading(self.connection.engine) as other:
                other.exec_driver_sql(
                    "SET LOCAL lock_timeout = '200ms'"
                )  # the transaction that asks may hold the table
                return _postgresql_versions(other, versions) == versions
        except (DBAPIError, Busy):  # not seen is not committed
            return False


@contextmanager
def _limited(connection: Connection) -> Iterator[None]:
    """The server stops what takes longer than the rows of a cohort may, such as a wait for a table that is being altered."""
    before = connection.exec_driver_sql("SHOW statement_timeout").scalar()
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LOADING_SECONDS:.0f}s'")
    yield
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{before}'")


def _postgresql_versions(connection: Connection, tables: Collection[str]) -> dict[str, str]:
    from tshdb.database import tuples

    if not tables:
        return {}
    ((system,),) = tuples(connection, SYSTEM)
    rows = tuples(connection, " UNION ALL ".join(PLACES.format(table) for table in sorted(tables)))
    digests = {table: hashlib.sha256(f"{system} {table} {places}".encode()).hexdigest() for table, places in rows}
    return {table: str(int(digest[:16], 16)) for table, digest in digests.items()}  # a number, as SQLite's are


def rows_of(connection: Connection) -> Rows:
    """The state that an open transaction sees."""
    home = connection.get_execution_options().get("tshdb_home")
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        return SqliteRows(raw, home)
    return PostgresqlRows(connection, home)
