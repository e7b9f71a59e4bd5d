"""Put ingested rows back that another hand edited, deleted or added, from what the study keeps of its sources' words.

Only where it is proven: the rows that the records give have the fingerprint of their ingest unit. What cannot be proven so is
read again from its sources.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, Float, delete, exists, select

from tshdb.canonical import rows_fingerprint
from tshdb.database import texts
from tshdb.engine.units import ENTITY_COLUMN, select_ids
from tshdb.expression_store import profiles_in, read_part, values_fingerprint
from tshdb.ingested import Entity, counted, keys_of, known_fingerprints
from tshdb.loading import commit as committing
from tshdb.loading.compare import KINDS, Comparison, derive_rows
from tshdb.loading.sources import TABLES
from tshdb.loading.values import IncomingValues
from tshdb.objects import ObjectStore
from tshdb.schema import Base, ExpressionPart, Patient
from tshdb.selection import select_profiles
from tshdb.timepoints import number_time_points


@dataclass
class Proven:
    """Rows that are known as they were ingested."""

    entities: set[Entity]
    comparison: Comparison


def prove(connection: Connection, objects: ObjectStore, entities: dict[str, set[str]]) -> Proven:
    """What the records give of these entities (table -> keys), where it is what was ingested, or no ingest unit says other."""
    asked = {table: keys for table, keys in entities.items() if table in TABLES}
    comparison = Comparison(IncomingValues(objects, writes=False))
    derive_rows(comparison, connection, keys_of(connection, asked))
    _find_parts(comparison, connection, objects)
    rows: dict[Entity, list[dict]] = defaultdict(list)
    for (table, _), row in comparison.after.items():
        if row is not None:
            rows[table, row[ENTITY_COLUMN[table]]].append(row)
    proven = set()
    for table, keys in asked.items():
        known = known_fingerprints(connection, table)
        for entity in keys:
            mine_now = _fingerprint(table, rows[table, entity]) if rows[table, entity] else None
            if mine_now is not None and known.get(entity, mine_now) == mine_now:
                proven.add((table, entity))
    for key, row in list(comparison.after.items()):
        entity = (key[0], (row or comparison.before[key])[ENTITY_COLUMN[key[0]]])
        lacks_values = row is not None and key[0] == "expression_profiles" and _part_of(comparison, key) is None
        if lacks_values:
            proven.discard(entity)
        if entity not in proven:
            del comparison.after[key]
            comparison.disagreements.pop(key, None)
    return Proven(proven, comparison)


def put_back(connection: Connection, proven: Proven, command: str) -> None:
    """Write what is proven, with the change log, as a run of `command`."""
    comparison = proven.comparison
    counts = dict.fromkeys((*KINDS, "withheld"), 0)
    for key, row in comparison.after.items():
        counts["deleted" if row is None else "updated" if key in comparison.before else "inserted"] += 1
    run_id = committing.record_run(connection, command, counts, [])
    committing.complete_derived(comparison)
    changes = committing.write_rows(connection, comparison)
    committing.write_conflicts(connection, comparison)
    committing.write_changes(connection, comparison, changes, run_id, {})
    committing.choose_again(connection, changes, comparison)


def remove_added(connection: Connection, entities: dict[str, set[str]]) -> set[Entity]:
    """Remove rows of entities that no source has said and no ingest has written. What other rows name stays."""
    removed = set()
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in entities:
            named = [
                exists().where(key.parent == key.column)
                for other in Base.metadata.sorted_tables
                for key in other.foreign_keys
                if key.column.table is table and other is not table
            ]
            entity = table.c[ENTITY_COLUMN[table.name]]
            with texts(connection, "added_entities", entities[table.name]) as name:
                is_asked = entity.in_(select_ids(name))
                before = set(connection.execute(select(entity).where(is_asked)).scalars())
                connection.execute(delete(table).where(is_asked, *[~is_named for is_named in named]))
                left = set(connection.execute(select(entity).where(is_asked)).scalars())
            removed |= {(table.name, e) for e in before - left}
    everybody = connection.execute(select(Patient.patient_id)).scalars().all()
    select_profiles(connection, everybody)
    number_time_points(connection, everybody)
    return removed


def _fingerprint(table: str, rows: list[dict]) -> str:
    columns = counted(table)
    decimal = {c.name for c in columns if isinstance(c.type, Float)}
    plain = [
        tuple(
            float(v) if c.name in decimal and (v := row.get(c.name)) is not None else row.get(c.name) for c in columns
        )
        for row in rows
    ]
    return rows_fingerprint([c.name for c in columns], plain)


def _part_of(comparison: Comparison, key: tuple[str, str]) -> str | None:
    return comparison.values.part_of.get(key[1]) or comparison.before.get(key, {}).get("part_id")


def _find_parts(comparison: Comparison, connection: Connection, objects: ObjectStore) -> None:
    """The parts that hold the values of profiles whose row is gone."""
    lost = {
        key[1]: row["values_fingerprint"]
        for key, row in comparison.after.items()
        if key[0] == "expression_profiles" and row is not None and key not in comparison.before
    }
    for part in connection.execute(select(ExpressionPart.part_id)).scalars() if lost else ():
        if objects.is_whole(part):
            path = objects.path(part)
            held = sorted(lost.keys() & set(profiles_in(path)))
            genes, profiles, values = read_part(path, held) if held else ((), (), None)
            for i, profile in enumerate(profiles):
                if values_fingerprint(genes, values[:, i]) == lost[profile]:
                    comparison.values.part_of[profile] = part
