"""A server's database as a SQLite file: one state, while others write to it.

The state is one REPEATABLE READ, READ ONLY transaction of PostgreSQL, which keeps nobody from writing. Its rows are carried into
a new SQLite file and proved equal (`tshdb.actions.carrying`), so that a backup needs no server to be read, checked or restored.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine, text

from tshdb.actions.carrying import carry_all, unknown_in
from tshdb.database import create, reading
from tshdb.database_copies import ENDS, copy_database


def size_of(engine: Engine) -> int:
    """Bytes of the server's database."""
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def copy_server(engine: Engine, target: Path) -> list[str]:
    """Copy the database of a server into a SQLite file, which has its name only when it is whole.

    Gives the tables and columns that are none of the program's, and are not in the copy. Raises as `carry_all`.
    """
    written = target.with_name(f".{target.name}.{os.getpid()}.carried.writing")
    made = create(f"sqlite:///{written}")
    try:
        with reading(engine) as connection:
            unknown = unknown_in(connection)
            carry_all(connection, made)
        made.dispose()
        copy_database(written, target)
    finally:
        made.dispose()
        for end in ENDS:
            written.with_name(written.name + end).unlink(missing_ok=True)
    return unknown
