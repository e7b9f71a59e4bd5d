"""A backup of a study on PostgreSQL: one state while others write, as a SQLite copy, restored into SQLite or another server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from tests.study.test_moving import moved, rows_in
from tests.support import guests, tiny
from tests.support.program import ROOT
from tshdb.actions.checking import check
from tshdb.backup.make import backup
from tshdb.backup.restore import restore
from tshdb.database import create, reading, writing
from tshdb.errors import InvalidInput
from tshdb.schema import Patient
from tshdb.study import Study


@pytest.fixture
def served(core, postgresql):
    """The tiny study with a guest's table, on PostgreSQL; its former database still lies in the folder."""
    guests.put(core, "median_ratios")
    guests.made(core)
    study = moved(guests.fresh(core), postgresql)
    yield study
    study.engine.dispose()


def test_the_same_rows_come_back_into_sqlite_and_into_a_server(served, postgresql_url, tmp_path):
    before, due = rows_in(served), tiny.due(served, tiny.CORE)
    made = backup(served, tmp_path / "backups")
    assert made.manifest.database == "study-2.db" and (made.path / "study.db").is_file()
    done = restore(tmp_path / "backups", tmp_path / "again")
    again = Study(tmp_path / "again")
    assert again.sqlite_path == tmp_path / "again/study-2.db" and done.checked.is_whole
    assert rows_in(again) == before and tiny.due(again, tiny.CORE) == due
    again.engine.dispose()
    more = backup(served, tmp_path / "backups", is_incremental=True)
    objects = [f.path for f in more.manifest.files if f.path.startswith("objects/") and len(f.path) > 60]
    assert objects and all(more.copy.how[name] == "linked" for name in objects)
    with empty_on(postgresql_url) as url:
        done = restore(more.path, tmp_path / "server", database=url)
        there = Study(tmp_path / "server")
        assert there.sqlite_path is None and not list(there.root.glob("study-2.db*"))
        assert rows_in(there) == before and check(there, full=True).is_whole
        with pytest.raises(InvalidInput, match="not empty"):
            restore(more.path, tmp_path / "second", database=url)
        assert not (tmp_path / "second").exists()
        there.engine.dispose()


class empty_on:
    """An empty database on the server of the tests."""

    def __init__(self, url: str):
        self.url = url

    def __enter__(self) -> str:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute('CREATE DATABASE "restored"')
        head, _, query = self.url.partition("?")
        return head.rsplit("/", 1)[0] + "/restored" + (f"?{query}" if query else "")

    def __exit__(self, *_: object) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute('DROP DATABASE "restored" WITH (FORCE)')


def test_beside_a_writer_it_is_one_state_and_nobody_waits(served, tmp_path):
    """The writer keeps two rows of two patients equal; a copy of two states would have them differ."""
    two = ("TCGA-TN-0001", "TCGA-TN-0002")
    ends, rounds = threading.Event(), []

    def write() -> None:
        engine = create(served.database_url)
        while not ends.is_set():
            with writing(engine) as connection:
                for patient in two:
                    of_it = Patient.patient_id == patient
                    connection.execute(
                        Patient.__table__.update().where(of_it).values(age_years=20.0 + len(rounds) % 70)
                    )
            rounds.append(1)
        engine.dispose()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not rounds:
            pass
        for i in range(3):
            begun = len(rounds)
            made = backup(served, tmp_path / "backups", is_incremental=bool(i))
            assert len(rounds) > begun
            copy = create(f"sqlite:///{made.path / made.manifest.database}")
            with reading(copy) as connection:
                ages = connection.exec_driver_sql(
                    f"SELECT DISTINCT age_years FROM patients WHERE patient_id IN {two}"
                ).fetchall()
            copy.dispose()
            assert len(ages) == 1
    finally:
        ends.set()
        writer.join()


@pytest.mark.parametrize("point", ["move.table", "database.copied", "backup.before_rename"])
def test_killed_it_leaves_nothing_under_a_final_name_and_the_next_one_goes_on(served, tmp_path, point):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TSHDB_FAILPOINT": point}
    command = [sys.executable, "-m", "cli.main", "backup", str(tmp_path / "backups")]
    done = subprocess.run(command, cwd=served.root, env=environment, capture_output=True, text=True)
    assert done.returncode == 137, done.stderr
    assert not list((tmp_path / "backups").glob("[!.]*/manifest.json"))
    made = backup(served, tmp_path / "backups")
    databases = {p.name for p in made.path.iterdir() if "db" in p.name}
    assert databases - {"study.db-wal", "study.db-shm"} == {"study.db", "study-2.db"}
    restore(made.path, tmp_path / "again")


def test_the_commands_say_so_and_no_password_comes_along(served, quick, tmp_path):
    settings = served.root / "study.toml"
    url = served.database_url
    settings.write_text(settings.read_text().replace("://postgres:@", "://postgres:geheim@"))
    assert "geheim" in settings.read_text(), url
    with writing(served.engine) as connection:
        connection.exec_driver_sql("CREATE TABLE own_notes (note text)")
    facts = json.loads(quick("backup", tmp_path / "backups", "--json", cwd=served.root).stdout)
    assert facts["left_out"]["tables and columns of the server's database that tshdb does not know"] == [
        "table own_notes"
    ]
    said = quick("restore", facts["backup"], tmp_path / "again")
    assert "geheim" not in said.stdout + said.stderr + (tmp_path / "again/study.toml").read_text()
