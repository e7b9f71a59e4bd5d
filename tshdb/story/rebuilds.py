"""What rebuilds computed, grouped by what began it, with the groups and numbers that moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from tshdb.attribution import NOT_RECORDED, Attribution, alike, facts, tallies
from tshdb.drift import groups_of
from tshdb.engine.analysis import Analysis
from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import Cause, Causes, causes_in_words
from tshdb.schema import ResultChange, Retirement, Run, Unit
from tshdb.story.event import Event, EventKind, counted, event, moved, several
from tshdb.story.scope import Scope
from tshdb.text.counts import plural
from tshdb.vocabulary import CauseKind

FEW_PER_ANALYSIS, FEW_AT_ALL = 2, 6  # moved values that a line shows


@dataclass
class _Group:
    """What like causes began in one run. The counts are by analysis."""

    causes: set[Cause] = field(default_factory=set)
    units: Counter[str] = field(default_factory=Counter)  # attempted
    changed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    moved: list[dict[str, Any]] = field(default_factory=list)

    @property
    def n_different(self) -> int:
        return self.changed.total() + self.failed.total() + self.gone.total()


def rebuilds(connection: Connection, analyses: Sequence[Analysis], scope: Scope, since: str) -> Iterator[Event]:
    """One event for each kind of cause in each run that computed or retired something; the largest first."""
    if scope.units is None:
        return
    columns = (Run.run_id, Run.started_at, Run.command, Run.actor, Run.state)
    query = select(*columns).where(Run.started_at >= since).order_by(Run.run_id)
    runs = connection.execute(query).fetchall()
    if not runs:
        return
    by_name = {a.name: a for a in analyses}
    order = {name: i for i, name in enumerate(by_name)}
    groups = _groups(connection, scope.units, runs[0].run_id - 1)
    for run in runs:
        for group in sorted(groups[run.run_id].values(), key=lambda g: (-g.n_different, causes_in_words(g.causes))):
            if scope.of_one and not group.n_different:
                continue
            group.moved.sort(key=lambda row: order.get(row["analysis"], len(order)))
            yield event(
                run.started_at, EventKind.REBUILD, f"run {run.run_id}", _says(group, by_name), run=run.run_id,
                command=run.command, actor=run.actor, state=run.state.value, because=causes_in_words(group.causes),
                causes=facts(frozenset(group.causes)), analyses=_counts(group, order), moved=group.moved,
            )  # fmt: skip


def programs(connection: Connection, scope: Scope, since: str) -> Iterator[Event]:
    """Runs before which another version of tshdb had computed."""
    query = select(Run.run_id, Run.started_at, Run.program_version).where(Run.program_version.is_not(None))
    runs = connection.execute(query.order_by(Run.run_id)).fetchall() if scope.is_whole else []
    for before, run in pairwise(runs):
        if run.program_version != before.program_version and run.started_at >= since:
            text = f"tshdb {run.program_version} computes, before it was {before.program_version}"
            yield event(run.started_at, EventKind.PROGRAM, f"run {run.run_id}", text, run=run.run_id,
                        program=run.program_version, program_before=before.program_version)  # fmt: skip


Groups = dict[int, dict[frozenset, _Group]]  # run -> like causes -> what they began


def _groups(connection: Connection, units: ColumnElement[bool], after: int) -> Groups:
    """Of the runs after `after`. units: a condition that chooses units."""
    groups: Groups = defaultdict(lambda: defaultdict(_Group))

    def group_of(run_id: int, causes: Causes) -> _Group:
        group = groups[run_id][alike(causes)]
        group.causes |= causes
        return group

    for tally in tallies(connection, after, units=units):
        group = group_of(tally.run_id, tally.causes)
        group.units[tally.analysis] += tally.n_units
        group.changed[tally.analysis] += tally.n_changed - tally.n_failed  # what failed is counted once
        group.failed[tally.analysis] += tally.n_failed
    for run_id, analysis, causes, n in _retired(connection, units, after):
        group_of(run_id, causes).gone[analysis] += n
    for run_id, causes, row in _values(connection, units, after):
        group_of(run_id, causes).moved.append(row)
    return groups


def _retired(connection: Connection, units: ColumnElement[bool], after: int) -> list[tuple[int, str, Causes, int]]:
    r = Retirement
    query = (
        select(r.run_id, Unit.analysis, r.cause_set, func.count())
        .join(Unit, Unit.unit_id == r.unit_id)
        .where(r.run_id > after, units)
        .group_by(r.run_id, Unit.analysis, r.cause_set)
        .order_by(r.run_id, Unit.analysis, r.cause_set)
    )
    rows = connection.execute(query).fetchall()
    recorded = causes_of_sets(connection, {number for _, _, number, _ in rows if number is not None})
    return [
        (run, analysis, NOT_RECORDED if number is None else recorded.get(number, NOT_RECORDED), n)
        for run, analysis, number, n in rows
    ]


def _values(connection: Connection, units: ColumnElement[bool], after: int) -> Iterator[tuple[int, Causes, dict]]:
    """(run, causes, what moved) of every value that was replaced."""
    c = ResultChange
    query = select(c).join(Unit, Unit.unit_id == c.unit_id).where(c.run_id > after, units).order_by(c.result_change_id)
    rows = connection.execute(query.with_only_columns(*c.__table__.columns)).fetchall()
    causes = Attribution(connection, [(row.unit_id, row.run_id) for row in rows]).causes
    for row in rows:
        yield row.run_id, causes[row.unit_id, row.run_id], {
            "analysis": row.analysis, "key": row.entity_key, "row": row.row_part, "row_before": row.row_part_before,
            "column": row.column_name, "before": row.value_before, "after": row.value_after,
        }  # fmt: skip


def _counts(group: _Group, order: dict[str, int]) -> list[dict[str, Any]]:
    names = sorted(group.units.keys() | group.gone.keys(), key=lambda n: (order.get(n, len(order)), n))
    return [
        {"analysis": n, "units": group.units[n], "changed": group.changed[n], "failed": group.failed[n], "gone": group.gone[n]}
        for n in names
    ]  # fmt: skip


def _says(group: _Group, by_name: dict[str, Analysis]) -> str:
    """The line: how many units of what, what moved, and from what cause."""
    is_first = all(cause.kind is CauseKind.FIRST for cause in group.causes)
    counts = {
        "computed for the first time" if is_first else "changed": group.changed,
        "failed": group.failed,
        "gone": group.gone,
    }
    parts = [f"{_units(units)} {what}" for what, units in counts.items() if units.total()]
    if not parts and group.units:
        parts = [f"{_units(group.units)} came out the same"]
    lines = list(_moved(group, by_name))
    text = ", ".join(parts) + (": " if parts and lines else "") + "; ".join(lines)
    return text if is_first else f"{text}. Because: {causes_in_words(group.causes)}"


def _units(counts: Counter[str]) -> str:
    names = [name for name, n in counts.items() if n]
    n = plural(counts.total(), "unit")
    return f"{n} of {names[0]}" if len(names) == 1 else f"{n} of {len(names)} analyses ({counted(counts)})"


def _moved(group: _Group, by_name: dict[str, Analysis]) -> Iterator[str]:
    """What moved: numbers one by one, groups by what they were and are; a few of each analysis."""
    lines: dict[str, list[tuple[int, str]]] = defaultdict(list)  # analysis -> (how many values, line)
    flips: dict[tuple[str, str, str | None, str | None], list[str]] = {}
    for row in group.moved:
        analysis = by_name.get(row["analysis"])
        if analysis is not None and row["column"] in groups_of(analysis):
            flips.setdefault((row["analysis"], row["column"], row["before"], row["after"]), []).append(row["key"])
        else:
            lines[row["analysis"]].append((1, _number(row)))
    for (name, column, before, after), keys in flips.items():
        lines[name].append((len(keys), f"{name} {column} {moved(before, after)} {len(keys):,} ({several(keys)})"))
    shown = [pair for pairs in lines.values() for pair in pairs[:FEW_PER_ANALYSIS]][:FEW_AT_ALL]
    yield from (line for _, line in shown)
    left = sum(n for pairs in lines.values() for n, _ in pairs) - sum(n for n, _ in shown)
    if left:
        yield f"and {left:,} more"


def _number(row: dict[str, Any]) -> str:
    key, before = row["row"], row["row_before"] or ""
    of = f" {_parts(key)}" if key else ""
    was = before.removesuffix(f"|{key}") if key else before  # of another version of the cohort, the same row
    return (
        f"{row['analysis']}/{row['key']}{of} {row['column']} {moved(row['before'], row['after'])}"
        + (f" ({_parts(was)} before)" if was else "")
    )  # fmt: skip


def _parts(row: str) -> str:
    """The parts of a row's key, as words."""
    return row.replace("|", ", ")
