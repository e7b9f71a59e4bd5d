"""Files that commands write for the user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def complete(path: Path) -> Iterator[Path]:
    """A temporary name to write to: a file under its final name is complete, and a failure leaves nothing behind."""
    written = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        yield written
        os.replace(written, path)
    finally:
        written.unlink(missing_ok=True)
