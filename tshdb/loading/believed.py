"""Whom to believe: sources' words in the order of their readers, the latest of those that stand alike, and who says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from tshdb import installed
from tshdb.canonical import json_text
from tshdb.dated import is_later
from tshdb.loading.sources import SourceRow
from tshdb.readers import LAST, SETTLING

LATER = "the later word"
UNDECIDED = "undecided"
NOBODY_KNOWS = "sources disagree, and none is known to be the later one"
DECIDED = "_decided"  # in the values of a decision, beside its columns: column -> [who, why]


class Disagreement(NamedTuple):
    """One column on which a source differs from what holds. held: the source that holds; None while nobody has decided."""

    column: str
    held: SourceRow | None
    held_value: Any
    other: SourceRow
    other_value: Any
    rule: str

    @property
    def is_undecided(self) -> bool:
        return self.held is None


class Held(NamedTuple):
    """What holds of one column: the value, whose it is (None: nobody's, or undecided), and who says otherwise."""

    value: Any
    by: SourceRow | None
    disagreements: list[Disagreement]

    @property
    def is_undecided(self) -> bool:
        return any(d.is_undecided for d in self.disagreements)


def in_precedence(rows: Sequence[SourceRow]) -> list[list[SourceRow]]:
    """The sources' words by the readers' precedence, the first to be believed first; of one reader by what they say.

    Raises NotFound for a word of a reader that is not installed.
    """
    ranks = _precedences()
    for row in rows:
        if row.source.reader not in ranks:
            raise installed.no_reader(row.source.reader)
    ordered = sorted(rows, key=lambda row: (rank_of(row), json_text(row.values), row.as_of or "", row.source))
    return [list(group) for _, group in groupby(ordered, rank_of)]


def rank_of(row: SourceRow) -> int:
    """The precedence of the row's reader; of one that is not installed the last."""
    return _precedences().get(row.source.reader, LAST)


@cache
def _precedences() -> dict[str, int]:
    """reader -> its precedence, of the readers that make rows."""
    return {r.name: r.precedence for r in installed.readers() if r.precedence is not None}


@cache
def precedence_rule() -> str:
    """The order in words, as conflicts bear it. Readers whose rows no other reader speaks of are not named."""
    ranks = _precedences()
    names = sorted((name for name in ranks if SETTLING < ranks[name] < LAST), key=lambda name: (ranks[name], name))
    return " before ".join(names)


def settling_readers() -> list[str]:
    """The readers of what people decide."""
    return [name for name, rank in _precedences().items() if rank == SETTLING]


def is_decision(row: SourceRow) -> bool:
    """Whether it is what a person decided."""
    return rank_of(row) == SETTLING


def latest(rows: Iterable[SourceRow]) -> list[SourceRow]:
    """Those than which none is later, of one rank. A source whose name says what it holds speaks for the others of its reader."""
    everybody = list(rows)
    left = [row for row in everybody if not any(is_later(other.as_of, row.as_of) for other in everybody)]
    if len(left) > 1 and all(installed.reader(row.source.reader).is_named_by_content for row in left):
        return [min(left, key=lambda row: row.source)]
    return left


def decision_on(column: str, decisions: Iterable[SourceRow]) -> SourceRow | None:
    """The latest decision on a column; None where there is none, or several say different things."""
    about = latest(row for row in decisions if column in row.values[DECIDED])
    return about[0] if about and all(row.values[column] == about[0].values[column] for row in about) else None


def decided(decision: SourceRow, column: str) -> str:
    """Who decided on a column, and why, as conflicts bear it."""
    who, why = decision.values[DECIDED][column]
    return f"decided by {who}: {why}"


def against(column: str, held: Held, rows: Iterable[SourceRow], rule: str) -> list[Disagreement]:
    """Those that say another value than the one that holds; of an undecided value all that say one."""
    return [
        Disagreement(column, held.by, held.value, row, row.values[column], _rule(held.by, row, rule))
        for row in rows
        if row is not held.by and row.values.get(column) is not None and row.values[column] != held.value
    ]


def _rule(held: SourceRow | None, other: SourceRow, rule: str) -> str:
    if held is not None and rank_of(held) == rank_of(other) and is_later(held.as_of, other.as_of):
        return f"{LATER}: {held.as_of} after {other.as_of}"
    return rule
