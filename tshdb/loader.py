"""Put what a reader found into the study: only what differs, all of it or nothing, each row with its file and line.

What every source says of a row is kept (`source_records`); the row that holds is derived from all of them by
precedence, so that a source may change, or say less, at any time. Sources that disagree make a row of `conflicts`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.inspection import inspect

from tshdb import __version__
from tshdb.canonical import json_text, rows_fingerprint
from tshdb.database import bulk_insert, next_id, numbers, reading, texts, upsert, writing
from tshdb.engine.inputs import ENTITY_COLUMN
from tshdb.engine.units import INGEST, now, retire, select_ids, set_fingerprints
from tshdb.expression_store import column_fingerprint, genes_digest, read_matrix, write_parts
from tshdb.failpoints import fp
from tshdb.lock import study_lock
from tshdb.objects import sha256_of
from tshdb.process import actor
from tshdb.reading import Finding, Found, Matrix, RawValue, Reading
from tshdb.schema import (
    Base,
    Change,
    ClinicalValue,
    Conflict,
    ExpressionPart,
    ExpressionProfile,
    FollowUp,
    Gene,
    IngestIssue,
    IngestRun,
    Patient,
    Sample,
    SourceFile,
    SourceRecord,
    Unit,
)
from tshdb.selection import select_profiles
from tshdb.study import Study

PRECEDENCE = {"clinical": 0, "follow-up": 1, "rna": 2}
PRECEDENCE_RULE = "clinical before follow-up before rna, then the source's name"
TABLES = {t.__tablename__: t for t in (Patient, FollowUp, Sample, ExpressionProfile)}
MERGED_BY_COLUMN = {Patient.__tablename__}
GENES_SHOWN = 5


class Source(NamedTuple):
    """Where rows come from, whatever bytes it has today."""

    collection: str
    reader: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)


@dataclass
class Loaded:
    """What an ingest did, or would do."""

    source: Source
    path: Path
    n_inserted: int = 0
    n_updated: int = 0
    n_deleted: int = 0
    n_unchanged: int = 0
    n_withheld: int = 0
    by_table: dict[str, dict[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    is_same_bytes: bool = False
    is_refused: bool = False


class _Said(NamedTuple):
    """What one source says of one row."""

    source: Source
    values: dict[str, Any]
    file_id: int | None
    line: int
    column: int | None


Key = tuple[str, str]  # table, row key


def row_key(table: type, values: dict[str, Any]) -> str:
    return "|".join(str(values[c.name]) for c in inspect(table).primary_key)


def is_loaded(study: Study, source: Source, path: Path, options: dict[str, Any]) -> bool:
    """Whether exactly these bytes, read with these options, are what the source stands at."""
    with reading(study.engine) as connection:
        current = connection.execute(_current_file(source)).one_or_none()
    return current is not None and current.options == json_text(options) and current.sha256 == sha256_of(path)


def load(
    study: Study,
    source: Source,
    path: Path,
    options: dict[str, Any],
    found: Reading,
    *,
    command: str,
    complete: bool = False,
    keep_going: bool = False,
    dry_run: bool = False,
) -> Loaded:
    """Load what was found. complete: rows that the file no longer has are gone; keep_going: load the good rows of a file
    with bad ones. With errors and without keep_going nothing is loaded, and the findings are kept."""
    loaded = Loaded(source, path, findings=found.findings, n_withheld=found.n_withheld)
    if found.errors and not keep_going:
        loaded.is_refused = True
        if not dry_run:
            with study_lock(study.engine, study.root), writing(study.engine) as connection:
                _record_run(connection, loaded, command)
        return loaded
    if dry_run:
        with reading(study.engine) as connection:
            _Load(study, connection, source, found, complete, loaded).compare()
        return loaded
    with study_lock(study.engine, study.root):
        digest = sha256_of(path)
        with reading(study.engine) as connection:
            pending = _Load(study, connection, source, found, complete, loaded)
            pending.compare()
        pending.write_objects()
        fp("ingest.objects_written")
        with writing(study.engine) as connection:
            run_id = _record_run(connection, loaded, command)
            file_id = _register_file(connection, source, path, digest, options, run_id)
            fp("ingest.file_registered")
            pending.commit(connection, run_id, file_id)
            fp("ingest.before_commit")
        fp("ingest.committed")
    return loaded


def _of(model, source: Source):
    """The rows of `model` that belong to a source."""
    return and_(model.collection == source.collection, model.reader == source.reader, model.name == source.name)


def _current_file(source: Source):
    return select(SourceFile.source_file_id, SourceFile.sha256, SourceFile.options).where(
        _of(SourceFile, source), SourceFile.is_current
    )


def _record_run(connection: Connection, loaded: Loaded, command: str) -> int:
    run_id = next_id(connection, IngestRun.ingest_run_id)
    connection.execute(
        insert(IngestRun).values(
            ingest_run_id=run_id,
            command=command,
            started_at=now(),
            actor=actor(),
            program_version=__version__,
            n_inserted=loaded.n_inserted,
            n_updated=loaded.n_updated,
            n_deleted=loaded.n_deleted,
            n_unchanged=loaded.n_unchanged,
            n_withheld=loaded.n_withheld,
        )
    )
    first = next_id(connection, IngestIssue.ingest_issue_id)
    bulk_insert(
        connection,
        IngestIssue.__table__,
        [
            {
                "ingest_issue_id": first + i,
                "ingest_run_id": run_id,
                "path": str(loaded.path),
                "line": f.line,
                "column_name": f.column,
                "value": f.value,
                "rule": f.rule,
                "severity": f.severity,
                "message": f.message,
            }
            for i, f in enumerate(loaded.findings)
        ],
    )
    return run_id


def _register_file(connection, source: Source, path: Path, digest: str, options: dict, run_id: int) -> int:
    connection.execute(update(SourceFile).where(_of(SourceFile, source)).values(is_current=False))
    file_id = next_id(connection, SourceFile.source_file_id)
    connection.execute(
        insert(SourceFile).values(
            source_file_id=file_id,
            collection=source.collection,
            reader=source.reader,
            name=source.name,
            path=str(path.resolve()),
            sha256=digest,
            size_bytes=path.stat().st_size,
            options=json_text(options),
            is_current=True,
            ingest_run_id=run_id,
        )
    )
    return file_id


class _Load:
    """One ingest: compare with what stands, write objects, commit."""

    def __init__(self, study: Study, connection: Connection, source: Source, found: Reading, complete: bool, loaded):
        self.study, self.source, self.found, self.loaded = study, source, found, loaded
        self.complete = complete
        self.new = self._said(found.records)
        self._fingerprint_matrix(found.matrix)
        self.old = self._stored(connection)
        self.others: dict[Key, list[_Said]] = {}
        self.rows_before: dict[Key, dict] = {}
        self.rows_after: dict[Key, dict | None] = {}
        self.parts: list[dict] = []
        self.part_of: dict[str, str] = {}
        self._connection = connection

    def _said(self, records: Iterable[Found]) -> dict[Key, _Said]:
        said: dict[Key, _Said] = {}
        for record in records:
            key = (record.table.__tablename__, row_key(record.table, record.values))
            if key not in said:
                said[key] = _Said(self.source, record.values, None, record.line, record.column)
        return said

    def _fingerprint_matrix(self, matrix: Matrix | None) -> None:
        if matrix is None:
            return
        shared = genes_digest(matrix.genes)
        for i, profile_id in enumerate(matrix.profile_ids):
            values = self.new[("expression_profiles", profile_id)].values
            values["values_fingerprint"] = column_fingerprint(shared, matrix.column(i))

    def _stored(self, connection: Connection) -> dict[Key, _Said]:
        rows = connection.execute(
            select(*SourceRecord.__table__.columns).where(_of(SourceRecord, self.source))
        ).fetchall()
        self.record_ids = {(r.table_name, r.row_key): r.source_record_id for r in rows}
        return {
            (r.table_name, r.row_key): _Said(
                self.source, json.loads(r.values), r.source_file_id, r.line, r.column_number
            )
            for r in rows
        }

    # ---------------------------------------------------------------------------------------------- compare

    def compare(self) -> None:
        """Which rows change, and what they will be."""
        connection = self._connection
        moved = [k for k, said in self.new.items() if k not in self.old or self.old[k].values != _jsoned(said.values)]
        self.removed = [k for k in self.old if k not in self.new] if self.complete else []
        touched = [*moved, *self.removed]
        self._read_others(connection, touched)
        self._read_rows(connection, touched)
        self.conflicts: list[dict] = []
        for key in touched:
            said = list(self.others.get(key, ()))
            if key in self.new:
                said.append(self.new[key])
            self.rows_after[key] = self._effective(key, said)
        for key in touched:
            before, after = self.rows_before.get(key), self.rows_after[key]
            kind = "inserted" if before is None else "deleted" if after is None else "updated"
            if before is None and after is None:
                continue
            if before is not None and after is not None and not _changes(key[0], before, after):
                kind = "unchanged"
            self._count(key[0], kind)
        for key in self.new:
            if key not in self.rows_after:
                self._count(key[0], "unchanged")

    def _count(self, table: str, kind: str) -> None:
        counts = self.loaded.by_table.setdefault(table, {"inserted": 0, "updated": 0, "deleted": 0, "unchanged": 0})
        counts[kind] += 1
        setattr(self.loaded, f"n_{kind}", getattr(self.loaded, f"n_{kind}") + 1)

    def _read_others(self, connection: Connection, keys: list[Key]) -> None:
        for table in TABLES:
            wanted = [row for t, row in keys if t == table]
            if not wanted:
                continue
            with texts(connection, "touched_rows", wanted) as name:
                rows = connection.execute(
                    select(*SourceRecord.__table__.columns).where(
                        SourceRecord.table_name == table, SourceRecord.row_key.in_(select_ids(name))
                    )
                ).fetchall()
            for r in rows:
                source = Source(r.collection, r.reader, r.name)
                if source != self.source:
                    said = _Said(source, json.loads(r.values), r.source_file_id, r.line, r.column_number)
                    self.others.setdefault((table, r.row_key), []).append(said)

    def _read_rows(self, connection: Connection, keys: list[Key]) -> None:
        for name, table in TABLES.items():
            wanted = [row for t, row in keys if t == name]
            if not wanted:
                continue
            primary = list(inspect(table).primary_key)
            with texts(connection, "touched_rows", {row.split("|")[0] for row in wanted}) as ids:
                rows = connection.execute(select(table.__table__).where(primary[0].in_(select_ids(ids)))).mappings()
                for row in rows:
                    self.rows_before[(name, row_key(table, row))] = dict(row)

    def _effective(self, key: Key, said: list[_Said]) -> dict | None:
        """The row that holds, from all that sources say of it."""
        if not said:
            return None
        said = sorted(said, key=lambda s: (PRECEDENCE.get(s.source.reader, 9), s.source))
        names = [c.name for c in TABLES[key[0]].__table__.columns]
        row = {n: said[0].values.get(n) for n in names}
        holder = dict.fromkeys(names, said[0])
        for other in said[1:]:
            for name in names:
                value = other.values.get(name)
                if value is None:
                    continue
                if row[name] is None and key[0] in MERGED_BY_COLUMN:
                    row[name], holder[name] = value, other
                elif row[name] is not None and value != row[name]:
                    self.conflicts.append(
                        {
                            "table_name": key[0],
                            "row_key": key[1],
                            "column_name": name,
                            "other_source": str(other.source),
                            "held_source": str(holder[name].source),
                            "held_value": str(row[name]),
                            "other_value": str(value),
                            "rule": PRECEDENCE_RULE,
                        }
                    )
        return row

    # ---------------------------------------------------------------------------------------------- objects

    def write_objects(self) -> None:
        """Store the values of new and changed profiles, before any row names them."""
        matrix = self.found.matrix
        if matrix is None:
            return
        wanted = []
        for i, profile_id in enumerate(matrix.profile_ids):
            before = self.rows_before.get(("expression_profiles", profile_id))
            after = self.rows_after.get(("expression_profiles", profile_id))
            if after is not None and (before is None or before["values_fingerprint"] != after["values_fingerprint"]):
                wanted.append(i)
        names = [matrix.profile_ids[i] for i in wanted]
        columns = _Columns(matrix, wanted)
        for part_id, size, members in write_parts(self.study.objects, matrix.genes, names, columns):
            self.parts.append(
                {"part_id": part_id, "size_bytes": size, "n_profiles": len(members), "n_genes": len(matrix.genes)}
            )
            self.part_of |= dict.fromkeys(members, part_id)
            fp("ingest.part_written")

    # ----------------------------------------------------------------------------------------------- commit

    def commit(self, connection: Connection, run_id: int, file_id: int) -> None:
        """Everything in the transaction of the caller."""
        upsert(connection, ExpressionPart.__table__, self.parts, ("part_id",))
        self._complete_profiles()
        changes = self._write_rows(connection)
        fp("ingest.rows_written")
        self._write_conflicts(connection)
        self._write_genes(connection)
        values_changed = self._write_raw_values(connection, file_id)
        self._write_records(connection, file_id)
        self._write_changes(connection, changes, run_id, file_id)
        fp("ingest.records_written")
        touched: dict[str, set[str]] = defaultdict(set)
        for (table, _), (before, after) in changes.items():
            touched[table].add((after or before)[ENTITY_COLUMN[table]])
        select_profiles(connection, self._patients_with_profiles(connection, changes))
        touched["clinical_values"] |= values_changed
        for table, entities in touched.items():
            if entities:
                refresh_units(connection, table, entities)

    def _complete_profiles(self) -> None:
        for key, row in self.rows_after.items():
            if key[0] == "expression_profiles" and row is not None:
                before = self.rows_before.get(key, {})
                row["part_id"] = self.part_of.get(key[1], before.get("part_id"))
                row["is_selected"] = before.get("is_selected", False)
                row["selection_rule"] = before.get("selection_rule")

    def _write_rows(self, connection: Connection) -> dict[Key, tuple[dict | None, dict | None]]:
        changes = {}
        for table in Base.metadata.sorted_tables:
            if table.name not in TABLES:
                continue
            rows = []
            for key, after in self.rows_after.items():
                before = self.rows_before.get(key)
                if key[0] == table.name and after is not None:
                    if before is None or _changes(key[0], before, after):
                        changes[key] = (before, after)
                        rows.append(after)
            upsert(connection, table, rows, tuple(c.name for c in table.primary_key))
        for table in reversed(Base.metadata.sorted_tables):
            for key, after in self.rows_after.items():
                before = self.rows_before.get(key)
                if key[0] == table.name and after is None and before is not None:
                    changes[key] = (before, None)
                    where = [c == before[c.name] for c in table.primary_key]
                    connection.execute(delete(table).where(*where))
        return changes

    def _write_conflicts(self, connection: Connection) -> None:
        for table in TABLES:
            keys = [row for t, row in self.rows_after if t == table]
            if keys:
                with texts(connection, "conflict_rows", keys) as name:
                    connection.execute(
                        delete(Conflict).where(Conflict.table_name == table, Conflict.row_key.in_(select_ids(name)))
                    )
        bulk_insert(connection, Conflict.__table__, self.conflicts)

    def _write_genes(self, connection: Connection) -> None:
        matrix = self.found.matrix
        if matrix is None:
            return
        known = set(connection.execute(select(Gene.gene_id)).scalars())
        rows = [
            {"gene_id": gene, "id_type": id_type, "source_name": name}
            for gene, id_type, name in zip(matrix.genes, matrix.id_types, matrix.source_names, strict=True)
            if gene not in known
        ]
        bulk_insert(connection, Gene.__table__, rows)

    def _write_raw_values(self, connection: Connection, file_id: int) -> set[str]:
        """Replace the source's raw values. Gives the patients whose values moved."""
        if not self.found.raw_values:
            return set()
        files = select(SourceFile.source_file_id).where(
            _of(SourceFile, self.source), SourceFile.source_file_id != file_id
        )
        old: dict[str, list[RawValue]] = defaultdict(list)
        mine = ClinicalValue.source_file_id.in_(files)
        kept: list[dict] = []
        present = {v.patient_id for v in self.found.raw_values}
        for r in connection.execute(select(*ClinicalValue.__table__.columns).where(mine)).mappings():
            old[r["patient_id"]].append((r["field"], r["value"], r["missing_reason"]))
            if r["patient_id"] not in present and not self.complete:
                kept.append(dict(r))
        connection.execute(delete(ClinicalValue).where(mine))
        bulk_insert(
            connection,
            ClinicalValue.__table__,
            [{**v._asdict(), "source_file_id": file_id} for v in self.found.raw_values] + kept,
        )
        new: dict[str, list] = defaultdict(list)
        for v in self.found.raw_values:
            new[v.patient_id].append((v.field, v.value, v.missing_reason))
        stay = {row["patient_id"] for row in kept}
        return {p for p in {*old, *new} - stay if Counter(old.get(p, ())) != Counter(new.get(p, ()))}

    def _write_records(self, connection: Connection, file_id: int) -> None:
        """Point every record of the source to the new file, whether its row changed or not."""
        first = next_id(connection, SourceRecord.source_record_id)
        rows = [
            {
                "source_record_id": self.record_ids.get(key, first + i),
                "table_name": key[0],
                "row_key": key[1],
                **self.source._asdict(),
                "source_file_id": file_id,
                "line": said.line,
                "column_number": said.column,
                "values": json_text(_jsoned(said.values)),
            }
            for i, (key, said) in enumerate(self.new.items())
        ]
        upsert(connection, SourceRecord.__table__, rows, ("source_record_id",))
        with numbers(connection, "removed_records", [self.record_ids[key] for key in self.removed]) as name:
            connection.execute(delete(SourceRecord).where(SourceRecord.source_record_id.in_(select_ids(name))))

    def _write_changes(self, connection: Connection, changes, run_id: int, file_id: int) -> None:
        first = next_id(connection, Change.change_id)
        rows = []
        for i, ((table, key), (before, after)) in enumerate(changes.items()):
            old, new = self.old.get((table, key)), self.new.get((table, key))
            if before is None:
                action, details = "insert", {}
            elif after is None:
                action, details = "delete", {}
            else:
                action, details = "update", _changes(table, before, after)
                if "values_fingerprint" in details:
                    details = self._gene_changes(key, before) | {
                        n: v for n, v in details.items() if n != "values_fingerprint"
                    }
            rows.append(
                {
                    "change_id": first + i,
                    "ingest_run_id": run_id,
                    "table_name": table,
                    "row_key": key,
                    "entity_key": (after or before)[ENTITY_COLUMN[table]],
                    "action": action,
                    "changes": json_text(details),
                    "before_file_id": old.file_id if old else None,
                    "before_line": old.line if old else None,
                    "after_file_id": file_id if new else None,
                    "after_line": new.line if new else None,
                }
            )
        bulk_insert(connection, Change.__table__, rows)

    def _gene_changes(self, profile_id: str, before: dict) -> dict[str, list]:
        """The genes whose value changed, the first few with both values."""
        import numpy as np
        import pandas as pd

        matrix = self.found.matrix
        frame = pd.DataFrame({"part_id": [before["part_id"]]}, index=[profile_id])
        old = read_matrix(self.study.objects, frame)
        was = dict(zip(old.genes, old.values[:, 0], strict=True))
        column = matrix.column(list(matrix.profile_ids).index(profile_id))
        moved = {}
        for gene, value in zip(matrix.genes, column, strict=True):
            past = was.pop(gene, np.nan)
            if not (value == past or (value != value and past != past)):
                moved[gene] = [_plain(past), _plain(value)]
        moved |= {gene: [_plain(past), None] for gene, past in was.items()}
        shown = dict(list(moved.items())[:GENES_SHOWN])
        if len(moved) > GENES_SHOWN:
            shown["…"] = [None, f"{len(moved) - GENES_SHOWN} more genes"]
        return shown

    def _patients_with_profiles(self, connection: Connection, changes) -> set[str]:
        """The patients whose samples or profiles moved."""
        rows = [row for (table, _), pair in changes.items() if table in ("samples", "expression_profiles")
                for row in pair if row is not None]  # fmt: skip
        patients = {row["patient_id"] for row in rows if "patient_id" in row}
        with texts(connection, "moved_samples", {row["sample_id"] for row in rows}) as name:
            found = connection.execute(select(Sample.patient_id).where(Sample.sample_id.in_(select_ids(name))))
            return patients | set(found.scalars())


