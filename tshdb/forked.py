"""A forked child that answers in lines of JSON, until it ends, or is ended: no child outlives its parent's question."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from tshdb import sandbox, system
from tshdb.everyday import trouble
from tshdb.parent import end_with

CHUNK = 1 << 20
PATIENCE = 0.1  # seconds that a child that has said its last word has for its end


class OutOfTime(Exception):
    """The deadline has passed; the child is ended by `end`."""


class Forked:
    """A child process in `act(reader, writer)`, two pipes' ends.

    What `act` raises that a user can mend (`tshdb.everyday`) is its last line, {"error": sandbox.as_words(…)}; anything else is
    printed, and the child exits with 1. n_bytes: what it has sent so far.
    """

    def __init__(self, act: Callable[[int, int], None]):
        from_child, to_parent = os.pipe()
        from_parent, to_child = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(from_child)
            os.close(to_child)
            _live(act, from_parent, to_parent)
        os.close(to_parent)
        os.close(from_parent)
        self._reader, self._writer = from_child, to_child
        self._parts: list[bytes] = []
        self._lines: list[bytes] = []
        self.n_bytes = 0

    def tell(self, message: Any) -> None:
        """One line to the child. One that has ended hears nothing."""
        try:
            sandbox.send(self._writer, message)
        except BrokenPipeError:
            pass

    def hear(self, deadline: float) -> Any:
        """The next line of the child; None when there is none any more. deadline: of time.monotonic().

        Raises OutOfTime, also while lines flow.
        """
        while not self._lines:
            left = deadline - time.monotonic()
            if left <= 0 or not system.ready([self._reader], left):
                raise OutOfTime
            chunk = os.read(self._reader, CHUNK)
            if not chunk:
                return None
            self.n_bytes += len(chunk)
            *whole, rest = chunk.split(b"\n")
            if whole:
                whole[0] = b"".join(self._parts) + whole[0]
                self._parts = []
                self._lines = whole[::-1]
            self._parts.append(rest)
        if time.monotonic() > deadline:
            raise OutOfTime
        return json.loads(self._lines.pop())

    def end(self, is_done: bool = False) -> int | None:
        """Leave no child behind. is_done: it has said its last word, and may end by itself.

        Gives its exit code if it did, None if it was ended, by us or by the system.
        """
        if self.pid == 0:
            return None
        pid, self.pid, status = self.pid, 0, None
        try:
            until = time.monotonic() + PATIENCE
            while is_done and status is None and time.monotonic() < until:
                ended, said = os.waitpid(pid, os.WNOHANG)
                if ended:
                    status = said
                else:
                    time.sleep(0.001)
        finally:
            if status is None:  # before its pipe is closed: else it would complain of that
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            os.close(self._reader)
            os.close(self._writer)
        return os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None


def _live(act: Callable[[int, int], None], reader: int, writer: int) -> None:
    """The child's life; it never returns into the parent's code."""
    try:
        sandbox.begin_child()
        end_with(os.dup(reader))
        try:
            act(reader, writer)
        except Exception as error:
            if (refused := trouble(error)) is None:
                raise
            sandbox.send(writer, {"error": sandbox.as_words(error if isinstance(error, MemoryError) else refused)})
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)
