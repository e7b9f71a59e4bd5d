"""What began a change of results: one value a cause, kept with the attempts that followed it.

A unit's causes are found when it is due (`roots`), stored when it is committed, and read again by whoever asks why: `why`,
`drift`, `diff`, `history`, `status`, `model list`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from tshdb.database import bulk_insert, next_id, numbers
from tshdb.engine.units import select_ids
from tshdb.schema import Cause as CauseRow
from tshdb.schema import CauseSet
from tshdb.vocabulary import CauseKind

# A fit does not follow these: it learns from data once, and is flagged when they change
OF_DATA = frozenset(
    {CauseKind.DATUM, CauseKind.MEMBER, CauseKind.COHORT, CauseKind.FIRST, CauseKind.AGAIN, CauseKind.LOST,
     CauseKind.EDITED, CauseKind.DAMAGED, CauseKind.WITHDRAWN}
)  # fmt: skip
LONG = 60  # characters of a value that a sentence shows
SHOWN = 3  # columns of a row


class Cause(NamedTuple):
    """One thing that began a change. The fields are columns of `causes`, which says what each is."""

    kind: CauseKind
    subject: str
    before: str | None = None
    after: str | None = None
    place: str | None = None
    entity_key: str | None = None
    change_id: int | None = None

    def __str__(self) -> str:
        return _sentence(self)

    def facts(self) -> dict[str, Any]:
        """The cause as plain values, with the sentence that says it."""
        return {"kind": self.kind.value, **{k: v for k, v in self._asdict().items() if k != "kind"}, "says": str(self)}


Causes = frozenset[Cause]
UNRECORDED = Cause(CauseKind.UNRECORDED, "not recorded")


def _sentence(cause: Cause) -> str:
    kind, subject, place = cause.kind, cause.subject, f" ({cause.place})" if cause.place else ""
    if kind in (CauseKind.PARAMETER, CauseKind.SEED, CauseKind.LIBRARY, CauseKind.ENGINE):
        if cause.before is cause.after is None:
            return f"the version of {subject} changed"
        return f"{subject}: {_short(cause.before)} -> {_short(cause.after)}{place}"
    if kind is CauseKind.CODE:
        what = "came" if cause.before is None else "went" if cause.after is None else "changed"
        is_name = " " not in subject.replace(", ", "")  # several that one statement binds: `module.A, B`
        return f"the definition {subject} {what}{place}" if is_name else f"{what}: {subject}{place}"
    if kind is CauseKind.DATUM:
        return f"{subject}: {_columns(cause)}{place}"
    says = {
        CauseKind.TABLE: f"the declaration of the table {subject} changed",
        CauseKind.REFERENCE: f"the marker table {subject} changed",
        CauseKind.MEMBER: f"{subject} {'joined' if cause.after else 'left'}",
        CauseKind.LISTED: f"{subject} is {'named now' if cause.after else 'no longer named'}",
        CauseKind.COHORT: f"{subject}: {_short(cause.before)} -> {_short(cause.after)}",
        CauseKind.FIRST: f"{subject} is computed for the first time",
        CauseKind.AGAIN: f"{subject} failed before",
        CauseKind.REFIT: f"a refit was asked for: {subject}",
        CauseKind.WITHDRAWN: "a patient was withdrawn",
        CauseKind.UNRECORDED: "not recorded",
    }
    return (says.get(kind) or f"{subject} was {kind.value}") + place


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    return value if len(value) <= LONG else value[: LONG - 1] + "…"


def _columns(cause: Cause) -> str:
    """A datum's columns, before and after; that it came or went where there is one side alone."""
    if cause.before is None or cause.after is None:
        return "removed" if cause.after is None else "loaded"
    before, after = json.loads(cause.before), json.loads(cause.after)
    said = [f"{c} {_short(str(before[c]))} -> {_short(str(after[c]))}" for c in list(before)[:SHOWN]]
    more = f" and {len(before) - SHOWN:,} more" if len(before) > SHOWN else ""  # a profile has thousands of genes
    return ", ".join(said) + more or "changed"


