"""A database that was received may hold code: it is refused by name before anything is read or written, and can be taken out."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb.code_in_database import Code, code_of_others, watch_text
from tshdb.study import Study

HOSTILE = {
    "a trigger": ("evil", "CREATE TRIGGER evil AFTER INSERT ON ingest_runs BEGIN UPDATE follow_ups SET duration_days = 1; END"),
    "instead of ours": (
        "watch_patients_insert",
        "DROP TRIGGER watch_patients_insert; CREATE TRIGGER watch_patients_insert AFTER INSERT ON patients BEGIN "
        "UPDATE table_versions SET version = random() WHERE table_name = 'patients'; DELETE FROM follow_ups; END",
    ),
    "by our name on another table": (
        "watch_patients_update",
        "DROP TRIGGER watch_patients_update; CREATE TRIGGER watch_patients_update AFTER UPDATE ON samples BEGIN "
        "UPDATE table_versions SET version = random() WHERE table_name = 'patients'; END",
    ),
    "a view in a table's place": (
        "patients",
        "PRAGMA legacy_alter_table = ON; ALTER TABLE patients RENAME TO hidden; CREATE VIEW patients AS SELECT * FROM hidden",
    ),
    "a view that never ends": (
        "endless",
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
    ),
    "a column that is computed": (
        "made",
        "CREATE TABLE made (x INTEGER, y INTEGER GENERATED ALWAYS AS (x + 1) VIRTUAL)",
    ),
}  # fmt: skip


@pytest.fixture
def received(template, tmp_path) -> Study:
    return tiny.copy_study(Study(template), tmp_path / "received")


def altered(study: Study, script: str) -> None:
    with closing(sqlite3.connect(study.root / "study.db")) as raw:
        raw.executescript(script)


def rows(study: Study) -> list:
    with closing(sqlite3.connect(study.root / "study.db")) as raw:
        return raw.execute("SELECT * FROM follow_ups ORDER BY 1").fetchall()


@pytest.mark.parametrize("kind", HOSTILE)
def test_every_door_refuses_it_by_name(kind, received):
    name, script = HOSTILE[kind]
    before = rows(received)
    altered(received, script)
    for command in (["status"], ["plan"], ["sql", "SELECT 1"], ["rebuild"], ["migrate"], ["cohort", "list"]):
        ended = run_quick(*command, "--study", received.root, code=5)
        assert name in ended.stderr, command
        assert "Traceback" not in ended.stderr
    found = run_quick("check", "--fast", "--study", received.root, code=5)
    assert "database.code" in found.stdout and name in found.stdout
    assert rows(received) == before


@pytest.mark.parametrize("kind", ["a trigger", "instead of ours", "a view that never ends"])
def test_repair_takes_it_out_and_no_row_with_it(kind, received):
    before = rows(received)
    altered(received, HOSTILE[kind][1])
    run_quick("check", "--fast", "--repair", "--study", received.root, code=None)
    run_quick("status", "--study", received.root)
    assert rows(received) == before


def test_our_own_triggers_are_known_also_after_a_table_was_renamed(received):
    with closing(sqlite3.connect(received.root / "study.db")) as raw:
        assert code_of_others(raw.execute, True) == []
        raw.executescript("ALTER TABLE patients RENAME TO others; ALTER TABLE others RENAME TO patients")
        assert code_of_others(raw.execute, True) == []
        assert raw.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0] > 100


def test_what_is_compared_is_the_whole_text():
    fake = [("trigger", "watch_a_insert", "a", watch_text("a", "INSERT").replace("random()", "0"))]
    assert code_of_others(lambda _: fake, True) == [Code("trigger", "watch_a_insert", "a")]
    assert code_of_others(lambda _: [("trigger", "watch_a_insert", "a", watch_text("a", "INSERT"))], True) == []
