"""Rows and the places in files that say them; specs and the code that they keep."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import func, select

from tshdb.canonical import json_fingerprint
from tshdb.checking.rule import Context, Problem, rule
from tshdb.engine.code import PYTHON, fingerprint_of_sources
from tshdb.history import breaks
from tshdb.loading.sources import TABLES, row_key
from tshdb.schema import SourceFile, SourceRecord, Spec

RESTORE = "Restore a backup, or ingest the source again with --name"


@rule("record.missing", "every ingested row leads to a file and a line", RESTORE, is_full=True)
def _missing(c: Context) -> Iterator[Problem]:
    for name, table in TABLES.items():
        said = set(c.connection.execute(select(SourceRecord.row_key).where(SourceRecord.table_name == name)).scalars())
        for row in c.connection.execute(select(*table.__table__.primary_key)).mappings():
            key = row_key(table, row)
            if key not in said:
                yield Problem(f"{name}/{key}", "no file says it")


@rule("record.orphan", "every place in a file speaks of a row that is there", RESTORE, is_full=True)
def _orphan(c: Context) -> Iterator[Problem]:
    for name, table in TABLES.items():
        there = {row_key(table, r) for r in c.connection.execute(select(*table.__table__.primary_key)).mappings()}
        query = select(SourceRecord.row_key, SourceRecord.line, SourceRecord.name).where(
            SourceRecord.table_name == name
        )
        for key, line, file in c.connection.execute(query):
            if key not in there:
                yield Problem(f"{file} line {line}", f"speaks of {name}/{key}, which is not there")


@rule("record.file", "every row's place is in the file as it was read last", RESTORE)
def _file(c: Context) -> Iterator[Problem]:
    query = (
        select(SourceRecord.name, func.count())
        .join(SourceFile, SourceFile.source_file_id == SourceRecord.source_file_id)
        .where(~SourceFile.is_current)
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


@rule("history.chain", "the change log is as it was written, row for row", "Restore a backup", is_full=True)
def _chain(c: Context) -> Iterator[Problem]:
    for change, found in breaks(c.connection):
        yield Problem(f"change_log {change}" if change else "change_log", found)


@rule("spec.code", "the code that is kept is the code of its digest", RESTORE, is_full=True)
def _code(c: Context) -> Iterator[Problem]:
    query = select(Spec.spec_id, Spec.analysis, Spec.sources, Spec.code_fingerprint).where(
        Spec.python_version == PYTHON
    )
    for spec, analysis, sources, fingerprint in c.connection.execute(query):
        if fingerprint_of_sources(json.loads(sources)) != fingerprint:
            yield Problem(f"spec {spec} of {analysis}", "its kept code was edited")


@rule("spec.parameters", "the parameters that are kept are those of their digest", RESTORE)
def _parameters(c: Context) -> Iterator[Problem]:
    query = select(Spec.spec_id, Spec.analysis, Spec.params, Spec.params_fingerprint)
    for spec, analysis, params, fingerprint in c.connection.execute(query):
        if json_fingerprint(params) != fingerprint:
            yield Problem(f"spec {spec} of {analysis}", "its kept parameters were edited")
