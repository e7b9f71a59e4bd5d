"""A command as a process that cannot outlive whoever asked for it, and that sees nothing of the user's environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tshdb import system
from tshdb.engine.outside import keeper
from tshdb.engine.outside.record import FOLDER, Failed
from tshdb.parent import end_with_parent

KEPT_BYTES = 16 << 10  # of what a program writes to its error output: the last ones
LAST_WORDS_SECONDS = 2.0
SHOWN_LINES = 5
SHOWN_CHARACTERS = 600
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
GIGABYTE = 1 << 30


class Child:
    """A folder of its own, in which the command runs once it is told to. Made by `child`."""

    def __init__(self, folder: Path, process: subprocess.Popen, status: int):
        self.folder, self._process, self._status = folder, process, status
        self._tail = bytearray()
        assert process.stderr is not None
        self._reader = threading.Thread(target=self._keep_tail, args=(process.stderr,), daemon=True)
        self._reader.start()

    def run(self, words: tuple[str, ...], seconds: float) -> None:
        """Start the command and wait for its end. Raises Failed for any end but a good one."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"\n")
        said = self._said(time.monotonic() + seconds)
        if said == "exit 0":
            return
        self.close()
        if said is None:
            raise Failed(f"it ran longer than {seconds:g} seconds and was ended{self._last_lines()}")
        kind, _, what = said.partition(" ")
        if kind == "missing":
            raise Failed(
                f"the command '{words[0]}' cannot be started here: {what}. Install it, or see that it is on PATH"
            )
        if kind == "exit":
            raise Failed(f"it ended with exit code {what}{self._last_lines()}")
        raise Failed(f"it was killed{f' by signal {what}' if what else ''}{self._last_lines()}")

    def close(self) -> None:
        """End what still runs of it; its folder goes."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._reader.join(LAST_WORDS_SECONDS)  # where a child of its own has escaped, it holds the pipe

    def _said(self, until: float) -> str | None:
        """What the keeper says of the end; None where the time is over."""
        if not system.ready([self._status], until - time.monotonic()):
            return None
        return os.read(self._status, 4096).decode("utf-8", "replace") or "signal "

    def _keep_tail(self, pipe: IO[bytes]) -> None:
        with pipe:
            while block := pipe.read(1 << 16):  # unbuffered: what there is
                self._tail += block
                del self._tail[:-KEPT_BYTES]

    def _last_lines(self) -> str:
        lines = [line.rstrip() for line in self._tail.decode("utf-8", "replace").splitlines() if line.strip()]
        text = " | ".join(lines[-SHOWN_LINES:])
        text = text if len(text) <= SHOWN_CHARACTERS else "…" + text[-SHOWN_CHARACTERS:]
        return f". It said: {text}" if text else ". It said nothing"


@contextmanager
def child(command: tuple[str, ...], memory_gb: float | None) -> Iterator[Child]:
    """A new folder, with a process that waits to run the command in it. Both are gone at the end, however that comes."""
    end_with_parent()  # and the keeper with this process: nobody is left to take the result
    folder = Path(tempfile.mkdtemp(prefix="tshdb-program-"))
    status, theirs = os.pipe()
    order = {
        "command": [word.replace(FOLDER, str(folder)) for word in command], "environment": environment(folder),
        "folder": str(folder), "memory": None if memory_gb is None else int(memory_gb * GIGABYTE), "status": theirs,
        "system": system.__file__,
    }  # fmt: skip
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, json.dumps(order)], bufsize=0, pass_fds=(theirs,),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(status)
        folder.rmdir()
        raise
    finally:
        os.close(theirs)
    made = Child(folder, process, status)
    try:
        yield made
    finally:
        made.close()
        os.close(status)


def environment(folder: Path) -> dict[str, str]:
    """All that the command sees of an environment: nothing of the user's but where programs lie."""
    own = {"HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"}
    return {"PATH": os.environ.get("PATH", os.defpath), **own, **dict.fromkeys(POOLS, "1")}
