"""Cohorts: steps and their flow, versions and how they differ, nobody in two that are to be disjoint."""

from __future__ import annotations

import csv
import json

import pytest
from sqlalchemy import select

from tests.support import tiny
from tests.support.tiny import COHORT, LIVE
from tshdb.cohorts.states import states
from tshdb.cohorts.versions import define, difference, find_version, freeze
from tshdb.database import reading, writing
from tshdb.errors import InvalidInput, NotFound
from tshdb.schema import CohortExclusion, CohortFlow
from tshdb.status import status
from tshdb.study import Study

VALIDATION = "tumor_stroma_validation"
STEPPED = """
-- include: everyone
SELECT patient_id FROM patients;  -- all of them
-- exclude: men; the paper is about women
SELECT patient_id FROM patients WHERE sex = 'male';
/* a remark */
-- exclude: lived less than a year
SELECT patient_id FROM follow_ups WHERE duration_days < 365;
-- include: those with short names, after all
SELECT patient_id FROM patients WHERE patient_id LIKE '%0001';
"""


# ------------------------------------------------------------------------------------------------------- the flow


@pytest.fixture
def mixed(any_database, tmp_path):
    """Ten patients, one of them a man, one dead within a year; nothing computed."""
    study = tiny.new_study(tmp_path / "study", any_database)
    archive = tiny.TinyArchive.make(10)
    for patient in archive.patients.values():
        patient.days = 1000
    archive.change("TCGA-TN-0000", sex="male")
    archive.change("TCGA-TN-0001", sex="male", days=100)
    archive.change("TCGA-TN-0002", days=100)
    tiny.ingest(study, archive)
    yield study, archive
    study.engine.dispose()


def test_every_step_counts_and_names_whom_it_took_out(mixed):
    study, _ = mixed
    with writing(study.engine) as connection:
        define(connection, "long_lived", STEPPED)
        version, members, is_new = freeze(connection, "long_lived")
    assert (version, len(members), is_new) == (1, 8, True)
    with reading(study.engine) as connection:
        flow = connection.execute(
            select(CohortFlow.n_in, CohortFlow.n_out, CohortFlow.effect).order_by(CohortFlow.step)
        )
        assert [tuple(r) for r in flow] == [
            (0, 10, "include"), (10, 8, "exclude"), (8, 7, "exclude"), (7, 8, "include"),
        ]  # fmt: skip
        gone = dict(connection.execute(select(CohortExclusion.patient_id, CohortExclusion.step)).fetchall())
        # the first step that takes somebody out is the reason; who comes in again is not excluded
        assert gone == {"TCGA-TN-0000": 2, "TCGA-TN-0002": 3}
        found = find_version(connection, "long_lived@1")
        now = find_version(connection, "long_lived", is_now=True)
        assert (found.flow, found.excluded) == (now.flow, now.excluded) and found.excluded == gone
        assert set(found.members) | set(gone) == {f"TCGA-TN-000{i}" for i in range(10)}
        assert "tshdb" in found.program and "duckdb" in found.program


def test_status_and_planner_agree_on_steps(mixed):
    study, archive = mixed
    with writing(study.engine) as connection:
        define(connection, "long_lived", STEPPED)
        freeze(connection, "long_lived")
    archive.add(11)
    archive.change("TCGA-TN-0011", days=2000)
    archive.change("TCGA-TN-0005", sex="male")
    tiny.ingest(study, archive)
    (said,) = status(study.root)["cohorts"]
    with reading(study.engine) as connection:
        state = states(connection)["long_lived"]
    assert state.newly_eligible == ("TCGA-TN-0011",) and state.no_longer == ("TCGA-TN-0005",)
    assert (said["newly_eligible"], said["no_longer_eligible"]) == (1, 1)


def test_a_difference_names_the_step(mixed):
    study, archive = mixed
    with writing(study.engine) as connection:
        define(connection, "long_lived", STEPPED)
        freeze(connection, "long_lived")
    archive.add(11)
    archive.change("TCGA-TN-0011", days=2000)
    archive.change("TCGA-TN-0005", sex="male")
    archive.change("TCGA-TN-0002", days=400)
    tiny.ingest(study, archive)
    with writing(study.engine) as connection:
        freeze(connection, "long_lived")
        found = difference(find_version(connection, "long_lived@1"), find_version(connection, "long_lived"))
        assert [tuple(d) for d in found] == [
            ("TCGA-TN-0002", "came", "long_lived@1 excludes: lived less than a year"),
            ("TCGA-TN-0011", "came", "not among those of long_lived@1"),
            ("TCGA-TN-0005", "left", "long_lived@2 excludes: men; the paper is about women"),
        ]
        with pytest.raises(NotFound, match="long_lived@7"):
            find_version(connection, "long_lived@7")


def test_an_error_names_the_step(empty_study):
    text = STEPPED.replace("duration_days", "duration")
    with pytest.raises(InvalidInput, match=r"step 3 \(lived less than a year\): the SQL was refused"):
        with writing(empty_study.engine) as connection:
            define(connection, "long_lived", text)


# ------------------------------------------------------------------------------------------------ nobody in both


