"""What an ingest changes: what the files say now against what all sources have said, row by row.

Rows of which a file says what it said before are left as they stand, but for those that another hand changed: the whole of
what their ingest unit stands for is compared with what all sources say of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from tshdb.database import texts
from tshdb.dated import in_name
from tshdb.engine.units import ENTITY_COLUMN, select_ids
from tshdb.file_content import Finding, RawValue
from tshdb.ingested import SPOKEN_BY, Entity, entity_fingerprints, keys_of, known_fingerprints, marked
from tshdb.loading import instances
from tshdb.loading.believed import Disagreement
from tshdb.loading.hanging import take_out_orphans, take_out_withheld
from tshdb.loading.reconcile import reconcile
from tshdb.loading.sources import (
    TABLES,
    Item,
    Key,
    Source,
    SourceRow,
    as_json_gives,
    records_of_rows,
    records_of_sources,
    row_key,
)
from tshdb.loading.values import IncomingValues
from tshdb.loading.whose import take_out_of_others
from tshdb.schema import SourceFile
from tshdb.study import Study

KINDS = ("inserted", "updated", "deleted", "unchanged")


@dataclass
class Comparison:
    """What the files say now (incoming), and said when they were read last (recorded).

    before, after: rows of the tables, None where there is none.
    hurt: entities whose rows another hand changed. Their rows are put back, and nobody vouches for them.
    """

    values: IncomingValues
    items: list[Item] = field(default_factory=list)
    incoming: dict[tuple[Source, Key], SourceRow] = field(default_factory=dict)
    recorded: dict[tuple[Source, Key], SourceRow] = field(default_factory=dict)
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
    hurt: set[Entity] = field(default_factory=set)

    def count(self, kind: str) -> int:
        return sum(counts[kind] for counts in self.by_table.values())


def compare(
    study: Study,
    connection: Connection,
    items: Iterable[Item],
    *,
    known_sources: Iterable[Source],
    complete: bool,
    writes: bool,
) -> Comparison:
    """Take in the items one after the other, storing their expression values (if `writes`), and compare.

    known_sources: those that the items' readers have in the study; with `complete`, those that are not among the items
    are gone, and so are rows that an item no longer has. An item with errors is not the whole truth: of it nothing goes.
    """
    comparison = Comparison(IncomingValues(study.objects, writes), complete=complete)
    with_errors = set()
    for item in items:
        comparison.items.append(item)
        if item.content is not None:
            if item.content.errors:
                with_errors.add(item.source)
            _take(comparison, connection, item, complete)
    comparison.values.flush()
    comparison.orphans = take_out_of_others(connection, comparison, study.settings.collections.are_same)
    comparison.orphans += take_out_orphans(connection, comparison)
    read = [i.source for i in comparison.items if i.content is not None]
    if complete:
        readers = {(i.source.collection, i.source.reader) for i in comparison.items}
        present = {i.source for i in comparison.items}
        comparison.gone_sources = {s for s in known_sources if s[:2] in readers and s not in present}
    comparison.recorded = records_of_sources(connection, [*read, *comparison.gone_sources])
    if complete:
        comparison.removed = [
            sk for sk in comparison.recorded if sk not in comparison.incoming and sk[0] not in with_errors
        ]
    moved = [
        sk
        for sk, row in comparison.incoming.items()
        if sk not in comparison.recorded or _says_other(comparison.recorded[sk], row)
    ]
    touched = dict.fromkeys(key for _, key in [*moved, *comparison.removed])
    hurt = _hurt(comparison, connection, list(touched))
    comparison.hurt = {(table, entity) for table, entities in hurt.items() for entity in entities} - _moved(
        comparison, moved
    )
    comparison.hurt |= _without_records(comparison, connection)
    derive_rows(comparison, connection, list(touched | dict.fromkeys(keys_of(connection, hurt))))
    return comparison


def _says_other(recorded: SourceRow, incoming: SourceRow) -> bool:
    return recorded.values != as_json_gives(incoming.values) or recorded.as_of != incoming.as_of


def _hurt(comparison: Comparison, connection: Connection, touched: list[Key]) -> dict[str, set[str]]:
    """table -> entities that this ingest speaks of, whose rows are not those of their ingest unit: by its mark, or as found."""
    spoken: dict[str, set[str]] = {}
    for (_, (table, _)), given in comparison.incoming.items():
        spoken.setdefault(table, set()).add(str(given.values[ENTITY_COLUMN[table]]))
    hurt = {table: keys & spoken[table] for table, keys in marked(connection).items() if table in spoken}
    standing: dict[str, set[str]] = {}
    for (table, _), row in _rows(connection, touched).items():
        standing.setdefault(table, set()).add(row[ENTITY_COLUMN[table]])
    for table, entities in standing.items():
        known = known_fingerprints(connection, table)
        with texts(connection, "standing_entities", entities) as name:
            there = entity_fingerprints(connection, table, select_ids(name))
        hurt.setdefault(table, set()).update(
            e for e, fingerprint in there.items() if known.get(e, fingerprint) != fingerprint
        )
    return {table: entities for table, entities in hurt.items() if entities}


def _without_records(comparison: Comparison, connection: Connection) -> set[Entity]:
    """Marked entities of tables without records, where every file has the bytes that were read before."""
    hurt = {(t, e) for t, entities in marked(connection).items() if t in SPOKEN_BY for e in entities}
    for item in comparison.items if hurt else ():
        columns = (SourceFile.collection, SourceFile.reader, SourceFile.name)
        same = [c == value for c, value in zip(columns, item.source, strict=True)]
        query = select(SourceFile.sha256).where(*same, SourceFile.is_current)
        if item.content is not None and item.sha256 not in connection.execute(query).scalars().all():
            return set()
    return hurt


def _moved(comparison: Comparison, moved: list[tuple[Source, Key]]) -> set[Entity]:
    """The entities of which a source says something else than before."""
    words = [(sk[1][0], comparison.incoming[sk]) for sk in moved]
    words += [(sk[1][0], comparison.recorded[sk]) for sk in [*moved, *comparison.removed] if sk in comparison.recorded]
    return {(table, str(row.values[ENTITY_COLUMN[table]])) for table, row in words}


def _take(comparison: Comparison, connection: Connection, item: Item, complete: bool) -> None:
    """What one item says; its matrix is let go."""
    content = item.content
    take_out_withheld(content)
    of_name = in_name(item.path)
    for record in content.records:
        key = (record.table.__tablename__, row_key(record.table, record.values))
        as_of = record.as_of or item.options.get("as_of") or content.as_of or of_name
        comparison.incoming.setdefault(
            (item.source, key),
            SourceRow(item.source, record.values, None, record.line, record.column, as_of=as_of),
        )
    if content.matrix is not None:
        for profile_id, fingerprint in comparison.values.take(connection, content.matrix).items():
            comparison.incoming[item.source, ("expression_profiles", profile_id)].values["values_fingerprint"] = (
                fingerprint
            )
        content.matrix = None
    for suffix, data in content.objects if comparison.values.writes else ():
        comparison.values.objects.put(lambda path, data=data: path.write_bytes(data), suffix)
    content.objects = []
    if content.instances is not None:
        for kind, n in instances.compared(connection, content.instances, complete).items():
            _count(comparison, "imaging_instances", kind, n)
    comparison.sex_markers |= content.sex_markers
    if content.raw_values or complete:
        comparison.raw_values[item.source] = content.raw_values
    content.records = []


def derive_rows(comparison: Comparison, connection: Connection, touched: list[Key]) -> None:
    """The rows as they stand, and as all sources together say them."""
    comparison.before = _rows(connection, touched)
    others = records_of_rows(connection, touched)
    removed = set(comparison.removed)
    spoken: dict[Key, list[SourceRow]] = {key: [] for key in touched}
    for (_, key), row in comparison.incoming.items():
        if key in spoken:
            spoken[key].append(row)
    for key in touched:
        heard = spoken[key] + [
            s
            for s in others.get(key, ())
            if (s.source, key) not in comparison.incoming and (s.source, key) not in removed
        ]
        after = None
        if heard:
            after, disagreements = reconcile(TABLES[key[0]], heard)
            if disagreements:
                comparison.disagreements[key] = disagreements
        comparison.after[key] = after
        before = comparison.before.get(key)
        if before is None and after is None:
            continue
        kind = "inserted" if before is None else "deleted" if after is None else "updated"
        if kind == "updated" and not changed_columns(key[0], before, after):
            kind = "unchanged"
        _count(comparison, key[0], kind)
    for key in {key for _, key in comparison.incoming} - comparison.after.keys():
        _count(comparison, key[0], "unchanged")


def _count(comparison: Comparison, table: str, kind: str, n: int = 1) -> None:
    comparison.by_table.setdefault(table, dict.fromkeys(KINDS, 0))[kind] += n


def _rows(connection: Connection, keys: list[Key]) -> dict[Key, dict]:
    """The rows as they stand."""
    by_key: dict[Key, dict] = {}
    for name, table in TABLES.items():
        first, *others = table.__table__.primary_key
        wanted = {row.rsplit("|", len(others))[0] for t, row in keys if t == name}
        if not wanted:
            continue
        with texts(connection, "touched_rows", wanted) as ids:
            rows = connection.execute(select(table.__table__).where(first.in_(select_ids(ids)))).mappings()
            for row in rows:
                by_key[(name, row_key(table, row))] = dict(row)
    return {key: by_key[key] for key in keys if key in by_key}


def changed_columns(table: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, list]:
    """column -> [before, after], of the columns that are data."""
    columns = TABLES[table].__table__.columns
    return {
        c.name: [before[c.name], after.get(c.name)]
        for c in columns
        if c.info.get("fingerprint", True) and before[c.name] != after.get(c.name)
    }
