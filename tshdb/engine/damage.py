"""What was lost or edited of results since they were made, so that they can be made again.

Rows: a table is read and hashed only if another hand than ours has changed it (SQLite knows by `table_versions`; on
PostgreSQL `tshdb check` looks). Objects: one pass over the names in objects/; their bytes are looked at by whoever reads
them, and by `check`. What was found is marked at the units (`units.damage`) until they are made again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table, bindparam, delete, func, select, update

from tshdb.database import changed_by_others, numbers, reading, tuples, writing
from tshdb.engine.analysis import Analysis, Made, Reference
from tshdb.engine.units import COHORT, INGEST, now, select_ids
from tshdb.engine.world import REFERENCE
from tshdb.guest_tables import guests_of
from tshdb.objects import ObjectStore, name_of
from tshdb.schema import Base, GuestAnalysis, Unit
from tshdb.schema.base import is_ours
from tshdb.stored_rows import EMPTY, Stored, stored_digests
from tshdb.vocabulary import Damage, UnitState

Makers = Mapping[Table, frozenset[str]]


class Damaged(NamedTuple):
    """One result that is not as it was made."""

    unit_id: int
    damage: Damage
    detail: str


@dataclass
class Looked:
    """What a look at tables found. strays: table -> units that have rows there and never made them."""

    damaged: dict[int, Damaged] = field(default_factory=dict)
    strays: dict[Table, list[int]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)  # of the tables that were read

    def add(self, unit: Damaged) -> None:
        self.damaged.setdefault(unit.unit_id, unit)


def makers_of(analyses: Iterable[Analysis]) -> Makers:
    """Every table of results, with the analyses (and references) whose units make its rows."""
    names_of_table: dict[Table, set[str]] = defaultdict(set)
    for analysis in analyses:
        names_of_table[analysis.makes.__table__].add(analysis.name)
        for need in analysis.needs.values():
            if isinstance(need, Reference | Made):
                names_of_table[need.table.__table__].add(REFERENCE + need.table.__tablename__)
    return {table: frozenset(names) for table, names in names_of_table.items()}


def standing_makers(connection: Connection, analyses: Iterable[Analysis]) -> Makers:
    """As `makers_of`, of the tables as they stand in the database: those of guests that are not here are among them."""
    guests = guests_of(connection)
    standing: dict[Table, set[str]] = defaultdict(set)
    for table, names in makers_of(analyses).items():
        here = table if is_ours(table) else guests.get(table.name)
        if here is not None:
            standing[here] |= names
    by_name = {table.name: table for table in [*standing, *Base.metadata.sorted_tables, *guests.values()]}
    for name, table_name in connection.execute(select(GuestAnalysis.analysis, GuestAnalysis.table_name)):
        if table_name in by_name:
            standing[by_name[table_name]].add(name)
    return {table: frozenset(names) for table, names in standing.items()}


def look(connection: Connection, objects: ObjectStore, makers: Makers) -> Looked:
    """All that can be known without reading what nobody has touched: marks, edited tables, objects that are not there."""
    looked = Looked()
    for unit in marked(connection):
        looked.add(unit)
    changed = changed_by_others(connection)
    look_at_rows(connection, {t: names for t, names in makers.items() if t.name in changed}, looked)
    looked.versions = {t.name: changed[t.name] for t in makers if t.name in changed}
    _look_at_names(connection, objects, makers, looked)
    return looked


def known(connection: Connection, objects: ObjectStore, makers: Makers) -> tuple[Looked, set[int]]:
    """What is damaged now, and the units that are marked and are whole again."""
    looked = look(connection, objects, makers)
    before = {damaged.unit_id for damaged in marked(connection)}
    healed = before - _still_damaged(connection, objects, makers, before)
    looked.damaged = {unit: damaged for unit, damaged in looked.damaged.items() if unit not in healed}
    return looked, healed


def marked(connection: Connection) -> list[Damaged]:
    """The units that are marked."""
    rows = tuples(connection, "SELECT unit_id, damage FROM units WHERE damage IS NOT NULL")
    return [Damaged(unit_id, Damage(damage), f"was found {damage}") for unit_id, damage in rows]


def look_at_rows(connection: Connection, makers: Makers, looked: Looked) -> None:
    """Hash these tables, and compare every unit's rows with its second digest."""
    everything = {name for names in makers.values() for name in names}
    for table, names in makers.items():
        stored = stored_digests(connection, table)
        for unit, digest in _digests(connection, names):
            if problem := _compared(table, unit, digest, stored.get(unit)):
                looked.add(problem)
        if strays := _strays(connection, table, everything - names, stored):
            looked.strays[table] = strays


