"""A whole copy of a SQLite database that others may be writing to: by SQLite's own backup, never by copying its files.

The copy is one state of the database. It has its name only when it is whole, sound and on the disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.database import private, translated
from tshdb.errors import IntegrityError
from tshdb.failpoints import fp
from tshdb.files import sync
from tshdb.sqlite_files import opened_to_read

if TYPE_CHECKING:
    from sqlalchemy import Engine

BUSY_SECONDS = 30
ENDS = ("", "-wal", "-shm", "-journal")


@contextmanager
def private_copy(source: Path) -> Iterator[Engine]:
    """One state of the database as one of our own, to try in it what is not to be done. Nothing of it stays.

    Whoever writes to the database neither waits nor is waited for; a database that can only be read is enough.
    """
    engine = private()
    try:
        with engine.connect() as connection:
            made: Any = connection.connection.driver_connection
            with translated(), opened_to_read(source, BUSY_SECONDS) as read:
                read.backup(made)
        yield engine
    finally:
        engine.dispose()


def copy_database(source: Path, target: Path) -> Path:
    """Copy the database. Raises IntegrityError for a damaged one, Busy and ResourceError; then nothing is under the name.

    The copy's journal is in the file itself, so that the one file is all of it.
    """
    written = target.with_name(f".{target.name}.{os.getpid()}.writing")
    try:
        with translated(str(source)), opened_to_read(source, BUSY_SECONDS) as read:
            with closing(sqlite3.connect(written)) as made:
                read.backup(made)
                made.execute("PRAGMA journal_mode = DELETE")
                answer = made.execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok":
            raise IntegrityError(
                f"the database is not sound ({answer})", where=str(source), repair="Restore a backup: tshdb restore"
            )
        fp("database.copied")
        sync(written)
        os.replace(written, target)
        sync(target.parent)
    finally:
        for end in ENDS:
            written.with_name(written.name + end).unlink(missing_ok=True)
    return target
