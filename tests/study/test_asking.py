"""Many queries by one process: each answer is the one that a process of its own gives, and the sandbox is as tight."""

from __future__ import annotations

import os
import signal

import pytest

from tests.study.test_query import hostile, tree
from tests.support import tiny
from tshdb import asking, query
from tshdb.database import writing
from tshdb.errors import InvalidInput, ResourceError
from tshdb.study import Study

QUERIES = (
    ("SELECT * FROM tsh_ratios ORDER BY ALL", {}),
    ("SELECT * FROM cox_terms WHERE cohort = $c ORDER BY ALL", {"c": f"{tiny.COHORT}@1"}),
    ("SELECT * FROM tsh_ratios_wide ORDER BY ALL", {}),
    ("SELECT gene, count(*) AS n FROM expression GROUP BY 1 ORDER BY 1", {}),
    ("SELECT * FROM patients WHERE patient_id IN (SELECT unnest($who)) ORDER BY ALL", {"who": ["TCGA-TN-0001"]}),
    ("SELECT 1.5::DECIMAL(4, 2) AS d, DATE '2020-01-31' AS day, NULL AS none, 'Ж免疫' AS word", {}),
)


@pytest.fixture
def processes(monkeypatch):
    """The children that queries outside of the one process have had."""
    begun = []
    own = query._messages
    monkeypatch.setattr(query, "_messages", lambda *given: begun.append(given[1]) or own(*given))
    return begun


@pytest.mark.parametrize("small", [asking.SMALL, 3, 0])
def test_answers_are_those_of_single_queries(core, monkeypatch, processes, small):
    """Also where most tables are too large to be there unasked."""
    alone = [core.sql(sql, given) for sql, given in QUERIES]
    monkeypatch.setattr(asking, "SMALL", small)
    processes.clear()
    with core.asking():
        together = [core.sql(sql, given) for sql, given in QUERIES]
        each = core.sql_each([sql for sql, given in QUERIES if not given])
    for one, other in zip(alone, together, strict=True):
        assert one.equals(other) and list(one.dtypes) == list(other.dtypes)
    assert [len(frame) for frame in each] == [len(f) for f, (_, g) in zip(alone, QUERIES, strict=True) if not g]
    if small > 3:
        assert {sql for asked in processes for sql, _ in asked} == {QUERIES[2][0], QUERIES[3][0]}, "a view, expression"


def test_a_refused_query_leaves_the_others_as_they_are(core, processes):
    with core.asking():
        for wrong in ("SELECT nothing FROM patients", "SELECT 1; SELECT 2", "DELETE FROM patients"):
            with pytest.raises(InvalidInput) as told:
                core.sql(wrong)
            with pytest.raises(InvalidInput) as alone:
                query.run_query(core, wrong)
            assert str(told.value) == str(alone.value)
        processes.clear()
        assert core.sql("SELECT count(*) AS n FROM patients")["n"][0] == 10 and not processes


def test_all_of_it_is_one_state_of_the_database(core):
    count = "SELECT count(*) AS n FROM patients WHERE race = 'changed'"
    with core.asking():
        core.sql(count)
        with writing(core.engine) as connection:
            connection.exec_driver_sql("UPDATE patients SET race = 'changed'")
        assert core.sql(count)["n"][0] == 0
        assert core.once("what", lambda: 1) == core.once("what", lambda: 2) == 1
    assert core.sql(count)["n"][0] == 10 and core.once("what", lambda: 2) == 2


def test_a_process_that_was_ended_is_not_missed(core):
    with core.asking():
        core.sql("SELECT 1 AS one")
        os.kill(core._asking._child.pid, signal.SIGKILL)
        assert core.sql("SELECT count(*) AS n FROM patients")["n"][0] == 10
        assert core.sql("SELECT count(*) AS n FROM patients")["n"][0] == 10


def test_no_process_is_left(core):
    with core.asking():
        core.sql("SELECT 1 AS one")
        pid = core._asking._child.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_battery(core):
    """The statements that a single query must not run, one after the other in one process."""
    (core.root.parent / "secret.txt").write_text("canary-7f3a9c")
    (core.root.parent / "secret.csv").write_text("a\ncanary-7f3a9c\n")
    before = tree(core.root.parent)
    with core.asking():
        core.sql("SELECT 1 AS one")
        for statement in hostile(core.root.parent):
            try:
                answer = core._asking.answer(statement, {})
            except (InvalidInput, ResourceError):
                continue
            assert "canary-7f3a9c" not in repr(answer.rows) and "root:" not in repr(answer.rows), statement
        assert core.sql("SELECT count(*) AS n FROM patients")["n"][0] == 10
    assert tree(core.root.parent) == before


def test_a_server_is_asked_as_ever(core, monkeypatch):
    monkeypatch.setattr(Study, "sqlite_path", None)
    with core.asking():
        assert core._asking is None
