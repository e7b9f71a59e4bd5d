"""Everyday trouble is one line with its exit code; what is not known stays a traceback."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import exc

from tests.support.program import ROOT
from tshdb.errors import Exit, InvalidInput
from tshdb.everyday import trouble
from tshdb.files import new_file


def of_sqlite(error: Exception) -> exc.DBAPIError:
    return exc.DBAPIError.instance("SELECT 1", {}, error, sqlite3.Error)


ONE_LINE = {
    "disk full": (OSError(errno.ENOSPC, "No space left on device", "a.csv"), Exit.RESOURCE, "disk space"),
    "quota": (OSError(errno.EDQUOT, "Disk quota exceeded", "a.csv"), Exit.RESOURCE, "quota"),
    "no right": (PermissionError(errno.EACCES, "Permission denied", "a.csv"), Exit.RESOURCE, "owner"),
    "too many files": (OSError(errno.EMFILE, "Too many open files"), Exit.RESOURCE, "ulimit -n"),
    "folder gone": (FileNotFoundError(errno.ENOENT, "No such file or directory"), Exit.RESOURCE, "cd"),
    "memory": (MemoryError(), Exit.RESOURCE, "workers"),
    "no room for a library": (ImportError("/lib/_x.so: failed to map segment from shared object"), Exit.RESOURCE, "workers"),
    "a library of many": (
        ImportError("Importing failed:\n/lib/a.so: cannot open shared object file: Too many open files"), Exit.RESOURCE,
        "/lib/a.so: Too many open files (errno 24). Raise the limit of open files",
    ),
    "a disk below a library": (
        ImportError("/lib/a.so: cannot open shared object file: Input/output error"), Exit.RESOURCE, "/lib/a.so: Input",
    ),
    "threads": (RuntimeError("can't start new thread"), Exit.RESOURCE, "ulimit -u"),
    "encoding": (UnicodeEncodeError("ascii", "a患b", 1, 2, "x"), Exit.RESOURCE, "UTF-8"),
    "bytes": (UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "x"), Exit.INVALID_INPUT, "0xff at 1"),
    "damaged": (sqlite3.DatabaseError("database disk image is malformed"), Exit.INTEGRITY, "Restore"),
    "no database": (of_sqlite(sqlite3.DatabaseError("file is not a database")), Exit.INTEGRITY, "Restore"),
    "database's disk": (of_sqlite(sqlite3.OperationalError("disk I/O error")), Exit.RESOURCE, "tshdb check"),
    "JSON": (json.JSONDecodeError("Expecting value", "<x>", 0), Exit.INTEGRITY, "tshdb restore"),
    "a word": (LookupError("'x' is not among the defined enum values. Enum name: y"), Exit.INTEGRITY, "tshdb check"),
    "our own": (InvalidInput("x", repair="y"), Exit.INVALID_INPUT, "y"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ONE_LINE)
def test_it_is_one_line_and_an_exit_code(kind):
    error, code, words = ONE_LINE[kind]
    said = trouble(error)
    assert said is not None and said.exit_code == code
    assert words in str(said) and "\n" not in str(said)


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), AssertionError(), OSError("no number"), of_sqlite(sqlite3.IntegrityError("UNIQUE constraint failed: a.b")),
     of_sqlite(sqlite3.ProgrammingError("x")), ValueError("x"), LookupError("x"), RuntimeError("x"),
     ImportError("no module named x"), ImportError("/lib/a.so: cannot open shared object file: No such file or directory")],
)  # fmt: skip
def test_a_bug_is_none(error):
    assert trouble(error) is None


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed, tmp_path):
    command = f'{sys.executable} -c "from tshdb.start import main; main()" --version {closed}'
    ended = subprocess.run(
        ["bash", "-c", command], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert ended.returncode == 0 and "Traceback" not in ended.stderr


def test_a_closed_stream_is_no_place_for_the_database(tmp_path):
    """What is opened next would take the number of a closed stream, and whatever is printed would be written into it."""
    script = "from tshdb.start import keep_streams; keep_streams(); import os; print(os.open('/dev/null', os.O_RDONLY))"
    for closed in ("<&-", "1>&- 2>&-"):
        ended = subprocess.run(
            ["bash", "-c", f'{sys.executable} -c "{script.replace("print(", "exit(")}" {closed}'],
            env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
        assert ended.returncode > 2


@pytest.mark.parametrize(("umask", "mode"), [(0o002, 0o664), (0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_follows_the_umask(umask, mode, tmp_path):
    before = os.umask(umask)
    try:
        path, other = new_file(tmp_path, ".writing-"), new_file(tmp_path, ".writing-")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode
    assert path != other and len(path.name) == len(".writing-") + 8


def test_a_server_that_does_not_answer_is_named_without_the_password():
    pytest.importorskip("psycopg")
    from tshdb.database import create, reading
    from tshdb.errors import ResourceError

    with pytest.raises(ResourceError) as caught, reading(create("postgresql://me:canary@127.0.0.1:1/mine")):
        pass
    assert "127.0.0.1:1" in str(caught.value) and "mine" in str(caught.value)
    assert "canary" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_path_of_sqlite_is_taken_by_its_letters(tmp_path):
    from tshdb.database import create

    path = tmp_path / "a#b?c%41"
    with create(f"sqlite:///{path}").connect():
        pass
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(("-wal", "-shm"))] == [path.name]


def test_talk_that_nobody_can_take_ends_no_command(tmp_path):
    """A command ends as it would, whatever its talk leads to: a full disk, a pipe that nobody reads."""
    command = f'{sys.executable} -c "from tshdb.start import main; main()"'
    told = {"--version": 0, "nope": 2, "status --study /nowhere": 8}
    for words, code in told.items():
        script = f"{command} {words} 2>/dev/full >/dev/null"
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        assert subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path).returncode == code


def test_output_that_cannot_be_written_is_one_line(tmp_path):
    """Also where all of it fits into what is written at the end."""
    script = f'{sys.executable} -c "from tshdb.start import main; main()" --version >/dev/full'
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == Exit.RESOURCE
    assert ended.stderr.startswith("tshdb: output: No space left on device") and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EIO])
def test_a_fault_of_the_machine_is_no_fault_of_a_file(number, tmp_path, monkeypatch):
    """A reader that cannot open a file for want of descriptors would call it damaged, and the rest be loaded without it."""
    from ingest.imaging import headers

    def fails(*_, **__):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "a.dcm"
    path.write_bytes(b"x" * 200)
    with pytest.raises(headers.Unreadable):
        headers.digest_and_header(path, False)
    monkeypatch.setattr(type(path), "read_bytes", fails)
    with pytest.raises(OSError, match=os.strerror(number)):
        headers.digest_and_header(path, False)


def test_a_temporary_folder_goes_as_far_as_it_can(tmp_path, monkeypatch):
    """Python's own calls itself without an end where a right is missing, and hides what went wrong before."""
    from tshdb.files import temporary_folder

    def refuses(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "x")

    with pytest.raises(KeyError), temporary_folder("t-", tmp_path) as folder:
        (folder / "a").write_text("x")
        monkeypatch.setattr("os.unlink", refuses)
        monkeypatch.setattr("os.rmdir", refuses)
        raise KeyError("before")


def test_an_error_of_writing_names_the_file(tmp_path):
    """The system says what, and not where."""
    from tshdb.files import complete

    with (
        pytest.raises(OSError, match=r"No space left on device.*report\.html"),
        complete(tmp_path / "report.html") as path,
    ):
        path.write_text("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []
