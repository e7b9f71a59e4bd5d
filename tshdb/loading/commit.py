"""Write an ingest into the database, all of it in the transaction of the caller, and move the units that it concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from tshdb.canonical import json_text
from tshdb.change_chain import chained, head, note_head
from tshdb.database import bulk_insert, next_id, numbers, texts, upsert
from tshdb.engine.units import ENTITY_COLUMN, INGEST, now, retire, select_ids, set_fingerprints
from tshdb.failpoints import fp
from tshdb.file_content import Finding, GeneIndex
from tshdb.file_identity import FileIdentity
from tshdb.guest_tables import object_columns
from tshdb.ingested import entity_fingerprints
from tshdb.loading import instances
from tshdb.loading.compare import Comparison, changed_columns
from tshdb.loading.said_again import take_out_raw_values, write_raw_values, write_records
from tshdb.loading.sources import TABLES, Item, Key, Release, Source, of_source
from tshdb.process import actor
from tshdb.schema import (
    Base,
    Change,
    Conflict,
    ExpressionPart,
    ExpressionProfile,
    Gene,
    ImagingStudy,
    IngestIssue,
    IngestRun,
    Sample,
    SourceFile,
    SourceRelease,
    Unit,
)
from tshdb.selection import select_profiles
from tshdb.timepoints import number_time_points
from tshdb.version import __version__
from tshdb.vocabulary import NOBODY

Changes = dict[Key, tuple[dict | None, dict | None]]


def record_run(connection: Connection, command: str, counts: dict[str, int], findings: list[Finding]) -> int:
    """A row of ingest_runs with its findings. Gives its number."""
    run_id = next_id(connection, IngestRun.ingest_run_id)
    connection.execute(
        insert(IngestRun).values(
            ingest_run_id=run_id,
            command=command,
            started_at=now(),
            actor=actor(),
            program_version=__version__,
            **{f"n_{name}": n for name, n in counts.items()},
        )
    )
    record_findings(connection, run_id, findings)
    return run_id


def record_findings(connection: Connection, run_id: int, findings: list[Finding]) -> None:
    """Add findings to those of a run."""
    first = next_id(connection, IngestIssue.ingest_issue_id)
    bulk_insert(
        connection,
        IngestIssue.__table__,
        [
            {
                "ingest_issue_id": first + i,
                "ingest_run_id": run_id,
                "path": f.path or "",
                "line": f.line,
                "column_name": f.column,
                "value": f.value,
                "rule": f.rule,
                "severity": f.severity,
                "message": f.message,
            }
            for i, f in enumerate(findings)
        ],
    )


def record_release(connection: Connection, release: Release, run_id: int) -> None:
    """Note the archive's state, once."""
    of_archive = (SourceRelease.collection == release.collection) & (SourceRelease.archive == release.archive)
    if connection.execute(
        select(SourceRelease.source_release_id).where(of_archive, SourceRelease.release == release.name)
    ).all():
        return
    connection.execute(
        insert(SourceRelease).values(
            source_release_id=next_id(connection, SourceRelease.source_release_id),
            collection=release.collection,
            archive=release.archive,
            release=release.name,
            details=json_text(release.details),
            ingest_run_id=run_id,
        )
    )


def commit(connection: Connection, comparison: Comparison, run_id: int) -> None:
    """Files, rows, conflicts, genes, raw values, records, the change log, the selection of profiles, ingest units."""
    files = _register_files(connection, comparison, run_id)
    renew_identities(connection, comparison)
    fp("ingest.file_registered")
    upsert(connection, ExpressionPart.__table__, comparison.values.parts, ("part_id",))
    complete_derived(comparison)
    standing = take_out_raw_values(connection, comparison, files)
    changes = write_rows(connection, comparison)
    _restore(connection, comparison)
    moved_studies = _write_instances(connection, comparison)
    fp("ingest.rows_written")
    write_conflicts(connection, comparison)
    for genes in comparison.values.gene_sets.values():
        _write_genes(connection, genes)
    values_changed = write_raw_values(connection, files, standing)
    write_records(connection, comparison, files)
    write_changes(connection, comparison, changes, run_id, files)
    fp("ingest.records_written")
    touched: dict[str, set[str]] = defaultdict(set)
    for (table, _), pair in changes.items():
        touched[table] |= {row[ENTITY_COLUMN[table]] for row in pair if row is not None}
    touched["imaging_instances"] |= moved_studies
    choose_again(connection, changes, comparison)
    touched["clinical_values"] |= values_changed
    for table, entities in touched.items():
        named = {e for e in entities if (table, e) not in comparison.hurt}
        if named:
            refresh_units(connection, table, named)
    _unmark(connection, comparison)