# ------------------------------------------------------------------------------------------------------- the record


class CauseBook:
    """Writes sets of causes, each once in a run. Inside `writing`, and inside `kept` where that may be rolled back."""

    def __init__(self, run_id: int):
        self.run_id = run_id
        self._causes: dict[Cause, int] = {}
        self._sets: dict[Causes, int] = {}

    def write(self, connection: Connection, sets: Iterable[Causes]) -> dict[Causes, int]:
        """set -> its number."""
        wanted = [found for found in dict.fromkeys(sets) if found not in self._sets]
        fresh = [cause for cause in dict.fromkeys(c for found in wanted for c in sorted(found, key=_order))
                 if cause not in self._causes]  # fmt: skip
        if fresh:
            first = next_id(connection, CauseRow.cause_id)
            rows = [_row(cause) | {"cause_id": first + i, "run_id": self.run_id} for i, cause in enumerate(fresh)]
            bulk_insert(connection, CauseRow.__table__, rows)
            self._causes |= {cause: first + i for i, cause in enumerate(fresh)}
        if wanted:
            first = (connection.execute(select(func.max(CauseSet.cause_set))).scalar() or 0) + 1
            numbered = {found: first + i for i, found in enumerate(wanted)}
            members = [{"cause_set": n, "cause_id": self._causes[c]} for found, n in numbered.items() for c in found]
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


def _order(cause: Cause) -> tuple[str, ...]:
    return tuple("" if v is None else str(v) for v in cause)


def _row(cause: Cause) -> dict[str, Any]:
    row = cause._asdict()
    return {"value_before": row.pop("before"), "value_after": row.pop("after"), **row}


def causes_of_sets(connection: Connection, sets: Iterable[int]) -> Mapping[int, Causes]:
    """set -> its causes; a set without rows has none."""
    found: dict[int, set[Cause]] = defaultdict(set)
    with numbers(connection, "asked_sets", set(sets)) as name:
        query = (
            select(
                CauseSet.cause_set, CauseRow.kind, CauseRow.subject, CauseRow.value_before, CauseRow.value_after,
                CauseRow.place, CauseRow.entity_key, CauseRow.change_id,
            )
            .join(CauseRow, CauseRow.cause_id == CauseSet.cause_id)
            .where(CauseSet.cause_set.in_(select_ids(name)))
        )  # fmt: skip
        for number, *values in connection.execute(query):
            found[number].add(Cause(*values))
    return {number: frozenset(causes) for number, causes in found.items()}


def recorded_causes(connection: Connection, cause_set: int | None) -> list[Cause]:
    """The causes of one attempt or retirement, in their order; `not recorded` where there is no record."""
    if cause_set is None:
        return [UNRECORDED]
    return sorted(causes_of_sets(connection, [cause_set]).get(cause_set, {UNRECORDED}), key=_order)


def told(causes: Iterable[Cause], at_most: int = 3) -> str:
    """Causes in one line: each kind of datum and member counted where there are several."""
    by_kind: dict[CauseKind, list[Cause]] = defaultdict(list)
    for cause in sorted(causes, key=_order):
        by_kind[cause.kind].append(cause)
    parts: list[str] = []
    for kind, found in by_kind.items():
        if kind in _COUNTED and len(found) > 1:
            parts.append(_COUNTED[kind].format(n=len(found), first=found[0].subject))
        else:
            parts += [str(cause) for cause in found[:at_most]]
            if len(found) > at_most:
                parts.append(f"and {len(found) - at_most:,} more of {kind.value}")
    return "; ".join(parts) or "not recorded"


_COUNTED = {
    CauseKind.DATUM: "{n:,} rows of data, such as {first}",
    CauseKind.MEMBER: "{n:,} members came or left, such as {first}",
}
