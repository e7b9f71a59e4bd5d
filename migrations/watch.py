"""Triggers that note which tables change: what `tshdb sql` keeps of a table is of one of its versions.

SQLite alone: it has one writer at a time. On PostgreSQL writers would wait for each other, and tables are read anew. Which tables
another hand has changed (`table_versions.written`) `tshdb.database.altering` knows: no revision says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from alembic import op

EVENTS = ("INSERT", "UPDATE", "DELETE")


def watch(tables: Iterable[str]) -> None:
    """Give each table its version, and the triggers that change it. A version is never met again, whatever is restored."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in tables:
        op.execute(f"INSERT INTO table_versions (table_name, version) VALUES ('{table}', random())")
        for event in EVENTS:
            op.execute(
                f"CREATE TRIGGER watch_{table}_{event.lower()} AFTER {event} ON {table} BEGIN "
                f"UPDATE table_versions SET version = random() WHERE table_name = '{table}'; END"
            )


@contextmanager
def made_anew(table: str) -> Iterator[None]:
    """A table that SQLite makes anew inside: it loses its triggers, and has them again."""
    forget([table])
    yield
    watch([table])


def forget(tables: Iterable[str]) -> None:
    """Take the triggers and versions of tables away."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in tables:
        for event in EVENTS:
            op.execute(f"DROP TRIGGER watch_{table}_{event.lower()}")
        op.execute(f"DELETE FROM table_versions WHERE table_name = '{table}'")
