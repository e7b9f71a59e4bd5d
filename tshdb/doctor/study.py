"""A study's settings, database, objects, locks, leases, runs and trash. Read only, by the standard library's driver."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tshdb import database
from tshdb.doctor.line import Line, ok, problem, warning
from tshdb.errors import TshdbError
from tshdb.objects import MARK
from tshdb.process import is_alive, machine
from tshdb.sqlite_files import to_read
from tshdb.study import Study, revision_of
from tshdb.system import try_lock

QUICK = "PRAGMA quick_check(5)"


def settings(study: Study) -> Iterator[Line]:
    """study.toml, and where database and objects lie by it."""
    try:
        name, _ = study.name, study.database_url
        objects = study.objects.root
    except TshdbError as error:
        yield problem("study.toml", f"{error.where}: {error.message}", error.repair)
        return
    yield ok("study.toml", f"study {name}")
    if not objects.is_dir():
        yield warning(
            "objects", f"{objects} is not there", "The first ingest makes it; else restore a backup: tshdb restore"
        )
    elif not study.objects.is_marked and next(study.objects.strangers(), None) is not None:
        yield warning(
            "objects", f"{objects} has no {MARK} and holds other things", "Name a folder of its own in study.toml"
        )


def reachable(study: Study) -> Iterator[Line]:
    """The database: there, of this program's revision, sound."""
    path = study.sqlite_path
    if path is None:
        engine = database.create(study.database_url)
        try:
            yield from _revision(revision_of(engine), "the server answers")
        finally:
            engine.dispose()
        return
    if not path.is_file():
        yield problem("database", f"{path} is not there", "Restore a backup: tshdb restore BACKUP DIR")
        return
    try:
        with closing(_opened(path)) as raw:
            has_revision = raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[
                0
            ]
            row = raw.execute("SELECT version_num FROM alembic_version").fetchone() if has_revision else None
            journal = raw.execute("PRAGMA journal_mode").fetchone()[0]
            found = [text for (text,) in raw.execute(QUICK)]
    except sqlite3.Error as error:
        yield problem("database", f"{path}: {error}", "Restore a backup: tshdb restore BACKUP DIR")
        return
    yield from _revision(
        row[0] if row else None, f"{path.name}, {path.stat().st_size / 1e6:,.1f} MB, journal {journal}"
    )
    if found != ["ok"]:
        yield problem("integrity", "; ".join(found), "Restore a backup: tshdb restore BACKUP DIR")
    else:
        yield ok("integrity", "SQLite's quick check finds nothing; all of it: tshdb check")


def _revision(revision: str | None, words: str) -> Iterator[Line]:
    if revision == database.REVISION:
        yield ok("database", f"{words}, revision {revision}")
    elif revision is None:
        yield problem("database", f"{words}, and holds no study", "Run: tshdb migrate")
    else:
        repair = "Install a newer tshdb" if revision > database.REVISION else "Run: tshdb migrate"
        yield problem("database", f"{words}, revision {revision}; this program has {database.REVISION}", repair)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(to_read(path), uri=True, timeout=2)


def locks(study: Study) -> Iterator[Line]:
    """Who holds the study, and which rebuilds compute in it."""
    lock = study.root / ".tshdb.lock"
    is_held = False
    if lock.is_file():
        with lock.open("rb") as file:
            is_held = not try_lock(file)
    if is_held:
        yield warning(
            "lock", "another command holds the study (ingest, withdraw, freeze, migrate, gc)", "Wait for it to end"
        )
    else:
        yield ok("lock", "nobody holds the study")
    path = study.sqlite_path
    if path is None or not path.is_file():
        return
    with closing(_opened(path)) as raw:
        leases = raw.execute(
            "SELECT host, process, count(*), max(expires_at) FROM leases GROUP BY host, process"
        ).fetchall()
        runs = raw.execute("SELECT run_id, host, process, started_at FROM runs WHERE state = 'running'").fetchall()
        last = raw.execute("SELECT max(started_at) FROM runs").fetchone()[0]
    for host, process, n, expires in leases:
        yield _lease(host, process, n, expires)
    for run, host, process, started in runs:
        here = host == machine()
        if here and not is_alive(process):
            yield warning(
                f"run {run}",
                f"was killed on {host}, begun {started}",
                "Run: tshdb rebuild; it goes on",
            )
        elif here:
            yield ok(f"run {run}", f"computes here since {started} (process {process.partition(':')[0]})")
        else:
            yield ok(f"run {run}", f"computes on {host} since {started}, as far as is known here")
    if last is not None and _age(last) < -60:
        yield warning(
            "clock of runs",
            f"the last run began at {last}, which is to come",
            "Set the clock of whoever ran it",
        )


def _lease(host: str, process: str, n: int, expires: float) -> Line:
    left = expires - time.time()
    what = f"{n} leases of {host}, process {process.partition(':')[0]}"
    if host == machine() and not is_alive(process):
        return warning(what, "their process is dead", "Nothing: the next rebuild takes them over")
    if left < 0:
        return warning(what, f"ended {-left:,.0f} s ago", "Nothing: the next rebuild takes them over")
    if left > 600:
        return warning(what, f"last for {left:,.0f} s more: the clock of {host} is ahead", f"Set the clock of {host}")
    return ok(what, f"last for {left:.0f} s more, and are prolonged")


def _age(text: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()


def trash(study: Study) -> Iterator[Line]:
    """What lies in the trash."""
    held = study.trash.held()
    if held["files"]:
        yield ok("trash", f"{held['files']:,} files, {held['bytes'] / 1e6:,.1f} MB: tshdb gc --empty-trash")
