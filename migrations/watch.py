"""Triggers that note which tables change: what `tshdb sql` keeps of a table is of one of its versions.

SQLite alone: it has one writer at a time. On PostgreSQL writers would wait for each other, and tables are read anew. Which tables
another hand has changed (`table_versions.written`) `tshdb.database.altering` knows: no revision says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from alembic import op

from tshdb.code_in_database import EVENTS, watch_name, watch_text


def watch(tables: Iterable[str]) -> None:
    """Give each table its version, and the triggers that change it. A version is never met again, whatever is restored."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in tables:
        op.execute(f"INSERT INTO table_versions (table_name, version) VALUES ('{table}', random())")
        for event in EVENTS:
            op.execute(watch_text(table, event))


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
            op.execute(f"DROP TRIGGER {watch_name(table, event)}")
        op.execute(f"DELETE FROM table_versions WHERE table_name = '{table}'")
