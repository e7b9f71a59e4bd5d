"""Who changed group, and why: every flip is named, with the cause that was recorded. The change log cannot be edited unseen."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from analyses import ANALYSES
from tests import tiny
from tshdb.cohorts.versions import define, freeze
from tshdb.database import reading, writing
from tshdb.drift import drift, runs_between
from tshdb.engine.causes import UNRECORDED, Cause, CauseBook
from tshdb.errors import NotFound
from tshdb.history import breaks
from tshdb.schema import Attempt, Retirement, Unit
from tshdb.study import Study
from tshdb.vocabulary import CauseKind


def groups(study) -> dict[str, str]:
    frame = study.sql("SELECT patient_id, prognosis FROM survival_groups ORDER BY 1")
    return dict(zip(frame["patient_id"], frame["prognosis"], strict=True))


def flips(study, name: str = "cutoff"):
    fresh = Study(study.root)
    with reading(fresh.engine) as connection:
        found = drift(connection, ANALYSES, name)
    fresh.engine.dispose()
    return found


def did(core, archive, what: str) -> None:
    """Do something that moves groups."""
    settings = core.root / "study.toml"
    if what == "correct":
        low = next(p for p, group in groups(core).items() if group == "poor")
        for gene in ("GNLY", "KLRD1", "EOMES"):
            archive.set_value(low, "tumor", gene, 5e5)
        tiny.ingest(core, archive, images=False)
    elif what in CHANGES:
        if what == "cohort":
            with writing(core.engine) as connection:
                define(connection, "few", "SELECT patient_id FROM patients WHERE patient_id < 'TCGA-TN-0004'")
                freeze(connection, "few")
        text = settings.read_text()
        for old, new in CHANGES[what].items():
            assert old in text
            text = text.replace(old, new, 1)
        settings.write_text(text)
    elif what == "markers":
        path = core.root / "markers.csv"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("Cytotoxic")]
        path.write_text("\n".join([*lines, "Cytotoxic lymphocytes,TP53", "Cytotoxic lymphocytes,VWF"]) + "\n")
    elif what == "lost":
        archive.change("TCGA-TN-0002", stroma=None)
        tiny.ingest(core, archive, images=False)
    else:
        for i in range(60, 67):
            archive.add(i)
            archive.set_value(f"TCGA-TN-{i:04d}", "tumor", "GNLY", 9e5)
        tiny.ingest(core, archive, images=False)
        tiny.freeze(core)


CHANGES = {
    "method": {'method = "median"': 'method = "fixed"', "value = -0.3512": "value = 0.2"},
    "population": {'population = "Cytotoxic lymphocytes"': 'population = "Fibroblasts"'},
    "cohort": {f'cohort = "{tiny.COHORT}"\npopulation': 'cohort = "few"\npopulation'},
    "guilty": {'population = "Cytotoxic lymphocytes"': 'population = "none such"'},  # the cut-off fails
}


@pytest.mark.parametrize("what", ["correct", *CHANGES, "markers", "members", "lost"])
def test_every_flip_is_named(core, archive, what):
    """Nothing but them: who was in the study before, and is in another group, or in none."""
    before = groups(core)
    did(core, archive, what)
    tiny.rebuild(core, tiny.CORE)
    after = groups(core)
    moved = {(p, before[p], after.get(p)) for p in before if before[p] != after.get(p)}
    assert moved, "the test must move somebody"
    found = flips(core)
    assert len(found) == len(moved) and {(f.patient_id, f.before, f.after) for f in found} == moved
    assert {f.trail[0] for f in found} == {f"survival_groups/{p}" for p, _, _ in moved}
    assert {f.analysis for f in found} == {"survival_groups"} and {f.column for f in found} == {"prognosis"}
    was = "Cytotoxic lymphocytes|rsem" if what == "population" else None
    assert {f.row_before for f in found} == {was}
    assert {f.cause for f in found} == {"not recorded"}, "and no cause is made up"


def test_numbers_that_moved_are_no_flips(core, archive):
    """They are noted, and drift names groups alone; also of an analysis that tracks both."""
    both = tuple(replace(a, tracks=("prognosis", "value")) if a.name == "survival_groups" else a for a in tiny.CORE)
    before = groups(core)
    did(core, archive, "correct")
    did(core, archive, "members")
    tiny.rebuild(core, both)
    after = groups(core)
    noted = core.sql("SELECT analysis, column_name FROM result_changes")
    assert {"cutoff", "univariable_cox", "survival_groups"} == set(noted["analysis"])
    assert {"value", "hazard_ratio", "p_value", "prognosis"} == set(noted["column_name"])
    with reading(core.engine) as connection:
        found = drift(connection, both, "cutoff")
        assert {f.patient_id for f in found} == {p for p in before if before[p] != after[p]} != set()
        assert {f.column for f in found} == {"prognosis"}
        with pytest.raises(NotFound, match="'univariable_cox' is no model"):
            drift(connection, both, "univariable_cox")


def record(
    study, run_id: int, by_unit: dict[str, tuple[set[Cause], str | None]], retires: tuple[str, ...] = ()
) -> None:
    """Record causes of a run's attempts, as analysis/key or analysis -> (causes, the input they came through)."""
    with writing(study.engine) as connection:
        sets = CauseBook(run_id).write(connection, [frozenset(causes) for causes, _ in by_unit.values()])
        units = {f"{analysis}/{key}": unit_id
                 for unit_id, analysis, key in connection.execute(select(Unit.unit_id, Unit.analysis, Unit.key))}  # fmt: skip
        for name, (causes, through) in by_unit.items():
            mine = [unit_id for unit, unit_id in units.items() if name in (unit, unit.partition("/")[0])]
            values = {"cause_set": sets[frozenset(causes)], "through_unit_id": units.get(through)}
            theirs = (Attempt.run_id == run_id) & Attempt.unit_id.in_(mine)
            connection.execute(update(Attempt).where(theirs).values(**values))
            for i, unit in enumerate(retires):
                row = {"run_id": run_id, "cause_set": values["cause_set"], "ended_at": ""}
                connection.execute(insert(Retirement).values(retirement_id=i + 1, unit_id=units[unit], **row))


