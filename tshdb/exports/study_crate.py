"""The whole study as an RO-Crate 1.1: its tables, the code that made them as it ran, what was read, and every computation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tshdb.database import reading
from tshdb.exports.crates import (
    CONTEXT,
    DESCRIPTOR,
    LICENSE,
    METADATA,
    PROGRAM,
    action_entities,
    action_id,
    code_files,
    file_entities,
    one_of_each,
    source_entities,
)
from tshdb.exports.readme import NAME as README
from tshdb.exports.record import File, Job, Written
from tshdb.exports.table_files import csv_tables
from tshdb.exports.tables import described, left_out, tables
from tshdb.guest_tables import tables_of
from tshdb.lineage import Node, nodes_of, runs_of, specs_of
from tshdb.schema import ImagingSeries, ImagingStudy, SourceFile, Unit
from tshdb.text.facts import facts_text
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLDER = "tables"
TABLES = "tables.json"
SOURCES = "#sources"
NEVER = "1970-01-01"  # of a study in which nothing was computed


def write_rocrate(job: Job) -> Written:
    """tables/*.csv, tables.json, code/*.py and ro-crate-metadata.json."""
    folder = job.folder / FOLDER
    folder.mkdir()
    told = tables(job.study)
    written = [file._replace(name=f"{FOLDER}/{file.name}") for file in csv_tables(job, folder)]
    (job.folder / TABLES).write_text(described(told), encoding="utf-8")
    with reading(job.study.engine) as connection:
        current = select(Unit.unit_id).where(Unit.state == UnitState.CURRENT, Unit.spec_id.is_not(None))
        nodes = nodes_of(connection, connection.execute(current).scalars().all())
        made = one_of_each(sorted(nodes.values()))
        specs, runs = specs_of(connection, {n.spec_id for n in made}), runs_of(connection, {n.run_id for n in made})
        sources = _sources(connection, job)
        table_of = _table_of_analysis(connection, {table.name for table in told})
    code, programs = code_files(specs, nodes.values())
    (job.folder / "code").mkdir()
    for name, text in code.items():
        (job.folder / name).write_text(text + "\n", encoding="utf-8")
    about = {file.name: f"One row is {file.one_row}." for file in written}
    about[TABLES] = "Of every table what one row is, and what its columns are, with their units."
    sizes: dict[str, int | None] = {name: (job.folder / name).stat().st_size for name in (*about, *code)}
    sizes[README] = None  # it is written when all else is
    names = {file.name for file in written}
    result = {node.spec_id: _result(table_of.get(node.analysis), names) for node in made}
    actions = action_entities(made, specs, runs, programs, [{"@id": SOURCES}], result)
    graph = [
        DESCRIPTOR, _root(job, made, runs, sizes), LICENSE, PROGRAM, *file_entities(sizes, about), *sources, *actions
    ]  # fmt: skip
    text = facts_text({"@context": CONTEXT, "@graph": graph}) + "\n"
    (job.folder / METADATA).write_text(text, encoding="utf-8")
    files = [
        File(METADATA, "the crate: what is in it, what was read, and by which code, parameters and libraries all was computed"),
        File(TABLES, "one table, with its columns"), *written,
        *(File(name, f"the code of {', '.join(analyses)} as it ran") for name, analyses in programs.values()),
    ]  # fmt: skip
    notes = [
        "RO-Crate 1.1. Files that were read are known by name and SHA-256, and are not in it; a series of images by its digest.",
        "An action of the crate is one run of one version of an analysis; its result is the table that holds its rows.",
    ]
    return Written(files, [*left_out(), "results that were superseded or are stale by now"], notes=notes)


def _root(job: Job, made: list[Node], runs: dict[int, dict[str, Any]], sizes: dict[str, int | None]) -> dict[str, Any]:
    name = f"{job.study.name}, variant {job.variant}" if job.variant else job.study.name
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Study {name}",
        "description": f"The tables of the study {name}, of {len(job.chosen.patients):,} patients, and how they were made.",
        "datePublished": max((run["started_at"] for run in runs.values()), default=NEVER),
        "license": {"@id": LICENSE["@id"]},
        "hasPart": [{"@id": name} for name in sorted(sizes)],
        "mentions": [{"@id": SOURCES}, *({"@id": action_id(node)} for node in made)],
    }


def _sources(connection: Connection, job: Job) -> list[dict[str, Any]]:
    """What was read, and the collection of it. Of a series of images its digest stands for its files."""
    files = connection.execute(
        select(SourceFile.sha256, SourceFile.name).where(SourceFile.is_current).order_by(SourceFile.source_file_id)
    ).fetchall()
    columns = (ImagingSeries.content_digest, ImagingSeries.series_uid, ImagingStudy.patient_id)
    query = select(*columns).join(ImagingStudy, ImagingStudy.study_uid == ImagingSeries.study_uid)
    chosen = set(job.chosen.patients)
    series = [
        {
            "@id": f"#series-{uid}",
            "@type": "CreativeWork",
            "name": f"DICOM series {uid}",
            "identifier": f"content:{digest}",
        }
        for digest, uid, patient in connection.execute(query.order_by(ImagingSeries.series_uid))
        if patient in chosen
    ]
    found = [*source_entities((sha256, name) for sha256, name in files), *series]
    whole = {
        "@id": SOURCES, "@type": "Collection", "name": "What was read", "hasPart": [{"@id": each["@id"]} for each in found]
    }  # fmt: skip
    return [whole, *found]


def _table_of_analysis(connection: Connection, names: set[str]) -> dict[str, str]:
    """analysis -> the table, one of these, that holds its rows."""
    found: dict[str, str] = {}
    for table in tables_of(connection):
        if table.name in names and "unit_id" in table.columns:
            query = select(Unit.analysis).join(table, table.c.unit_id == Unit.unit_id).distinct()
            found |= dict.fromkeys(connection.execute(query).scalars(), table.name)
    return found


def _result(table: str | None, names: set[str]) -> str:
    """The file with the rows of an analysis; of one without rows the description of the tables."""
    name = f"{FOLDER}/{table}.csv"
    return name if name in names else TABLES
