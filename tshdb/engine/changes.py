"""Values of results that a rebuild replaced, for the columns that an analysis tracks: groups of patients, and key numbers.

A row that comes takes the place of the row that stood under its key. What is left is paired by as many equal parts of the key
as possible, so that a group by another population still is the patient's group. A unit's first result changes nothing, but a
newer version of a cohort is held against the version before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import Connection, select

from tshdb.database import bulk_insert, next_id, numbers
from tshdb.engine.analysis import Analysis
from tshdb.engine.compute import Outcome
from tshdb.engine.units import select_ids
from tshdb.schema import Attempt, ResultChange, Unit
from tshdb.vocabulary import UnitState

Part = tuple[str, ...]  # a row's key without its unit
Rows = dict[Part, Mapping[Any, Any]]


def note_changes(
    connection: Connection, analysis: Analysis, outcomes: Sequence[Outcome], ids: Mapping[str, int], run_id: int
) -> None:
    """Compare the rows that stand with those that are about to take their place. Inside `writing`, before they do.

    A failed unit has no rows: its values go.
    """
    _note(connection, analysis, {outcome.key: outcome.rows for outcome in outcomes}, ids, run_id)


def note_gone(connection: Connection, analysis: Analysis, ids: Mapping[str, int], run_id: int) -> None:
    """The values of units (key -> unit) whose rows are about to go. Inside `writing`, before they do."""
    _note(connection, analysis, {key: [] for key in ids}, ids, run_id)


def _note(
    connection: Connection,
    analysis: Analysis,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    ids: Mapping[str, int],
    run_id: int,
) -> None:
    """rows: key -> the rows that its unit will have."""
    if not analysis.tracks:
        return
    parts = [c.name for c in analysis.makes.__table__.primary_key if c.name != "unit_id"]
    stood = _standing(connection, analysis, parts, ids.values())
    coming = {key: ids[key] for key, new_rows in rows.items() if new_rows and ids[key] not in stood}
    known = _had_results(connection, coming.values()) if coming else set()
    first = [key for key, unit_id in coming.items() if unit_id not in known]
    versions = _versions_before(connection, analysis, parts, first) if first and analysis.over_cohort else {}
    firsts = set(first) - versions.keys()
    changes: list[dict[str, Any]] = []
    for key, new_rows in rows.items():
        if key in firsts:
            continue
        version, before = versions.get(key, (None, stood.get(ids[key], {})))
        after = {_part(row, parts): row for row in new_rows}
        for change in _changes(analysis.tracks, before, after, version):
            changes.append(
                {"run_id": run_id, "unit_id": ids[key], "analysis": analysis.name, "entity_key": key, **change}
            )
    number = next_id(connection, ResultChange.result_change_id) if changes else 0
    table = ResultChange.__table__
    bulk_insert(connection, table, [{"result_change_id": number + i, **row} for i, row in enumerate(changes)])


def _changes(columns: Sequence[str], before: Rows, after: Rows, version: str | None) -> Iterator[dict[str, Any]]:
    """Tracked values that differ. version: the unit that the rows before are of, where that is another one."""
    for old, new in paired(before, after):
        for column in columns:
            was = None if old is None else _text(before[old][column])
            now = None if new is None else _text(after[new][column])
            if was == now:
                continue
            stood = () if old is None else old if version is None else (version, *old)
            part = (old if new is None else new) or ()
            yield {
                "row_part": "|".join(part),
                "row_part_before": "|".join(stood) if stood and stood != part else None,
                "column_name": column,
                "value_before": was,
                "value_after": now,
            }


def paired(before: Collection[Part], after: Collection[Part]) -> list[tuple[Part | None, Part | None]]:
    """Which row became which: (row that stood, row that comes), None where there is no partner.

    Rows of the same key are pairs. Those that are left are pairs where they alone, on both sides, share some parts of the
    key: first where they share most. A row that would have two partners has none.
    """
    pairs: list[tuple[Part | None, Part | None]] = [(part, part) for part in after if part in before]
    if len(pairs) == len(before) == len(after):
        return pairs
    old, new = dict.fromkeys(p for p in before if p not in after), dict.fromkeys(p for p in after if p not in before)
    n_parts = len(next(iter(before or after)))
    for n_shared in range(n_parts - 1, -1, -1):
        if not old or not new:
            break
        proposed: dict[tuple[Part, Part], None] = {}
        for places in combinations(range(n_parts), n_shared):
            old_alone, new_alone = _alone(old, places), _alone(new, places)
            proposed |= {(row, new_alone[shared]): None for shared, row in old_alone.items() if shared in new_alone}
        olds, news = Counter(o for o, _ in proposed), Counter(n for _, n in proposed)
        for old_row, new_row in proposed:
            if olds[old_row] == news[new_row] == 1:
                pairs.append((old_row, new_row))
                del old[old_row], new[new_row]
    return [*pairs, *((row, None) for row in old), *((None, row) for row in new)]


def _alone(rows: Iterable[Part], places: Sequence[int]) -> dict[Part, Part]:
    """Parts of keys -> the one row that has them there."""
    by_shared: dict[Part, list[Part]] = defaultdict(list)
    for row in rows:
        by_shared[tuple(row[i] for i in places)].append(row)
    return {shared: some[0] for shared, some in by_shared.items() if len(some) == 1}


# ----------------------------------------------------------------------------------------------- what stands


def _standing(connection: Connection, analysis: Analysis, parts: Sequence[str], unit_ids: Iterable[int]):
    """unit -> its rows, the tracked columns and the key alone; units without rows are left out."""
    table = analysis.makes.__table__
    columns = [table.c[n] for n in ("unit_id", *parts, *analysis.tracks)]
    rows_of_unit: dict[int, Rows] = defaultdict(dict)
    with numbers(connection, "tracked_units", unit_ids) as name:
        for row in connection.execute(select(*columns).where(table.c.unit_id.in_(select_ids(name)))).mappings():
            rows_of_unit[row["unit_id"]][_part(row, parts)] = row
    return rows_of_unit


def _had_results(connection: Connection, unit_ids: Iterable[int]) -> set[int]:
    """The units that were computed before, though none of their rows stands."""
    with numbers(connection, "units_coming", unit_ids) as name:
        query = select(Attempt.unit_id).where(Attempt.unit_id.in_(select_ids(name)), Attempt.state == UnitState.CURRENT)
        return set(connection.execute(query.distinct()).scalars())


def _versions_before(
    connection: Connection, analysis: Analysis, parts: Sequence[str], keys: Iterable[str]
) -> dict[str, tuple[str, Rows]]:
    """cohort@version -> the newest version before it whose unit stands, and its rows; keys that have none are left out."""
    query = select(Unit.key, Unit.unit_id).where(Unit.analysis == analysis.name, Unit.state == UnitState.CURRENT)
    by_cohort: dict[str, dict[int, int]] = defaultdict(dict)
    for key, unit_id in connection.execute(query):
        cohort, version = _versioned(key)
        by_cohort[cohort][version] = unit_id
    versions = {}
    for key in keys:
        cohort, number = _versioned(key)
        earlier = max((v for v in by_cohort[cohort] if 0 < v < number), default=None)
        if earlier is not None:
            unit_id = by_cohort[cohort][earlier]
            versions[key] = (f"{cohort}@{earlier}", _standing(connection, analysis, parts, [unit_id])[unit_id])
    return versions


def _versioned(key: str) -> tuple[str, int]:
    """A cohort and its version; 0 for a live cohort, and for what stands in for a model."""
    cohort, _, version = key.partition("@")
    return cohort, int(version or 0)


def _part(row: Mapping[Any, Any], parts: Sequence[str]) -> Part:
    return tuple(str(_text(row[p])) for p in parts)


def _text(value: Any) -> str | None:
    """A stored value as text: members of an enumeration by their value, floats so that reading gives them again."""
    return None if value is None else str(getattr(value, "value", value))
