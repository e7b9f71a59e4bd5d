"""What is lost or edited is named by `tshdb check`, and its advice, followed to the letter, brings it back.

A tiny study with rows in nearly every table, ingested by commands, so that the advice can be followed. In turn: one value of
every column of every result table, the rows of one unit, one row; one object of every kind that rows name, lost
and with another byte; and of ingested rows what soak/ingested.py does to them.
"""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy import Boolean, Enum, Text

from analyses import ANALYSES
from soak import Figure
from tests.support import tiny
from tests.support.in_time import in_time, left, tried
from tests.support.program import run_quick
from tshdb.database import reading
from tshdb.guest_tables import object_columns
from tshdb.objects import ObjectStore
from tshdb.schema.base import Base
from tshdb.study import Study

COMMAND = re.compile(r"tshdb .+?(?=\. |, then|; | \(|$)")
OF_ENGINE = {"units", "unit_inputs", "attempts", "result_changes", "retirements"}
TABLES = {
    t.name: t for t in Base.metadata.sorted_tables if "unit_id" in t.columns and t.name not in OF_ENGINE
}  # of results
REFERENCES = set(TABLES) - {a.makes.__tablename__ for a in ANALYSES}  # in no plan: every rebuild looks at them


@dataclass(frozen=True)
class Damage:
    """One thing that another hand does. column: edited; None: `rows` of one unit are deleted (one, or all)."""

    table: str
    column: str | None = None
    rows: str = "one"

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" if self.column else f"{self.table}, {self.rows} of a unit's rows deleted"

    def apply(self, study: Study, luck: Random) -> bool:
        """Do it to one row or unit. Gives whether it was done: no row may have a free key left."""
        with sqlite3.connect(study.sqlite_path) as connection:
            rows = connection.execute(f"SELECT rowid, unit_id FROM {self.table} ORDER BY rowid").fetchall()
            luck.shuffle(rows)
            done = any(self._apply_to(connection, row, unit) for row, unit in rows)
        connection.close()
        return done

    def _apply_to(self, connection: sqlite3.Connection, row: int, unit: int) -> bool:
        if self.column is None:
            where = f"rowid = {row}" if self.rows == "one" else f"unit_id = {unit}"
            return connection.execute(f"DELETE FROM {self.table} WHERE {where}").rowcount > 0
        name = f'"{self.column}"'
        (value,) = connection.execute(f"SELECT {name} FROM {self.table} WHERE rowid = {row}").fetchone()
        try:
            other = _other(value, self.table, self.column)
            connection.execute(f"UPDATE {self.table} SET {name} = ? WHERE rowid = {row}", (other,))
        except sqlite3.IntegrityError:  # the key is taken
            return False
        return True


def _other(value, table: str, column: str):
    """Another value that the column may hold."""
    kind = TABLES[table].columns[column].type
    if isinstance(kind, Enum):
        return next(member for member in kind.enums if member != value)
    if isinstance(kind, Boolean):
        return 0 if value else 1
    if value is None:
        return "x" if isinstance(kind, Text) else 7
    return f"{value}x" if isinstance(value, str) else value + 1000


def _rows(study: Study, query: str) -> list[tuple]:
    with sqlite3.connect(study.sqlite_path) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def damages(study: Study) -> list[Damage]:
    """Every column of every result table that has rows, and rows of each."""
    found = []
    for name, table in TABLES.items():
        if _rows(study, f"SELECT 1 FROM {name} LIMIT 1"):
            found += [Damage(name, c.name) for c in table.columns if c.name != "unit_id"]
            found += [Damage(name), Damage(name, rows="all")]
    return found


def objects_named(study: Study) -> dict[str, tuple[str, str]]:
    """table.column -> (digest, suffix) of one object that a row there names; the parts of expression too."""
    with reading(study.engine) as connection:
        named = object_columns(connection)
    columns = [("expression_parts", "part_id", ".parquet"), *((t.name, c, suffix) for t, c, suffix in named)]
    found = {}
    for table, column, suffix in columns:
        for (digest,) in _rows(study, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 1"):
            found[f"{table}.{column}"] = (digest, suffix)
    return found


def harm(study: Study, digest: str, suffix: str, how: str) -> None:
    path = ObjectStore(study.root / "objects").path(digest, suffix)
    if how == "lost":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))


