"""The report of a study in which nothing has changed: the page of before, found without looking at a result.

All that a page depends on is one digest: the version of every table (each change draws a new one, by triggers:
migrations/watch.py), the study's own files, the program's files, and which libraries are there. Where that cannot be known, there
is no such page, and the report is made: on PostgreSQL, with a table that no trigger watches, with truths (their measurements may
lie anywhere), with packages of others (their code may be edited anywhere). docs/decisions/0045-an-unchanged-report.md

    kept = KeptPage.of(study)          before anything is read
    page = kept.take()                 None: make it, then kept.keep(page, drawn=8)
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.canonical import json_text
from tshdb.code_in_database import EVENTS, watch_name
from tshdb.places import DRAWINGS, REPORTS, made_in, user_data
from tshdb.sealed import Sealed
from tshdb.sqlite_files import to_read

if TYPE_CHECKING:
    from tshdb.study import Study

PACKAGES = ("analyses", "cli", "ingest", "migrations", "tshdb")
VERSIONS = "table_versions"
UNWATCHED = {VERSIONS, "leases", "alembic_version", "sqlite_sequence", "sqlite_stat1"}
OURS = re.compile(r"tshdb(-\d[^-]*)?\.(dist|egg)-info")
NOT_SHOWN = {"written_files"}  # what commands wrote elsewhere, such as this very page
ELSEWHERE = {
    "raw",
    "objects",
    "reports",
    "figures",
    "trash",
    ".snapshots",
    "__pycache__",
}  # what no page reads: rows name it
TRUTHS = "truths.toml"
TRUSTED = "trusted.json"  # of the user's: which analyses of a study may run


@dataclass(frozen=True)
class KeptPage:
    """The page of one state of a study. name: of its file, by the digest of all that it depends on."""

    sealed: Sealed = field(compare=False)
    name: str

    @classmethod
    def of(cls, study: Study) -> KeptPage | None:
        """None where it cannot be told cheaply whether something has changed."""
        if study.sqlite_path is None or (study.root / TRUTHS).exists():
            return None
        try:
            if (versions := _versions(study.sqlite_path)) is None or (program := _program()) is None:
                return None
            trusted = [file for file in _files(user_data(), set()) if file[0] == TRUSTED]
            files = [sorted(_files(study.root, ELSEWHERE)), trusted]
        except (OSError, RuntimeError, sqlite3.Error):
            return None
        digest = sha256(json_text([versions, program, files]).encode()).hexdigest()
        return cls(Sealed(made_in(study.root, REPORTS) / DRAWINGS), f"{digest}.page.kept")

    def take(self) -> tuple[str, int] | None:
        """The page, and how many drawings are in it."""
        content = self.sealed.take(self.name)
        if content is None:
            return None
        n, _, page = content.partition(b"\n")
        return page.decode(), int(n)

    def keep(self, page: str, n_drawings: int) -> None:
        self.sealed.keep(self.name, f"{n_drawings}\n{page}".encode())


def _versions(database: Path) -> list | None:
    """The version of every table that a page may show; None where a table has none, or lacks one of its triggers."""
    with closing(sqlite3.connect(to_read(database), uri=True)) as raw:
        raw.execute("BEGIN")
        kinds = raw.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
        tables = {name for kind, name, _ in kinds if kind == "table"} - UNWATCHED
        triggers = {name for kind, name, _ in kinds if kind == "trigger"}
        versions = dict(raw.execute(f"SELECT table_name, version FROM {VERSIONS}"))
        if not tables <= versions.keys() or not {watch_name(t, e) for t in tables for e in EVENTS} <= triggers:
            return None
        return [kinds, sorted((t, v) for t, v in versions.items() if t not in NOT_SHOWN)]


def _program() -> list | None:
    """What runs: our files, the interpreter, the libraries by their names and versions; None with packages of others."""
    found: list = [sys.version]
    for package in PACKAGES:
        spec = find_spec(package)  # nothing is imported by that
        if spec is None or spec.origin is None:
            return None
        found.append([package, sorted(_files(Path(spec.origin).parent, {"__pycache__"}))])
    for place in sorted({*sys.path}):
        if os.path.isdir(place):
            for entry in sorted(name for name in os.listdir(place) if name.endswith((".dist-info", ".egg-info"))):
                if not OURS.fullmatch(entry) and "[tshdb." in _text(os.path.join(place, entry, "entry_points.txt")):
                    return None
                found.append(entry)
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _files(folder: Path, left_out: set[str]) -> Iterator[tuple[str, int, int]]:
    """(path, size, when it was written) of every file below a folder, but for the study's database and what is left out."""
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in left_out)
        for name in names:
            if not name.startswith("study.db") and not name.startswith(".tshdb"):
                stat = os.stat(os.path.join(at, name), follow_symlinks=False)
                yield os.path.relpath(os.path.join(at, name), folder), stat.st_size, stat.st_mtime_ns
