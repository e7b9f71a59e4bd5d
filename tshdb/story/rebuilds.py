"""What rebuilds computed, grouped by what began it, with the groups and numbers that moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from tshdb.attribution import NOT_RECORDED, alike, attributed, facts, tallies
from tshdb.drift import groups_of
from tshdb.engine.analysis import Analysis
from tshdb.engine.causes import Cause, Causes, causes_of_sets, told
from tshdb.schema import ResultChange, Retirement, Run, Unit
from tshdb.story.event import Event, Kind, counted, event, moved, plural, several
from tshdb.story.scope import Scope
from tshdb.vocabulary import CauseKind

FEW_PER_ANALYSIS, FEW_AT_ALL = 2, 6  # moved values that a line shows


@dataclass
class _Group:
    """What causes of one kind began in one run."""

    causes: set[Cause] = field(default_factory=set)
    units: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # analysis -> attempts
    changed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    gone: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    moved: list[dict[str, Any]] = field(default_factory=list)

    @property
    def n_different(self) -> int:
        return sum(self.changed.values()) + sum(self.gone.values())


def rebuilds(connection: Connection, analyses: Sequence[Analysis], scope: Scope, since: str) -> Iterator[Event]:
    """One event for each kind of cause in each run that computed or retired something; the largest first."""
    if scope.units is None:
        return
    columns = (Run.run_id, Run.started_at, Run.command, Run.actor, Run.state, Run.program_version)
    runs = {run.run_id: run for run in connection.execute(select(*columns).order_by(Run.run_id))}
    told_runs = [n for n, run in runs.items() if run.started_at >= since]
    groups = _groups(connection, scope, min(told_runs) - 1 if told_runs else max(runs, default=0))
    by_name = {a.name: a for a in analyses}
    order = {name: i for i, name in enumerate(by_name)}
    program = None
    for run_id, run in runs.items():
        if scope.is_whole and run.started_at >= since and program not in (None, run.program_version):
            said = f"tshdb {run.program_version or 'unknown'} computes, before it was {program}"
            facts_ = {"run": run_id, "program": run.program_version, "program_before": program}
            yield event(run.started_at, Kind.PROGRAM, f"run {run_id}", said, **facts_)
        program = run.program_version or program
        found = groups.get(run_id, {}).values() if run.started_at >= since else ()
        for group in sorted(found, key=lambda g: (-g.n_different, told(g.causes))):
            if scope.of_one and not group.n_different and not group.failed:
                continue
            group.moved.sort(key=lambda row: order.get(row["analysis"], len(order)))
            yield event(
                run.started_at, Kind.REBUILD, f"run {run_id}", _says(group, by_name), run=run_id, command=run.command,
                actor=run.actor, state=run.state.value, because=told(group.causes), causes=facts(frozenset(group.causes)),
                analyses=_counts(group, order), moved=group.moved,
            )  # fmt: skip


def _groups(connection: Connection, scope: Scope, after: int) -> dict[int, dict[Causes, _Group]]:
    """run -> like causes -> what they began, of the runs after `after`."""
    groups: dict[int, dict[Any, _Group]] = defaultdict(lambda: defaultdict(_Group))

    def group_of(run_id: int, causes: Causes) -> _Group:
        group = groups[run_id][alike(causes)]
        group.causes |= causes
        return group

    for one in tallies(connection, after, units=scope.units):
        group = group_of(one.run_id, one.causes)
        for counts, n in (
            (group.units, one.n_units),
            (group.changed, one.n_changed - one.n_failed),
            (group.failed, one.n_failed),
        ):
            if n:
                counts[one.analysis] += n
    r = Retirement
    query = select(r.run_id, Unit.analysis, r.cause_set, func.count()).join(Unit, Unit.unit_id == r.unit_id)
    query = query.where(r.run_id > after, scope.units).group_by(r.run_id, Unit.analysis, r.cause_set)
    retired = connection.execute(query.order_by(r.run_id, Unit.analysis)).fetchall()
    recorded = causes_of_sets(connection, {number for _, _, number, _ in retired if number is not None})
    for run_id, analysis, number, n in retired:
        group_of(run_id, recorded.get(number, NOT_RECORDED)).gone[analysis] += n
    c = ResultChange
    columns = (
        c.run_id,
        c.unit_id,
        c.analysis,
        c.entity_key,
        c.row_part,
        c.row_part_before,
        c.column_name,
        c.value_before,
        c.value_after,
    )
    query = select(*columns).join(Unit, Unit.unit_id == c.unit_id).where(c.run_id > after, scope.units)
    changes = connection.execute(query.order_by(c.result_change_id)).fetchall()
    began = attributed(connection, [(row.unit_id, row.run_id) for row in changes])
    for row in changes:
        group_of(row.run_id, began[row.unit_id, row.run_id].causes).moved.append(
            {
                "analysis": row.analysis, "key": row.entity_key, "row": row.row_part, "row_before": row.row_part_before,
                "column": row.column_name, "before": row.value_before, "after": row.value_after,
            }
        )  # fmt: skip
    return groups


def _counts(group: _Group, order: dict[str, int]) -> list[dict[str, Any]]:
    names = sorted(group.units.keys() | group.gone.keys(), key=lambda n: (order.get(n, len(order)), n))
    kinds = ("units", "changed", "failed", "gone")
    return [{"analysis": n} | {kind: getattr(group, kind).get(n, 0) for kind in kinds} for n in names]


def _says(group: _Group, by_name: dict[str, Analysis]) -> str:
    """The line: how many units of what, what moved, and from what cause."""
    is_first = all(cause.kind is CauseKind.FIRST for cause in group.causes)
    counts = {
        "computed for the first time" if is_first else "changed": group.changed,
        "failed": group.failed,
        "gone": group.gone,
    }
    parts = [f"{_units(found)} {what}" for what, found in counts.items() if any(found.values())]
    if not parts and group.units:
        parts = [f"{_units(group.units)} came out the same"]
    lines = list(_moved(group, by_name))
    said = ", ".join(parts) + (": " if parts and lines else "") + "; ".join(lines)
    return said if is_first else f"{said}. Because: {told(group.causes)}"


def _units(counts: dict[str, int]) -> str:
    names = [name for name, n in counts.items() if n]
    n = plural(sum(counts.values()), "unit")
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
    shown = [one for some in lines.values() for one in some[:FEW_PER_ANALYSIS]][:FEW_AT_ALL]
    yield from (line for _, line in shown)
    left = sum(n for some in lines.values() for n, _ in some) - sum(n for n, _ in shown)
    if left:
        yield f"and {left:,} more"


def _number(row: dict[str, Any]) -> str:
    mine, before = row["row"], row["row_before"] or ""
    of = f" {_parts(mine)}" if mine else ""
    was = before.removesuffix(f"|{mine}") if mine else before  # of another version of the cohort, the same row
    return (
        f"{row['analysis']}/{row['key']}{of} {row['column']} {moved(row['before'], row['after'])}"
        + (f" ({_parts(was)} before)" if was else "")
    )  # fmt: skip


def _parts(row: str) -> str:
    """The parts of a row's key, as words."""
    return row.replace("|", ", ")
