"""Which patients changed group, when, and why; and what the runs between two runs computed, from what causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Enum, and_, or_, select

from tshdb.attribution import Attribution, facts, tallies, together
from tshdb.engine.analysis import Analysis, Kind, Model
from tshdb.engine.causes import causes_in_words
from tshdb.errors import NotFound
from tshdb.near import did_you_mean
from tshdb.schema import ResultChange, Run


class Flip(NamedTuple):
    """One patient whose group changed in one run.

    row: which of the unit's rows it is now.
    row_before: which it was, where that was another one, as by another population.
    before, after: the group, None where there was or is none.
    cause: what began it, in words.
    trail: the units on the way.
    """

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
    row_before: str | None = None


def groups_of(analysis: Analysis) -> tuple[str, ...]:
    """The tracked columns that hold groups, of a closed set; the others are numbers."""
    return tuple(c for c in analysis.tracks if isinstance(analysis.makes.__table__.c[c].type, Enum))


def drift(connection: Connection, analyses: Sequence[Analysis], name: str) -> list[Flip]:
    """The groups that moved by a model: of what applies the fit `name`, and of the analysis `name` itself.

    Raises NotFound for an analysis whose groups are not tracked.
    """
    tracked = {a.name: groups for a in analyses if (groups := groups_of(a))}
    chosen = next((a for a in analyses if a.name == name.partition("/")[0]), None)
    names = [chosen.name] if chosen is not None and chosen.name in tracked else []  # a fit can have groups of its own
    if chosen is not None and chosen.kind is Kind.FIT:
        applied = (a for a in analyses if a.name in tracked)
        names += [a.name for a in applied
                  if any(isinstance(n, Model) and n.table is chosen.makes for n in a.needs.values())]  # fmt: skip
    if not names:
        raise NotFound(
            f"'{name}' is no model whose groups are tracked",
            repair=did_you_mean(name, [a.name for a in analyses], f"Name a fit, or one of {', '.join(tracked)}")
            if tracked
            else "No analysis of this study has groups that are tracked",
        )
    change = ResultChange
    of_tracked = [and_(change.analysis == n, change.column_name.in_(tracked[n])) for n in names]
    query = (
        select(change.__table__, Run.started_at)
        .join(Run, Run.run_id == change.run_id)
        .where(or_(*of_tracked))
        .order_by(change.run_id, change.entity_key, change.row_part, change.result_change_id)
    )
    rows = connection.execute(query).mappings().all()
    recorded = Attribution(connection, [(row["unit_id"], row["run_id"]) for row in rows])
    flips = []
    for row in rows:
        moved = row["unit_id"], row["run_id"]
        flips.append(
            Flip(
                row["entity_key"], row["analysis"], row["row_part"], row["column_name"], row["value_before"],
                row["value_after"], row["run_id"], row["started_at"], causes_in_words(recorded.causes[moved]),
                recorded.trails[moved], row["row_part_before"],
            )
        )  # fmt: skip
    return flips


OTHER_COMPARISONS = (
    "What changed, and when: tshdb history. Versions of a cohort: tshdb cohort diff; other settings: "
    "tshdb variants diff"
)


def _runs_of(known: set[int]) -> str:
    if not known:
        return "Nothing was computed yet, so there are no runs: tshdb plan"
    return f"Runs are numbered {min(known)} to {max(known)}: tshdb history"


def runs_between(connection: Connection, first: int, second: int) -> list[dict[str, Any]]:
    """What the runs after `first`, up to `second`, computed, by analysis and what began it.

    Of each: how many units, how many of them came out different, how many failed, and the causes, as values and in words.
    Raises NotFound for a run that there is not.
    """
    known = set(connection.execute(select(Run.run_id)).scalars())
    for run in (first, second):
        if run not in known and run != 0:
            raise NotFound(f"no run {run}", repair=f"{_runs_of(known)}. {OTHER_COMPARISONS}")
    summed = together(t._replace(run_id=0) for t in tallies(connection, first, second))
    return [
        {
            "analysis": t.analysis, "because": causes_in_words(t.causes), "units": t.n_units, "changed": t.n_changed,
            "failed": t.n_failed, "causes": facts(t.causes),
        }
        for t in summed
    ]  # fmt: skip
