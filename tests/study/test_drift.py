"""Who changed group, and why: every flip is named, with the cause that was recorded. The change log cannot be edited unseen."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from analyses import ANALYSES
from tests.support import tiny
from tshdb.change_chain import breaks
from tshdb.cohorts.versions import define, freeze
from tshdb.database import reading, writing
from tshdb.drift import drift, runs_between
from tshdb.engine.cause_sets import CauseBook
from tshdb.engine.causes import UNRECORDED, Cause
from tshdb.errors import NotFound
from tshdb.schema import Attempt, Unit
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


# what was done -> what its flips are said to come from, all of it
CAUSES = {
    "correct": r"expression_profiles/TCGA-TN-0001-01A-\S+ EOMES 11.668 -> 500000.0, GNLY \S+ -> 500000.0, KLRD1 \S+ -> 500000.0 "
    r"\(expression.csv line 1, sha256 \w+…\)",
    "method": r'\[cutoff\] method: "median" -> "fixed" \(study.toml line 37\); '
    r"\[cutoff\] value: -0.3512 -> 0.2 \(study.toml line 39\)",
    "population": r'\[cutoff\] population: "Cytotoxic lymphocytes" -> "Fibroblasts" \(study.toml line 36\)',
    "cohort": r"cohort few: none -> few@1; \[cutoff\] cohort: cohort few is named now \(study.toml line 35\)",
    "guilty": r'\[cutoff\] population: "Cytotoxic lymphocytes" -> "none such" \(study.toml line 36\)',
    "markers": "the marker table markers changed",
    "members": rf"cohort {tiny.COHORT}: {tiny.COHORT}@1 -> {tiny.COHORT}@2; .*7 members came or left, .*",
    "lost": r"expression_profiles/TCGA-TN-0002-11A-\S+ removed \(expression.csv line 1, sha256 \w+…\)",
}  # fmt: skip


@pytest.mark.parametrize("what", CAUSES)
def test_every_flip_is_named_with_what_was_done(core, archive, what):
    """Nothing but them: who was in the study before, and is in another group, or in none. Lines are those of study.toml."""
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
    assert {f.cause for f in found if not re.fullmatch(CAUSES[what], f.cause)} == set()


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


def rerecord(study, run_id: int, by_unit: dict[str, tuple[set[Cause], str | None] | None]) -> None:
    """Write other causes of a run's attempts: analysis/key -> (causes, the input they came through), or None for no record."""
    with writing(study.engine) as connection:
        causes = [frozenset(found[0]) for found in by_unit.values() if found]
        sets = CauseBook(run_id).write(connection, causes)
        query = select(Unit.unit_id, Unit.analysis, Unit.key)
        units = {f"{analysis}/{key}": unit_id for unit_id, analysis, key in connection.execute(query)}
        for name, found in by_unit.items():
            values = {
                "cause_set": sets[frozenset(found[0])] if found else None,
                "through_unit_id": units.get(found and found[1]),
            }
            mine = (Attempt.run_id == run_id) & (Attempt.unit_id == units[name])
            assert connection.execute(update(Attempt).where(mine).values(**values)).rowcount == 1


METHOD = Cause(CauseKind.PARAMETER, "[cutoff] method", '"median"', '"fixed"', "study.toml line 40")


def test_the_cause_is_the_one_of_its_run_and_the_trail_leads_to_it(core, archive):
    """Of a run before, of no other unit; what was not recorded says so."""
    first = tiny.last_run(core)
    did(core, archive, "method")
    run = tiny.rebuild(core, tiny.CORE).run_id
    known, unknown, *_ = sorted(f.patient_id for f in flips(core))
    rerecord(core, run, {f"survival_groups/{known}": ({METHOD}, "cutoff/x"), f"survival_groups/{unknown}": None})
    rerecord(core, first, {f"survival_groups/{unknown}": ({METHOD}, None)})
    found = {f.patient_id: f for f in flips(core)}
    assert found[known].cause == '[cutoff] method: "median" -> "fixed" (study.toml line 40)'
    assert found[known].trail == (f"survival_groups/{known}",)
    assert found[unknown].cause == "not recorded", "and none is guessed"
    others = {f.trail for p, f in found.items() if p not in (known, unknown)}
    assert others == {(f"survival_groups/{p}", f"cutoff/{tiny.COHORT}@1") for p in found if p not in (known, unknown)}


