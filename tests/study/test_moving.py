"""`tshdb move`: the same rows, plan and answers in another database; killed or refused, the study uses its former one."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.support import guests
from tshdb import database
from tshdb.actions import carrying, moving
from tshdb.actions.checking import check
from tshdb.actions.withdrawing import withdraw
from tshdb.carried import dumped
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.guest_tables import tables_of
from tshdb.process import identity, machine
from tshdb.schema import Base
from tshdb.study import Study

WHO = "TCGA-TN-0003"


def rows_in(study: Study) -> dict[str, list[str]]:
    """table -> its rows as text, floats in full: by plain SQL and Python's own repr, not by what moves them."""
    found = {}
    with database.reading(study.engine) as connection:
        for table in tables_of(connection):
            if table.name == "table_versions":
                continue
            truths = {i for i, c in enumerate(table.columns) if c.type.python_type is bool}
            names = ", ".join(f'"{c.name}"' for c in table.columns)
            found[table.name] = sorted(
                repr(tuple(bool(v) if i in truths and v is not None else v for i, v in enumerate(row)))
                for row in database.tuples(connection, f'SELECT {names} FROM "{table.name}"')
            )
    return found


def questions(study: Study) -> list[str]:
    """Two hundred SELECTs: all rows, counts, and what each column holds."""
    with database.reading(study.engine) as connection:
        tables = [t for t in tables_of(connection) if t.name not in ("table_versions", "alembic_version")]
    asked = [f"SELECT * FROM {t.name} ORDER BY ALL" for t in tables]
    for table in tables:
        for column in table.columns:
            asked.append(
                f'SELECT "{column.name}" AS v, count(*) AS n FROM {table.name} GROUP BY 1 HAVING v IS NOT NULL ORDER BY ALL'
            )
    return asked[:200]


def answers(study: Study) -> list[str]:
    return [frame.to_csv() for frame in study.sql_each(questions(study))]


def moved(study: Study, url: str) -> Study:
    """The study where it is now, as a new process opens it."""
    moving.move(study, url)
    study.engine.dispose()
    return Study(study.root)


def broken(study: Study) -> list[tuple[str, list[str]]]:
    """The rules that do not hold, and where: what a withdrawal could not do itself is left to a person."""
    return [(b.rule.name, [p.where for p in b.problems]) for b in check(guests.fresh(study)).broken]


@pytest.fixture
def full(core):
    """A study with a guest's table, a withdrawn patient, a freed name and text of every kind."""
    guests.put(core, "median_ratios", "purities")
    guests.made(core)
    withdraw(guests.fresh(core), WHO, "consent withdrawn; \N{SNOWMAN} 'quoted' \\N %s :x")
    guests.made(core)
    core.engine.dispose()
    return Study(core.root)


def test_both_ways_round_and_to_another_file(full, postgresql):
    before, asked, stood = rows_in(full), answers(full), broken(full)
    assert len(asked) == 200 and sum(map(len, before.values())) > 500
    assert before["tombstones"] and before["guest_tables"]
    there = moved(full, postgresql)
    assert there.sqlite_path is None and rows_in(there) == before
    assert answers(there) == asked
    assert guests.due(there) == {}
    assert broken(there) == stood
    again = moved(there, "sqlite:///back.db")
    assert again.sqlite_path == full.root / "back.db" and rows_in(again) == before
    assert answers(again) == asked and guests.due(again) == {} and broken(again) == stood
    with database.reading(again.engine) as connection:
        assert database.changed_by_others(connection) == {}
        versions = database.tuples(connection, "SELECT table_name, version FROM table_versions ORDER BY 1")
    last = moved(again, "sqlite:///last.db")
    assert rows_in(last) == before and guests.due(last) == {}
    with database.reading(last.engine) as connection:
        assert database.tuples(connection, "SELECT table_name, version FROM table_versions ORDER BY 1") == versions
    assert (full.root / "study.db").is_file(), "the former database stays"
    assert not (full.root / ".tshdb.move").exists()


def test_sequences_go_on_behind_what_came(core, postgresql):
    there = moved(core, postgresql)
    with database.reading(there.engine) as connection:
        ((last,),) = database.tuples(connection, "SELECT max(unit_id) FROM units")
    with database.writing(there.engine) as connection:
        following = connection.exec_driver_sql("SELECT nextval(pg_get_serial_sequence('units', 'unit_id'))").scalar()
    assert following == last + 1
    there.engine.dispose()


def test_the_command_says_what_it_did(core, postgresql, quick):
    before = (core.root / "study.toml").read_text()
    (core.root / "variants" / "median").mkdir(parents=True)
    (core.root / "variants" / "median" / "variant.toml").write_text("")
    core.engine.dispose()
    facts = json.loads(quick("move", "--to", postgresql, "--json", cwd=core.root).stdout)
    assert facts["left"] == ["variants/median"] and facts["before"].endswith("/study.db")
    patients = next(t for t in facts["tables"] if t["table"] == "patients")
    assert patients["n_rows"] == 10 and len(patients["digest"]) == 64
    assert (core.root / "study.toml").read_text() == before.replace("sqlite:///study.db", postgresql)
    said = quick("move", "--to", "sqlite:///home.db", cwd=core.root)
    assert "same digest" in said.stdout and "no withdrawal reaches" in said.stderr


def refused(study: Study, url: str) -> str:
    text = (study.root / "study.toml").read_text()
    with pytest.raises(InvalidInput) as error:
        moving.move(study, url)
    assert (study.root / "study.toml").read_text() == text
    return str(error.value)


def test_a_target_that_holds_anything_is_refused(core, postgresql, tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as raw:
        raw.execute("CREATE VIEW v AS SELECT 1")
    raw.close()
    assert "not empty: it has v" in refused(core, f"sqlite:///{other}")
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgresql, autocommit=True) as raw:
        raw.execute("CREATE TABLE mine (x int)")
    assert "not empty: it has mine" in refused(core, postgresql)
    assert "there already" in refused(core, "sqlite:///study.db")
    assert "no such folder" in refused(core, f"sqlite:///{tmp_path}/nowhere/x.db")
    assert "leads out" in refused(core, "sqlite:///../x.db")


def test_what_tshdb_does_not_know_is_not_left_behind(core, tmp_path):
    with sqlite3.connect(core.root / "study.db") as raw:
        raw.execute("CREATE TABLE notes (x TEXT)")
    assert "table notes: tshdb does not know it" in refused(core, f"sqlite:///{tmp_path}/x.db")
    with sqlite3.connect(core.root / "study.db") as raw:
        raw.execute("DROP TABLE notes")
        raw.execute("ALTER TABLE patients ADD COLUMN nickname TEXT")
    raw.close()
    assert "table patients, column nickname" in refused(core, f"sqlite:///{tmp_path}/x.db")


def test_an_edit_by_hand_is_looked_at_first(core, tmp_path):
    with sqlite3.connect(core.root / "study.db") as raw:
        raw.execute("UPDATE tsh_ratios SET value = value + 1")
    raw.close()
    assert "table tsh_ratios: another hand" in refused(core, f"sqlite:///{tmp_path}/x.db")


def test_a_running_rebuild_is_waited_for(core, tmp_path, quick):
    with sqlite3.connect(core.root / "study.db") as raw:
        raw.execute("UPDATE runs SET state = 'running', process = ?, host = ?", (identity(), machine()))
        raw.execute("UPDATE table_versions SET written = version")
    raw.close()
    assert "computes. Wait" in quick("move", "--to", f"sqlite:///{tmp_path}/x.db", cwd=core.root, code=4).stderr


@pytest.mark.parametrize(
    "loss", ["UPDATE patients SET sex = NULL WHERE patient_id = 'TCGA-TN-0001'", "DELETE FROM change_log"]
)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_arrives_otherwise_changes_nothing(core, tmp_path, monkeypatch, loss, kind, request):
    url = f"sqlite:///{tmp_path}/x.db" if kind == "sqlite" else request.getfixturevalue("postgresql")
    follow = carrying.follow_keys

    def damaged(connection, table):
        follow(connection, table)
        if table.name == Base.metadata.sorted_tables[-1].name:
            assert connection.exec_driver_sql(loss).rowcount

    monkeypatch.setattr(carrying, "follow_keys", damaged)
    text = (core.root / "study.toml").read_text()
    with pytest.raises(IntegrityError, match="what arrived is not what was sent"):
        moving.move(core, url)
    assert (core.root / "study.toml").read_text() == text
    monkeypatch.undo()
    assert rows_in(moved(core, url))["patients"], "nothing was left there: a second run begins anew"


@pytest.mark.parametrize("point", ["#1", "#40", "move.carried", "move.named"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_anywhere_a_second_run_begins_anew(core, tmp_path, tshdb, point, kind, request):
    url = f"sqlite:///{tmp_path}/x.db" if kind == "sqlite" else request.getfixturevalue("postgresql")
    before = rows_in(core)
    core.engine.dispose()
    tshdb("move", "--to", url, cwd=core.root, code=137, TSHDB_FAILPOINT=point)
    now = Study(core.root)
    if point == "move.named":
        assert now.settings.study.database == url and rows_in(now) == before
        return
    assert now.settings.study.database == "sqlite:///study.db" and rows_in(now) == before
    with sqlite3.connect(core.root / "study.db") as raw:  # the study goes on meanwhile
        raw.execute("UPDATE ingest_runs SET actor = 'another'")
        raw.execute("UPDATE table_versions SET written = version")
    raw.close()
    before = rows_in(now)
    assert rows_in(moved(now, url)) == before


def test_a_target_that_was_used_meanwhile_is_never_emptied(core, tmp_path, tshdb):
    url = f"sqlite:///{tmp_path}/x.db"
    core.engine.dispose()
    tshdb("move", "--to", url, cwd=core.root, code=137, TSHDB_FAILPOINT="move.carried")
    with sqlite3.connect(tmp_path / "x.db") as raw:
        raw.execute("UPDATE patients SET sex = 'male' WHERE patient_id = 'TCGA-TN-0001'")
    raw.close()
    assert "not empty" in refused(Study(core.root), url)


def test_a_digest_sees_a_value_a_row_and_a_column(core):
    """Values in other columns, a value less, another key, a row more."""
    with database.writing(core.engine) as connection:
        table = Base.metadata.tables["attempts"]
        first = dumped(connection, table)
        for change in (
            "UPDATE attempts SET reason = detail, detail = reason",
            "UPDATE attempts SET is_changed = NOT is_changed WHERE attempt_id = 1",
            "UPDATE attempts SET attempt_id = attempt_id + 100000",
            "DELETE FROM attempts WHERE attempt_id = 1",
        ):
            connection.exec_driver_sql("SAVEPOINT here")
            assert connection.exec_driver_sql(change).rowcount
            assert dumped(connection, table) != first, change
            connection.exec_driver_sql("ROLLBACK TO here")
        assert dumped(connection, table) == first