def choose_again(connection: Connection, changes: Changes, comparison: Comparison) -> None:
    """Profiles and time points of the patients whose rows moved, or of whose profiles something else is said."""
    patients = _patients_with_profiles(connection, changes)
    spoken = {
        row["sample_id"] for (table, _), row in comparison.after.items() if table == "expression_profiles" and row
    }
    select_profiles(connection, patients | _patients_of(connection, spoken))
    number_time_points(connection, _patients_with_images(connection, changes))


def _register_files(connection: Connection, comparison: Comparison, run_id: int) -> dict[Source, int]:
    """A row of source_files for every file that was read; those of gone sources are no longer current."""
    read = [item for item in comparison.items if item.content is not None]
    sources = [*(i.source for i in read), *comparison.gone_sources]
    by_reader: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        by_reader[source[:2]].append(source.name)
    for (collection, reader), names in by_reader.items():
        with texts(connection, "read_sources", names) as asked:
            connection.execute(
                update(SourceFile)
                .where(
                    SourceFile.collection == collection,
                    SourceFile.reader == reader,
                    SourceFile.name.in_(select_ids(asked)),
                )
                .values(is_current=False)
            )
    first = next_id(connection, SourceFile.source_file_id)
    bulk_insert(
        connection,
        SourceFile.__table__,
        [_file_row(item, first + i, run_id) for i, item in enumerate(read)],
    )
    return {item.source: first + i for i, item in enumerate(read)}


def _file_row(item: Item, file_id: int, run_id: int) -> dict:
    of_file = item.identity or FileIdentity(item.size_bytes or item.path.stat().st_size, None, None, None)
    return {
        "source_file_id": file_id,
        **item.source._asdict(),
        "path": item.place,
        "sha256": item.sha256,
        **of_file._asdict(),
        "options": json_text(item.options),
        "is_current": True,
        "ingest_run_id": run_id,
        "md5": item.md5,
        "archive_id": item.archive_id,
    }


def renew_identities(connection: Connection, comparison: Comparison) -> None:
    """Files with the bytes they had, written anew or moved: where they are and by what they are known from now on."""
    for item in comparison.items:
        if item.content is None and item.identity is not None:
            found = {"path": item.place, **item.identity._asdict()}
            is_it = of_source(SourceFile, item.source) & SourceFile.is_current
            connection.execute(update(SourceFile).where(is_it).values(**found))


def complete_derived(comparison: Comparison) -> None:
    """What no source says: where values lie, which profile is selected, which examination is the first."""
    for key, row in comparison.after.items():
        if key[0] == "imaging_studies" and row is not None:
            row["time_point"] = comparison.before.get(key, {}).get("time_point")
        if key[0] == "expression_profiles" and row is not None:
            before = comparison.before.get(key, {})
            row["part_id"] = comparison.values.part_of.get(key[1], before.get("part_id"))
            row["is_selected"] = before.get("is_selected", False)
            row["selection_rule"] = before.get("selection_rule")
            row["exclusion"] = before.get("exclusion")
            if row.get("library_size") is None:  # a word from before there were library sizes; the values are the same
                row["library_size"] = before.get("library_size")


def write_rows(connection: Connection, comparison: Comparison) -> Changes:
    """Write the rows that differ. Gives them, before and after."""
    changes: Changes = {}
    tables = [t for t in Base.metadata.sorted_tables if t.name in TABLES]
    for table in tables:
        rows = []
        for key, after in comparison.after.items():
            before = comparison.before.get(key)
            if key[0] == table.name and after is not None:
                if before is None or changed_columns(key[0], before, after):
                    changes[key] = (before, after)
                    rows.append(after)
        upsert(connection, table, rows, tuple(c.name for c in table.primary_key))
    gone = [key for (table, key), after in comparison.after.items() if table == "imaging_series" and after is None]
    instances.delete_of_series(connection, gone)
    for table in reversed(tables):
        for key, after in comparison.after.items():
            before = comparison.before.get(key)
            if key[0] == table.name and after is None and before is not None:
                changes[key] = (before, None)
                connection.execute(delete(table).where(*[c == before[c.name] for c in table.primary_key]))
    return changes