METHOD = Cause(CauseKind.PARAMETER, "[cutoff] method", '"median"', '"fixed"', "study.toml line 40")


def test_the_cause_is_the_recorded_one_and_the_trail_leads_to_it(core, archive):
    cutoff = f"cutoff/{tiny.COHORT}@1"
    record(core, tiny.last_run(core), {"survival_groups": ({Cause(CauseKind.FIRST, "survival_groups")}, None)})
    did(core, archive, "method")
    run = tiny.rebuild(core, tiny.CORE).run_id
    record(core, run, {"cutoff": ({METHOD}, None), "survival_groups": ({METHOD}, cutoff)})
    found = flips(core)
    assert {f.cause for f in found} == {'[cutoff] method: "median" -> "fixed" (study.toml line 40)'}
    assert {f.trail for f in found} == {(f"survival_groups/{f.patient_id}", cutoff) for f in found}


def test_the_cause_of_a_retired_unit_is_that_of_its_retirement(core, archive):
    gone = Cause(CauseKind.DATUM, "samples/TCGA-TN-0002-11A", before="{}", place="expression.csv")
    did(core, archive, "lost")
    run = tiny.rebuild(core, tiny.CORE).run_id
    who = "survival_groups/TCGA-TN-0002"
    record(core, run, {"nobody": ({gone}, None)}, retires=(who,))
    (flip,) = [f for f in flips(core) if f.patient_id == "TCGA-TN-0002"]
    assert (flip.after, flip.cause, flip.trail) == (None, f"{gone.subject}: removed (expression.csv)", (who,))


def test_one_thing_after_the_other_is_told_apart(tshdb, core, archive):
    moved = []
    for what in ("correct", "method", "members"):
        before = groups(core)
        did(core, archive, what)
        run = tiny.rebuild(core, tiny.CORE).run_id
        core = Study(core.root)
        after = groups(core)
        moved.append((run, {p for p in before if before[p] != after[p]}))
    found = flips(core)
    by_run = [(run, {f.patient_id for f in found if f.run_id == run}) for run, _ in moved]
    assert by_run == moved and moved[0][1] and moved[1][1]
    assert not moved[2][1], "the cut-off is fixed by then: new members move nobody"
    said = tshdb("drift", "cutoff", cwd=core.root).stdout
    assert "not recorded" in said and said.count("\n") == len(found) + 2
    assert len(json.loads(tshdb("drift", "survival_groups", "--json", cwd=core.root).stdout)) == len(found)
    assert "tracked" in tshdb("drift", "gene_filter", cwd=core.root, code=8).stderr


