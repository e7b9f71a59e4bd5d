"""Which patients changed group, when, and why: the cause is followed from unit to unit to what a person or an archive did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.engine.analysis import Analysis, Kind, Model
from tshdb.engine.units import COHORT, INGEST
from tshdb.errors import NotFound
from tshdb.schema import Attempt, ResultChange, Run, Unit
from tshdb.vocabulary import Damage

MOVED = re.compile(
    r"^(?P<unit>[A-Za-z0-9_.]+/.+?) (?:changed|is gone|is failed|is blocked|is retired|joined as|left|replaced an older)\b"
)
DEPTH = 12


class Flip(NamedTuple):
    """One patient whose group changed in one run. cause: data, code, parameters, members, refit, or the marker table."""

    patient_id: str
    analysis: str
    row: str
    column: str
    before: str | None
    after: str | None
    run_id: int
    at: str
    cause: str
    trail: tuple[str, ...]


def drift(connection: Connection, analyses: Sequence[Analysis], name: str) -> list[Flip]:
    """The groups that moved by a model: of what applies the fit `name`, or by the analysis `name` itself.

    Raises NotFound for an analysis whose changes are not tracked.
    """
    by_name = {a.name: a for a in analyses}
    chosen = by_name.get(name.partition("/")[0])
    if chosen is not None and chosen.kind is Kind.FIT:
        tables = {chosen.makes}
        tracked = [
            a.name
            for a in analyses
            if a.tracks and any(isinstance(n, Model) and n.table in tables for n in a.needs.values())
        ]
    else:
        tracked = [chosen.name] if chosen is not None and chosen.tracks else []
    if not tracked:
        known = [a.name for a in analyses if a.tracks]
        raise NotFound(
            f"'{name}' is no model whose groups are tracked", repair=f"Name a fit, or one of {', '.join(known)}"
        )
    query = (
        select(ResultChange.__table__, Run.started_at)
        .join(Run, Run.run_id == ResultChange.run_id)
        .where(ResultChange.analysis.in_(tracked))
        .order_by(ResultChange.run_id, ResultChange.entity_key, ResultChange.row_part)
    )
    causes = _Causes(connection)
    found = []
    for row in connection.execute(query).mappings().all():
        cause, trail = causes.of(row["unit_id"], row["run_id"])
        found.append(
            Flip(
                row["entity_key"], row["analysis"], row["row_part"], row["column_name"], row["value_before"],
                row["value_after"], row["run_id"], row["started_at"], cause, trail,
            )
        )  # fmt: skip
    return found


class _Causes:
    """Follows reasons of attempts from a unit to what began it."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self._known: dict[tuple[int, int], tuple[str, tuple[str, ...]]] = {}

    def of(self, unit_id: int, run_id: int, depth: int = 0) -> tuple[str, tuple[str, ...]]:
        """(cause, the units on the way to it) of the last change of a unit up to a run."""
        key = (unit_id, run_id)
        if key not in self._known:
            self._known[key] = self._follow(unit_id, run_id, depth)
        return self._known[key]

    def _follow(self, unit_id: int, run_id: int, depth: int) -> tuple[str, tuple[str, ...]]:
        attempt = self.connection.execute(
            select(Attempt.reason, Attempt.detail, Unit.analysis, Unit.key)
            .join(Unit, Unit.unit_id == Attempt.unit_id)
            .where(Attempt.unit_id == unit_id, Attempt.run_id <= run_id, Attempt.is_changed)
            .order_by(Attempt.attempt_id.desc())
            .limit(1)
        ).one_or_none()
        if attempt is None:
            return "not known", ()
        here = f"{attempt.analysis}/{attempt.key}"
        if attempt.reason == "code":
            return f"the code of {attempt.analysis} changed", (here,)
        if attempt.reason == "params":
            return f"the parameters of {attempt.analysis} changed", (here,)
        if attempt.reason == "refit":
            return f"{attempt.analysis} was fitted again on corrected data", (here, attempt.detail)
        if attempt.reason in tuple(Damage):
            return f"{here} was {attempt.reason}, and came out otherwise when it was made again", (here,)
        if attempt.reason in ("new", "failed"):
            return (f"the members changed: {here} was fitted" if "@" in attempt.key else "computed anew"), (here,)
        moved = MOVED.match(attempt.detail.removesuffix(" is due"))
        name = moved["unit"] if moved else attempt.detail.removesuffix(" is due").split(", and ")[0]
        producer, _, key = name.partition("/")
        if producer.startswith(INGEST):
            return "data corrected", (here, name)
        if producer.startswith("reference."):
            return "the marker table changed", (here, name)
        if producer == COHORT:
            return f"the members changed: {key}", (here, name)
        unit = self.connection.execute(select(Unit.unit_id).where(Unit.analysis == producer, Unit.key == key)).scalar()
        if unit is None or depth >= DEPTH:
            return "not known", (here, name)
        cause, trail = self.of(unit, run_id, depth + 1)
        return cause, (here, *trail)


def runs_between(connection: Connection, first: int, second: int) -> list[dict]:
    """What the runs after `first`, up to `second`, computed: analysis, reason, how many units, how many changed."""
    known = set(connection.execute(select(Run.run_id)).scalars())
    for run in (first, second):
        if run not in known and run != 0:
            raise NotFound(f"no run {run}", repair='Runs: tshdb sql "SELECT run_id, started_at, command FROM runs"')
    query = (
        select(Unit.analysis, Attempt.reason, Attempt.state, Attempt.is_changed)
        .join(Unit, Unit.unit_id == Attempt.unit_id)
        .where(Attempt.run_id > first, Attempt.run_id <= second)
    )
    counts: dict[tuple[str, str], dict] = {}
    for analysis, reason, state, is_changed in connection.execute(query):
        entry = counts.setdefault(
            (analysis, reason), {"analysis": analysis, "reason": reason, "units": 0, "changed": 0, "failed": 0}
        )
        entry["units"] += 1
        entry["changed"] += bool(is_changed)
        entry["failed"] += str(state) == "failed"
    return [counts[key] for key in sorted(counts)]
