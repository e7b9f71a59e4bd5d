"""Files that are read only when their bytes are those that the study knows: helpers without a database.

A process remembers which files it has compared. That never comes back as a value: `tshdb.oath.watch` counts it as the engine's.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

MOST_REMEMBERED = 4_096
WHOLE = 64 << 20  # larger files are hashed in pieces and never in memory as a whole


class PixelsGone(Exception):
    """A file is not where it was read, or its bytes changed; the text says which, and what to do."""


State = tuple[int, ...]
SETTLED_NS = 2_000_000_000  # a file that was changed so short before it was read may be changed again unseen
_verified_files: dict[tuple[str, str], State] = {}


@contextmanager
def known_bytes(path: str, sha256: str) -> Iterator[tuple[BinaryIO, int]]:
    """(the file, its bytes) when these are the known ones; a large file is not kept in memory. Raises PixelsGone.

    A file whose bytes this process has compared is compared again when it was changed since, as its inode and the system's
    time of change say: the phases of one object are read one after the other.
    """
    try:
        with Path(path).open("rb") as file:
            before = _state(file)
            size = before[2]
            if _verified_files.get((path, sha256)) == before:
                yield file, size
            elif size <= WHOLE:
                data = file.read()
                _check(hashlib.sha256(data).hexdigest(), path, sha256)
                _remember(path, sha256, before)
                yield io.BytesIO(data), len(data)
                return
            else:
                _check(hashlib.file_digest(file, "sha256").hexdigest(), path, sha256)
                _remember(path, sha256, before)
                file.seek(0)
                yield file, size
            if _state(file) != before:
                raise PixelsGone(f"{path}: was written while it was read; ingest the images again")
    except OSError as error:
        raise PixelsGone(f"{path}: {error.strerror}; ingest the images again from where they are now") from None


def _state(file: BinaryIO) -> State:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _remember(path: str, sha256: str, state: State) -> None:
    if time.time_ns() - state[-1] > SETTLED_NS:
        if len(_verified_files) >= MOST_REMEMBERED:
            _verified_files.clear()
        _verified_files[path, sha256] = state


def _check(found: str, path: str, sha256: str) -> None:
    if found != sha256:
        raise PixelsGone(f"{path}: other bytes than were ingested; ingest the images again")