def test_a_study_at_rest_has_no_drift(tshdb, study):
    assert "Nobody has changed group" in tshdb("drift", "tsh_model", cwd=study.root).stdout
    assert flips(study) == []


def test_runs_are_compared(tshdb, study, archive):
    first = tiny.last_run(study)
    did(study, archive, "correct")
    second = tiny.rebuild(study).run_id
    with reading(study.engine) as connection:
        found = {f["analysis"]: f for f in runs_between(connection, first, second)}
        assert found["cell_abundances"] == {
            "analysis": "cell_abundances", "units": 1, "changed": 1, "failed": 0, "because": "not recorded",
            "causes": [UNRECORDED.facts()],
        }  # fmt: skip
        with pytest.raises(NotFound, match="no run 99"):
            runs_between(connection, first, 99)
    everything = json.loads(tshdb("diff", "0", str(second), "--json", cwd=study.root).stdout)
    assert sum(e["units"] for e in everything) > 100
    assert "Nothing was computed" in tshdb("diff", str(second), str(second), cwd=study.root).stdout


def test_runs_are_compared_by_what_began_them(tshdb, study):
    """Causes of data are one group of an analysis, whoever they are of; a parameter is another."""
    run = tiny.last_run(study)
    rows = [Cause(CauseKind.DATUM, f"patients/{i}", "{}", "{}") for i in range(3)]
    keys = [f"survival_groups/TCGA-TN-{i:04d}" for i in range(10)]
    record(study, run, {key: ({rows[i % 3]} if i < 6 else {METHOD}, None) for i, key in enumerate(keys)})
    with reading(study.engine) as connection:
        found = [f for f in runs_between(connection, 0, run) if f["analysis"] == "survival_groups"]
    assert [(f["units"], f["changed"], f["because"], len(f["causes"])) for f in found] == [
        (6, 6, "3 rows of data, such as patients/0", 3),
        (4, 4, '[cutoff] method: "median" -> "fixed" (study.toml line 40)', 1),
    ]
    assert found[1]["causes"] == [METHOD.facts()]
    said = tshdb("diff", "0", str(run), cwd=study.root).stdout
    assert "3 rows of data, such as patients/0" in said and "not recorded" in said


# ------------------------------------------------------------------------------------------------ the chain


def damage(study, statement: str) -> list[tuple[int, str]]:
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as connection:
        assert connection.execute(statement).rowcount
    connection.close()
    fresh = Study(study.root)
    with reading(fresh.engine) as connection:
        found = list(breaks(connection))
    fresh.engine.dispose()
    return found


def test_the_log_is_chained(study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 7.0)
    tiny.ingest(study, archive)
    with reading(study.engine) as connection:
        assert list(breaks(connection)) == []
    log = study.sql("SELECT change_id, chain FROM change_log ORDER BY 1")
    assert log["chain"].notna().all() and log["chain"].is_unique and len(log) > 40


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE change_log SET changes = '{}x' WHERE change_id = 7", 7),
        ("UPDATE change_log SET action = 'update' WHERE change_id = 7", 7),
        ("UPDATE change_log SET after_line = after_line + 1 WHERE change_id = 7", 7),
        ("DELETE FROM change_log WHERE change_id = 7", 8),
        ("DELETE FROM change_log WHERE change_id = 1", 2),
        ("DELETE FROM change_log WHERE change_id > 30", 0),
        ("UPDATE change_log SET chain = NULL WHERE change_id = 7", 7),
        ("UPDATE change_log SET change_id = 100000 WHERE change_id = 7", 8),
    ],
)
def test_an_edit_is_found_where_it_is(study, statement, where):
    found = damage(study, statement)
    assert found and found[0][0] == where
