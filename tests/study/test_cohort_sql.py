"""A cohort's SQL is that of `tshdb sql`: the same answer on every database, within limits, remembered only while it holds."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import migrations
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.cohorts import remembered, worker
from tshdb.cohorts.evaluation import evaluate, evaluate_each
from tshdb.cohorts.reads import CHANGING, reads_of
from tshdb.cohorts.rows import rows_of
from tshdb.cohorts.states import states
from tshdb.cohorts.versions import define
from tshdb.database import reading, writing
from tshdb.errors import InvalidInput, ResourceError, TshdbError
from tshdb.query import run_query
from tshdb.sandbox import open_sandbox
from tshdb.snapshots import FOLDER
from tshdb.status import status
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.withdraw import withdraw

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT CAST(n AS TEXT) AS patient_id FROM t"
SILENT = "SELECT patient_id FROM patients WHERE (SELECT count(*) FROM range(10000000) a, range(10000000) b) > 0"
HUGE = "SELECT patient_id FROM patients, range(400000000)"
WOMEN = "SELECT patient_id FROM patients WHERE sex = 'female'"


@pytest.fixture(autouse=True)
def nothing_remembered():
    remembered._of_process.clear()


@pytest.fixture
def mixed(any_database, tmp_path):
    """Eight patients: 0 and 1 are men, 0 to 2 died; ages 30, 40 …; nothing computed."""
    study = tiny.new_study(tmp_path / "study", any_database)
    archive = tiny.TinyArchive.make(8)
    for i, patient in enumerate(archive.patients.values()):
        patient.days = 100 * (i + 1)
        patient.is_dead = i < 3
        patient.sex = "male" if i < 2 else "female"
    tiny.ingest(study, archive, images=False)
    yield study
    study.engine.dispose()


def members(study, text: str, name: str = "asked") -> list[str]:
    """The last letters of the members' names."""
    with reading(study.engine) as connection:
        return [patient[-1] for patient in evaluate(connection, name, text).members]


# ------------------------------------------------------------------------------------------------- one text, one answer

# by hand, from the SQL standard and from PostgreSQL, but for the division, where DuckDB has its own word
BATTERY = [
    ("SELECT patient_id FROM patients WHERE \"sexx\" <> 'female'", "sexx"),
    ('SELECT patient_id FROM patients WHERE sex = "female"', "female"),
    ("SELECT patient_id FROM patients WHERE sexx = 'female'", "Did you mean sex?"),
    ("SELECT patient_id FROM patient", "Did you mean patients,"),
    ("SELECT patient_id FROM follow_ups WHERE event = 'true'", "012"),
    ("SELECT patient_id FROM follow_ups WHERE event = 1::BOOLEAN", "012"),
    ("SELECT patient_id FROM follow_ups WHERE event", "012"),
    ("SELECT patient_id FROM patients WHERE sex LIKE 'FEMALE'", ""),
    ("SELECT patient_id FROM patients WHERE sex LIKE 'fe%'", "234567"),
    ("SELECT patient_id FROM patients WHERE patient_id = (SELECT patient_id FROM patients)", "More than one row"),
    ("SELECT patient_id FROM follow_ups WHERE CAST(duration_days AS INTEGER) / 800 > 0.5", "4567"),
    ("SELECT patient_id FROM follow_ups WHERE CAST(duration_days AS INTEGER) // 800 > 0", "7"),
    ("SELECT patient_id FROM follow_ups WHERE DATE '2020-01-01' + CAST(duration_days AS INTEGER) >= '2022-01-01'", "7"),
    ("SELECT patient_id FROM patients WHERE sex = 3", "Conversion Error"),
    ("SELECT patient_id, count(*) FROM follow_ups", "GROUP BY"),
    ("SELECT PATIENT_ID FROM Patients WHERE SEX = 'male'", "01"),
    ("SELECT patient_id FROM patients_wide WHERE os_event", "012"),
    ("SELECT DISTINCT s.patient_id FROM expression e JOIN samples s USING (sample_id) WHERE gene = 'TP53'", "01234567"),
    ("SELECT patient_id FROM patients; SELECT 1", "2 statements"),
    ("SELECT sex FROM patients", "gives sex"),
    ("SELECT 'nobody' AS patient_id", "1 of its 1 values of patient_id are no patients"),
    ("SELECT NULL AS patient_id", ""),
    ("SELECT patient_id FROM patients WHERE patient_id IN (SELECT name FROM pg_read_file('/etc/passwd'))", "refused"),
    ("SELECT pg_read_file('/etc/passwd') AS patient_id", "pg_read_file"),
    ("SELECT content AS patient_id FROM read_text('/etc/passwd')", "read_text"),
    ("SELECT patient_id FROM query_table('patients')", "query_table"),
    ("SELECT patient_id FROM patients WHERE random() < 0.5", "another answer at another time"),
    ("SELECT patient_id FROM follow_ups WHERE current_date > '2020-01-01'", "another answer at another time"),
    (
        "SELECT patient_id FROM follow_ups WHERE age(TIMESTAMP '2020-01-01') > INTERVAL 1 DAY",
        "another answer at another",
    ),
    (
        "SELECT patient_id FROM follow_ups WHERE age(TIMESTAMP '2020-01-01', TIMESTAMP '2019-01-01') < INTERVAL 1 DAY",
        "",
    ),
    ("SELECT patient_id FROM patients USING SAMPLE 3", "another one each time"),
    ("SELECT table_name AS patient_id FROM information_schema.tables", "does not exist"),
    ("SELECT table_name AS patient_id FROM duckdb_tables()", "duckdb_tables"),
    ("WITH patients AS (SELECT * FROM patients WHERE sex = 'male') SELECT patient_id FROM patients", "01"),
]


