"""Whether a file is the one that was read before: size and time of writing alone prove nothing.

`cp -p`, `rsync -t` and `tar` give another file the size and the time of the former one. What they cannot give is its inode,
or the time at which the system last changed the file (ctime), which nobody sets.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

MARGIN_NS = 50_000_000  # clocks of file systems step: within a step a later writing has the same time
SECOND_NS = 1_000_000_000
LARGEST = 2**63  # a database's whole numbers are signed


class FileIdentity(NamedTuple):
    """What the system says of a file. ctime_ns: None where a later writing may have the same."""

    size_bytes: int
    mtime_ns: int | None
    ctime_ns: int | None
    inode: int | None

    def is_of(self, path: str | Path) -> bool:
        """Whether the file at `path` is this one, not written since. What is not known proves nothing."""
        return None not in self and self == _identity(os.stat(path))

    def was_written(self, path: str | Path) -> bool:
        """Whether other bytes, or none, may be at `path` by now; links and rights that changed are no matter."""
        try:
            now = _identity(os.stat(path))
        except FileNotFoundError:
            return True
        return (now.size_bytes, now.mtime_ns, now.inode) != (self.size_bytes, self.mtime_ns, self.inode)


def identity_before_reading(path: str | Path) -> FileIdentity:
    """The file's identity, to be taken before its bytes are read. Waits until a later writing would show in it."""
    identity = _identity(os.stat(path))
    if 0 <= (age := time.time_ns() - (identity.ctime_ns or 0)) < MARGIN_NS:
        time.sleep((MARGIN_NS - age) / SECOND_NS)
        identity = _identity(os.stat(path))
    steps_ns = MARGIN_NS if (identity.ctime_ns or 0) % SECOND_NS else 2 * SECOND_NS  # of FAT, and of whole seconds
    is_settled = time.time_ns() - (identity.ctime_ns or 0) >= steps_ns
    return identity if is_settled else identity._replace(ctime_ns=None)


def _identity(stat: os.stat_result) -> FileIdentity:
    inode = stat.st_ino if stat.st_ino < LARGEST else stat.st_ino - 2 * LARGEST
    return FileIdentity(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, inode)