def made_by_commands(folder: Path, n: int = 10) -> Study:
    """The tiny study, its sources read by commands; computed."""
    study = tiny.new_study(folder)
    study.engine.dispose()
    archive = tiny.TinyArchive.make(n)
    raw = folder / "raw"
    matrix, clinical = archive.write(raw)
    archive.write_images(raw / "images")
    archive.write_masks(raw / "masks")
    (raw / "settings.json").write_text(json.dumps({"software": "pyradiomics 3.0.1", "settings": {"bin_width": 1}}))
    to = ("--collection", "tcga-tn")
    run_quick("ingest", "clinical", clinical, *to, cwd=folder)
    run_quick("ingest", "rna", matrix, *to, "--unit", "rsem", "--scale", "linear", cwd=folder)
    run_quick("ingest", "dicom", raw / "images", *to, "--jobs", "1", cwd=folder)
    run_quick("ingest", "segmentation", raw / "masks", *to, "--kind", "expert", cwd=folder)
    run_quick("ingest", "features", archive.write_features(raw), *to, "--settings", raw / "settings.json", cwd=folder)
    study = Study(folder)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    study.engine.dispose()
    return Study(folder)


def with_images(folder: Path, seed: int) -> Study:
    """One simulated patient, with images from which a breast, a tumour and a band around it are drawn."""
    files, root = folder / "files", folder / "study"
    counts = "pair=0,tumor=0,radiogenomic=0,ispy1=1,nact=0"
    run_quick(
        "simulate", files, "--cohorts", counts, "--voxel-mm", "4", "--visits", "1", "--seed", str(seed), "--jobs", "1"
    )
    run_quick("init", root)
    run_quick("ingest", "dicom", files / "ispy1/ISPY1", "--collection", "ispy1", "--jobs", "1", cwd=root)
    run_quick("rebuild", cwd=root, code=None)
    return Study(root)


def rows_of(study: Study) -> dict[str, list[str]]:
    """Every column of every result row but its labels, with the name of the unit that made it; and the names of objects."""
    found = {}
    with sqlite3.connect(study.sqlite_path) as connection:
        for table in TABLES:
            query = f"SELECT u.analysis, u.key, t.* FROM {table} t LEFT JOIN units u ON u.unit_id = t.unit_id"
            cursor = connection.execute(query)
            out = {"unit_id"} | {c.name for c in TABLES[table].columns if c.info.get("label")}
            kept = [i for i, described in enumerate(cursor.description) if described[0] not in out]
            found[table] = sorted(repr(tuple(row[i] for i in kept)) for row in cursor)
    connection.close()
    found["objects"] = sorted(p.name for p in (study.root / "objects").glob("*/*"))
    return found


def advised(study: Study) -> tuple[list[str], list[str]]:
    """(what check says is broken, the commands that it advises)."""
    said = json.loads(run_quick("check", "--json", cwd=study.root, code=None).stdout)
    problems = [p for b in said["broken"] if not b["is_warning"] for p in b["problems"]]
    commands = [c for p in problems for c in COMMAND.findall(p["repair"])]
    return [f"{p['where']}: {p['found']}" for p in problems], list(dict.fromkeys(commands))


