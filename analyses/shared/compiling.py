"""`kernel`: a function compiled by numba, the same way everywhere.

No fast mathematics and no vector library (SVML): a sum is taken in the order in which it is written, so that last digits do
not depend on the processor. What was compiled is kept for the next process. numba does not see that a function of another
file which is called has changed; so the folder's name is the digest of the text of all kernels (`SOURCES`), and an edit of
any of them begins an empty one.
The folder lies where the user can write (`TSHDB_KERNELS`, else the user's caches, else a temporary folder); where nothing can be
written, every process compiles for itself.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numba
from numba import njit

PACKAGE = "analyses"
SOURCES = ("imaging/kernels/*.py", "shared/compiling.py", "signature/coordinate_descent.py", "signature/forest.py")


def kernel(function: Callable) -> Callable:
    """The function, compiled at its first call; other threads run meanwhile. It may call other kernels."""
    folder = cache_folder(package_of(function))
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder or "")
    try:
        return njit(cache=folder is not None, nogil=True, error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before


def package_of(function: Callable) -> Path:
    """The folder of the package of kernels, from the file of one of them."""
    return next(p for p in Path(function.__code__.co_filename).parents if p.name == PACKAGE)


@cache
def cache_folder(package: Path) -> Path | None:
    """Where compiled kernels are kept; None where no folder can be written."""
    numba.config.USING_SVML = False
    name = f"tshdb-kernels/{digest_of_kernels(package)}"
    for place in _places():
        folder = place / name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            continue
        if folder.stat().st_uid == os.getuid():  # nobody else's code is loaded
            return folder
    return None


def _places() -> list[Path]:
    named = os.environ.get("TSHDB_KERNELS")
    if named:
        return [Path(named)]
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [Path(caches), Path(tempfile.gettempdir()) / f"tshdb-{os.getuid()}"]


def digest_of_kernels(package: Path) -> str:
    """Of the text of every kernel and of numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for pattern in SOURCES:
        for path in sorted(package.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
