"""A unit as it stands in the database, and what is wrong with it before anything is computed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, Connection, Double, Integer, Table, select

from tshdb.canonical import json_fingerprint
from tshdb.database import numbers
from tshdb.engine.analysis import Analysis
from tshdb.engine.compute import payload_fingerprint
from tshdb.engine.damage import makers_of
from tshdb.engine.identity import libraries_of
from tshdb.engine.planner import Planner
from tshdb.engine.units import INGEST, PYTHON
from tshdb.objects import ObjectStore, is_digest, name_of
from tshdb.process import library_version
from tshdb.schema import Run, Spec, Unit, UnitInput
from tshdb.stored_rows import EMPTY, stored_digests
from tshdb.vocabulary import UnitState

KINDS = ((Boolean, bool, "true or false"), (Integer, int, "a whole number"), (Double, float, "a number"))


@dataclass
class StoredUnit:
    """A unit with its rows.

    wrong: what is not as it was made, whatever a computation gives; moved: why its inputs are not those that it saw.
    otherwise: in what it would be made otherwise now, in words; other_code: by other code or libraries that count.
    other_versions: of Python and of libraries that do not count as code, where they are others by now.
    """

    analysis: Analysis
    key: str
    unit_id: int
    fingerprint: str | None
    rows_digest: str | None
    rows: list[dict[str, Any]]
    wrong: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    otherwise: str = ""
    other_code: bool = False
    other_versions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.analysis.name}/{self.key}"


def columns_of(table: Table) -> list[str]:
    """The columns that an analysis makes: not the unit, nor labels that are noted once a result stands."""
    return [c.name for c in table.columns if c.name != "unit_id" and not c.info.get("label")]


def stored_units(
    connection: Connection, objects: ObjectStore, planner: Planner, chosen: Sequence[tuple[str, str]]
) -> list[StoredUnit]:
    """The chosen units as they stand."""
    found = []
    edited = _Edited(connection, planner)
    for name, key in chosen:
        analysis = planner.world.by_name[name]
        query = select(Unit.unit_id, Unit.fingerprint, Unit.rows_digest, Unit.spec_id, Unit.run_id)
        unit = connection.execute(query.where(Unit.analysis == name, Unit.key == key)).one()
        table = analysis.makes.__table__
        result = connection.exec_driver_sql(
            f"SELECT {', '.join(_quoted(connection, columns_of(table)))} FROM {table.name} WHERE unit_id = {unit.unit_id:d}"
        )
        rows = [_as_made(table, dict(zip(columns_of(table), row, strict=True))) for row in result.fetchall()]
        one = StoredUnit(analysis, key, unit.unit_id, unit.fingerprint, unit.rows_digest, rows)
        one.wrong += _types(table, rows)
        one.wrong += _digests(connection, one, table)
        one.wrong += _objects(objects, table, rows)
        one.wrong += _spec(connection, unit.spec_id)
        one.moved = list(_moved(connection, planner, one, edited))
        if (difference := planner.stored_specs.difference(unit.spec_id, planner.world.spec(name))) is not None:
            one.otherwise, one.other_code = difference.detail, difference.reason == "code"
        one.other_versions = tuple(_versions(connection, analysis, unit.spec_id, unit.run_id))
        found.append(one)
    return found


def _quoted(connection: Connection, names: Sequence[str]) -> list[str]:
    return [connection.dialect.identifier_preparer.quote(name) for name in names]


def _as_made(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row as the engine makes it: SQLite has numbers for true and false."""
    return {
        name: bool(v) if isinstance(table.c[name].type, Boolean) and type(v) is int and v in (0, 1) else v
        for name, v in row.items()
    }


def key_of(table: Table, row: Mapping[str, Any]) -> str:
    """A row in words: its key without the unit."""
    names = [c.name for c in table.primary_key if c.name != "unit_id"]
    return ", ".join(f"{name} {row[name]}" for name in names) or "its row"


