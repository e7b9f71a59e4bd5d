"""The process behind `tshdb browse`: Datasette on a snapshot, behind the guard. What to serve, by which socket, comes by stdin.

SQLite's own limits are set on every connection: the progress handler, by which Datasette ends a long query, is not called
inside one function that makes a value of gigabytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
from pathlib import Path

from tshdb import local_server, system

TIME_LIMIT_MS = 10_000
THREADS = 8  # queries at once: one that takes its whole time does not keep the others waiting
MOST_BYTES = 10_000_000  # of one value
MEMORY_BYTES = 4 << 30


class Limits:
    """A plugin of Datasette."""

    __name__ = "tshdb-limits"

    def prepare_connection(self, conn: sqlite3.Connection) -> None:
        conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
        conn.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        conn.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000)
        conn.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200)
        conn.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000)
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.set_authorizer(_without_padding)


def _without_padding(action: int, _first: str | None, function: str | None, *_: str | None) -> int:
    """printf and format pad to billions of characters inside of one step, which no limit of time interrupts."""
    is_padding = action == sqlite3.SQLITE_FUNCTION and (function or "").lower() in ("printf", "format")
    return sqlite3.SQLITE_DENY if is_padding else sqlite3.SQLITE_OK


def main() -> None:
    """Serve what the first line of stdin says: {"socket", "snapshot", "metadata", "token"}. Ends when stdin does."""
    asked = json.loads(_first_line())
    snapshot = Path(asked["snapshot"])
    local_server.end_with_parent(snapshot.parent)
    system.limit_memory(MEMORY_BYTES)
    from datasette import hookimpl
    from datasette.app import Datasette
    from datasette.plugins import pm

    Limits.prepare_connection = hookimpl(Limits.prepare_connection)  # type: ignore[method-assign]
    pm.register(Limits(), name=Limits.__name__)
    settings = {
        "sql_time_limit_ms": TIME_LIMIT_MS, "num_sql_threads": THREADS, "default_page_size": 50, "allow_download": False,
    }  # fmt: skip
    made = Datasette(immutables=[str(snapshot)], metadata=asked["metadata"], settings=settings)
    asyncio.run(made.invoke_startup())
    local_server.serve(made.app(), socket.socket(fileno=asked["socket"]), asked["token"])


def _first_line() -> bytes:
    """Read by the byte: what follows is not ours to take."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


if __name__ == "__main__":
    main()