def _digests(connection: Connection, names: Iterable[str]) -> list[tuple[int, str]]:
    query = select(Unit.unit_id, Unit.rows_digest).where(
        Unit.analysis.in_(sorted(names)), Unit.state == UnitState.CURRENT, Unit.rows_digest.is_not(None)
    )
    return [(unit, digest) for unit, digest in connection.execute(query) if digest is not None]


def _compared(table: Table, unit: int, digest: str, stored: Stored | None) -> Damaged | None:
    if stored is None:
        return None if digest == EMPTY else Damaged(unit, Damage.LOST, f"its rows of {table.name} are gone")
    if stored.digest == digest:
        return None
    return Damaged(unit, Damage.EDITED, f"its {stored.n_rows:,} rows of {table.name} are not those that were computed")


def _strays(connection: Connection, table: Table, others: set[str], stored: Iterable[int]) -> list[int]:
    """The units that have rows in a table and did not make them: gone, without a result, or makers of another table."""
    with numbers(connection, "owners_of_rows", stored) as name:
        rows = tuples(
            connection,
            f"SELECT id, u.analysis, u.state FROM {name} LEFT JOIN units u ON u.unit_id = id ORDER BY id",
        )
    return [unit for unit, analysis, state in rows if is_stray(analysis, state, others)]


def is_stray(analysis: str | None, state: str | None, others: Collection[str]) -> bool:
    """Whether a unit made no rows of a table: it is gone, has no result, or makes another table. others: who does."""
    if analysis is None or state != UnitState.CURRENT:
        return True
    return analysis in others or analysis == COHORT or analysis.startswith(INGEST)


def objects_made(connection: Connection, makers: Makers) -> list[tuple[int, str, str]]:
    """(unit, digest, suffix) of every object that a result names."""
    return [
        (unit, digest, column.info["object"])
        for table in makers
        for column in table.columns
        if "object" in column.info
        for unit, digest in connection.execute(select(table.c.unit_id, column).where(column.is_not(None)))
    ]


def _look_at_names(connection: Connection, objects: ObjectStore, makers: Makers, looked: Looked) -> None:
    made = objects_made(connection, makers)
    there = objects.names() if made else set()
    for unit, digest, suffix in made:
        if f"{digest}{suffix}" not in there:
            looked.add(Damaged(unit, Damage.LOST, f"{name_of(digest, suffix)} is not there"))


def mark(connection: Connection, units: Iterable[Damaged]) -> None:
    """Note at the units what happened to them. Inside `writing`."""
    for unit in units:
        connection.execute(update(Unit).where(Unit.unit_id == unit.unit_id).values(damage=unit.damage.value))


def restate(connection: Connection, table: Table, lost: Collection[int]) -> None:
    """After a guest's table was made anew: digests of the rows that it kept; what it could not keep is lost. Inside `writing`."""
    stood, time = stored_digests(connection, table), now()
    for unit, rows in stood.items():
        again = {"rows_digest": rows.digest, "digest_taken_over": time}
        changed = (Unit.unit_id == unit) & (Unit.rows_digest != rows.digest)
        connection.execute(update(Unit).where(changed).values(**again))
    mark(connection, [Damaged(unit, Damage.LOST, "its table was declared otherwise") for unit in sorted(lost)])


def note(engine: Engine, objects: ObjectStore, makers: Makers) -> None:
    """Mark what is damaged, take the mark from what is whole again, remove rows that no unit made; note the tables as seen.

    A rebuild begins with it, so that its own looks at the database read the marks alone.
    """
    with reading(engine) as connection:
        looked, healed = known(connection, objects, makers)
        before = {damaged.unit_id for damaged in marked(connection)}
        news = {unit: damaged for unit, damaged in looked.damaged.items() if unit not in before}
        digests = _digests_of(connection, news)
    if not (news or healed or looked.versions):
        return
    with writing(engine) as connection:
        now = _digests_of(connection, news)  # what was made again meanwhile is whole
        mark(connection, (damaged for unit, damaged in news.items() if now[unit] == digests[unit]))
        unmark(connection, healed)
        for name, version in looked.versions.items():
            _note_seen(connection, name, version, looked.strays)


