"""An empty SQLite database at the newest revision, at once: the SQL that all revisions together come to.

`newest_sqlite.sql` is written by `make docs`. Its first line says of which revisions it is: of others it is not used, and an
empty database goes through all of them, as one with content does. tests/study/test_newest.py compares both ways.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HERE = Path(__file__).parent
WRITTEN = HERE / "newest_sqlite.sql"
OF = "-- what these revisions come to, written by make docs: "
VERSIONS = "table_versions"  # each database draws its own: a version is never met again (migrations/watch.py)


def begin(connection: Connection) -> bool:
    """Make the tables of the newest revision in a database that has none; whether that was possible."""
    if connection.dialect.name != "sqlite" or connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first():
        return False
    statements = _kept()
    for statement in statements:
        connection.exec_driver_sql(statement)
    return bool(statements)


def _kept() -> list[str]:
    """The statements of the file; none, if it is not there or of other revisions."""
    if not WRITTEN.is_file():
        return []
    first, *lines = WRITTEN.read_text(encoding="utf-8").splitlines(keepends=True)
    return list(_statements(lines)) if first.rstrip("\n") == OF + _revisions() else []


def _revisions() -> str:
    """A digest of all files that revisions are made of, by name and content."""
    total = hashlib.sha256()
    for path in sorted([HERE / "watch.py", *(HERE / "versions").iterdir()]):
        if path.suffix in (".py", ".json"):
            total.update(f"{path.relative_to(HERE)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _statements(lines: list[str]) -> Iterator[str]:
    """SQL in its statements: a trigger has semicolons of its own."""
    import sqlite3

    statement = ""
    for line in lines:
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def script(through_revisions: Callable[[Engine], None]) -> str:
    """What the file has to be: a database goes through all revisions, and its tables, rows and triggers are written down.

    through_revisions: `migrations.through_revisions`.
    """
    from tshdb.database import create

    with tempfile.TemporaryDirectory() as folder:
        engine = create(f"sqlite:///{folder}/study.db")
        try:
            through_revisions(engine)
            return OF + _revisions() + "\n" + "".join(f"{line}\n" for line in _dumped(engine))
        finally:
            engine.dispose()


def _dumped(engine: Engine) -> Iterator[str]:
    """SQL that makes the database anew, with versions that are drawn."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        for is_index, statements in groupby(
            raw.iterdump(), key=lambda s: s.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))
        ):
            for statement in (
                sorted(statements) if is_index else statements
            ):  # revisions that copy a table make them in any order
                if statement not in ("BEGIN TRANSACTION;", "COMMIT;") and not statement.startswith(
                    f'INSERT INTO "{VERSIONS}"'
                ):
                    yield statement
        for (name,) in raw.execute(f"SELECT table_name FROM {VERSIONS} ORDER BY table_name"):
            yield f"INSERT INTO {VERSIONS} (table_name, version) VALUES ('{name}', random());"