def healed_by_advice(
    study: Study, before: dict[str, list[str]], look: Callable[[Study], dict[str, list[str]]] = rows_of
) -> str | None:
    """Follow what check advises, to the letter. Gives what is not as it was, None if everything is. look: gives `before`."""
    problems, commands = advised(study)
    if not problems:
        return "check finds nothing"
    for command in commands:
        run_quick(*shlex.split(command)[1:], cwd=study.root, code=None)
    left, _ = advised(study)
    if left:
        return f"after {commands}: {left[0]}"
    now = look(study)
    differing = [f"{t}: {sorted(set(before[t]) ^ set(now[t]))[:2]}" for t in before if now[t] != before[t]]
    return f"after {commands}: {'; '.join(differing)}" if differing else None


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from soak import ingested  # which follows advice as we do

    luck = Random(seed)
    pristine = made_by_commands(folder / "pristine")
    before = rows_of(pristine)
    todo = damages(pristine)
    luck.shuffle(todo)
    tables = {d.table for d in todo}
    yield Figure("result tables with rows", f"{len(tables)} of {len(TABLES)}", "39", len(tables) >= 39)
    study = tiny.copy_study(pristine, folder / "study")
    wrong, planned, impossible, n_columns = [], 0, [], len(todo)
    done: list[Damage] = []
    for i, damage in in_time(enumerate(todo), 0.5):
        done.append(damage)
        if i % 20 == 0:
            print(f"  {i} of {len(todo)} damages, {len(wrong)} not healed", file=sys.stderr, flush=True)
        if not damage.apply(study, luck):
            impossible.append(str(damage))
            continue
        plans = tiny.plan(study)
        reasons = {d.reason for found in plans.values() for d in found.due.values()}
        planned += damage.table in REFERENCES or bool(reasons & {"lost", "edited"})
        if trouble := healed_by_advice(study, before):
            wrong.append(f"{damage}: {trouble}")
            study = _anew(pristine, study)
    todo = [damage for damage in done if str(damage) not in impossible]
    yield Figure("edits of columns and rows that were tried", tried(len(done), n_columns))
    yield Figure("columns that no edit can change, since every key is taken", ", ".join(impossible) or "none")
    yield Figure("columns and rows edited, then healed by check's advice", f"{len(todo) - len(wrong)} of {len(todo)}",
                 "all", not wrong)  # fmt: skip
    yield Figure("of them due in the plan before any check", f"{planned} of {len(todo)}", "all", planned == len(todo))
    lost, kinds, n_lost = [], set(), 0
    for source in (pristine, with_images(folder / "images", seed)):
        before = rows_of(source)
        study = tiny.copy_study(source, folder / f"{source.root.name}-objects")
        for kind, (digest, suffix) in in_time(objects_named(source).items(), 0.4):
            n_lost += 2
            kinds.add(kind)
            for how in ("lost", "damaged"):
                harm(study, digest, suffix, how)
                if trouble := healed_by_advice(study, before):
                    lost.append(f"{kind} {how}: {trouble}")
                    study = _anew(source, study)
    source = ingested.ingested(folder / "ingested")
    before, study, rows = ingested.state(source), tiny.copy_study(source, folder / "rows"), []
    every, todo = ingested.edits(), []
    luck.shuffle(every)
    for edit in in_time(every):
        todo.append(edit)
        if trouble := ingested.swept(study, before, edit, luck):
            rows.append(f"{edit}: {trouble}")
            study = _anew(source, study)
    yield Figure("ingested tables with rows", str(sum(bool(before[t]) for t in ingested.TABLES)),
                 "13", all(before[t] for t in ingested.TABLES))  # fmt: skip
    yield Figure("ingested rows edited, deleted and added, then healed by check's advice",
                 f"{len(todo) - len(rows)} of {tried(len(todo), len(every))}", "all", not rows)  # fmt: skip
    healed = not lost and "all" or f"all but {len(lost)}"
    yield Figure(f"{n_lost} objects lost and damaged, then healed by check's advice", healed, "all", not lost)
    yield Figure("kinds of objects", ", ".join(sorted(kinds)), "7", len(kinds) >= 7 or left() <= 0)
    for trouble in wrong + lost + rows:
        yield Figure("not healed", trouble, is_met=False)


def _anew(pristine: Study, broken: Study) -> Study:
    """Another copy, for what follows."""
    broken.engine.dispose()
    return tiny.copy_study(pristine, broken.root.with_name(f"{broken.root.name}x"))
