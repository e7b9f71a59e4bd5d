"""Which value holds where several sources speak of one row, and what becomes of the others.

Rows are merged column by column. A decision of a person holds before all (`ingest decisions`). Else the readers' order of
precedence says whom to believe (`believed`); of sources that stand alike the later word holds, by the dates in them (`dated`),
never by their names. Where such sources differ and none is the later one, the value is not known until somebody decides.
A source that says otherwise than what holds makes a row of `conflicts`. Outcomes have a rule of their own (`outcome`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tshdb.loading.believed import (
    DECIDED,
    NOBODY_KNOWS,
    UNDECIDED,
    Disagreement,
    Held,
    against,
    decided,
    decision_on,
    in_precedence,
    is_decision,
    latest,
    precedence_rule,
)
from tshdb.loading.outcome import outcome
from tshdb.loading.sources import SourceRow
from tshdb.schema import Base, FollowUp

Ranks = Sequence[Sequence[SourceRow]]


def reconcile(table: type[Base], rows: Sequence[SourceRow]) -> tuple[dict[str, Any] | None, list[Disagreement]]:
    """(the row that holds, the disagreements), from all that sources say of it; no row where there are decisions alone."""
    if len(rows) == 1 and not is_decision(rows[0]):
        return _alone(table, rows[0]), []
    decisions = [row for row in rows if is_decision(row)]
    spoken = in_precedence([row for row in rows if not is_decision(row)])
    if not spoken:
        return None, []
    if table is FollowUp:
        return outcome(spoken, decisions)
    return _by_column(table, spoken, decisions)


def _alone(table: type[Base], said: SourceRow) -> dict[str, Any]:
    """The row of one source."""
    row = {c.name: said.values.get(c.name) for c in table.__table__.columns}
    for name in row if table is not FollowUp else ():
        if name.endswith("_reason") and row.get(name.removesuffix("_reason")) is not None:
            row[name] = None
    return row


def _by_column(
    table: type[Base], ranks: Ranks, decisions: Sequence[SourceRow]
) -> tuple[dict[str, Any], list[Disagreement]]:
    columns = table.__table__.columns
    held = {c.name: _held(c.name, bool(c.nullable), ranks, decisions) for c in columns}
    row = {name: each.value for name, each in held.items()}
    for name in row:  # a reason for having no value is that of the value
        of = held.get(name.removesuffix("_reason")) if name.endswith("_reason") else None
        if of is not None and of.value is not None:
            row[name] = None
        elif of is not None and of.is_undecided:
            row[name] = NOBODY_KNOWS
        elif of is not None and of.by is not None and is_decision(of.by):
            row[name] = decided(of.by, name.removesuffix("_reason"))
    said = [name for name in held if not name.endswith(("_reason", "_rule"))]
    return row, [d for name in said for d in held[name].disagreements]


def _any(speaking: Ranks, name: str) -> Any:
    return speaking[0][0].values[name] if speaking else None


def _held(name: str, may_be_empty: bool, ranks: Ranks, decisions: Sequence[SourceRow]) -> Held:
    """What holds of one column that is merged by itself."""
    speaking = [said for rank in ranks if (said := [row for row in rank if row.values.get(name) is not None])]
    everybody = [row for rank in speaking for row in rank]
    decision = decision_on(name, decisions)
    if decision is not None and (may_be_empty or decision.values[name] is not None):
        held = Held(decision.values[name], decision, [])
        return held._replace(disagreements=against(name, held, everybody, decided(decision, name)))
    differing = [row for row in decisions if name in row.values[DECIDED]] if decision is None else []
    if (
        differing
    ):  # several people, or one of two minds: nobody's decision holds until they are settled among themselves
        rule = f"{UNDECIDED}: decisions disagree"
        return Held(None if may_be_empty else _any(speaking, name), None, [
            Disagreement(name, None, None, row, row.values[name], rule) for row in (*differing, *everybody)
        ])  # fmt: skip
    if not speaking:
        return Held(None, None, [])
    last = latest(speaking[0])
    held = Held(last[0].values[name], last[0], [])
    if all(row.values[name] == held.value for row in last):
        return held._replace(disagreements=against(name, held, everybody, precedence_rule()))
    if may_be_empty:
        held = Held(None, None, [])
    undecided = against(name, held._replace(by=None), everybody, f"{UNDECIDED}: {NOBODY_KNOWS}")
    return held._replace(by=None, disagreements=undecided)