def test_the_battery_is_answered_as_by_tshdb_sql(mixed):
    """What is no list of members is a part of what is said."""
    with reading(mixed.engine) as connection:
        given = evaluate_each(rows_of(connection), {f"c{i}": sql for i, (sql, _) in enumerate(BATTERY)})
    wrong = {}
    for (sql, right), answer in zip(BATTERY, given.values(), strict=True):
        if isinstance(answer, TshdbError):
            if not right or right.isdigit() or right not in str(answer):
                wrong[sql] = str(answer)
            continue
        asked = run_query(mixed, sql)
        position = [c.lower() for c in asked.columns].index("patient_id")
        by_sql = {row[position] for row in asked.rows} - {None}
        if "".join(patient[-1] for patient in answer.members) != right or by_sql != set(answer.members):
            wrong[sql] = f"{answer.members}, tshdb sql {sorted(by_sql)}"
    assert wrong == {}


def test_the_papers_cohorts_have_the_members_that_the_database_gave(study):
    """The presets' files, by the engine of `tshdb sql` and by SQLite as it was: `tshdb.cohorts.former`."""
    from tshdb.cohorts.former import differing

    files = sorted((ROOT / "tshdb/presets/fan2023/cohorts").glob("*.sql"))
    assert files
    with writing(study.engine) as connection:
        for file in files:
            define(connection, file.stem, file.read_text())
        assert differing(connection) == []
        assert any(state.members for state in states(connection).values())


READS = [
    ("WITH samples AS (SELECT 1 AS x) SELECT * FROM samples", ""),
    ("WITH samples AS (SELECT * FROM samples) SELECT * FROM samples", "samples"),
    ("WITH RECURSIVE samples AS (SELECT 1 UNION ALL SELECT * FROM samples) SELECT * FROM samples", ""),
    ("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM samples) SELECT * FROM a", "Table with name b does not exist"),
    ("SELECT (WITH a AS (SELECT 1) SELECT * FROM a), (SELECT 1 FROM samples)", "samples"),
    ("SELECT 'FROM samples' FROM \"PATIENTS\" -- follow_ups", "patients"),
    ("SELECT 1 FROM patients WHERE EXISTS (SELECT 1 FROM main.follow_ups)", "follow_ups patients"),
    ("SELECT 1 UNION SELECT 2 FROM samples EXCEPT (SELECT 1 FROM follow_ups)", "follow_ups samples"),
    ("SELECT 1 FROM patients_wide", "follow_ups patients survival_groups tsh_scores"),
    ("SELECT 1 FROM expression", "expression_profiles"),
    ("FROM samples s, LATERAL (SELECT s.x FROM follow_ups)", "follow_ups samples"),
    ("SELECT * FROM a WHERE EXISTS (WITH a AS (SELECT 1) SELECT * FROM a)", "Table with name a does not exist"),
    ("SELECT 1 FROM other.patients", "Table with name other.patients does not exist"),
    ("SELECT * FROM (PIVOT samples ON x IN ('a') USING count(*))", "samples"),
]


