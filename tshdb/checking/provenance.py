"""Rows and the places in files that say them; specs and the code that they keep."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import exists, func, select

from tshdb.canonical import json_fingerprint, json_text
from tshdb.change_chain import breaks
from tshdb.checking.rule import Context, Problem, rule
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.units import FORM, NO_LEADS, kept_digest
from tshdb.loading.believed import settling_readers
from tshdb.loading.sources import TABLES, row_key
from tshdb.schema import SourceFile, SourceRecord, Spec, Unit
from tshdb.vocabulary import UnitState

BACKUP = "Restore a backup"
OF_ROWS = (
    "Run: tshdb check --repair. It puts rows back, and takes away those that nobody ingested. Else restore a backup"
)
RESTORE = "Restore a backup, or ingest the source again with --name"


@rule("record.missing", "every ingested row leads to a file and a line", OF_ROWS, is_full=True)
def _missing(c: Context) -> Iterator[Problem]:
    for name, table in TABLES.items():
        recorded = set(
            c.connection.execute(select(SourceRecord.row_key).where(SourceRecord.table_name == name)).scalars()
        )
        for row in c.connection.execute(select(*table.__table__.primary_key)).mappings():
            key = row_key(table, row)
            if key not in recorded:
                yield Problem(f"{name}/{key}", "no file says it")


@rule("record.orphan", "every place in a file speaks of a row that is there", OF_ROWS, is_full=True)
def _orphan(c: Context) -> Iterator[Problem]:
    for name, table in TABLES.items():
        there = {row_key(table, r) for r in c.connection.execute(select(*table.__table__.primary_key)).mappings()}
        query = select(SourceRecord.row_key, SourceRecord.line, SourceRecord.name).where(
            SourceRecord.table_name == name,
            SourceRecord.reader.not_in(settling_readers()),  # a decision may wait for its row
        )
        for key, line, file in c.connection.execute(query):
            if key not in there:
                yield Problem(f"{file} line {line}", f"speaks of {name}/{key}, which is not there")


@rule("record.file", "every row's place is in the file as it was read last", RESTORE)
def _file(c: Context) -> Iterator[Problem]:
    """Rows that a source no longer has, and that are kept, are of an earlier state of it: a newer one is current."""
    newer = SourceFile.__table__.alias().c
    same = [newer[c] == getattr(SourceFile, c) for c in ("collection", "reader", "name")]
    query = (
        select(SourceRecord.name, func.count())
        .join(SourceFile, SourceFile.source_file_id == SourceRecord.source_file_id)
        .where(~SourceFile.is_current, ~exists().where(*same, newer.is_current))
        .group_by(SourceRecord.name)
    )
    for name, n in c.connection.execute(query):
        yield Problem(name, f"{n} rows point to bytes that were replaced")


@rule("source.current", "of every source one file is current", RESTORE)
def _current(c: Context) -> Iterator[Problem]:
    columns = (SourceFile.collection, SourceFile.reader, SourceFile.name)
    query = select(*columns, func.count()).where(SourceFile.is_current).group_by(*columns).having(func.count() > 1)
    for collection, reader, name, n in c.connection.execute(query):
        yield Problem(f"{collection}/{reader}/{name}", f"{n} files are current")


@rule("history.chain", "the change log is as it was written, row for row", BACKUP, is_full=True)
def _chain(c: Context) -> Iterator[Problem]:
    for change, text in breaks(c.connection):
        yield Problem(f"change_log {change}" if change else "change_log", text)


@rule("spec.code", "the code that is kept is the code of its digest", BACKUP, is_full=True)
def _code(c: Context) -> Iterator[Problem]:
    columns = (
        Spec.spec_id,
        Spec.analysis,
        Spec.sources,
        Spec.leads,
        Spec.kept_digest,
        Spec.form,
        Spec.code_fingerprint,
    )
    for row in c.connection.execute(select(*columns, Spec.code_fingerprint)):
        is_kept = kept_digest(row.sources, row.leads) == row.kept_digest
        if is_kept and row.form == FORM and row.leads != NO_LEADS:
            try:
                is_kept = fingerprint_of_kept(json.loads(row.sources), json.loads(row.leads)) == row.code_fingerprint
            except (ValueError, KeyError, SyntaxError):
                is_kept = False
        if not is_kept:
            yield Problem(f"spec {row.spec_id} of {row.analysis}", "its kept code was edited")


@rule("spec.parameters", "the parameters that are kept are those of their digest", BACKUP)
def _parameters(c: Context) -> Iterator[Problem]:
    query = select(Spec.spec_id, Spec.analysis, Spec.params, Spec.params_fingerprint)
    choosers = {a.name: a.key_field for a in c.analyses}
    for spec, analysis, params, fingerprint in c.connection.execute(query):
        if analysis not in choosers:  # it is not in this program, which cannot tell what counted
            continue
        counted = {name: value for name, value in json.loads(params).items() if name != choosers[analysis]}
        if json_fingerprint(json_text(counted)) != fingerprint:
            yield Problem(f"spec {spec} of {analysis}", "its kept parameters were edited")


@rule(
    "spec.taken-over", "every result says which seed, table and engine made it",
    "Nothing is broken: tshdb rebuild records it as results are made anew", is_warning=True,
)  # fmt: skip
def _taken_over(c: Context) -> Iterator[Problem]:
    query = (
        select(Spec.taken_over, func.count())
        .join(Unit, Unit.spec_id == Spec.spec_id)
        .where(Spec.taken_over.is_not(None), Unit.digest_taken_over.is_not(None), Unit.state == UnitState.CURRENT)
        .group_by(Spec.taken_over)
    )
    for date, n in c.connection.execute(query):
        yield Problem(
            f"{n:,} results", f"were taken over from a program of revision 0009 on {date}, which recorded none of that"
        )


RULES = (_missing, _orphan, _file, _current, _chain, _code, _parameters, _taken_over)