def _digests_of(connection: Connection, units: Iterable[int]) -> dict[int, str | None]:
    with numbers(connection, "asked_digests", units) as name:
        query = select(Unit.unit_id, Unit.rows_digest).where(Unit.unit_id.in_(select_ids(name)))
        return {unit: digest for unit, digest in connection.execute(query)}


def _note_seen(connection: Connection, name: str, version: int, strays: Mapping[Table, list[int]]) -> None:
    """The table's rows have been looked at, unless somebody has changed it again; strays go."""
    seen = "UPDATE table_versions SET written = version WHERE table_name = ?"
    if connection.exec_driver_sql(f"{seen} AND version = ?", (name, version)).rowcount:
        of_table = {table: units for table, units in strays.items() if table.name == name}
        remove_strays(connection, of_table)
        connection.exec_driver_sql(seen, (name,))


def unmark(connection: Connection, units: Iterable[int]) -> None:
    """Take the mark from units that are whole. Inside `writing`."""
    with numbers(connection, "healed_units", units) as name:
        connection.execute(update(Unit).where(Unit.unit_id.in_(select_ids(name))).values(damage=None))


def renew_digests(connection: Connection, makers: Makers, but: Collection[int]) -> None:
    """Write the second digest of every result anew, whose rows we have changed ourselves. Inside `writing`.

    but: units whose rows were not those that were made: they keep the digest that says so.
    """
    for table, names in makers.items():
        stored = stored_digests(connection, table)
        moved = [
            {"b_unit": unit, "b_digest": stored[unit].digest if unit in stored else EMPTY}
            for unit, digest in _digests(connection, names)
            if unit not in but and _compared(table, unit, digest, stored.get(unit))
        ]
        if moved:
            units = Unit.__table__
            connection.execute(
                update(units).where(units.c.unit_id == bindparam("b_unit")).values(rows_digest=bindparam("b_digest")),
                moved,
            )


def remove_strays(connection: Connection, strays: Mapping[Table, Iterable[int]]) -> None:
    """Remove rows of units that never made them. Inside `writing`."""
    for table, units in strays.items():
        with numbers(connection, "stray_units", units) as name:
            connection.execute(delete(table).where(table.c.unit_id.in_(select_ids(name))))


def _still_damaged(connection: Connection, objects: ObjectStore, makers: Makers, marked: set[int]) -> set[int]:
    """Those of the marked units that are not whole: their rows, or the bytes of an object, are not those that were made."""
    if not marked:
        return set()
    looked = Looked()
    seen: set[int] = set()
    with numbers(connection, "marked_units", marked) as name:
        for table, names in makers.items():
            digests = [(u, d) for u, d in _digests(connection, names) if u in marked]
            if not digests:
                continue
            seen |= {unit for unit, _ in digests}
            stored = stored_digests(connection, table, name)
            for unit, digest in digests:
                if problem := _compared(table, unit, digest, stored.get(unit)):
                    looked.add(problem)
    broken = {unit for unit, digest, suffix in objects_made(connection, makers)
              if unit in marked and not objects.is_whole(digest, suffix)}  # fmt: skip
    return set(looked.damaged) | broken | (marked - seen)


def makers_of_object(connection: Connection, makers: Makers, digest: str, damage: Damage) -> list[Damaged]:
    """The units whose rows name an object."""
    detail = f"{digest[:12]}… is {damage.value}"
    return [
        Damaged(unit, damage, detail)
        for table in makers
        for column in table.columns
        if "object" in column.info
        for unit in connection.execute(select(table.c.unit_id).where(column == digest)).scalars()
    ]


def digests_taken_over(connection: Connection) -> dict[str, int]:
    """day -> how many results have a second digest that was taken over from the rows as they stood."""
    taken = select(func.substr(Unit.digest_taken_over, 1, 10).label("day"), func.count())
    query = taken.where(Unit.digest_taken_over.is_not(None)).group_by("day").order_by("day")
    return dict(map(tuple, connection.execute(query)))
