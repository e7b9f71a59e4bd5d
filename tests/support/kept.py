"""Studies that are long in the making are made once: both workers share them, and so do later runs of the same code.

Where    $TSHDB_TEST_CACHE, or tshdb-tests in the user's folder of caches ($XDG_CACHE_HOME, else ~/.cache).
Key      a digest of every file that takes part: the program, examples, the tests' own helpers; and of the interpreter, the
         platform and every installed library with its version. It is taken before anything of this is imported, and again
         when a study is made: one that was made while files were edited is used, and not kept.
Whole    the digest of a study's files lies beside it; a study that does not match is made anew. Nobody works in a kept
         study: each worker has a copy.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.program import ROOT

TAKES_PART = ("tshdb", "analyses", "ingest", "migrations", "cli", "examples", "soak", "tests/support", "tests/data")
FILES = ("tests/__init__.py", "tests/conftest.py", "pyproject.toml")
DAYS = 7  # for which nobody asked for a key: its studies are removed


def files_digest(root: Path, names: tuple[str, ...] = (*TAKES_PART, *FILES)) -> str:
    """Of all files below these, by name and content; compiled code is left out."""
    total = hashlib.sha256()
    for name in names:
        for path in sorted(_files(root / name)):
            total.update(f"{path.relative_to(root)}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders[:] = [f for f in folders if f != "__pycache__"]
        yield from (Path(folder, name) for name in names)


AT_START = files_digest(ROOT)


def key(digest: str, maker: str = "") -> str:
    """maker: the text of what makes the study, where it stands in no file that takes part."""
    libraries = sorted(f"{d.name} {d.version}" for d in importlib.metadata.distributions())
    said = [digest, maker, sys.version, platform.platform(), os.environ.get("TZ", ""), *libraries]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:24]


def home() -> Path:
    if named := os.environ.get("TSHDB_TEST_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tshdb-tests"


def copy_of(name: str, make: Callable[[Path], None], folder: Path, maker: str = "") -> Path:
    """folder, which is filled with a copy of what `make` makes in an empty folder. See the module."""
    place = home() / key(AT_START, maker)
    place.mkdir(parents=True, exist_ok=True)
    os.utime(place)
    kept, seal = place / name, place / f"{name}.sha256"
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits, and copies
        if _copied(kept, seal, folder):
            return folder
        shutil.rmtree(kept, ignore_errors=True)
        make(folder)
        if files_digest(ROOT) == AT_START:
            shutil.copytree(folder, kept)
            seal.write_text(files_digest(kept, ("",)))
    _forget(home())
    return folder


def _copied(kept: Path, seal: Path, folder: Path) -> bool:
    """Whether a whole study was kept, and stands in `folder` now."""
    if not seal.is_file():
        return False
    shutil.copytree(kept, folder)
    if files_digest(folder, ("",)) == seal.read_text():
        return True
    shutil.rmtree(folder)
    return False


def _forget(home: Path) -> None:
    for place in home.iterdir():
        if place.stat().st_mtime < time.time() - DAYS * 86_400:
            shutil.rmtree(place, ignore_errors=True)
