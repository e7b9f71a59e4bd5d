"""Values on which sources disagree and none is known to be the later one: not known until somebody decides, and said so."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.file_content import Finding
from tshdb.loading.believed import is_decision
from tshdb.schema import Conflict
from tshdb.vocabulary import NOBODY, Severity

if TYPE_CHECKING:
    from tshdb.loading.believed import Disagreement
    from tshdb.loading.compare import Comparison
    from tshdb.loading.sources import Source, SourceRow

RULE = "source.undecided"
SHOWN = 20  # findings of one column; the rest is counted


def findings(comparison: Comparison) -> list[Finding]:
    """A warning for each value that this ingest leaves undecided, at the line that this ingest read."""
    lines = {(source, key): row for (source, key), row in comparison.incoming.items()}
    path = {item.source: str(item.path) for item in comparison.items}
    by_column: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for (table, key), disagreements in comparison.disagreements.items():
        undecided: dict[str, list[Disagreement]] = defaultdict(list)
        for each in disagreements:
            if each.is_undecided:
                undecided[each.column].append(each)
        for column, those in undecided.items():
            read = next((d for d in those if (d.other.source, (table, key)) in lines), None)
            if read is not None:
                line = lines[read.other.source, (table, key)].line
                said = ", ".join(
                    sorted(f"{d.other.source.name}{_of(d.other)} says {_plain(d.other_value)}" for d in those)
                )
                message = f"{said}, and none is known to be the later one: not known"
                by_column[table, column].append(
                    Finding(
                        line, column, _plain(read.other_value), RULE, Severity.WARNING, message, path[read.other.source]
                    )
                )
    told = []
    for (table, column), of_column in sorted(by_column.items()):
        told += of_column[:SHOWN]
        if len(of_column) > SHOWN:
            more = f"and {len(of_column) - SHOWN:,} more values of {table}.{column} are undecided"
            told.append(Finding(None, column, None, RULE, Severity.WARNING, more, of_column[0].path))
    return told


def other_clocks(comparison: Comparison) -> list[Finding]:
    """A warning for each source of which outcomes are left out, since they count from another day than the one that holds."""
    path = {item.source: str(item.path) for item in comparison.items}
    told = []
    by_source: dict[tuple[Any, str, str], int] = defaultdict(int)
    for disagreements in comparison.disagreements.values():
        for d in disagreements:
            if d.column == "time_origin" and d.held is not None:
                by_source[d.other.source, str(d.other_value), str(d.held_value)] += 1
    for (source, mine, held), n in sorted(by_source.items(), key=str):
        message = f"{n:,} outcomes of {source.name} count from {mine}; what holds counts from {held}, and they are not compared"
        told.append(
            Finding(None, "time_origin", mine, "source.other-clock", Severity.WARNING, message, path.get(source))
        )
    return told


def without_row(comparison: Comparison) -> list[Finding]:
    """A warning for each decision on a row that no source speaks of: it waits for one that does."""
    path = {item.source: str(item.path) for item in comparison.items}
    return [
        Finding(row.line, "row", None, "settlement.unknown-row", Severity.WARNING,
                f"no source says anything of this row of {table}; the decision holds once one does", path[source])
        for (source, (table, key)), row in comparison.incoming.items()
        if is_decision(row) and (table, key) in comparison.after and comparison.after[table, key] is None
    ]  # fmt: skip


def of_profiles(connection: Connection, comparison: Comparison) -> list[Finding]:
    """A warning for each profile that this ingest read and that is not selected, since another source has other values."""
    table = "expression_profiles"
    read = {key: (row, source) for (source, (t, key)), row in comparison.incoming.items() if t == table}
    path = {item.source: str(item.path) for item in comparison.items}
    with texts(connection, "read_profiles", read) as name:
        rows = connection.execute(
            select(Conflict.row_key, Conflict.other_source)
            .where(Conflict.table_name == table, Conflict.held_source == NOBODY, Conflict.row_key.in_(select_ids(name)))
            .order_by(Conflict.row_key, Conflict.other_source)
        ).fetchall()
    told = []
    for profile, other in rows[:SHOWN]:
        row, source = read[profile]
        message = (
            f"{other} has other values of this aliquot, and none is known to be the later one: neither is selected"
        )
        place = f"column {row.column}" if row.column else None
        told.append(Finding(row.line, place, None, RULE, Severity.WARNING, message, path[source]))
    if len(rows) > SHOWN:
        more = f"and {len(rows) - SHOWN:,} more profiles are not selected for that reason"
        told.append(Finding(None, None, None, RULE, Severity.WARNING, more, told[0].path))
    return told


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of(row: SourceRow) -> str:
    return "" if row.as_of is None else f" ({row.as_of})"


def undecided_rows(connection: Connection) -> list[tuple[str, str, int]]:
    """(table, column, rows) of what nobody has decided."""
    n = func.count(func.distinct(Conflict.row_key))
    query = select(Conflict.table_name, Conflict.column_name, n).where(Conflict.held_source == NOBODY)
    grouped = query.group_by(Conflict.table_name, Conflict.column_name)
    return [
        (table, column, rows)
        for table, column, rows in connection.execute(grouped.order_by(*grouped.selected_columns[:2]))
    ]


def kept_rows(comparison: Comparison) -> list[Finding]:
    """A warning for each source that had rows before which it does not have now: they are kept unless it is the whole truth."""
    if comparison.complete:
        return []
    path = {item.source: str(item.path) for item in comparison.items if item.content is not None}
    missing: dict[Source, int] = defaultdict(int)
    for source, (table, key) in comparison.recorded:
        if source in path and (source, (table, key)) not in comparison.incoming:
            missing[source] += 1
    return [
        Finding(None, None, None, "source.rows-kept", Severity.WARNING,
                f"{n:,} rows that it had before are not in it now, and are kept; --complete takes them away", path[source])
        for source, n in sorted(missing.items())
    ]  # fmt: skip
