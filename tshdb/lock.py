"""The study lock: `migrate`, `freeze` and `ingest` hold it one at a time.

The operating system or the server frees it when its holder dies, however it dies: a file lock beside a SQLite
database, an advisory lock of the session on PostgreSQL.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tshdb.database import STUDY_LOCK
from tshdb.errors import Busy
from tshdb.roles import require_writer
from tshdb.system import open_lock, try_lock

WAIT_SECONDS = 30.0


@contextmanager
def study_lock(engine, root: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the study, or raise Busy after `wait_seconds`; ResourceError for a user of PostgreSQL who may only read."""
    require_writer(engine, str(root))
    holder = _server_lock(engine) if engine.dialect.name == "postgresql" else _file_lock(root / ".tshdb.lock")
    with holder as try_once:
        deadline = time.monotonic() + wait_seconds
        while not try_once():
            if time.monotonic() > deadline:
                raise Busy(
                    f"another command has held the study for {wait_seconds:.0f} s",
                    where=str(root),
                    repair="Wait for it to end, then try again",
                )
            time.sleep(0.05)
        yield


@contextmanager
def _file_lock(path: Path):
    with open_lock(path) as file:
        yield lambda: try_lock(file)


@contextmanager
def _server_lock(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def try_once() -> bool:
            is_held = bool(connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({STUDY_LOCK})").scalar())
            if is_held:  # every write asks from now on whether that session still holds it
                engine.update_execution_options(
                    tshdb_lock_held_by=connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                )
            return is_held

        try:
            yield try_once
        finally:  # the session goes back to its pool, and would hold the study from there
            engine.update_execution_options(tshdb_lock_held_by=None)
            if not connection.invalidated:  # what interrupts a statement ends the session, and the lock with it
                connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
