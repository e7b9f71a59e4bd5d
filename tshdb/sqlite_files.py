"""SQLite files that are read: by which address, also where nobody of ours may write.

Beside a database in write-ahead mode SQLite makes two files, even to read it: the log (-wal) and its index (-shm). In a folder
that cannot be written, such as a medium, a mounted archive or a colleague's folder:

    no log, or an empty one      the file is all of it, and is read as it lies (immutable)
    a log, and its index         SQLite reads them as they are
    a log alone, or a journal    both are copied to a private folder, which is gone with this process, and read there

A file that is read as it lies has no locks: what somebody else changed meanwhile is not taken (`unchanged`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from tshdb.errors import Busy

LOG, INDEX, JOURNAL = "-wal", "-shm", "-journal"
TOGETHER = ("", LOG, JOURNAL)  # of which a state of the database is made
Stamp = tuple[tuple[int, int, int] | None, ...]
_copies: dict[tuple[str, Stamp], Path] = {}


def to_read(path: str | os.PathLike[str]) -> str:
    """A SQLite file as the address (URI) that opens it for reading alone, whatever its name holds (# ? %).

    Raises Busy for a file that somebody writes while it is copied, OSError where there is no room for the copy.
    """
    if not is_unwritable(path):
        return _address(os.path.abspath(path))
    whole = os.path.realpath(path)  # SQLite looks for the log beside the file itself, not beside a link to it
    if _is_filled(whole + JOURNAL) or _is_filled(whole + LOG) and not os.access(whole + INDEX, os.R_OK):
        return _address(str(_copy(whole)))
    return _address(whole) + ("" if _is_filled(whole + LOG) else "&immutable=1")


def is_unwritable(path: str | os.PathLike[str]) -> bool:
    """Whether a file is there, and its folder cannot be written by us: a database in it can be read, and nothing else."""
    whole = os.path.realpath(path)
    try:
        is_on_read_only = bool(os.statvfs(whole).f_flag & os.ST_RDONLY)
    except OSError:
        return False
    return is_on_read_only or not os.access(os.path.dirname(whole), os.W_OK)


@contextmanager
def unchanged(path: str | os.PathLike[str] | None) -> Iterator[None]:
    """Raises Busy where a file that is read as it lies is written within the block, also in the place of what that leads to."""
    whole = None if path is None or not is_unwritable(path) else os.path.realpath(path)
    if whole is None or _is_filled(whole + LOG):
        yield
        return
    before = _stamp(whole)
    try:
        yield
    except Exception as error:
        _refuse_changed(whole, before, error)
        raise
    _refuse_changed(whole, before)


@contextmanager
def opened_to_read(path: str | os.PathLike[str], timeout: float = 5.0) -> Iterator[sqlite3.Connection]:
    """A connection that only reads (`to_read`), of one state of the file (`unchanged`). timeout: seconds to wait for a writer."""
    with unchanged(path), closing(sqlite3.connect(to_read(path), uri=True, timeout=timeout)) as connection:
        yield connection


def _refuse_changed(whole: str, before: Stamp, error: Exception | None = None) -> None:
    if _stamp(whole) != before:
        raise Busy(
            "somebody wrote to the database while it was read", where=whole, repair="Run the same command again"
        ) from error


def _address(whole: str) -> str:
    return f"file:{quote(whole)}?mode=ro"


def _is_filled(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False


def _stamp(whole: str) -> Stamp:
    """(size, time in ns, number of the file) of the database and of what belongs to it; None where it is not there."""
    found: list[tuple[int, int, int] | None] = []
    for end in TOGETHER:
        try:
            status = os.stat(whole + end)
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)


def _copy(whole: str) -> Path:
    """The database in a private folder, with what its log or journal says put into it; made once in a process."""
    before = _stamp(whole)
    if kept := _copies.get((whole, before)):
        return kept
    folder = Path(tempfile.mkdtemp(prefix="tshdb-read-"))
    atexit.register(_forget, folder, os.getpid())
    copy = folder / "study.db"
    for end in TOGETHER:
        if os.path.exists(whole + end):
            shutil.copyfile(whole + end, str(copy) + end)
    _refuse_changed(whole, before)
    with closing(sqlite3.connect(copy)) as made:
        made.execute(
            "SELECT count(*) FROM sqlite_master"
        ).fetchone()  # a journal is rolled back, a log is looked through
    _copies[whole, before] = copy
    return copy


def _forget(folder: Path, process: int) -> None:
    if os.getpid() == process:  # children end, too
        shutil.rmtree(folder, ignore_errors=True)