def test_the_trail_goes_from_input_to_input_to_the_row(core, archive):
    did(core, archive, "correct")
    tiny.rebuild(core, tiny.CORE)
    ((flip),) = flips(core)
    profile = f"{flip.patient_id}-01A-11R-A000-07:rsem:expression.csv"
    assert flip.trail == (
        f"survival_groups/{flip.patient_id}", f"tsh_ratios/{flip.patient_id}", f"cell_abundances/{profile}",
        f"ingest.expression_profiles/{profile}",
    )  # fmt: skip


def test_one_thing_after_the_other_is_told_apart(quick, core, archive):
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
    parameter, datum = (
        [text in f.cause for f in found]
        for text in ('[cutoff] method: "median" -> "fixed"', "EOMES 11.668 -> 500000.0")
    )
    assert parameter == [f.run_id == moved[1][0] for f in found]
    assert all(datum), "the fit that followed the parameter has learned from the corrected row, too"
    said = quick("drift", "cutoff", cwd=core.root).stdout
    assert "[cutoff] method" in said and said.count("\n") == len(found) + 2
    assert len(json.loads(quick("drift", "survival_groups", "--json", cwd=core.root).stdout)) == len(found)
    assert "tracked" in quick("drift", "gene_filter", cwd=core.root, code=8).stderr


def test_a_study_at_rest_has_no_drift(quick, study):
    assert "Nobody has changed group" in quick("drift", "tsh_model", cwd=study.root).stdout
    assert flips(study) == []


def test_runs_are_compared(quick, core, archive):
    first = tiny.last_run(core)
    did(core, archive, "correct")
    second = tiny.rebuild(core, tiny.CORE).run_id
    with reading(core.engine) as connection:
        found = {f["analysis"]: f for f in runs_between(connection, first, second)}
        assert found["cell_abundances"]["units"] == found["cell_abundances"]["changed"] == 1
        assert found["cell_abundances"]["causes"][0]["subject"].startswith("expression_profiles/TCGA-TN-0001-01A")
        assert {len(f["causes"]) for f in found.values()} == {1} and "cutoff" not in found
        with pytest.raises(NotFound, match="no run 99"):
            runs_between(connection, first, 99)
    everything = json.loads(quick("diff", "0", str(second), "--json", cwd=core.root).stdout)
    assert (
        sum(e["units"] for e in everything) > 45
    )  # 20 profiles, twice 10 patients, 4 over cohorts, and the correction
    assert "Nothing was computed" in quick("diff", str(second), str(second), cwd=core.root).stdout
    said = quick("diff", "1", "99", cwd=core.root, code=8).stderr
    assert f"no run 99. Runs are numbered 1 to {second}: tshdb history" in said


def test_a_diff_without_runs_names_what_can_be_compared(empty_study, quick):
    said = quick("diff", "1", "2", cwd=empty_study.root, code=8).stderr
    assert "no run 1. Nothing was computed yet, so there are no runs: tshdb plan" in said
    assert all(f"tshdb {command}" in said for command in ("history", "cohort diff", "variants diff"))


def test_runs_are_compared_by_what_began_them(quick, core):
    """Causes of data are one group of an analysis, whoever they are of; a parameter is another, no record a third."""
    run = tiny.last_run(core)
    rows = [Cause(CauseKind.DATUM, f"patients/{i}", "{}", "{}") for i in range(3)]
    causes = [({rows[i % 3]}, None) if i < 5 else ({METHOD}, None) if i < 9 else None for i in range(10)]
    rerecord(core, run, {f"survival_groups/TCGA-TN-{i:04d}": found for i, found in enumerate(causes)})
    with reading(core.engine) as connection:
        found = [f for f in runs_between(connection, 0, run) if f["analysis"] == "survival_groups"]
    assert [(f["units"], f["changed"], f["because"], len(f["causes"])) for f in found] == [
        (5, 5, "3 rows of data, such as patients/0", 3),
        (4, 4, '[cutoff] method: "median" -> "fixed" (study.toml line 40)', 1),
        (1, 1, "not recorded", 1),
    ]
    assert found[1]["causes"] == [METHOD.facts()] and found[2]["causes"] == [UNRECORDED.facts()]
    said = quick("diff", "0", str(run), cwd=core.root).stdout
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


def test_a_fit_that_has_groups_of_its_own_is_asked_for(core):
    """The verdicts of the ladder are groups, and no other analysis applies it."""
    with reading(core.engine) as connection:
        assert drift(connection, ANALYSES, "signature_ladder") == []
