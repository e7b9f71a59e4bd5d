"""Results as texts: the same text is the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tshdb.database import reading
from tshdb.guest_tables import stored
from tshdb.schema import Unit
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.engine.compute import Outcome
    from tshdb.study import Study

Results = dict[str, list[str]]  # key -> its rows, each as text, sorted; or what went wrong


def of_outcomes(table: Any, outcomes: Iterable[Outcome]) -> Results:
    """The results of a computation, without the columns that only describe rows."""
    columns = _columns(table)
    return {
        o.key: [f"failed: {o.message}"] if o.message is not None else sorted(_text(row, columns) for row in o.rows)
        for o in outcomes
    }


def of_study(study: Study, analysis: Analysis) -> Results:
    """The results of an analysis as they stand in a study."""
    declared = analysis.makes.__table__
    with reading(study.engine) as connection:
        query = select(Unit.unit_id, Unit.key, Unit.state, Unit.message).where(
            Unit.analysis == analysis.name, Unit.state != UnitState.RETIRED
        )
        units = {row.unit_id: row for row in connection.execute(query)}
        results: Results = {
            u.key: [f"{u.state}: {u.message}"] if u.state is not UnitState.CURRENT else [] for u in units.values()
        }
        table = stored(connection, declared)
        if table is not None:
            columns = _columns(declared)
            for row in connection.execute(select(table)).mappings():
                if row["unit_id"] in units:
                    results[units[row["unit_id"]].key].append(_text(dict(row), columns))
    return {key: sorted(rows) for key, rows in results.items() if key != analysis.identity}


def rows_of(results: Results) -> int:
    return sum(len([row for row in rows if row.startswith("{")]) for rows in results.values())


def differing(one: Results, other: Results) -> list[str]:
    """The keys whose results are not the same in both, sorted."""
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def paired(
    one: Iterable[str], other: Iterable[str], keys: Sequence[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows that have the same key in both."""
    there = {tuple(row[k] for k in keys if k in row): row for row in _rows(other)}
    for row in _rows(one):
        key = tuple(row[k] for k in keys if k in row)
        if key in there:
            yield row, there[key]


def _rows(texts: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in texts if text.startswith("{")]


def shown(one: Results, other: Results) -> str:
    """The first difference, in words: key, column, both values."""
    for key in differing(one, other):
        here, there = one.get(key), other.get(key)
        if here is None or there is None:
            return f"{key} is missing in one of them"
        for left, right in zip(here, there, strict=False):
            if left != right:
                return f"{key}: {_difference(left, right)}"
        return f"{key}: {len(here)} rows and {len(there)}"
    return ""


def _difference(left: str, right: str) -> str:
    if not (left.startswith("{") and right.startswith("{")):
        return f"{left[:120]} and {right[:120]}"
    one, other = json.loads(left), json.loads(right)
    column = next(c for c in one if one[c] != other.get(c))
    return f"{column} {_plain(one[column])} and {_plain(other.get(column))}"


def _plain(value: Any) -> Any:
    return float.fromhex(value[1:]) if isinstance(value, str) and value.startswith("~") else value


def _columns(table: Any) -> list[str]:
    return sorted(c.name for c in table.columns if c.info.get("fingerprint", True) and c.name != "unit_id")


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    values = {name: _value(row[name]) for name in columns if name in row}
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def _value(value: Any) -> Any:
    """A float as its bits; an enum as its word."""
    if isinstance(value, float):
        return f"~{(value + 0.0).hex()}"
    return value.value if hasattr(value, "value") else value
