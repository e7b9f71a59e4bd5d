"""From one number to everything that it rests on, down to file and line, and forward to everything that rests on it.

The graph is the engine's own: units and the inputs that they were computed from. It is read in two queries, however
many units it has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Enum, Table, Text, and_, or_, select

from tshdb.database import numbers, texts
from tshdb.engine.graph import Edge, edges_above, units_below
from tshdb.engine.units import COHORT, ENTITY_COLUMN, INGEST, NO_SEED, select_ids
from tshdb.errors import NotFound, UsageError
from tshdb.guest_tables import tables_of
from tshdb.near import did_you_mean
from tshdb.schema import ImagingInstance, Run, SourceFile, SourceRecord, Spec, Unit
from tshdb.vocabulary import UnitState

OTHERS_SHOWN = 6


class Node(NamedTuple):
    """A unit: what it is, and by which run and spec it was made (none for what was ingested)."""

    unit_id: int
    analysis: str
    key: str
    state: str
    run_id: int | None
    spec_id: int | None
    is_fit: bool

    @property
    def name(self) -> str:
        return f"{self.analysis}/{self.key}"


class Place(NamedTuple):
    """Where a file says something of an ingested unit. line: counted from 1; 0 for images, which have no lines."""

    unit_id: int
    file: str
    sha256: str
    path: str
    line: int
    column: int | None


@dataclass
class Lineage:
    """One unit with its rows, the units above and below it, and what they were made by."""

    table: str
    unit: Node
    rows: list[dict[str, Any]]
    n_others: int
    others: list[str]
    nodes: dict[int, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    specs: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    resting: list[Node] = field(default_factory=list)

    def inputs_of(self, unit_ids: Iterable[int]) -> dict[tuple[str, str], list[int]]:
        """(role, analysis) -> the inputs of these units."""
        wanted = set(unit_ids)
        by_role: dict[tuple[str, str], dict[int, None]] = {}
        for edge in self.edges:
            if edge.unit_id in wanted:
                by_role.setdefault((edge.role, self.nodes[edge.input_id].analysis), {})[edge.input_id] = None
        return {key: list(ids) for key, ids in by_role.items()}


def lineage(connection: Connection, table_name: str, keys: Sequence[str]) -> Lineage:
    """The lineage of the unit whose rows of `table_name` have these keys; of several, the newest.

    keys: `column=value`, or a value that any column of the row, or the unit's key, has. Raises UsageError for a table
    that is no result or ingested table, NotFound without such a row.
    """
    tables = {table.name: table for table in tables_of(connection)}
    table = tables.get(table_name)
    if table is None or not ("unit_id" in table.columns or table_name in ENTITY_COLUMN):
        known = [n for n, t in tables.items() if "unit_id" in t.columns or n in ENTITY_COLUMN]
        left_out = {"units", "unit_inputs", "attempts", "result_changes", "retirements"}
        with_lineage = sorted(set(known) - left_out)
        raise UsageError(
            f"'{table_name}' holds no numbers with a lineage",
            where="lineage",
            repair=did_you_mean(table_name, with_lineage, f"Tables: {', '.join(with_lineage)}"),
        )
    matches = _matches(connection, table, keys)
    if not matches:
        raise NotFound(
            f"no row of {table_name} with {' and '.join(keys)}",
            repair=f'Look: tshdb sql "FROM {table_name} LIMIT 5"',
        )
    unit_id = max(unit for unit, _ in matches)
    rows = [row for unit, row in matches if unit == unit_id]
    others = {unit for unit, _ in matches} - {unit_id}
    nodes = nodes_of(connection, {unit_id, *others})
    names = sorted(nodes[o].name for o in others)
    traced = Lineage(table_name, nodes[unit_id], rows, len(others), names[:OTHERS_SHOWN])
    traced.edges = edges_above(connection, [unit_id])
    traced.nodes = nodes_of(connection, {unit_id, *(e.input_id for e in traced.edges)})
    traced.places = places_of(connection, traced.nodes.values())
    traced.specs = specs_of(connection, {n.spec_id for n in traced.nodes.values()} - {None})
    traced.runs = runs_of(connection, {n.run_id for n in traced.nodes.values()} - {None})
    resting = nodes_of(connection, units_below(connection, [unit_id])).values()
    traced.resting = sorted(resting, key=lambda n: (n.analysis, n.key))
    return traced


def _matches(connection: Connection, table: Table, keys: Sequence[str]) -> list[tuple[int, dict[str, Any]]]:
    """(unit, row) for every row that has all keys."""
    is_result = "unit_id" in table.columns
    entity = None if is_result else table.columns[ENTITY_COLUMN[table.name]]
    if is_result:
        joined = (Unit.unit_id == table.columns["unit_id"]) & (Unit.state != UnitState.RETIRED)
    else:
        joined = (Unit.key == entity) & (Unit.analysis == INGEST + table.name) & (Unit.state != UnitState.RETIRED)
    conditions = [_has(table, key) for key in keys]
    query = select(Unit.unit_id.label("of_unit"), table).join(Unit, joined).where(and_(*conditions))
    matches = []
    for row in connection.execute(query).mappings():
        matches.append((row["of_unit"], {c.name: row[c.name] for c in table.columns if c.name != "unit_id"}))
    return matches


def _has(table: Table, key: str):
    column, sign, value = key.partition("=")
    if sign and column in table.columns:
        kind = table.columns[column].type.python_type
        try:
            return table.columns[column] == (kind(value) if kind in (int, float) else value)
        except ValueError:
            raise UsageError(f"{value!r} is no {kind.__name__}", where=f"lineage {key}") from None
    texts = [c for c in table.columns if isinstance(c.type, Text) or (isinstance(c.type, Enum) and key in c.type.enums)]
    return or_(Unit.key == key, *(c == key for c in texts))


_COLUMNS = (Unit.unit_id, Unit.analysis, Unit.key, Unit.state, Unit.run_id, Unit.spec_id, Unit.upstream)


def nodes_of(connection: Connection, unit_ids: Iterable[int]) -> dict[int, Node]:
    with numbers(connection, "lineage_units", unit_ids) as name:
        rows = connection.execute(select(*_COLUMNS).where(Unit.unit_id.in_(select_ids(name)))).fetchall()
    return {r[0]: Node(r[0], r[1], r[2], str(r[3]), r[4], r[5], r[6] is not None) for r in rows}


def places_of(connection: Connection, nodes: Iterable[Node]) -> list[Place]:
    """Where the ingested units come from."""
    by_table: dict[str, dict[str, int]] = {}
    for node in nodes:
        if node.analysis.startswith(INGEST):
            by_table.setdefault(node.analysis.removeprefix(INGEST), {})[node.key] = node.unit_id
    places = []
    for table, unit_of in by_table.items():
        if table.startswith("imaging_") and table != "imaging_decisions":
            places += _image_places(connection, unit_of)
            continue
        query = (
            select(
                SourceRecord.row_key, SourceFile.name, SourceFile.sha256, SourceFile.path, SourceRecord.line,
                SourceRecord.column_number,
            )
            .join(SourceFile, SourceFile.source_file_id == SourceRecord.source_file_id)
            .where(SourceRecord.table_name == table)
            .order_by(SourceFile.name, SourceRecord.line, SourceRecord.column_number)
        )  # fmt: skip
        if len(unit_of) == 1:  # one entity: not the whole table
            (entity,) = unit_of
            query = query.where(
                or_(SourceRecord.row_key == entity, SourceRecord.row_key.startswith(f"{entity}|", autoescape=True))
            )
        for row_key, name, sha256, path, line, column in connection.execute(query):
            unit = unit_of.get(row_key, unit_of.get(row_key.partition("|")[0]))
            if unit is not None:
                places.append(Place(unit, name, sha256, path, line, column))
    return places


def _image_places(connection: Connection, unit_of: dict[str, int]) -> list[Place]:
    """The files of examinations."""
    table = ImagingInstance.__table__
    columns = (table.c.study_uid, table.c.path, table.c.sha256)
    with texts(connection, "asked_studies", unit_of) as name:
        query = select(*columns).where(table.c.study_uid.in_(select_ids(name))).distinct().order_by(table.c.path)
        rows = connection.execute(query).fetchall()
    return [Place(unit_of[study], path.rpartition("/")[2], sha256, path, 0, None) for study, path, sha256 in rows]


def specs_of(connection: Connection, spec_ids: set) -> dict[int, dict[str, Any]]:
    with numbers(connection, "lineage_specs", spec_ids) as name:
        rows = connection.execute(select(*Spec.__table__.columns).where(Spec.spec_id.in_(select_ids(name)))).fetchall()
    return {
        row.spec_id: {
            "code": row.code_fingerprint,
            "parameters": json.loads(row.params),
            "seed": None if row.seed == NO_SEED else row.seed,
            "sources": json.loads(row.sources),
            "python": row.python_version,
            "taken_over": row.taken_over,
        }
        for row in rows
    }


def runs_of(connection: Connection, run_ids: set) -> dict[int, dict[str, Any]]:
    with numbers(connection, "lineage_runs", run_ids) as name:
        rows = connection.execute(
            select(Run.run_id, Run.command, Run.actor, Run.started_at, Run.libraries).where(
                Run.run_id.in_(select_ids(name))
            )
        ).fetchall()
    return {
        run: {"command": command, "actor": actor, "started_at": started, "libraries": json.loads(libraries)}
        for run, command, actor, started, libraries in rows
    }


# ------------------------------------------------------------------------------------------------ as a tree of text


def tree(traced: Lineage) -> Iterator[str]:
    """The lineage as indented lines, units of one analysis together, an analysis once."""
    yield from _branch(traced, [traced.unit.unit_id], "", set())


def _branch(traced: Lineage, unit_ids: list[int], indent: str, above: set[str]) -> Iterator[str]:
    groups = list(traced.inputs_of(unit_ids).items())
    for i, ((role, analysis), inputs) in enumerate(groups):
        is_last = i == len(groups) - 1
        mark, deeper = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        nodes = [traced.nodes[u] for u in inputs]
        text = nodes[0].name if len(nodes) == 1 else f"{len(nodes):,} {analysis.removeprefix(INGEST)}"
        owners, sources = set(unit_ids), set(inputs)
        moved = sum(not e.is_same for e in traced.edges if e.unit_id in owners and e.input_id in sources)
        note = f"  ({moved:,} changed since)" if moved else ""
        shown = analysis if not nodes[0].is_fit else nodes[0].name
        if analysis.startswith(INGEST):
            yield f"{indent}{mark}{role}: {text}{note}"
            for line in where(traced, inputs):
                yield f"{indent}{deeper}  ← {line}"
        elif analysis == COHORT or nodes[0].spec_id is None:
            yield f"{indent}{mark}{role}: {text}{note}"
        elif shown in above:
            yield f"{indent}{mark}{role}: {text}{note}  (as above)"
        else:
            above.add(shown)
            specs = sorted({traced.specs[n.spec_id]["code"][:12] for n in nodes if n.spec_id in traced.specs})
            yield f"{indent}{mark}{role}: {text}{note}  code {', '.join(specs)}"
            yield from _branch(traced, inputs, indent + deeper, above)


def where(traced: Lineage, unit_ids: Iterable[int]) -> Iterator[str]:
    """The places of some ingested units, one line a file."""
    wanted = set(unit_ids)
    by_file: dict[tuple[str, str], list[Place]] = {}
    images = [place for place in traced.places if place.unit_id in wanted and place.line == 0]
    if images:
        more = f" and {len(images) - 1:,} more DICOM files" if len(images) > 1 else ""
        yield f"{images[0].path} (sha256 {images[0].sha256[:12]}…){more}"
    for place in traced.places:
        if place.unit_id in wanted and place.line:
            by_file.setdefault((place.file, place.sha256), []).append(place)
    for (file, sha256), places in by_file.items():
        lines, columns = [p.line for p in places], [p.column for p in places if p.column is not None]
        text = f"line {lines[0]}" if min(lines) == max(lines) else f"lines {min(lines):,} to {max(lines):,}"
        if columns:
            is_one = min(columns) == max(columns)
            text += f" column {columns[0]}" if is_one else f" columns {min(columns):,} to {max(columns):,}"
        yield f"{file} {text} (sha256 {sha256[:12]}…)"


def facts_of(traced: Lineage) -> dict[str, Any]:
    """The whole graph for a machine: units by number, edges, places, specs with their code, runs."""
    return {
        "table": traced.table,
        "unit": traced.unit.name,
        "rows": traced.rows,
        "units": [n._asdict() for n in sorted(traced.nodes.values())],
        "edges": [e._asdict() for e in traced.edges],
        "places": [p._asdict() for p in traced.places],
        "specs": traced.specs,
        "runs": traced.runs,
        "rests_on_it": [n.name for n in traced.resting],
    }
