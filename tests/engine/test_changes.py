"""What is noted of a group or a number that changed: every case by hand. Which row became which: tests/unit/test_row_pairs.py."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import delete, event, insert, select, update

from analyses import ANALYSES
from tests.support import tiny
from tshdb.database import bulk_insert, next_id, reading, writing
from tshdb.engine.batches import unit_rows
from tshdb.engine.changes import note_changes, note_gone
from tshdb.engine.compute import Outcome
from tshdb.engine.units import now, retire
from tshdb.schema import Attempt, ResultChange, Run, Unit
from tshdb.study import Study
from tshdb.vocabulary import RunState, UnitState

BY_NAME = {a.name: a for a in ANALYSES}
GROUPS, CUTOFF = BY_NAME["survival_groups"], BY_NAME["cutoff"]
A, B, C = "T cells", "NK cells", "B lineage"


# -------------------------------------------------------------------------------------------------------- what is noted


def group(prognosis: str | None, population: str = A, unit: str = "rsem") -> dict:
    values = {"value": 0.1, "cutoff": 0.0, "reason": None}
    return {"patient_id": "P", "population": population, "unit": unit, "prognosis": prognosis, **values}


def cutoff(value: float, population: str = A) -> dict:
    row = dict.fromkeys(c.name for c in CUTOFF.makes.__table__.columns if c.name != "unit_id" and c.nullable)
    counts = dict.fromkeys(("n", "n_events", "n_high", "n_high_events"), 9)
    said = {"biomarker": "ratio", "unit": "rsem", "transform": "none", "method": "median", "higher_is": "good"}
    return {**row, **counts, **said, "population": population, "value": value, "cohort": "c", "endpoint": "OS"}


class Hand:
    """Commits results by hand, as a run does. Each call gives what it noted: (key, row, row before, was, is)."""

    def __init__(self, study: Study, analysis):
        self.engine, self.analysis, self.table = study.engine, analysis, analysis.makes.__table__

    def begin(self, connection) -> int:
        run_id = next_id(connection, Run.run_id)
        said = {"command": "test", "actor": "", "host": "", "process": "", "libraries": "{}"}
        connection.execute(insert(Run).values(run_id=run_id, started_at=now(), state=RunState.DONE, **said))
        return run_id

    def commits(self, units: dict[str, list[dict] | None]) -> list[tuple]:
        """None in place of rows: the unit failed."""
        with writing(self.engine) as connection:
            run_id = self.begin(connection)
            ids = {k: row.unit_id for k, row in unit_rows(connection, self.analysis.name, list(units)).items()}
            outcomes = [
                Outcome(key, rows or [], None if rows is None else "f", None if rows is not None else "no", 0.0)
                for key, rows in units.items()
            ]
            note_changes(connection, self.analysis, outcomes, ids, run_id)
            connection.execute(delete(self.table).where(self.table.c.unit_id.in_(ids.values())))
            written = [{"unit_id": ids[key], **row} for key, rows in units.items() for row in rows or ()]
            bulk_insert(connection, self.table, written)
            attempt = next_id(connection, Attempt.attempt_id)
            for i, (key, rows) in enumerate(units.items()):
                state = UnitState.FAILED if rows is None else UnitState.CURRENT
                connection.execute(update(Unit).where(Unit.unit_id == ids[key]).values(state=state))
                said = {"reason": "new", "detail": "", "state": state, "seconds": 0.0, "is_changed": True}
                values = {"attempt_id": attempt + i, "run_id": run_id, "unit_id": ids[key], "ended_at": now(), **said}
                connection.execute(insert(Attempt).values(**values))
        return self._noted(run_id)

    def retires(self, keys: Iterable[str]) -> list[tuple]:
        with writing(self.engine) as connection:
            run_id = self.begin(connection)
            ids = {k: row.unit_id for k, row in unit_rows(connection, self.analysis.name, list(keys)).items()}
            note_gone(connection, self.analysis, ids, run_id)
            retire(connection, ids.values(), self.analysis.makes.__table__)
        return self._noted(run_id)

    def _noted(self, run_id: int) -> list[tuple]:
        c = ResultChange
        columns = (c.entity_key, c.row_part, c.row_part_before, c.value_before, c.value_after)
        with reading(self.engine) as connection:
            query = select(*columns).where(c.run_id == run_id).order_by(c.result_change_id)
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def groups(empty_study) -> Hand:
    return Hand(empty_study, GROUPS)


@pytest.fixture
def cutoffs(empty_study) -> Hand:
    return Hand(empty_study, CUTOFF)


def test_a_first_result_is_no_change(groups):
    assert groups.commits({"P": [group("good")], "Q": [group("poor")], "R": []}) == []
    assert groups.commits({"P": [group("good")], "Q": [group("poor")], "R": []}) == [], "nor is the same result"


def test_a_group_that_changes_with_its_population_or_unit_is_noted(groups):
    groups.commits({"P": [group("good")], "Q": [group("good")], "R": [group("good")]})
    found = groups.commits({"P": [group("poor", B)], "Q": [group("good", B)], "R": [group("poor", unit="tpm")]})
    assert found == [
        ("P", "NK cells|rsem", "T cells|rsem", "good", "poor"),
        ("R", "T cells|tpm", "T cells|rsem", "good", "poor"),
    ]
    assert groups.commits({"P": [group("good", B)]}) == [("P", "NK cells|rsem", None, "poor", "good")]


def test_a_unit_that_fails_or_is_retired_has_no_group_and_comes_back(groups):
    groups.commits({"P": [group("good")], "Q": [group("poor")]})
    assert groups.commits({"P": None}) == [("P", "T cells|rsem", None, "good", None)]
    assert groups.commits({"P": None}) == [], "it fails again"
    assert groups.commits({"P": [group("poor", B)]}) == [("P", "NK cells|rsem", None, None, "poor")]
    assert groups.retires(["P", "Q"]) == [
        ("P", "NK cells|rsem", None, "poor", None),
        ("Q", "T cells|rsem", None, "poor", None),
    ]
    assert groups.retires(["P"]) == []
    assert groups.commits({"Q": [group("poor")]}) == [("Q", "T cells|rsem", None, None, "poor")]


def test_a_unit_that_failed_from_the_first_has_no_group_to_lose(groups):
    assert groups.commits({"P": None}) == []
    assert groups.commits({"P": [group("good")]}) == []


def test_rows_that_come_or_go_without_a_partner(groups):
    groups.commits({"P": [], "Q": [group("good"), group(None, B)], "R": [group(None)]})
    found = groups.commits({"P": [group("good")], "Q": [group("good")], "R": [group("good"), group("poor", B)]})
    assert found == [
        ("P", "T cells|rsem", None, None, "good"),  # a result without rows was a result
        ("R", "T cells|rsem", None, None, "good"),
        ("R", "NK cells|rsem", None, None, "poor"),
    ]  # that Q has no row of NK cells any more changes no group
    assert groups.commits({"R": None}) == [
        ("R", "T cells|rsem", None, "good", None),
        ("R", "NK cells|rsem", None, "poor", None),
    ]


def test_a_new_version_is_held_against_the_newest_before_it_that_stands(cutoffs):
    assert cutoffs.commits({"c@2": [cutoff(-0.35)]}) == []
    assert cutoffs.commits({"other@1": [cutoff(7.0)]}) == [], "another cohort's"
    assert cutoffs.commits({"c@1": [cutoff(7.0)]}) == [], "an older one"
    assert cutoffs.commits({"c@9": [cutoff(-0.3)]}) == [("c@9", A, f"c@2|{A}", "-0.35", "-0.3")]
    assert cutoffs.commits({"c@10": [cutoff(-0.26, B)]}) == [("c@10", B, f"c@9|{A}", "-0.3", "-0.26")], "9 < 10"
    assert cutoffs.commits({"c@10": [cutoff(0.1, B)]}) == [("c@10", B, None, "-0.26", "0.1")], "from now on itself"
    assert cutoffs.commits({"c@10": None}) == [("c@10", B, None, "0.1", None)]
    assert cutoffs.commits({"c@11": [cutoff(-0.3)]}) == [], "9 stands, and says the same"
    cutoffs.retires(["c@1", "c@2", "c@9", "c@11"])
    assert cutoffs.commits({"c@12": [cutoff(5.0)]}) == [], "none stands"
    assert cutoffs.commits({"live": [cutoff(6.0)]}) == [], "a live cohort has no version before"
    assert cutoffs.commits({"live@1": [cutoff(7.0)]}) == [], "and is none"


def test_a_number_is_noted_as_it_is_stored(cutoffs):
    """0.1 + 0.2 is no 0.3: every digit that tells the stored double from others."""
    cutoffs.commits({"c@1": [cutoff(0.3)]})
    assert cutoffs.commits({"c@1": [cutoff(0.1 + 0.2)]}) == [("c@1", A, None, "0.3", "0.30000000000000004")]
    assert cutoffs.commits({"c@1": [cutoff(-0.0)]})[0][-1] in ("0.0", "-0.0")


def test_what_is_noted_takes_as_many_statements_for_many_units(groups):
    def statements(n: int) -> int:
        said: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            said.append(statement)

        with writing(groups.engine) as connection:
            run_id = groups.begin(connection)
            units = {f"P{i:04d}": [group("poor"), group("poor", B)] for i in range(n)}
            ids = {k: row.unit_id for k, row in unit_rows(connection, GROUPS.name, list(units)).items()}
            outcomes = [Outcome(key, rows, "f", None, 0.0) for key, rows in units.items()]
            event.listen(groups.engine, "before_cursor_execute", note)
            note_changes(connection, GROUPS, outcomes, ids, run_id)
            event.remove(groups.engine, "before_cursor_execute", note)
        return len(said)

    groups.commits({f"P{i:04d}": [group("good"), group("good", C)] for i in range(500)})
    assert statements(10) == statements(500)


# ---------------------------------------------------------------------------------------------------- in a study


def noted(study: Study, run_id: int, analysis: str) -> dict[str, tuple]:
    c = ResultChange
    query = select(c.entity_key, c.value_before, c.value_after).where(c.run_id == run_id, c.analysis == analysis)
    with reading(study.engine) as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def prognoses(study: Study) -> dict[str, str]:
    frame = study.sql("SELECT patient_id, prognosis FROM survival_groups")
    return dict(zip(frame["patient_id"], frame["prognosis"], strict=True))


def test_a_rebuild_notes_whom_it_retires_blocks_and_takes_back(core, archive):
    before = prognoses(core)
    stroma = archive.patients["TCGA-TN-0004"].stroma
    archive.change("TCGA-TN-0004", stroma=None)
    tiny.ingest(core, archive, images=False)
    first = tiny.rebuild(core, tiny.CORE)
    assert noted(core, first.run_id, "survival_groups") == {"TCGA-TN-0004": (before["TCGA-TN-0004"], None)}
    archive.change("TCGA-TN-0004", stroma=stroma)
    tiny.ingest(core, archive, images=False)
    second = tiny.rebuild(core, tiny.CORE)
    assert noted(core, second.run_id, "survival_groups") == {"TCGA-TN-0004": (None, before["TCGA-TN-0004"])}
    settings = core.root / "study.toml"
    text = settings.read_text()
    settings.write_text(text.replace('population = "Cytotoxic lymphocytes"', 'population = "none such"', 1))
    third = tiny.rebuild(core, tiny.CORE)  # the cut-off fails, and whoever needs it is blocked
    assert third.failed["cutoff"] and set(noted(core, third.run_id, "cutoff")) == {f"{tiny.COHORT}@1"}
    assert noted(core, third.run_id, "survival_groups") == {p: (g, None) for p, g in before.items()}
    settings.write_text(text)
    fourth = tiny.rebuild(core, tiny.CORE)
    assert noted(core, fourth.run_id, "survival_groups") == {p: (None, g) for p, g in before.items()}


def test_the_cut_off_of_a_new_version_is_held_against_the_old_one(core, archive):
    before = core.sql("SELECT value FROM cutoffs")["value"].tolist()
    for i in range(60, 63):
        archive.add(i)
        archive.set_value(f"TCGA-TN-{i:04d}", "tumor", "GNLY", 9e5)
    tiny.ingest(core, archive, images=False)
    tiny.freeze(core)
    report = tiny.rebuild(core, tiny.CORE)
    after = core.sql(f"SELECT value FROM cutoffs WHERE cohort = '{tiny.COHORT}@2'")["value"].tolist()
    assert before != after
    assert noted(core, report.run_id, "cutoff") == {f"{tiny.COHORT}@2": (repr(before[0]), repr(after[0]))}
