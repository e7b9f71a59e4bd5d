"""One line of the story, and how it words counts and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

FEW = 3
DIGITS = range(4, 17)  # significant digits of a number that moved: as many as tell it from what it was


class EventKind(StrEnum):
    """What happened. program: another version of tshdb computed; migration: a study of an older revision was taken over."""

    INGEST = "ingest"
    REPAIR = "repair"
    COHORT = "cohort"
    REBUILD = "rebuild"
    WITHDRAWAL = "withdrawal"
    READMISSION = "readmission"
    PROGRAM = "program"
    MIGRATION = "migration"


class Event(NamedTuple):
    """One thing that happened. at: UTC; by: the command or the run, in short; says: one line; facts: all of it, as values."""

    at: str
    kind: EventKind
    by: str
    says: str
    facts: dict[str, Any]

    def as_values(self) -> dict[str, Any]:
        return {"at": self.at, "kind": self.kind.value, "by": self.by, "says": self.says, **self.facts}


def event(at: str, kind: EventKind, by: str, says: str, **facts: Any) -> Event:
    """An event whose text is one line, whatever is in it."""
    return Event(at, kind, by, " ".join(says.split()), facts)


def several(names: Sequence[str], few: int = FEW, of: str = "") -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - few:,} more{of}" if len(names) > few else ""
    return ", ".join(names[:few]) + more


def counted(counts: Mapping[str, int], few: int = FEW) -> str:
    """Names with their counts, the largest first; of many only a few."""
    ranked = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
    return several([f"{name} {counts[name]:,}" for name in ranked], few)


def moved(before: str | None, after: str | None) -> str:
    """A value that was and one that is. Numbers have the digits that tell them apart, four at least."""
    sides = before or "none", after or "none"
    try:
        numbers = [None if v is None else float(v) for v in (before, after)]
    except ValueError:
        return " -> ".join(sides)
    for digits in DIGITS:
        shorter = ["none" if v is None else f"{v:.{digits}g}" for v in numbers]
        if shorter[0] != shorter[1]:
            return " -> ".join(shorter)
    return " -> ".join(sides)