def in_a_sandbox(act):
    """What `act` gives of an empty sandbox, in a process of its own, as the program does it."""
    from tshdb.process import in_child

    return in_child(lambda: act(open_sandbox(1)))


def test_what_a_select_reads_is_known_with_views_and_without_ctes():
    known = set("patients samples follow_ups survival_groups tsh_scores expression_profiles".split())

    def said(sandbox, sql: str) -> str:
        try:
            return " ".join(sorted(reads_of(sandbox, sql, known).tables))
        except InvalidInput as error:
            return error.message

    assert in_a_sandbox(lambda s: [[sql, said(s, sql)] for sql, _ in READS]) == [list(pair) for pair in READS]


def test_what_is_refused_as_changing_is_what_duckdb_says_is():
    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')"
    changing = in_a_sandbox(lambda s: [name for (name,) in s.execute(query).fetchall()])
    assert len(changing) > 20 and set(changing) <= CHANGING


# ------------------------------------------------------------------------------------------------------------ limits


@pytest.mark.parametrize("sql", [ENDLESS, SILENT, HUGE])
def test_what_never_ends_is_an_error_of_its_cohort_alone(mixed, monkeypatch, sql):
    monkeypatch.setattr(worker, "SECONDS", 2.0)
    started = time.monotonic()
    with reading(mixed.engine) as connection:
        given = evaluate_each(rows_of(connection), {"before": WOMEN, "endless": sql, "behind": WOMEN})
        assert time.monotonic() - started < 8
        assert isinstance(given["endless"], ResourceError | InvalidInput) and "cohort endless" in str(given["endless"])
        if sql == SILENT:
            assert "more than 2 s" in str(given["endless"])
        assert len(given["before"].members) == len(given["behind"].members) == 6
        started = time.monotonic()
        evaluate_each(rows_of(connection), {"endless": sql})
        assert time.monotonic() - started < 0.5, "a rebuild plans after each analysis: it must not wait each time"
    assert not [p for p in (mixed.root / FOLDER).glob("endless.*") if sql == SILENT], "another day is another try"


def test_status_plan_and_check_name_a_cohort_that_never_ends(study, quick, monkeypatch):
    monkeypatch.setattr(worker, "SECONDS", 1.0)
    with sqlite3.connect(study.sqlite_path) as raw:  # as in a study that was received
        raw.execute("UPDATE cohorts SET sql_text = ? WHERE cohort = ?", (SILENT, tiny.LIVE))
    raw.close()
    (said,) = [c for c in status(study.root)["cohorts"] if c["cohort"] == tiny.LIVE]
    assert "its SQL was stopped: more than 1 s" in said["problem"]
    assert "was stopped" in quick("plan", cwd=study.root, code=None).stdout
    assert "was stopped" in quick("check", cwd=study.root, code=None).stdout


def test_ctrl_c_ends_it_at_once_and_leaves_no_process(study):
    with sqlite3.connect(study.sqlite_path) as raw:
        raw.execute("UPDATE cohorts SET sql_text = ? WHERE cohort = ?", (SILENT, tiny.LIVE))
    raw.close()
    begun = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "status"], cwd=study.root, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        children = f"/proc/{begun.pid}/task/{begun.pid}/children"
        until = time.monotonic() + 30
        while not (child := open(children).read().split()) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate(timeout=5)
    finally:
        begun.kill()
    assert begun.returncode == 130 and "Traceback" not in said and child
    assert not any(os.path.exists(f"/proc/{pid}") for pid in child)


# -------------------------------------------------------------------------------------------- the caller's own rows


def test_rows_that_are_not_committed_are_seen_and_not_remembered_for_others(mixed):
    assert members(mixed, WOMEN) == list("234567")
    with pytest.raises(ZeroDivisionError), writing(mixed.engine) as connection:
        connection.exec_driver_sql("UPDATE patients SET sex = 'male' WHERE patient_id = 'TCGA-TN-0007'")
        assert [p[-1] for p in evaluate(connection, "asked", WOMEN).members] == list("23456")
        connection.exec_driver_sql("UPDATE patients SET sex = 'male' WHERE patient_id = 'TCGA-TN-0006'")
        assert [p[-1] for p in evaluate(connection, "asked", WOMEN).members] == list("2345")
        raise ZeroDivisionError  # rolled back
    assert members(mixed, WOMEN) == list("234567")
    remembered._of_process.clear()
    assert members(mixed, WOMEN) == list("234567")


