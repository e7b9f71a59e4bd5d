"""Everyday trouble that no function of ours raises: disks, memory, encodings, a database's own errors. Each is one line.

What is not known here is a bug of ours, and keeps its traceback.
"""

from __future__ import annotations

import errno
import json
import os

from tshdb.errors import IntegrityError, InvalidInput, ResourceError, TshdbError
from tshdb.shown_addresses import without_secrets

REPAIRS = {
    errno.ENOSPC: "Free some disk space, then run the same command again: nothing is half-written",
    errno.EDQUOT: "Free some of your quota, then run the same command again: nothing is half-written",
    errno.EACCES: "Ask its owner for the right, or run as a user who has it",
    errno.EPERM: "Ask its owner for the right, or run as a user who has it",
    errno.EROFS: "The file system can only be read: work on a copy of the study",
    errno.EMFILE: "Raise the limit of open files (ulimit -n), then run the same command again",
    errno.EIO: "The disk could not be read or written: see to it, then run tshdb check",
    errno.ENOMEM: "Close other programs or use fewer workers, then run the same command again",
    errno.ENAMETOOLONG: "Give the folder or the file a shorter name",
}


RESTORE = "Run tshdb check: it names what is damaged; tshdb restore makes the study of a backup"
OUTPUT = "output"  # the name that errors of the program's own output bear
OF_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})

NOT_MAPPED = (
    "failed to map segment",
    "cannot map zero-fill pages",
    "annot allocate memory",
)  # said by the system's loader


def refuse_of_machine(error: BaseException) -> None:
    """Raises an error again that tells of this machine, and nothing of the file that was being read: no room, too many open
    files, a disk that cannot be read. Whoever takes errors for damage of a file, or for a unit's failure, asks here first."""
    is_of_call = isinstance(error, OSError) and error.errno in OF_MACHINE
    if isinstance(error, ResourceError) or is_of_call or _of_loading(error):
        raise error


def trouble(error: BaseException) -> TshdbError | None:
    """The error that says it in one line, or None where it is a bug of ours."""
    if isinstance(error, TshdbError):
        return error
    if isinstance(error, MemoryError):
        return _no_memory()
    if (of_machine := _of_loading(error)) is not None:
        return of_machine
    if isinstance(error, UnicodeEncodeError):
        text = error.object[error.start : error.end]
        return ResourceError(
            f"{text!a} cannot be written in the encoding {error.encoding}", where="output",
            repair="Set PYTHONIOENCODING=utf-8 or a locale of UTF-8 (LANG=C.UTF-8)",
        )  # fmt: skip
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        return InvalidInput(
            f"byte 0x{byte:02x} at {error.start:,} is not {error.encoding}", repair="Save the file as UTF-8"
        )
    if isinstance(error, FileNotFoundError) and not error.filename:
        return ResourceError("the folder that you are in is not there any more", repair="Go to another one (cd)")
    if isinstance(error, OSError) and error.errno is not None:
        where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name) or "system"
        return _of_call(error.errno, where, error.strerror)
    if isinstance(error, json.JSONDecodeError):
        said = f"a text that the program wrote as JSON is none ({error.msg}, character {error.pos})"
        return IntegrityError(said, where="study", repair=RESTORE)
    if isinstance(error, LookupError) and "is not among the defined enum values" in str(error):
        said = str(error).partition(". Enum name")[0]
        return IntegrityError(f"a word that the program has not written: {said}", where="study", repair=RESTORE)
    return _of_database(error)


def _no_memory() -> ResourceError:
    return ResourceError("there is not enough memory", repair=REPAIRS[errno.ENOMEM])


def _of_call(number: int, where: str, said: str | None = None) -> ResourceError:
    """A call of the system that failed with this errno."""
    return ResourceError(f"{said or os.strerror(number)} (errno {number})", where=where, repair=REPAIRS.get(number, ""))


def _of_loading(error: BaseException) -> ResourceError | None:
    """What kept the system from loading a library that is there, or from starting a thread: no memory, too many open files."""
    said = str(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in said:
        return ResourceError(
            "no more threads can be started", repair="Raise the limit of processes (ulimit -u), or use fewer workers"
        )
    if not isinstance(error, ImportError):
        return None
    if any(words in said for words in NOT_MAPPED):
        return _no_memory()
    for number in OF_MACHINE:
        if f"cannot open shared object file: {os.strerror(number)}" in said:
            where = said.partition(": cannot open shared object file")[0].rpartition("\n")[2]
            return _of_call(number, where)
    return None


def _of_database(error: BaseException) -> TshdbError | None:
    """What a driver or SQLAlchemy raised past `tshdb.database.translated`; neither is imported for it."""
    names = {kind.__name__ for kind in type(error).__mro__}
    package = type(error).__module__.partition(".")[0]
    if package not in ("sqlalchemy", "sqlite3", "psycopg", "duckdb", "_duckdb"):
        return None
    said = without_secrets(str(getattr(error, "orig", None) or error).strip().partition("\n")[0])
    if "malformed" in said or "not a database" in said:
        return IntegrityError(
            f"the database is damaged ({said}), or its disk cannot be read", where="study.db",
            repair="Run tshdb check. Restore a backup of the study where it says so, too: tshdb restore",
        )  # fmt: skip
    if names & {"OperationalError", "DisconnectionError", "TimeoutError", "IOException", "OutOfMemoryException"}:
        return ResourceError(
            f"the database cannot be used ({said})", repair="Run tshdb check; then the same command again"
        )
    return None
