"""A whole copy of a SQLite database that others may be writing to: by SQLite's own backup, never by copying its files.

The copy is one state of the database. It has its name only when it is whole, sound and on the disk.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from tshdb.database import translated
from tshdb.errors import IntegrityError
from tshdb.failpoints import fp
from tshdb.files import sync
from tshdb.places import to_read

BUSY_SECONDS = 30
ENDS = ("", "-wal", "-shm", "-journal")


def copy_database(source: Path, target: Path) -> Path:
    """Copy the database. Raises IntegrityError for a damaged one, Busy and ResourceError; then nothing is under the name.

    The copy's journal is in the file itself, so that the one file is all of it.
    """
    written = target.with_name(f".{target.name}.{os.getpid()}.writing")
    try:
        with translated(), closing(sqlite3.connect(to_read(source), uri=True, timeout=BUSY_SECONDS)) as read:
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
