"""What an ingest changes: what the files say now against what all sources have said, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.inspection import inspect

from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.loading import instances
from tshdb.loading.hanging import take_out_orphans, take_out_withheld
from tshdb.loading.reconcile import Disagreement, reconcile
from tshdb.loading.sources import (
    TABLES,
    Item,
    Key,
    Said,
    Source,
    as_json_gives,
    records_of_rows,
    records_of_sources,
    row_key,
)
from tshdb.loading.values import IncomingValues
from tshdb.reading import Finding, RawValue
from tshdb.study import Study

KINDS = ("inserted", "updated", "deleted", "unchanged")


@dataclass
class Comparison:
    """said: what the files say now; before, after: rows of the tables, None where there is none."""

    values: IncomingValues
    items: list[Item] = field(default_factory=list)
    said: dict[tuple[Source, Key], Said] = field(default_factory=dict)
    stood: dict[tuple[Source, Key], Said] = field(default_factory=dict)
    raw_values: dict[Source, list[RawValue]] = field(default_factory=dict)
    sex_markers: dict[str, tuple[float, float]] = field(default_factory=dict)  # profile -> linear XIST, RPS4Y1
    removed: list[tuple[Source, Key]] = field(default_factory=list)
    gone_sources: set[Source] = field(default_factory=set)
    complete: bool = False
    before: dict[Key, dict] = field(default_factory=dict)
    after: dict[Key, dict | None] = field(default_factory=dict)
    disagreements: dict[Key, list[Disagreement]] = field(default_factory=dict)
    by_table: dict[str, dict[str, int]] = field(default_factory=dict)
    orphans: list[Finding] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(counts[kind] for counts in self.by_table.values())


def compare(
    study: Study,
    connection: Connection,
    items: Iterable[Item],
    *,
    standing: Iterable[Source],
    complete: bool,
    writes: bool,
) -> Comparison:
    """Take in the items one after the other, storing their expression values (if `writes`), and compare.

    standing: the sources that the items' readers have in the study; with `complete`, those that are not among the items
    are gone, and so are rows that an item no longer has. An item with errors is not the whole truth: of it nothing goes.
    """
    found = Comparison(IncomingValues(study.objects, writes), complete=complete)
    with_errors = set()
    for item in items:
        found.items.append(item)
        if item.reading is not None:
            if item.reading.errors:
                with_errors.add(item.source)
            _take(found, connection, item, complete)
    found.values.flush()
    found.orphans = take_out_orphans(connection, found)
    read = [i.source for i in found.items if i.reading is not None]
    if complete:
        readers = {(i.source.collection, i.source.reader) for i in found.items}
        present = {i.source for i in found.items}
        found.gone_sources = {s for s in standing if s[:2] in readers and s not in present}
    found.stood = records_of_sources(connection, [*read, *found.gone_sources])
    if complete:
        found.removed = [sk for sk in found.stood if sk not in found.said and sk[0] not in with_errors]
    moved = [
        sk
        for sk, said in found.said.items()
        if sk not in found.stood or found.stood[sk].values != as_json_gives(said.values)
    ]
    touched = list(dict.fromkeys(key for _, key in [*moved, *found.removed]))
    _derive_rows(found, connection, touched)
    return found


def _take(found: Comparison, connection: Connection, item: Item, complete: bool) -> None:
    """What one item says; its matrix is let go."""
    reading = item.reading
    take_out_withheld(reading)
    for record in reading.records:
        key = (record.table.__tablename__, row_key(record.table, record.values))
        found.said.setdefault((item.source, key), Said(item.source, record.values, None, record.line, record.column))
    if reading.matrix is not None:
        for profile_id, fingerprint in found.values.take(connection, reading.matrix).items():
            found.said[item.source, ("expression_profiles", profile_id)].values["values_fingerprint"] = fingerprint
        reading.matrix = None
    for suffix, content in reading.objects if found.values.writes else ():
        found.values.objects.put(lambda path, content=content: path.write_bytes(content), suffix)
    reading.objects = []
    if reading.instances is not None:
        for kind, n in instances.compared(connection, reading.instances, complete).items():
            _count(found, "imaging_instances", kind, n)
    found.sex_markers |= reading.sex_markers
    if reading.raw_values:
        found.raw_values[item.source] = reading.raw_values
    reading.records = []


def _derive_rows(found: Comparison, connection: Connection, touched: list[Key]) -> None:
    found.before = _rows(connection, touched)
    others = records_of_rows(connection, touched)
    removed = set(found.removed)
    spoken: dict[Key, list[Said]] = {key: [] for key in touched}
    for (_, key), said in found.said.items():
        if key in spoken:
            spoken[key].append(said)
    for key in touched:
        heard = spoken[key] + [
            s for s in others.get(key, ()) if (s.source, key) not in found.said and (s.source, key) not in removed
        ]
        after = None
        if heard:
            after, disagreements = reconcile(TABLES[key[0]], heard)
            if disagreements:
                found.disagreements[key] = disagreements
        found.after[key] = after
        before = found.before.get(key)
        if before is None and after is None:
            continue
        kind = "inserted" if before is None else "deleted" if after is None else "updated"
        if kind == "updated" and not changed_columns(key[0], before, after):
            kind = "unchanged"
        _count(found, key[0], kind)
    for key in {key for _, key in found.said} - found.after.keys():
        _count(found, key[0], "unchanged")


def _count(found: Comparison, table: str, kind: str, n: int = 1) -> None:
    found.by_table.setdefault(table, dict.fromkeys(KINDS, 0))[kind] += n


def _rows(connection: Connection, keys: list[Key]) -> dict[Key, dict]:
    """The rows as they stand."""
    found: dict[Key, dict] = {}
    for name, table in TABLES.items():
        wanted = {row.split("|")[0] for t, row in keys if t == name}
        if not wanted:
            continue
        first = inspect(table).primary_key[0]
        with texts(connection, "touched_rows", wanted) as ids:
            rows = connection.execute(select(table.__table__).where(first.in_(select_ids(ids)))).mappings()
            for row in rows:
                found[(name, row_key(table, row))] = dict(row)
    return {key: found[key] for key in keys if key in found}


def changed_columns(table: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, list]:
    """column -> [before, after], of the columns that are data."""
    columns = TABLES[table].__table__.columns
    return {
        c.name: [before[c.name], after.get(c.name)]
        for c in columns
        if c.info.get("fingerprint", True) and before[c.name] != after.get(c.name)
    }