class _Columns:
    """The chosen columns of a matrix, one at a time."""

    def __init__(self, matrix: Matrix, chosen: list[int]):
        self.matrix, self.chosen = matrix, chosen

    def __getitem__(self, i: int):
        return self.matrix.column(self.chosen[i])


def refresh_units(connection: Connection, table: str, entities: Iterable[str]) -> None:
    """Give the ingest units of these entities the fingerprints of their rows; entities without rows are retired."""
    model = TABLES.get(table) or ClinicalValue
    columns = model.__table__.columns
    entity = columns[ENTITY_COLUMN[table]]
    counted = sorted((c for c in columns if c.info.get("fingerprint", True)), key=lambda c: c.name)
    with texts(connection, "refreshed", entities) as name:
        rows = connection.execute(select(entity, *counted).where(entity.in_(select_ids(name)))).fetchall()
    by_entity: dict[str, list] = {}
    for row in rows:
        by_entity.setdefault(row[0], []).append(tuple(row[1:]))
    names = [c.name for c in counted]
    analysis = INGEST + table
    set_fingerprints(connection, analysis, {e: rows_fingerprint(names, r) for e, r in by_entity.items()})
    gone = set(entities) - set(by_entity)
    if gone:
        with texts(connection, "gone_entities", gone) as name:
            query = select(Unit.unit_id).where(Unit.analysis == analysis, Unit.key.in_(select_ids(name)))
            unit_ids = connection.execute(query).scalars().all()
        retire(connection, unit_ids)


def _jsoned(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON gives them back: enums are their text."""
    return {name: str(v) if isinstance(v, str) else v for name, v in values.items()}


def _plain(value: float) -> float | None:
    return None if value != value else float(value)


def _changes(table: str, before: dict, after: dict) -> dict[str, list]:
    """column -> [before, after], of the columns that are data."""
    columns = TABLES[table].__table__.columns
    return {
        c.name: [before[c.name], after[c.name]]
        for c in columns
        if c.info.get("fingerprint", True) and before[c.name] != after[c.name]
    }