def _restore(connection: Connection, comparison: Comparison) -> None:
    """Profiles whose part was lost stand in the part that was written again."""
    by_part: dict[str, list[str]] = defaultdict(list)
    for profile in comparison.values.restored:
        by_part[comparison.values.part_of[profile]].append(profile)
    for part, profiles in by_part.items():
        with texts(connection, "restored_profiles", profiles) as name:
            of_profiles = ExpressionProfile.profile_id.in_(select_ids(name))
            lost = set(connection.execute(select(ExpressionProfile.part_id).where(of_profiles).distinct()).scalars())
            connection.execute(update(ExpressionProfile).where(of_profiles).values(part_id=part))
        named = select(ExpressionProfile.part_id)
        unused = ExpressionPart.part_id.in_(lost) & ExpressionPart.part_id.not_in(named)
        connection.execute(delete(ExpressionPart).where(unused))


def _unmark(connection: Connection, comparison: Comparison) -> None:
    """Ingest units that were found damaged, when what was read has made their rows those of the unit again, with objects."""
    units = connection.execute(
        select(Unit.unit_id, Unit.analysis, Unit.key, Unit.fingerprint)
        .where(Unit.damage.is_not(None), Unit.analysis.startswith(INGEST))
    ).fetchall()  # fmt: skip
    read = {(table, str(row.values.get(ENTITY_COLUMN[table]))) for (_, (table, _)), row in comparison.incoming.items()}
    lost = _without_objects(connection, comparison) if units else set()
    healed = []
    for table in {analysis.removeprefix(INGEST) for _, analysis, *_ in units}:
        of_table = [u for u in units if u[1] == INGEST + table]
        with texts(connection, "marked_entities", [key for _, _, key, _ in of_table]) as name:
            there = entity_fingerprints(connection, table, select_ids(name))
        for unit, _, key, fingerprint in of_table:
            is_read = table not in TABLES or (table, key) in read
            if is_read and (table, key) not in lost and there.get(key) == fingerprint:
                healed.append(unit)
    with numbers(connection, "healed_units", healed) as name:
        connection.execute(update(Unit).where(Unit.unit_id.in_(select_ids(name))).values(damage=None))


def _without_objects(connection: Connection, comparison: Comparison) -> set[tuple[str, str]]:
    """(table, entity) of ingested rows whose object is not whole."""
    lost = set()
    for table, column, suffix in object_columns(connection):
        if table.name in TABLES:
            entity = table.c[ENTITY_COLUMN[table.name]]
            for key, digest in connection.execute(select(entity, table.c[column]).where(table.c[column].is_not(None))):
                if not comparison.values.objects.is_whole(digest, suffix):
                    lost.add((table.name, key))
    return lost


def _write_instances(connection: Connection, comparison: Comparison) -> set[str]:
    """The files of every series that was read. Gives the studies whose files changed."""
    moved = set()
    for item in comparison.items:
        new = None if item.content is None else item.content.instances
        if new is not None and instances.write(connection, new, comparison.complete):
            moved.add(new.study_uid)
        if new is not None and ("imaging_instances", new.study_uid) in comparison.hurt:
            instances.take_out_added(connection, new)
    for (table, key), after in comparison.after.items():
        before = comparison.before.get((table, key))
        if table == "imaging_series" and after is None and before is not None:
            moved.add(before["study_uid"])
    return moved


def write_conflicts(connection: Connection, comparison: Comparison) -> None:
    """The disagreements of the rows that were compared, in place of those they had."""
    for table in TABLES:
        keys = [row for t, row in comparison.after if t == table]
        if keys:
            with texts(connection, "conflict_rows", keys) as name:
                connection.execute(
                    delete(Conflict).where(Conflict.table_name == table, Conflict.row_key.in_(select_ids(name)))
                )
    bulk_insert(
        connection,
        Conflict.__table__,
        [
            {
                "table_name": key[0],
                "row_key": key[1],
                "column_name": d.column,
                "other_source": str(d.other.source),
                "held_source": NOBODY if d.held is None else str(d.held.source),
                "held_value": None if d.held_value is None else str(d.held_value),
                "other_value": str(d.other_value),
                "rule": d.rule,
            }
            for key, disagreements in comparison.disagreements.items()
            for d in disagreements
        ],
    )