def _types(table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        for name, value in row.items():
            kind, words = next(((k, w) for c, k, w in KINDS if isinstance(table.c[name].type, c)), (str, "a text"))
            if value is not None and type(value) is not kind:
                yield f"{key_of(table, row)}: {name} is {value!r}, which is not {words}"


def _digests(connection: Connection, one: StoredUnit, table: Table) -> Iterator[str]:
    with numbers(connection, "verified_unit", [one.unit_id]) as name:
        stored = stored_digests(connection, table, name).get(one.unit_id)
    if one.rows_digest is not None and (stored.digest if stored else EMPTY) != one.rows_digest:
        yield "its rows are not those of its second digest"
    try:
        counted = payload_fingerprint(one.analysis.makes, one.rows)
    except TypeError:  # bytes, which nobody but another hand has put there
        counted = None
    if counted != one.fingerprint:
        yield "its rows are not those of its fingerprint"


def _objects(objects: ObjectStore, table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for column in table.columns:
        if "object" not in column.info:
            continue
        for digest in sorted({str(row[column.name]) for row in rows if row[column.name] is not None}):
            if not is_digest(digest) or not objects.is_whole(digest, column.info["object"]):
                yield f"{column.name}: {name_of(digest, column.info['object'])} is lost, or has other bytes"


def _spec(connection: Connection, spec_id: int | None) -> Iterator[str]:
    query = select(Spec.params, Spec.params_fingerprint, Spec.taken_over).where(Spec.spec_id == spec_id)
    spec = connection.execute(query).one_or_none()
    if spec is None:
        yield "nothing says by what it was made"
    elif spec.taken_over is None and json_fingerprint(spec.params) != spec.params_fingerprint:
        yield "the parameters that are recorded are not those of their digest"


def _versions(connection: Connection, analysis: Analysis, spec_id: int | None, run_id: int | None) -> Iterator[str]:
    """Python and the analysis's libraries, as they were recorded, where they are others by now."""
    python = connection.execute(select(Spec.python_version).where(Spec.spec_id == spec_id)).scalar()
    if python is not None and python != PYTHON:
        yield f"Python {python} -> {PYTHON}"
    recorded = json.loads(connection.execute(select(Run.libraries).where(Run.run_id == run_id)).scalar() or "{}")
    for name in libraries_of([analysis]):
        if name in recorded and recorded[name] != (now := library_version(name)):
            yield f"{name} {recorded[name]} -> {now}"


class _Edited:
    """Which results that stand as inputs were edited: each table is read once."""

    def __init__(self, connection: Connection, planner: Planner):
        self.connection = connection
        self.tables = {name: table for table, names in makers_of(planner.world.analyses).items() for name in names}
        self._stored: dict[str, Mapping[int, Any]] = {}

    def is_edited(self, analysis: str, unit_id: int, digest: str | None) -> bool:
        table = self.tables.get(analysis)
        if table is None or digest is None:
            return False
        if table.name not in self._stored:
            self._stored[table.name] = stored_digests(self.connection, table)
        stored = self._stored[table.name].get(unit_id)
        return (stored.digest if stored else EMPTY) != digest


def _moved(connection: Connection, planner: Planner, one: StoredUnit, edited: _Edited) -> Iterator[str]:
    """Why its inputs are not those that it was made from, or not those that it should be made from."""
    query = (
        select(UnitInput.role, UnitInput.seen_fingerprint, Unit.unit_id, Unit.analysis, Unit.key, Unit.state,
               Unit.fingerprint, Unit.rows_digest)
        .join(Unit, Unit.unit_id == UnitInput.input_unit_id)
        .where(UnitInput.unit_id == one.unit_id)
        .order_by(UnitInput.role, Unit.analysis, Unit.key)
    )  # fmt: skip
    edges = connection.execute(query).fetchall()
    for edge in edges:
        name = f"{edge.analysis}/{edge.key}"
        if edge.state != UnitState.CURRENT or edge.fingerprint != edge.seen_fingerprint:
            yield f"its input {name} ({edge.role}) is another one since it was made"
        elif not edge.analysis.startswith(INGEST) and edited.is_edited(edge.analysis, edge.unit_id, edge.rows_digest):
            yield f"its input {name} ({edge.role}) is not as it was made"
    plan = planner.plans[one.analysis.name]
    for change in plan.changes.get(one.key, ()):
        if change.what != "changed":  # what changed was said
            yield str(change)
    for role, reference in planner.world.references(one.analysis).items():
        if reference.fingerprint not in {e.seen_fingerprint for e in edges if e.role == role}:
            yield f"the table {reference.key} ({role}) is another one since it was made"