def test_a_transaction_that_holds_a_table_does_not_wait_for_itself(mixed):
    """Whether others see the rows is asked by another connection, which must not wait for ours."""
    started = time.monotonic()
    with writing(mixed.engine) as connection:
        if mixed.sqlite_path is None:
            connection.exec_driver_sql("LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
        connection.exec_driver_sql("UPDATE patients SET sex = 'male' WHERE patient_id = 'TCGA-TN-0007'")
        assert [p[-1] for p in evaluate(connection, "asked", WOMEN).members] == list("23456")
    assert time.monotonic() - started < 20
    assert not list((mixed.root / FOLDER).glob("*.members"))
    assert members(mixed, WOMEN) == list("23456")


# -------------------------------------------------------------------------------------------------------- remembered


@pytest.fixture
def forks(monkeypatch):
    """The cohorts that were asked of a process, in a list that grows."""
    asked: list[str] = []
    by_one_child = worker._by_one_child

    def counted(rows, known, waiting, seconds):
        asked.extend(one.name for one in waiting)
        return by_one_child(rows, known, waiting, seconds)

    monkeypatch.setattr(worker, "_by_one_child", counted)
    return asked


def by_another_hand(study, *statements: str) -> None:
    """Behind the program's back."""
    if study.sqlite_path is not None:
        with sqlite3.connect(study.sqlite_path) as raw:
            for statement in statements:
                raw.execute(statement)
        raw.close()
        return
    import psycopg

    with psycopg.connect(study.database_url) as raw:
        for statement in statements:
            raw.execute(statement)


CHANGES = {
    "an update": "UPDATE patients SET sex = 'male' WHERE patient_id LIKE '%7'",
    "two that leave all counts": "UPDATE patients SET sex = CASE sex WHEN 'male' THEN 'female' ELSE 'male' END",
    "a row more": "INSERT INTO patients (patient_id, collection, sex) SELECT 'TCGA-TN-0009', collection, 'female' "
    "FROM patients LIMIT 1",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("in_process", [True, False], ids=["in the process", "beside the study"])
def test_an_answer_is_remembered_until_a_table_changes_by_any_hand(mixed, forks, change, in_process):
    def ask() -> list[str]:
        if not in_process:
            remembered._of_process.clear()
        return members(mixed, WOMEN)

    assert ask() == ask() == list("234567") and forks == ["asked"]
    by_another_hand(mixed, "UPDATE samples SET compartment = 'stroma' WHERE compartment = 'tumor'")
    assert ask() == list("234567") and forks == ["asked"], "a table that it does not read"
    by_another_hand(mixed, CHANGES[change])
    right = {"an update": "23456", "two that leave all counts": "01", "a row more": "2345679"}
    assert ask() == list(right[change]) and forks == ["asked"] * 2
    assert members(mixed, WOMEN.replace("female", "male")) != ask() and forks.count("asked") >= 3, "another text"


def test_who_is_no_patient_any_more_is_a_stranger(mixed):
    """The patients are among what an answer rests on, though the SELECT reads another table."""
    text = "SELECT patient_id FROM cohort_members"
    by_another_hand(
        mixed,
        "INSERT INTO cohorts (cohort, sql_text, mode, tables, defined_at) VALUES ('x', 'x', 'frozen', '[]', 'x')",
        "INSERT INTO cohort_versions (cohort, version, mode, sql_text, n_members, fingerprint, created_at) "
        "VALUES ('x', 1, 'frozen', 'x', 1, 'x', 'x')",
        "INSERT INTO cohort_members VALUES ('x', 1, 'TCGA-TN-0099')",
    )
    with pytest.raises(InvalidInput, match="no patients of the study"):
        members(mixed, text)
    by_another_hand(mixed, "INSERT INTO patients (patient_id, collection) VALUES ('TCGA-TN-0099', 'c')")
    assert members(mixed, text) == ["9"]


def test_a_kept_answer_that_was_edited_is_not_used(mixed, forks):
    members(mixed, WOMEN)
    (path,) = (mixed.root / FOLDER).glob("asked.*.members")
    path.write_text(path.read_text().replace("TCGA-TN-0007", "TCGA-TN-0001"))
    remembered._of_process.clear()
    assert members(mixed, WOMEN) == list("234567") and forks == ["asked"] * 2
    (path,) = (mixed.root / FOLDER).glob("asked.*.members")
    for said in ("", "[]", '{"key": 1}', json.dumps({"key": None, "versions": 3})):
        from tshdb.objects import sha256_of

        path.write_text(said)
        path.rename(path.with_name(f"asked.{sha256_of(path)}.members"))
        remembered._of_process.clear()
        assert members(mixed, WOMEN) == list("234567")
        (path,) = (mixed.root / FOLDER).glob("asked.*.members")


def test_status_and_planner_remember_for_each_other(study, forks):
    for path in (study.root / FOLDER).glob("*.members"):
        path.unlink()
    first = status(study.root)
    n = len(forks)
    assert n >= 2
    remembered._of_process.clear()
    assert status(study.root) == first
    with reading(study.engine) as connection:
        states(connection)
    assert len(forks) == n


def test_a_withdrawn_patient_is_in_no_kept_answer(study):
    from analyses import ANALYSES
    from ingest.redact import redact

    status(study.root)
    folder = study.root / FOLDER
    assert any("TCGA-TN-0003" in p.read_text() for p in folder.glob("*.members"))
    withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    assert not any("TCGA-TN-0003" in p.read_text(errors="replace") for p in study.root.rglob("*.members"))
    status(study.root)
    assert list(folder.glob("*.members"))
    assert not any("TCGA-TN-0003" in p.read_text() for p in folder.glob("*.members"))


def test_who_was_slower_than_a_withdrawal_keeps_nothing(mixed, monkeypatch):
    """A reader that saw the patient, and writes its answer when the withdrawal has committed and erased."""
    text = WOMEN
    replace = os.replace

    def late(source, target):
        if str(target).endswith(".members"):
            by_another_hand(mixed, "UPDATE patients SET sex = 'male' WHERE patient_id LIKE '%7'")
        replace(source, target)

    monkeypatch.setattr("tshdb.cohorts.remembered.os.replace", late)
    assert members(mixed, text) == list("234567")
    assert not list((mixed.root / FOLDER).glob("*.members"))


# -------------------------------------------------------------------------------------------------- at the migration


def test_migrate_lists_the_cohorts_whose_members_differ(mixed, quick):
    with writing(mixed.engine) as connection:
        define(connection, "same", WOMEN)
        define(connection, "like", "SELECT patient_id FROM patients WHERE sex LIKE 'FEMALE'")
        define(
            connection, "divided", "SELECT patient_id FROM follow_ups WHERE CAST(duration_days AS INTEGER) / 800 > 0.5"
        )
    migrations.downgrade(mixed.engine, "0013")
    by_another_hand(
        mixed,
        "UPDATE cohorts SET sql_text = 'SELECT patient_id FROM patients WHERE \"sexx\" <> ''female''' WHERE cohort = 'same'",
    )
    facts = json.loads(quick("migrate", "--dry-run", "--json", cwd=mixed.root).stdout)["cohorts"]
    by_name = {c["cohort"]: c for c in facts}
    assert "sexx" in by_name["same"]["problem"]
    assert [p[-1] for p in by_name["divided"]["came"]] == list("456") and by_name["divided"]["left"] == []
    if mixed.sqlite_path is not None:  # whose LIKE does not tell capital letters; PostgreSQL's does
        assert [p[-1] for p in by_name["like"]["left"]] == list("234567") and by_name["like"]["came"] == []
    assert set(by_name) == {"same", "divided"} | ({"like"} if mixed.sqlite_path is not None else set())
    said = quick("migrate", cwd=mixed.root)
    assert "these cohorts differ" in said.stderr and "same (live): it has no answer now" in said.stderr
    assert "divided (live): 3 patients more (such as TCGA-TN-0004)" in said.stderr
    assert "these cohorts differ" not in quick("migrate", cwd=mixed.root).stderr