def _write_genes(connection: Connection, genes: GeneIndex) -> None:
    known = dict(connection.execute(select(Gene.gene_id, Gene.symbol)).fetchall())
    rows = list(zip(genes.ids, genes.id_types, genes.source_names, genes.symbols, genes.gene_types, strict=True))
    names = ("gene_id", "id_type", "source_name", "symbol", "gene_type")
    fresh = [dict(zip(names, row, strict=True)) for row in rows if row[0] not in known]
    bulk_insert(connection, Gene.__table__, fresh)
    named = [dict(zip(names, row, strict=True)) for row in rows if row[3] and known.get(row[0], row[3]) is None]
    upsert(connection, Gene.__table__, named, ("gene_id",))


def write_changes(
    connection: Connection, comparison: Comparison, changes: Changes, run_id: int, files: dict[Source, int]
) -> None:
    """One row of the change log a changed row, with the place that said it before and the place that says it now."""
    now_at = {key: (files[source], row.line) for (source, key), row in reversed(comparison.incoming.items())}
    was_at = {key: (row.file_id, row.line) for (_, key), row in reversed(comparison.recorded.items())}
    first = next_id(connection, Change.change_id)
    rows = []
    for i, ((table, key), (before, after)) in enumerate(changes.items()):
        if before is None:
            action, details = "insert", {}
        elif after is None:
            action, details = "delete", {}
        else:
            action, details = "update", changed_columns(table, before, after)
            if "values_fingerprint" in details:
                del details["values_fingerprint"]
                details = comparison.values.changes.get(key, {}) | details
        old, new = was_at.get((table, key), (None, None)), now_at.get((table, key), (None, None))
        rows.append(
            {
                "change_id": first + i,
                "ingest_run_id": run_id,
                "table_name": table,
                "row_key": key,
                "entity_key": (after or before)[ENTITY_COLUMN[table]],
                "action": action,
                "changes": json_text(details),
                "before_file_id": old[0],
                "before_line": old[1],
                "after_file_id": new[0],
                "after_line": new[1],
            }
        )
    bulk_insert(connection, Change.__table__, list(chained(head(connection), rows)))
    note_head(connection, run_id)


def _patients_with_profiles(connection: Connection, changes: Changes) -> set[str]:
    """The patients whose samples, profiles or annotations moved."""
    rows = [
        row
        for (table, _), pair in changes.items()
        if table in ("samples", "expression_profiles", "annotations")
        for row in pair
        if row is not None
    ]
    patients = {row["patient_id"] for row in rows if "patient_id" in row}
    return patients | _patients_of(connection, {row["sample_id"] for row in rows if "sample_id" in row})


def _patients_of(connection: Connection, samples: Iterable[str]) -> set[str]:
    with texts(connection, "moved_samples", samples) as name:
        query = select(Sample.patient_id).where(Sample.sample_id.in_(select_ids(name)))
        return set(connection.execute(query).scalars())


def _patients_with_images(connection: Connection, changes: Changes) -> set[str]:
    """The patients of whom a study or a series moved."""
    rows = [row for (table, _), pair in changes.items() if table.startswith("imaging_") for row in pair if row]
    patients = {row["patient_id"] for row in rows if "patient_id" in row}
    with texts(connection, "moved_studies", {row["study_uid"] for row in rows}) as name:
        query = select(ImagingStudy.patient_id).where(ImagingStudy.study_uid.in_(select_ids(name)))
        return patients | set(connection.execute(query).scalars())


def refresh_units(connection: Connection, table: str, entities: Iterable[str]) -> None:
    """Give the ingest units of these entities the fingerprints of their rows; entities without rows are retired."""
    with texts(connection, "refreshed", entities) as name:
        fingerprints = entity_fingerprints(connection, table, select_ids(name))
    analysis = INGEST + table
    set_fingerprints(connection, analysis, fingerprints)
    gone = set(entities) - set(fingerprints)
    if gone:
        with texts(connection, "gone_entities", gone) as name:
            query = select(Unit.unit_id).where(Unit.analysis == analysis, Unit.key.in_(select_ids(name)))
            unit_ids = connection.execute(query).scalars().all()
        retire(connection, unit_ids)
