"""Sets of causes on record: written with the attempts that followed them, and read again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select

from tshdb.database import bulk_insert, next_id, numbers
from tshdb.engine.causes import UNRECORDED, Cause, Causes, in_order
from tshdb.engine.units import select_ids
from tshdb.schema import Cause as CauseRow
from tshdb.schema import CauseSet
from tshdb.vocabulary import CauseKind


class CauseBook:
    """Writes sets of causes, each once in a run. Inside `writing`, and inside `kept` where that may be rolled back."""

    def __init__(self, run_id: int):
        self.run_id = run_id
        self._causes: dict[Cause, int] = {}
        self._sets: dict[Causes, int] = {}

    def write(self, connection: Connection, sets: Iterable[Causes]) -> dict[Causes, int]:
        """set -> its number."""
        wanted = [causes for causes in dict.fromkeys(sets) if causes not in self._sets]
        fresh = [cause for cause in dict.fromkeys(c for causes in wanted for c in sorted(causes, key=in_order))
                 if cause not in self._causes]  # fmt: skip
        if fresh:
            first = next_id(connection, CauseRow.cause_id)
            rows = [_row(cause) | {"cause_id": first + i, "run_id": self.run_id} for i, cause in enumerate(fresh)]
            bulk_insert(connection, CauseRow.__table__, rows)
            self._causes |= {cause: first + i for i, cause in enumerate(fresh)}
        if wanted:
            first = (connection.execute(select(func.max(CauseSet.cause_set))).scalar() or 0) + 1
            numbered = {causes: first + i for i, causes in enumerate(wanted)}
            members = [{"cause_set": n, "cause_id": self._causes[c]} for causes, n in numbered.items() for c in causes]
            bulk_insert(connection, CauseSet.__table__, members)
            self._sets |= numbered
        return self._sets

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What is written inside is known only if the transaction was committed: its numbers are given out again else."""
        causes, sets = dict(self._causes), dict(self._sets)
        try:
            yield
        except BaseException:
            self._causes, self._sets = causes, sets
            raise


def _row(cause: Cause) -> dict[str, Any]:
    row = cause._asdict()
    return {"value_before": row.pop("before"), "value_after": row.pop("after"), **row}


def causes_of_sets(connection: Connection, sets: Iterable[int]) -> Mapping[int, Causes]:
    """set -> its causes; a set without rows has none."""
    by_set: dict[int, set[Cause]] = defaultdict(set)
    with numbers(connection, "asked_sets", set(sets)) as name:
        query = (
            select(
                CauseSet.cause_set, CauseRow.kind, CauseRow.subject, CauseRow.value_before, CauseRow.value_after,
                CauseRow.place, CauseRow.entity_key, CauseRow.change_id,
            )
            .join(CauseRow, CauseRow.cause_id == CauseSet.cause_id)
            .where(CauseSet.cause_set.in_(select_ids(name)))
        )  # fmt: skip
        for number, kind, subject, before, after, place, entity_key, change_id in connection.execute(query):
            by_set[number].add(Cause(CauseKind(kind), subject, before, after, place, entity_key, change_id))
    return {number: frozenset(causes) for number, causes in by_set.items()}


def recorded_causes(connection: Connection, cause_set: int | None) -> list[Cause]:
    """The causes of one attempt or retirement, in their order; `not recorded` where there is no record."""
    if cause_set is None:
        return [UNRECORDED]
    return sorted(causes_of_sets(connection, [cause_set]).get(cause_set, {UNRECORDED}), key=in_order)
