"""What stands against what was computed anew: every difference by row and column."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Table

from tshdb.verification.stored import StoredUnit, columns_of, key_of


class Verdict(StrEnum):
    """same: byte for byte. differs: it is not what its code gives. other: neither can be said, and why is."""

    SAME = "same"
    DIFFERS = "differs"
    OTHER = "not comparable"


@dataclass(frozen=True)
class Verified:
    """A unit and what came of it. says: why, each difference by row and column; note: of one that is the same."""

    unit: str
    verdict: Verdict
    says: tuple[str, ...] = ()
    note: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb verify --json` prints them."""
        return {"unit": self.unit, "verdict": self.verdict.value, "says": list(self.says), "note": self.note}


def verified(one: StoredUnit, answer: Mapping[str, Any] | None) -> Verified:
    """The verdict on a unit. answer: as `child` gives it; None where it was not computed."""
    if answer is None or "unreadable" in answer:
        why = [*one.moved, *([answer["unreadable"]] if answer else [])]
        return Verified(one.name, Verdict.DIFFERS if one.wrong else Verdict.OTHER, (*one.wrong, *why))
    if "failed" in answer:
        return _judged(one, [f"it cannot be computed now: {answer['failed']}"])
    table = one.analysis.makes.__table__
    found = list(differences(table, one.rows, answer["rows"]))
    if not found and answer["fingerprint"] != one.fingerprint:
        found = ["its fingerprint is not that of what was computed"]
    return _judged(one, found)


def _judged(one: StoredUnit, found: Sequence[str]) -> Verified:
    if one.wrong:
        return Verified(one.name, Verdict.DIFFERS, (*one.wrong, *found))
    if found and one.other_code:
        return Verified(one.name, Verdict.OTHER, (f"{one.otherwise} since it was made, and it differs by it", *found))
    if found and one.other_versions:
        why = f"other versions since it was made: {', '.join(one.other_versions)}"
        return Verified(one.name, Verdict.OTHER, (why, *found))
    if found:
        return Verified(one.name, Verdict.DIFFERS, (*([one.otherwise] if one.otherwise else []), *found))
    return Verified(one.name, Verdict.SAME, (), f"although {one.otherwise}" if one.otherwise else "")


def differences(table: Table, stored: Sequence[Mapping[str, Any]], anew: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What differs, by row and column."""
    before, after = _by_key(table, stored), _by_key(table, anew)
    for key in before.keys() - after.keys():
        yield f"{key}: this row is not computed"
    for key in after.keys() - before.keys():
        yield f"{key}: this row is missing"
    for key in sorted(before.keys() & after.keys()):
        for name in columns_of(table):
            was, now = before[key][name], after[key].get(name)
            if not _are_same(was, now):
                yield f"{key}: {name} is {was!r}, and {now!r} is computed{_by_how_much(was, now)}"


def _by_key(table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Rows by their keys; a key twice is told apart by a number."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        key = key_of(table, row)
        found[key if key not in found else f"{key} ({len(found)})"] = row
    return found


def _are_same(was: Any, now: Any) -> bool:
    return type(was) is type(now) and was == now


def _by_how_much(was: Any, now: Any) -> str:
    if not (isinstance(was, float) and isinstance(now, float)) or not (math.isfinite(was) and math.isfinite(now)):
        return ""
    return f" (relative {abs(was - now) / max(abs(was), abs(now)):.2g})"
