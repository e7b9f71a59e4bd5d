"""Whether stated causes are true: each must be a difference between what a unit saw when it was last made and what is true now.

The ledger follows every unit through the runs of a history. What may be said of an attempt are the unit's own differences,
and what may be said of those of its inputs that were made, retired or blocked since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import select

from tests.support import moments
from tests.support.life import Life
from tests.support.moments import Expected, Moment, moment
from tshdb.database import reading
from tshdb.engine.analysis import Analysis, Kind, Made, Model, Need
from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import UNRECORDED, Cause
from tshdb.schema import Attempt, Retirement, Unit, UnitInput
from tshdb.study import Study
from tshdb.vocabulary import CauseKind, UnitState

AGAIN_BY_HAND = "tshdb rebuild --refit"
Inputs = Mapping[str, set[str]]  # unit -> its inputs


class Said(NamedTuple):
    """What was recorded of a unit in a run."""

    unit: str
    causes: frozenset[Cause]
    is_retired: bool


def stated(study: Study, run_id: int) -> list[Said]:
    """The causes of every attempt and retirement of a run, in their order."""
    found = []
    with reading(study.engine) as connection:
        for table in (Retirement, Attempt):
            query = select(Unit.analysis, Unit.key, table.cause_set).join(Unit, Unit.unit_id == table.unit_id)
            rows = connection.execute(
                query.where(table.run_id == run_id).order_by(*table.__table__.primary_key)
            ).fetchall()
            sets = causes_of_sets(connection, [r.cause_set for r in rows if r.cause_set is not None])
            found += [
                Said(f"{r.analysis}/{r.key}", sets.get(r.cause_set, frozenset({UNRECORDED})), table is Retirement)
                for r in rows
            ]
    return found


def edges(study: Study) -> Inputs:
    """unit -> the inputs that it has in the database."""
    mine, other = Unit.__table__.alias(), Unit.__table__.alias()
    query = (
        select(mine.c.analysis, mine.c.key, other.c.analysis, other.c.key)
        .join(UnitInput, UnitInput.unit_id == mine.c.unit_id)
        .join(other, other.c.unit_id == UnitInput.input_unit_id)
    )
    found: dict[str, set[str]] = defaultdict(set)
    with reading(study.engine) as connection:
        for analysis, key, producer, input_key in connection.execute(query):
            found[f"{analysis}/{key}"].add(f"{producer}/{input_key}")
    return found


class Ledger:
    """All runs of a history, and what may be said of each unit in each of them."""

    def __init__(self, life: Life):
        self.life = life
        self.moments: list[Moment] = []
        self.members: list[Mapping[str, tuple[str, ...]]] = []  # after each run: name@version -> members
        self.n_files: list[int] = []
        self.names: list[frozenset[str]] = []  # the analyses that each run was for
        self.last: dict[str, int] = {}  # unit -> the run that last made or retired it
        self.attempted: set[str] = set()  # analyses of which anything was ever computed
        self.events: dict[str, list[tuple[int, frozenset[Expected]]]] = defaultdict(list)
        self.said: dict[str, frozenset[Cause]] = {}  # what the last run recorded of each unit
        self._inputs: Inputs = {}

    def begin(self, names: Iterable[str]) -> None:
        """Just before a run."""
        self.moments.append(moment(self.life))
        self.n_files.append(len(self.life.files))
        self.names.append(frozenset(names))
        self._inputs = edges(self.life.study)

    def untrue(self, run, is_refit: bool, planned_inputs: Inputs) -> Iterator[str]:
        """What is wrong with the causes that a run recorded, in words."""
        self.members.append(moment(self.life).versions)
        after = edges(self.life.study)
        said = stated(self.life.study, run.report.run_id)
        self.said = {one.unit: one.causes for one in said}
        blocked = run.became(UnitState.BLOCKED)
        by_analysis: dict[str, list[Said]] = defaultdict(list)
        for one in said:
            by_analysis[one.unit.split("/")[0]].append(one)
        for unit in blocked - {s.unit for s in said}:
            by_analysis[unit.split("/")[0]].append(Said(unit, frozenset(), False))
        attempted = {s.unit.split("/")[0] for s in said if not s.is_retired}
        for name, plan in run.plans.items():  # inputs come first
            found, wrong = {}, defaultdict(list)
            for one in by_analysis[name]:
                inputs = {i for known in (self._inputs, after, planned_inputs) for i in known.get(one.unit, ())}
                allowed = frozenset(self._allowed(plan.analysis, one, inputs, run, is_refit))
                found[one.unit] = allowed
                for what in _judged(one, allowed, is_blocked=one.unit in blocked):
                    wrong[what].append(one.unit)
                for what in () if one.is_retired or one.unit in blocked else self._left_out(plan.analysis, one, run):
                    wrong[what].append(one.unit)
            for unit, allowed in found.items():
                self.events[unit].append((len(self.moments) - 1, allowed))
            for what, some in wrong.items():
                n_more = f" and {len(some) - 1} more" if len(some) > 1 else ""
                yield f"{some[0]}{n_more}: {what}; it may be {_some(found[some[0]])}"
        unplanned: dict[Cause, list[str]] = defaultdict(list)
        for one in said:
            for cause in one.causes - run.causes.get(one.unit, one.causes):  # of what is not due a plan names none
                unplanned[cause].append(one.unit)
        for cause, some in unplanned.items():
            yield f"the plan of {', '.join(some[:3])}, {len(some)} in all, did not name {tuple(cause)[:5]}"
        for one in said:
            self.last[one.unit] = len(self.moments) - 1
            self.life.harmed.pop(one.unit, None)
        self.attempted |= attempted

    def _left_out(self, analysis: Analysis, one: Said, run) -> Iterator[str]:
        """The unit's own differences must all be said: of settings and definitions, and that its cohort is listed."""
        since = self._since(analysis, one.unit)
        if since is None or analysis.name not in self.attempted:
            return
        was, now = self.moments[since], self.moments[-1]
        must = [*moments.settings_changed(analysis, was, now), *moments.code_changed(self.life, analysis, was, now)]
        cohort = one.unit.partition("/")[2].partition("@")[0]
        if one.unit not in run.before or run.before[one.unit].state not in (UnitState.CURRENT, UnitState.FAILED):
            # it had no result: how that is made is no reason
            must = list(moments.listed(analysis, cohort, was, now)) if analysis.over_cohort else []
        for expected in must:
            if not any(expected.fits(cause) for cause in one.causes):
                yield f"made, and {tuple(expected)} is not said"

    # ------------------------------------------------------------------------------------------------ what may be said

    def _allowed(self, analysis: Analysis, said: Said, inputs: set[str], run, is_refit: bool) -> Iterator[Expected]:
        unit, life = said.unit, self.life
        key = unit.partition("/")[2]
        since = self._since(analysis, unit)
        if analysis.name not in self.attempted:
            yield Expected(CauseKind.FIRST, analysis.name)
        if unit in run.before and run.before[unit].state == UnitState.FAILED:
            yield Expected(CauseKind.AGAIN, unit)
        if is_refit and analysis.kind is Kind.FIT:
            yield Expected(CauseKind.REFIT, AGAIN_BY_HAND)
        if unit in life.harmed:
            yield Expected(life.harmed[unit], unit)
        for input_unit in inputs:
            for number, found in self.events[input_unit]:
                if since is None or number > since:
                    yield from found
        if since is None:
            return
        was, now = self.moments[since], self.moments[-1]
        yield from moments.settings_changed(analysis, was, now)
        yield from moments.code_changed(life, analysis, was, now)
        yield from moments.markers_changed(analysis, was, now)
        yield from self._made(analysis, was, now)
        for need in analysis.needs.values():
            fit = next((a for a in life.analyses if a.makes is need.table), None)
            if isinstance(need, Model) and fit is not None:
                yield from self._of_cohorts(fit, {*was.lists[fit.name], *now.lists[fit.name]}, since)
        if analysis.over_cohort:
            yield from self._of_cohorts(analysis, {key.partition("@")[0]}, since)
        trained = {i.partition("/")[2].partition("@")[0] for i in inputs if i.startswith("cohort/")}
        yield from self._of_cohorts(analysis, trained, since)
        patients, tables = self._patients(analysis, key, was, now), self._tables(analysis)
        stands = unit in self.last and unit in run.before and run.before[unit].state != UnitState.RETIRED
        comes_or_goes = said.is_retired or not stands  # for which any row of the patient may be the reason
        for row in self._rows(since):
            if row.patient in patients and (row.table in tables or comes_or_goes):
                yield row.cause

    def _since(self, analysis: Analysis, unit: str) -> int | None:
        """The run in which a unit was last made or retired; of a new one, the last that was for its analysis; None at first."""
        if unit in self.last:
            return self.last[unit]
        return next((i for i in range(len(self.names) - 2, -1, -1) if analysis.name in self.names[i]), None)

    def _made(self, analysis: Analysis, was: Moment, now: Moment) -> Iterator[Expected]:
        """How a table is made is an input of who reads that: settings of all analyses behind it."""
        waiting = [n.of for n in analysis.needs.values() if isinstance(n, Made)]
        while waiting:
            table = waiting.pop()
            for other in self.life.analyses:
                if other.makes is table:
                    yield from (e for e in moments.settings_changed(other, was, now) if e.kind is CauseKind.PARAMETER)
                    waiting += [n.table for n in other.needs.values()]

    def _of_cohorts(self, analysis: Analysis, cohorts: set[str], asked: int) -> Iterator[Expected]:
        """What became of cohorts since a run; of one that was not named then, since the analysis last ran over it."""
        for cohort in cohorts:
            mine = [
                n for u, n in self.last.items() if u.partition("@")[0] == f"{analysis.name}/{cohort}" and n <= asked
            ]
            since = min(asked, max(mine, default=asked))
            was, now = self.moments[since], self.moments[-1]
            yield from moments.listed(analysis, cohort, was, now)
            yield from moments.cohort_changed(cohort, self.moments[: since + 1], now)
            sides = [self._newest(self.members[since], cohort), self._newest(self.members[-1], cohort)]
            yield from moments.members_changed(cohort, *sides)
            moved = set(sides[0]) ^ set(sides[1])
            stood = next(i for i in range(since + 1) if self._newest(self.members[i], cohort) == sides[0])
            yield from (row.cause for row in self._rows(stood) if row.patient in moved)
            for sql in {was.definitions.get(cohort, ""), now.definitions.get(cohort, "")}:  # it may select on results
                for maker in self.life.analyses:
                    if f" {maker.makes.__tablename__} " in f"{sql} ":
                        of_maker = [u for u in self.events if u.split("/")[0] == maker.name]
                        yield from (e for u in of_maker for n, found in self.events[u] if n > since for e in found)

    @staticmethod
    def _newest(versions: Mapping[str, tuple[str, ...]], cohort: str) -> tuple[str, ...]:
        numbers = [int(v.partition("@")[2]) for v in versions if v.partition("@")[0] == cohort]
        return versions[f"{cohort}@{max(numbers)}"] if numbers else ()

    def _rows(self, since: int) -> Iterator[moments.Row]:
        """The rows that were ingested after a run, by hand."""
        patients = {**self.moments[since].patients, **self.moments[-1].patients}
        files = self.life.files[self.n_files[since] - 1 : self.n_files[-1]]
        for before, after in zip(files, files[1:], strict=False):
            yield from moments.rows_changed(before, after, patients)

    def _patients(self, analysis: Analysis, key: str, was: Moment, now: Moment) -> set[str]:
        """The patients whose rows a unit may rest on."""
        if analysis.over_cohort:
            return {p for one in (was, now) for p in one.archive.patients}
        if analysis.per in ("patient", "profile"):
            return {key[:12]}
        entity = key.partition("|")[0]
        named = {one.patients[entity] for one in (was, now) if entity in one.patients}
        return named or {p for one in (was, now) for p in one.archive.patients if p in key}

    def _tables(self, analysis: Analysis) -> set[str]:
        """The ingested tables that decide what a unit's inputs are."""
        made = {a.makes for a in self.life.analyses}
        needs = [n for n in analysis.needs.values() if isinstance(n, Need)]
        found = {n.table.__tablename__ for n in needs if n.table not in made}
        for need in needs:
            found |= {t for t in moments.INGESTED if need.via.sql is not None and f" {t} " in need.via.sql}
        return found


def _judged(one: Said, allowed: frozenset[Expected], is_blocked: bool) -> Iterator[str]:
    """What is wrong with the causes of one unit, in words."""
    if is_blocked and not one.causes:  # nothing is recorded of it
        return
    done = "retired" if one.is_retired else "made"
    for cause in one.causes:
        if not any(expected.fits(cause) for expected in allowed):
            yield f"{done} since {tuple(cause)[:5]}"
    if not one.causes:
        yield f"{done} without a cause"


def _some(allowed: Iterable[Expected]) -> str:
    said = sorted({str(tuple(None if v is None else v.replace(moments.ANY, "*") for v in e)) for e in allowed})
    return f"{'; '.join(s[:160] for s in said[:6])}{f' and {len(said) - 6} more' if len(said) > 6 else ''}" or "nothing"
