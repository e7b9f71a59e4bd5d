"""Ingested rows that another hand edits, deletes or adds are brought back by what `tshdb check` advises, to the letter.

A study with rows in every table that ingests write, read by commands: several sources of one row, a conflict, replicates of
which one is selected. In turn: every column of every table once, one row deleted, one row added.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy import Boolean, Enum, Text

from soak.lost import healed_by_advice
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.engine.units import ENTITY_COLUMN
from tshdb.schema.base import Base
from tshdb.study import Study

TABLES = {t.name: t for t in Base.metadata.sorted_tables if t.name in ENTITY_COLUMN}
OF_READING = {"source_file_id", "path", "mtime_ns"}  # another, when a source is read again from elsewhere
OF_FILES = {"source_file_id", "line", "path", "mtime_ns"}  # where a row was read, which no unit vouches for
ELSEWHERE = {"part_id"}  # what the rules of parts and objects look at; with one part there is no other


@dataclass(frozen=True)
class Edit:
    """One thing that another hand does to an ingested row. what: edit, of a column; delete; add."""

    table: str
    what: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.table}{'.' if self.column else ''}{self.column}"

    def apply(self, study: Study, luck: Random) -> bool:
        """Do it to one row. Gives whether it could be done."""
        with sqlite3.connect(study.sqlite_path) as connection:
            rows = connection.execute(f"SELECT rowid FROM {self.table} ORDER BY rowid").fetchall()
            luck.shuffle(rows)
            done = any(self._apply_to(connection, row) for (row,) in rows)
        connection.close()
        return done

    def _apply_to(self, connection: sqlite3.Connection, row: int) -> bool:
        table = TABLES[self.table]
        try:
            if self.what == "delete":
                connection.execute(f"DELETE FROM {self.table} WHERE rowid = {row}")
            elif self.what == "edit":
                query = f'SELECT "{self.column}" FROM {self.table} WHERE rowid = {row}'
                other = _other(connection.execute(query).fetchone()[0], table.c[self.column])
                connection.execute(f'UPDATE {self.table} SET "{self.column}" = ? WHERE rowid = {row}', (other,))
            else:
                names = [c.name for c in table.columns]
                values = connection.execute(f"SELECT * FROM {self.table} WHERE rowid = {row}")
                read = [d[0] for d in values.description]
                new = dict(zip(read, values.fetchone(), strict=True))
                key = list(table.primary_key)[-1]
                new[key.name] = _other(new[key.name], key)
                marks = ", ".join("?" * len(names))
                columns = ", ".join(f'"{n}"' for n in names)
                connection.execute(f"INSERT INTO {self.table} ({columns}) VALUES ({marks})", [new[n] for n in names])
        except sqlite3.IntegrityError:
            return False
        return True


def _other(value, column):
    """Another value that the column may hold."""
    if isinstance(column.type, Enum):
        return next(member for member in column.type.enums if member != value)
    if isinstance(column.type, Boolean):
        return 0 if value else 1
    if value is None:
        return "x" if isinstance(column.type, Text) or column.type.python_type is str else 7
    return f"{value}x" if isinstance(value, str) else value + 1000


def edits() -> list[Edit]:
    """Every column of every table, one row deleted, one added."""
    found = []
    for name, table in TABLES.items():
        found += [Edit(name, "edit", c.name) for c in table.columns if c.name not in OF_FILES | ELSEWHERE]
        found += [Edit(name, "delete"), Edit(name, "add")]
    return found


def ingested(folder: Path, n: int = 5) -> Study:
    """A study with rows in every table that ingests write; nothing computed."""
    study = tiny.new_study(folder)
    study.engine.dispose()
    archive = tiny.TinyArchive.make(n)
    archive.change("TCGA-TN-0002", replicate=dict(archive.patients["TCGA-TN-0002"].tumor))
    raw, to = folder / "raw", ("--collection", "tcga-tn")
    matrix, clinical = archive.write(raw)
    archive.change("TCGA-TN-0001", days=77, is_dead=True)  # another source says so: a conflict
    archive.change("TCGA-TN-0003", sex="male")
    _, second = archive.write(raw / "second")
    cdr = ["bcr_patient_barcode\tOS\tOS.time\tRedaction"]
    cdr += [f"{p}\t1\t{100 + i}\t{'Redacted' if i == 4 else ''}" for i, p in enumerate(sorted(archive.patients))]
    (raw / "cdr.tsv").write_text("\n".join(cdr) + "\n")
    archive.write_images(raw / "images")
    archive.write_masks(raw / "masks")
    run_quick("ingest", "clinical", clinical, *to, cwd=folder)
    run_quick("ingest", "clinical", second, *to, "--name", "second", cwd=folder)
    run_quick("ingest", "clinical", raw / "cdr.tsv", *to, cwd=folder)
    run_quick("ingest", "rna", matrix, *to, "--unit", "rsem", "--scale", "linear", cwd=folder)
    run_quick("ingest", "dicom", raw / "images", *to, "--jobs", "1", cwd=folder)
    run_quick("ingest", "segmentation", raw / "masks", *to, "--kind", "expert", cwd=folder)
    run_quick("ingest", "features", archive.write_features(raw), *to, cwd=folder)
    study = Study(folder)
    (uid, *_) = study.sql("SELECT study_uid FROM imaging_studies ORDER BY ALL")["study_uid"]
    study.engine.dispose()
    (raw / "decisions.csv").write_text(
        f"study_uid,series_uid,decision,decided_by,reason\n{uid},all,key=acquisition_time,A,seen\n"
    )
    (raw / "verdicts.csv").write_text(
        f"study_uid,outline,verdict,read_by,cause,comment\n{uid},,pass,A,,good\n{uid},grown,pass,A,,\n"
    )
    run_quick("ingest", "decisions", raw / "decisions.csv", *to, cwd=folder)
    run_quick("qc", "import", raw / "verdicts.csv", *to, cwd=folder)
    return Study(folder)


def state(study: Study) -> dict[str, list[str]]:
    """Every ingested row, whatever file it was read from last; conflicts; what ingest units vouch for."""
    found = {}
    with sqlite3.connect(study.sqlite_path) as connection:
        for name, table in TABLES.items():
            columns = ", ".join(f'"{c.name}"' for c in table.columns if c.name not in OF_READING)
            found[name] = sorted(map(repr, connection.execute(f"SELECT {columns} FROM {name}")))
        query = "SELECT analysis, key, state, fingerprint, damage FROM units WHERE analysis LIKE 'ingest.%'"
        found["units"] = sorted(map(repr, connection.execute(query + " AND state = 'current'")))
        columns = "table_name, row_key, column_name, held_source, held_value, other_source, other_value, rule"
        found["conflicts"] = sorted(map(repr, connection.execute(f"SELECT {columns} FROM conflicts")))
    connection.close()
    return found


def swept(study: Study, before: dict[str, list[str]], edit: Edit, luck: Random) -> str | None:
    """One edit and its repair. Gives what went wrong."""
    return trouble(study, before) if edit.apply(study, luck) else "it could not be done"


def trouble(study: Study, before: dict[str, list[str]]) -> str | None:
    """Follow what check advises. Gives what is not as it was, None if everything is."""
    return healed_by_advice(study, before, state)
