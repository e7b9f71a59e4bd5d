"""Files that commands write for the user, and writing that outlasts a crash."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


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


@contextmanager
def complete(path: Path) -> Iterator[Path]:
    """A temporary name to write to: a file under its final name is complete, and a failure leaves nothing behind."""
    written = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        yield written
        os.replace(written, path)
    finally:
        written.unlink(missing_ok=True)


def time_name() -> str:
    """The time as a name: UTC, to the millisecond."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk before anything else happens."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
