"""What began a change of results: one value a cause, and what is said of it.

A unit's causes are found when it is due (`roots`), stored when it is committed (`cause_sets`), and read by whoever asks why:
`why`, `drift`, `diff`, `history`, `status`, `model list`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

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
        if subject.startswith(("the command", "the script ")):  # of a program
            return f"{subject} {what}{place}"
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
    changes = [f"{c} {_short(str(before[c]))} -> {_short(str(after[c]))}" for c in list(before)[:SHOWN]]
    more = f" and {len(before) - SHOWN:,} more" if len(before) > SHOWN else ""  # a profile has thousands of genes
    return ", ".join(changes) + more or "changed"


def in_order(cause: Cause) -> tuple[str, ...]:
    """By what causes are sorted."""
    return tuple("" if v is None else str(v) for v in cause)


def causes_in_words(causes: Iterable[Cause], at_most: int = 3) -> str:
    """Causes in one line: each kind of datum and member counted where there are several."""
    by_kind: dict[CauseKind, list[Cause]] = defaultdict(list)
    for cause in sorted(causes, key=in_order):
        by_kind[cause.kind].append(cause)
    parts: list[str] = []
    for kind, alike in by_kind.items():
        if kind in _COUNTED and len(alike) > 1:
            parts.append(_COUNTED[kind].format(n=len(alike), first=alike[0].subject))
        else:
            parts += [str(cause) for cause in alike[:at_most]]
            if len(alike) > at_most:
                parts.append(f"and {len(alike) - at_most:,} more of {kind.value}")
    return "; ".join(parts) or "not recorded"


_COUNTED = {
    CauseKind.DATUM: "{n:,} rows of data, such as {first}",
    CauseKind.MEMBER: "{n:,} members came or left, such as {first}",
    CauseKind.AGAIN: "{n:,} units failed before, such as {first}",
    CauseKind.LOST: "{n:,} results were lost, such as {first}",
    CauseKind.EDITED: "{n:,} results were edited, such as {first}",
    CauseKind.DAMAGED: "{n:,} results were damaged, such as {first}",
}
