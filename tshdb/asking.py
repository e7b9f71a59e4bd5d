"""Many SELECTs in turn, answered by one child process of one state of the database: a report asks sixty.

    with study.asking():
        study.sql("SELECT …")   and so on

The child is that of a query (`tshdb.query`), in the same sandbox, closed before the first of them runs. It holds all tables that
are small; a query that names a large one has a process of its own, as any query has elsewhere.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from tshdb import sandbox
from tshdb.everyday import trouble
from tshdb.forked import Forked, OutOfTime
from tshdb.query import MAX_BYTES, SECONDS, WHERE, Answer, Queried, forget_moved, load_tables, run_query, told, words_of
from tshdb.views import VIEWS

SMALL = 20_000  # rows of a table that is there whether it is named or not
LIFE = 20 * SECONDS  # of a processor, that a child may take for all of its queries


class Asking:
    """The queries of one study, in turn. `end` leaves no process behind."""

    def __init__(self, study: Queried):
        self._study = study
        self._child: Forked | None = None
        self._large: frozenset[str] = frozenset()

    def answer(self, sql: str, parameters: dict[str, Any]) -> Answer:
        """The answer to one SELECT. Raises as `tshdb.query.run_query`."""
        try:
            given = json.loads(json.dumps(parameters, allow_nan=False))
        except (TypeError, ValueError):  # values that do not go through a pipe
            return run_query(self._study, sql, parameters)
        if given != parameters:
            return run_query(self._study, sql, parameters)
        if self._child is None:
            self._begin()
        found = self._asked(sql, given) if self._large.isdisjoint(words_of([sql])) else None
        return found if found is not None else run_query(self._study, sql, parameters)  # which says what went wrong

    def end(self) -> None:
        """Ask no more."""
        if self._child is not None:
            child, self._child = self._child, None
            child.end()
            forget_moved(self._study)

    def _begin(self) -> None:
        _ = self._study.sqlite_path  # the settings are read once, before the fork
        self._child = Forked(lambda reader, writer: _serve(self._study, reader, writer))
        first = self._heard(time.monotonic() + SECONDS)
        if isinstance(first, dict) and "large" in first:
            self._large = frozenset(first["large"])
        else:
            self.end()

    def _asked(self, sql: str, parameters: dict[str, Any]) -> Answer | None:
        """What the child answers; None where it refuses the query, or there is no child any more."""
        if self._child is None:
            return None
        self._child.tell({"sql": sql, "parameters": parameters})
        found, before, deadline = None, self._child.n_bytes, time.monotonic() + SECONDS
        while (part := self._heard(deadline)) is not None and self._child.n_bytes - before <= MAX_BYTES:
            if isinstance(part, list):
                assert found is not None
                found.rows += map(tuple, part)
            elif "columns" in part:
                found = Answer(part["columns"], part["types"], [])
            elif "error" in part:
                return None
            else:
                return found
        self.end()
        return None

    def _heard(self, deadline: float) -> Any:
        assert self._child is not None
        try:
            return self._child.hear(deadline)
        except OutOfTime:
            return None


# --------------------------------------------------------------------------------------------- in the child


def _serve(study: Queried, reader: int, writer: int) -> None:
    """Answer a line a query, until there is none any more. A query that is refused leaves the others as they are."""
    connection = sandbox.open_sandbox(threads=2)
    tables, readable, there = load_tables(study, connection, set(), SECONDS, SMALL)
    sandbox.lock(connection, readable, LIFE)
    sandbox.send(writer, {"large": sorted({*tables, *VIEWS, sandbox.EXPRESSION} - there)})
    with os.fdopen(reader, encoding="utf-8") as lines:
        for line in lines:
            asked = json.loads(line)
            try:
                sandbox.require_one_select(connection, asked["sql"], WHERE)
                for message in told(connection, asked["sql"], asked["parameters"], tables):
                    sandbox.send(writer, message)
                sandbox.send(writer, {"end": True})
            except Exception as error:
                if trouble(error) is None or isinstance(error, MemoryError):
                    raise
                sandbox.send(writer, {"error": True})
