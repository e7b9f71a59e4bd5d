"""What units cost in this study, from `run_costs` and `attempts`: of the analyses of which something is due."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, func, select

from tshdb.database import numbers
from tshdb.engine.analysis import Analysis
from tshdb.engine.costs.took import Sizes, Took, sizes_of, telling
from tshdb.engine.plan import AnalysisPlan, Reason
from tshdb.engine.units import select_ids
from tshdb.schema import Attempt, RunCost, Spec, Unit, UnitInput
from tshdb.vocabulary import UnitState

LAST = 3  # computations of a unit over a cohort that are looked at


@dataclass(frozen=True)
class Own:
    """took: analysis -> what runs took, the newest last; of_cohort: (analysis, cohort) -> its last units, of any version."""

    took: Mapping[str, tuple[Took, ...]] = field(default_factory=dict)
    of_cohort: Mapping[tuple[str, str], tuple[Took, ...]] = field(default_factory=dict)


def cohort_of(key: str) -> str:
    """The cohort of a unit over a cohort, whose key is its name, or name@version."""
    return key.partition("@")[0]


def measured(connection: Connection, plans: Iterable[AnalysisPlan]) -> Own:
    """What the study has measured of the analyses of which something is due."""
    due = {plan.analysis.name: plan.analysis for plan in plans if plan.due}
    if not due:
        return Own()
    took = _runs(connection, due)
    return Own(took, _of_cohorts(connection, due, took))


def _runs(connection: Connection, due: Mapping[str, Analysis]) -> dict[str, tuple[Took, ...]]:
    """analysis -> its runs; of one from before revision 0012 its attempts say all that is known."""
    by_analysis: dict[str, list[Took]] = defaultdict(list)
    query = select(RunCost.__table__).where(RunCost.analysis.in_(due)).order_by(RunCost.run_id)
    for row in connection.execute(query):
        by_analysis[row.analysis].append(Took(row.n_units, row.seconds, row.n_workers, run_id=row.run_id))
    computing = _computing(
        connection, due, {t.run_id for took in by_analysis.values() for t in took if t.run_id is not None}
    )
    chosen = {name: telling(t for t in took if _came_to_results(t, computing.get((name, t.run_id))))
            for name, took in by_analysis.items()}  # fmt: skip
    if untold := [name for name in due if not chosen.get(name)]:
        former = _computing(connection, untold)
        for (name, run), (n, seconds) in sorted(former.items()):
            chosen[name] = telling((*chosen.get(name, ()), Took(n, seconds, run_id=run)))
        computing |= former
    sizes = _sizes(connection, due)

    def with_all(name: str, took: Took) -> Took:
        n, seconds = computing[name, took.run_id]
        return replace(took, computing=seconds / n, sizes=sizes.get((name, took.run_id), Sizes()))

    return {name: tuple(with_all(name, t) for t in took) for name, took in chosen.items()}


def _came_to_results(took: Took, computed: tuple[int, float] | None) -> bool:
    """Whether half of the units did not fail: what fails may fail at once."""
    return computed is not None and computed[0] * 2 >= took.n_units


def _computing(
    connection: Connection, names: Collection[str], runs: Collection[int] | None = None
) -> dict[tuple[str, int | None], tuple[int, float]]:
    """(analysis, run) -> (units, seconds) of the computations that came to a result. runs: these alone."""
    query = (
        select(Unit.analysis, Attempt.run_id, func.count(), func.sum(Attempt.seconds))
        .join(Unit, Unit.unit_id == Attempt.unit_id)
        .where(Unit.analysis.in_(names), Attempt.state == UnitState.CURRENT, Attempt.seconds > 0)
        .group_by(Unit.analysis, Attempt.run_id)
    )
    if runs is not None:
        query = query.where(Attempt.run_id.in_(runs))
    return {(name, run): (n, seconds) for name, run, n, seconds in connection.execute(query)}


def _sizes(connection: Connection, due: Mapping[str, Analysis]) -> dict[tuple[str, int | None], Sizes]:
    """(analysis, run) -> the sizes by its parameters, of runs whose results still stand."""
    specs = select(Spec.spec_id, Spec.params).where(Spec.analysis.in_(due))
    params = {spec: text for spec, text in connection.execute(specs)}
    query = select(Unit.analysis, Unit.run_id, Unit.spec_id).where(Unit.analysis.in_(due)).distinct()
    return {
        (name, run): sizes_of(json.loads(params[spec]), due[name].key_field)
        for name, run, spec in connection.execute(query)
        if spec in params
    }


def _of_cohorts(
    connection: Connection, due: Mapping[str, Analysis], took: Mapping[str, tuple[Took, ...]]
) -> dict[tuple[str, str], tuple[Took, ...]]:
    """(analysis, cohort) -> what the last units over its versions took, since code or parameters were others."""
    names = [name for name, analysis in due.items() if analysis.over_cohort]
    columns = (
        Unit.analysis, Unit.key, Unit.unit_id, Attempt.run_id, Attempt.seconds, Attempt.reason, Spec.params
    )  # fmt: skip
    query = (
        select(*columns)
        .join(Attempt, Attempt.unit_id == Unit.unit_id)
        .join(Spec, Spec.spec_id == Unit.spec_id)
        .where(Unit.analysis.in_(names), Attempt.state == UnitState.CURRENT, Attempt.seconds > 0)
        .order_by(Attempt.attempt_id)
    )
    rows: dict[tuple[str, str], list] = defaultdict(list)
    for row in connection.execute(query):
        here = row.analysis, cohort_of(row.key)
        rows[here] = [*(rows[here] if row.reason not in (Reason.PARAMS, Reason.CODE) else ()), row][-LAST:]
    with numbers(connection, "cohort_units", {row.unit_id for attempts in rows.values() for row in attempts}) as ids:
        counted = (
            select(UnitInput.unit_id, func.count())
            .where(UnitInput.unit_id.in_(select_ids(ids)))
            .group_by(UnitInput.unit_id)
        )
        n_inputs = {unit_id: n for unit_id, n in connection.execute(counted)}
    besides = {(name, t.run_id): _besides(t) for name in names for t in took.get(name, ())}

    def took_of(row) -> Took:
        sizes = sizes_of(json.loads(row.params), due[row.analysis].key_field, n_inputs.get(row.unit_id))
        elapsed = row.seconds + besides.get((row.analysis, row.run_id), 0.0)
        return Took(1, elapsed, sizes=sizes, computing=row.seconds, run_id=row.run_id)

    return {here: tuple(map(took_of, attempts)) for here, attempts in rows.items()}


def _besides(took: Took) -> float:
    """Seconds a unit that a run took besides computing: reading, writing, looking."""
    computing = (took.computing or 0.0) * took.n_units / min(took.n_workers, took.n_units)
    return max(0.0, took.seconds - computing) / took.n_units
