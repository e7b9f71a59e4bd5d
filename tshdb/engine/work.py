"""A place for work in progress, so that a long computation that is stopped goes on where it was, and says how far it is.

An analysis that takes an argument `work` may save bytes under names as often as it likes. The folder's name says what is
computed (analysis, key, code, parameters, inputs), so that only the very same computation ever finds them. A unit that is
committed takes its folder with it; a withdrawal takes all. Nothing that a result depends on may be in there.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tshdb.failpoints import fp
from tshdb.files import new_file
from tshdb.places import WORK as FOLDER

NAME = re.compile(r"\w+-[0-9a-f]{16}")  # analysis-digest
PROGRESS = "progress"
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Work:
    """folder: None keeps nothing; threads: how many the computation may use, without its result depending on it."""

    folder: Path | None = None
    threads: int = 1

    def load(self, name: str) -> bytes | None:
        """What was saved under the name, or None."""
        try:
            return (self.folder / name).read_bytes() if self.folder is not None else None
        except OSError:
            return None

    def save(self, name: str, content: bytes) -> None:
        """Keep the content: the file has the old or the new one, never half. A folder that cannot be written keeps nothing."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = new_file(self.folder, ".writing-")
            temporary.write_bytes(content)
            os.replace(temporary, self.folder / name)
        except OSError:
            return  # work in progress is a comfort: the computation itself does not need it
        fp("work.saved")

    def progress(self, done: int, total: int, what: str) -> None:
        """Say how far the computation is: done of total, of what."""
        self.save(PROGRESS, f"{done} {total} {what}".encode())

    def part(self, name: str) -> Part:
        """One named piece of it, as an object with load() and save(bytes)."""
        return Part(self, name)


@dataclass(frozen=True)
class Part:
    """A named piece of work in progress."""

    work: Work
    name: str

    def load(self) -> bytes | None:
        return self.work.load(self.name)

    def save(self, content: bytes) -> None:
        self.work.save(self.name, content)


def folders_of(root: Path) -> list[Path]:
    """The folders of work below a study's folder: those that have a name of ours, and are no links."""
    work = root / FOLDER
    if work.is_symlink() or not work.is_dir():
        return []
    return sorted(p for p in work.iterdir() if NAME.fullmatch(p.name) and p.is_dir() and not p.is_symlink())


def clear(folder: Path | None) -> None:
    """Take a folder of work away; what holds it open or is not there does not matter."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def clear_all(root: Path) -> None:
    """Take all folders of work below a study's folder away; what else lies beside them stays."""
    for folder in folders_of(root):
        clear(folder)
    with suppress(OSError):  # there is none, or something else lies in it
        (root / FOLDER).rmdir()


@contextmanager
def watched(folder: Path | None, show: Callable[[int, int, str], None]) -> Iterator[None]:
    """While inside, `show` is told how far the computation in the folder says that it is."""
    if folder is None:
        yield
        return
    stopped = threading.Event()

    def look() -> None:
        seen = b""
        while not stopped.wait(POLL_SECONDS):
            content = Work(folder).load(PROGRESS)
            if content and content != seen:
                seen = content
                done, total, what = content.decode().split(" ", 2)
                show(int(done), int(total), what)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def is_recent(folder: Path, seconds: float) -> bool:
    """Whether something was saved in the folder in the last seconds: somebody may be at work."""
    return any(time.time() - p.stat().st_mtime < seconds for p in folder.glob("*"))
