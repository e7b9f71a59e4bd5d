"""Files that commands write for the user, and writing that outlasts a crash."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

_DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr)|(?:/dev|/proc/self)/fd/(\d+)")


def new_file(folder: Path, prefix: str) -> Path:
    """A new empty file under a name that no one has, with the mode that the umask gives: `tempfile` makes it its maker's alone.

    The name is `prefix` and eight digits. Raises OSError.
    """
    while True:
        path = folder / f"{prefix}{secrets.token_hex(4)}"
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
        except FileExistsError:
            continue
        return path


def new_folder(parent: Path, prefix: str) -> Path:
    """A new folder under a name that no one has, with the mode that the umask gives. Raises OSError."""
    while True:
        path = parent / f"{prefix}{secrets.token_hex(4)}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path


def made_for(path: Path) -> Path:
    """The path of a file to be written, whose folder is there. Raises InvalidInput where a folder has its name."""
    from tshdb.errors import InvalidInput

    if path.is_dir():
        raise InvalidInput("is a folder", where=str(path), repair="Name a file in it")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """What the system says of a file that is open, such as that the disk is full, bears no name: this one's, then."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def complete(path: Path) -> Iterator[Path]:
    """A temporary name to write to: a file under its final name is complete, also after the power went, and a failure leaves
    nothing behind. A link in its place is replaced, not followed. Raises OSError."""
    written = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        with naming(path):
            yield written
            sync(written)
            os.replace(written, path)
    finally:
        with suppress(OSError):  # what failed before is what is told
            written.unlink(missing_ok=True)


@contextmanager
def complete_through(path: Path) -> Iterator[Path]:
    """As `complete`, for a name that the user gave: what is there already stays what it is. Raises OSError.

    A link keeps pointing where it does, a file has its mode, and a file of several names, a pipe, a device or a descriptor
    (/dev/stdout) is written through.
    """
    descriptor = _DESCRIPTOR.fullmatch(str(path))
    target = path if descriptor else Path(os.path.realpath(path))
    there = None if descriptor else _status(target)
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not descriptor and (there is None or (stat.S_ISREG(there.st_mode) and there.st_nlink == 1)):
        with complete(target) as written:
            yield written
            if there is not None:
                written.chmod(stat.S_IMODE(there.st_mode))
        return
    with temporary_folder("tshdb-") as folder:
        written = folder / path.name
        yield written
        with naming(path), _through(path, descriptor) as file, written.open("rb") as source:
            shutil.copyfileobj(source, file)


def write_whole(path: Path, text: str, *, is_named: bool = False) -> None:
    """Write a text, whole or not at all, into a folder that is made. is_named: by a person, so that a link or a pipe there is
    written through. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (complete_through if is_named else complete)(path) as written:
        written.write_text(text, encoding="utf-8")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _through(path: Path, descriptor: re.Match[str] | None) -> IO[bytes]:
    """What is there, to be written to. A descriptor is taken as it is: opened anew, a file would lose what stands in it."""
    if descriptor is None:
        return path.open("wb")
    named = {"stdin": 0, "stdout": 1, "stderr": 2}
    number = named[descriptor[1]] if descriptor[1] in named else int(descriptor[2])
    sys.stdout.flush()
    return os.fdopen(os.dup(number), "wb")


@contextmanager
def temporary_folder(prefix: str, folder: Path | None = None) -> Iterator[Path]:
    """A folder that is gone when the block ends, as far as that can be: an error of taking it away hides no other, and is none.
    (`tempfile.TemporaryDirectory` calls itself without an end where a right is missing.)"""
    made = tempfile.mkdtemp(prefix=prefix, dir=folder)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def time_name() -> str:
    """The time as a name: UTC, to the millisecond."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk before anything else happens."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(handle)
    finally:
        os.close(handle)