def test_what_is_to_be_disjoint_is_refused_frozen_and_blocked_live(study):
    overlapping = f"-- disjoint from: {COHORT}\n-- include: all\nSELECT patient_id FROM patients"
    with writing(study.engine) as connection:
        define(connection, LIVE, overlapping)
    assert "nobody may be in both" in tiny.plan(study)["univariable_cox"].blocked[LIVE]
    with reading(study.engine) as connection:
        assert "10 of its patients" in states(connection)[LIVE].problem
    with pytest.raises(InvalidInput, match="such as TCGA-TN-0000, are in tumor_stroma_development too"):
        with writing(study.engine) as connection:
            freeze(connection, LIVE)
    # and from the other side: what declares nothing is held to what the other declares
    with writing(study.engine) as connection:
        define(connection, LIVE, "-- include: one\nSELECT patient_id FROM patients WHERE patient_id LIKE '%0009'")
        freeze(connection, LIVE)
        define(connection, LIVE, overlapping)
        define(connection, COHORT, "-- include: two\nSELECT patient_id FROM patients WHERE patient_id > 'TCGA-TN-0007'")
    with pytest.raises(InvalidInput, match="1 of its patients, such as TCGA-TN-0009, are in everyone too"):
        with writing(study.engine) as connection:
            freeze(connection, COHORT)


def test_defining_says_that_members_of_a_live_cohort_cannot_be_excluded_yet(quick, tmp_path):
    study = tiny.new_study(tmp_path / "study", live=False)
    tiny.ingest(study, tiny.TinyArchive.make(3))
    first, second = tmp_path / "first.sql", tmp_path / "second.sql"
    first.write_text("SELECT patient_id FROM patients WHERE patient_id LIKE '%0001'")
    second.write_text(
        "-- disjoint from: first\n-- include: all\nSELECT patient_id FROM patients;\n"
        "-- exclude: in the first\nSELECT patient_id FROM cohort_members WHERE cohort = 'first'"
    )
    root = ("--study", study.root)
    quick("cohort", "define", "first", first, *root)
    assert "No step finds the members of first" in quick("cohort", "define", "second", second, *root).stderr
    quick("cohort", "freeze", "first", *root)
    said = quick("cohort", "define", "second", second, *root).stderr
    assert "No step finds the members of first" not in said and "nobody may be" not in said
    study.engine.dispose()


# --------------------------------------------------------------------------------------------- the paper's arithmetic


def test_the_papers_arithmetic_on_a_study_of_its_shape(tmp_path):
    """1,092 patients with RNA: 112 pairs, 91 with images, one with normal tissue alone, one without clinical data, one
    without survival, and so 886."""
    study = tiny.new_study(tmp_path / "study", live=False)
    archive = tiny.TinyArchive()
    names = [archive.add(i, paired=i < 112) for i in range(1092)]
    normal_only, not_clinical, no_survival = names[203:206]
    archive.change(normal_only, stroma=archive.patients[normal_only].tumor, tumor=None)
    archive.change(no_survival, days=None)
    tiny.ingest(study, archive)
    with writing(study.engine) as connection:  # as if its clinical row had never come
        connection.exec_driver_sql(f"UPDATE patients SET sex = NULL WHERE patient_id = '{not_clinical}'")
    imaged = ", ".join(f"'{n}'" for n in names[112:203])
    with writing(study.engine) as connection:
        define(connection, COHORT, (study.root / f"cohorts/{COHORT}.sql").read_text())
        freeze(connection, COHORT)
        define(
            connection, "radiogenomic_development", f"SELECT patient_id FROM patients WHERE patient_id IN ({imaged})"
        )
        freeze(connection, "radiogenomic_development")
        define(connection, VALIDATION, (study.root / f"cohorts/{VALIDATION}.sql").read_text())
        development = find_version(connection, COHORT)
        validation = find_version(connection, VALIDATION)
    assert [s.n_out for s in development.flow] == [1092, 113, 112, 112, 112, 112]
    assert [s.n_in - s.n_out for s in validation.flow[1:]] == [112, 91, 1, 0, 1, 1, 0]
    assert len(development.members) == 112 and len(validation.members) == 886
    study.engine.dispose()


# --------------------------------------------------------------------------------------------------- the commands


def test_commands_about_cohorts(quick, study, tmp_path):
    root = ("--study", str(study.root))
    shown = quick("cohort", "flow", COHORT, *root).stdout
    assert "10  patients with RNA" in shown and f"= 10  {COHORT}@1" in shown
    facts = json.loads(quick("cohort", "show", COHORT, "--json", *root).stdout)
    assert facts["n_members"] == 10 and "cutoff" in facts["units"] and facts["flow"][0]["n_out"] == 10
    assert quick("cohort", "members", f"{COHORT}@1", *root).stdout.split() == [f"TCGA-TN-000{i}" for i in range(10)]
    assert "same 10 members" in quick("cohort", "diff", COHORT, *root).stdout
    assert "frozen" in quick("cohort", "list", "--versions", *root).stdout
    out = tmp_path / "members.csv"
    quick("cohort", "export", COHORT, "--out", out, *root)
    assert [r["is_member"] for r in csv.DictReader(out.open())] == ["True"] * 10
    refused = quick("cohort", "export", COHORT, "--out", tmp_path / "x.pdf", *root, code=2)
    assert refused.stderr.count("\n") == 1
    assert "no cohort 'nobody'" in quick("cohort", "flow", "nobody", *root, code=8).stderr


def test_a_patient_who_arrives_shows_in_the_difference_to_now(quick, study, archive):
    archive.add(30)
    tiny.ingest(Study(study.root), archive)
    said = quick("cohort", "diff", COHORT, "--study", str(study.root)).stdout
    assert "1 came, 0 left" in said and "TCGA-TN-0030" in said
