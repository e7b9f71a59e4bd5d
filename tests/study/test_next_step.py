"""Where a result is missing the true next step is said: what it names can be done, and brings the result nearer.

Studies  an empty one; one before its first rebuild; one in which everything is current, and nobody is in a validation cohort.
"""

from __future__ import annotations

import re
import shlex

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb import figures, tables
from tshdb.cohorts.versions import define
from tshdb.database import writing
from tshdb.errors import NotFound
from tshdb.figures.of_paper import FIGURES
from tshdb.next_step import NOTHING_YET, NextSteps
from tshdb.pages import report
from tshdb.study import Study

VALIDATION, RADIOGENOMIC = "tumor_stroma_validation", "radiogenomic_development"
SHOWN = [*(("table", number) for number in tables.TABLES), *(("figure", figure.name) for figure in FIGURES)]
RUN = re.compile(r"(?:Run|then): (tshdb .+)$")


def missing(
    study: Study, kind: str, name: str, cohort: str | None = None, steps: NextSteps | None = None
) -> str | None:
    """What is said where a table or figure is not there; None where it is."""
    try:
        if kind == "table":
            tables.table(study, name, cohort, steps)
        else:
            figures.figure(study, name, cohort, steps=steps)
    except NotFound as error:
        return str(error)
    return None


def all_missing(study: Study) -> dict[tuple[str, str], str]:
    steps = NextSteps(study)
    found = {(kind, name): missing(study, kind, name, None, steps) for kind, name in SHOWN}
    return {shown: said for shown, said in found.items() if said is not None}


def follow(study: Study, kind: str, name: str, cohort: str | None = None, most: int = 6) -> list[str]:
    """Do what is said, again and again, until the table or figure is there; gives the commands that were run."""
    done: list[str] = []
    while said := missing(study, kind, name, cohort):
        command = RUN.search(said)
        assert command is not None, f"a dead end: {said}"
        assert command[1] not in done and len(done) < most, f"in a circle: {said}"
        run_quick(*shlex.split(command[1])[1:], cwd=study.root)
        done.append(command[1])
        study = Study(study.root)
    return done


@pytest.fixture
def ingested(empty_study):
    """Ten patients with RNA, outcomes and images; no cohort is defined."""
    tiny.ingest(empty_study, tiny.TinyArchive.make(10))
    return empty_study


# ------------------------------------------------------------------------------------------------- of an empty study


def test_an_empty_study_asks_for_files_and_not_for_a_rebuild(empty_study, quick):
    said = all_missing(empty_study)
    assert said.keys() == {*SHOWN} - {("table", "s1")}, "the list of features needs no patient"
    assert all(text.endswith(NOTHING_YET) for text in said.values())
    page = report(empty_study)
    assert "tshdb rebuild" not in page and NOTHING_YET in page
    assert NOTHING_YET in quick("status", cwd=empty_study.root).stdout
    assert NOTHING_YET in quick("model", "list", cwd=empty_study.root).stderr


# ----------------------------------------------------------------------------------------- before the first rebuild


def test_what_is_said_is_done_until_the_table_is_there(ingested):
    assert follow(ingested, "table", "s5") == [
        f"tshdb cohort define {tiny.COHORT} cohorts/{tiny.COHORT}.sql",
        f"tshdb cohort freeze {tiny.COHORT}",
        "tshdb rebuild network_parameters",
    ]


def test_a_rebuild_is_named_exactly_where_it_brings_something(ingested):
    """What says so is there afterwards, or its result says why not; what says something else is not there."""
    tiny.define_cohorts(ingested)
    tiny.freeze(ingested)
    before = all_missing(ingested)
    hoped = {shown for shown, said in before.items() if re.search(r"Run: tshdb rebuild \w+$", said)}
    assert {("table", "2"), ("figure", "km"), ("figure", "roc")} <= hoped
    quick_said = run_quick("model", "list", cwd=ingested.root).stderr
    assert re.search(r"No model versions yet\. Run: tshdb rebuild \w+$", quick_said.strip())
    tiny.rebuild(ingested)
    after = all_missing(Study(ingested.root))
    assert not {("table", "2"), ("table", "s4"), ("table", "s5"), ("figure", "km"), ("figure", "roc")} & after.keys()
    assert not any("rebuild" in said for said in after.values()), after
    assert before.keys() - hoped <= after.keys()


# --------------------------------------------------------------------------------- where everything is current


def test_on_the_pairs_nothing_asks_for_a_rebuild(real):
    said = all_missing(real)
    assert {("table", "s6"), ("table", "prognosis"), ("figure", "score-km"), ("figure", "features")} <= said.keys()
    assert not any("rebuild" in text for text in said.values()), said
    assert "tshdb rebuild" not in report(real)
    then = f"Run: tshdb cohort define {RADIOGENOMIC} cohorts/{RADIOGENOMIC}.sql"
    assert said["table", "s6"] == f"no signature. Cohort {RADIOGENOMIC} is not defined. {then}"
    assert f"Cohort {VALIDATION} is not defined" in said["figure", "score-km"]
    assert "No images were ingested. Run: tshdb ingest dicom FOLDER" in said["figure", "features"]


def test_a_cohort_without_members_says_where_they_are_lost(real, tmp_path):
    study = tiny.copy_study(real, tmp_path / "study")
    for name in (VALIDATION, RADIOGENOMIC):
        run_quick("cohort", "define", name, f"cohorts/{name}.sql", cwd=study.root)
    score_km = missing(study, "figure", "score-km")
    assert "RNA of the solid tissue normal too" in score_km
    assert score_km.endswith(f"See: tshdb cohort flow {VALIDATION} --now")
    assert run_quick("cohort", "flow", VALIDATION, "--now", cwd=study.root).stdout
    signature = missing(study, "table", "s6")
    assert f"Cohort {RADIOGENOMIC} has no members: no images were ingested" in signature
    study.engine.dispose()


# ---------------------------------------------------------------------------------------------- what a person named


def test_a_cohort_that_there_is_not(study):
    steps = NextSteps(study)
    for shown in SHOWN:
        said = missing(study, *shown, cohort="nope", steps=steps)
        assert "There is no cohort nope. Cohorts: " in said and f"{tiny.COHORT}@1" in said, shown
        assert "rebuild" not in said, shown
        near = missing(study, *shown, cohort=tiny.COHORT[:-1], steps=steps)
        assert f"Did you mean {tiny.COHORT}@1" in near, shown


def test_names_of_cohorts_and_versions(study):
    assert f"There is no version {tiny.COHORT}@7. Versions: {tiny.COHORT}@1" in missing(
        study, "figure", "km", f"{tiny.COHORT}@7"
    )
    for kind, name in (("figure", "km"), ("table", "2"), ("table", "s5")):
        assert missing(study, kind, name, tiny.COHORT) is None, "a name alone is its newest version"
    assert tables.table(study, "2", tiny.COHORT).facts[0]["cohort"] == f"{tiny.COHORT}@1"


def test_a_cohort_that_is_not_among_those_of_the_setting(study):
    """The parameter and its line are named; with it, the rebuild makes the table."""
    with writing(study.engine) as connection:
        define(connection, "others", tiny.LIVE_SQL)
    said = missing(study, "table", "2", "others")
    line = next(
        n for n, text in enumerate((study.root / "study.toml").read_text().splitlines(), 1)
        if text.startswith("cohorts = ") and f'"{tiny.LIVE}"' in text
    )  # fmt: skip
    assert f"[univariable_cox] cohorts names {tiny.COHORT}, {tiny.LIVE} alone (study.toml line {line})" in said
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace(f'"{tiny.LIVE}"]', f'"{tiny.LIVE}", "others"]', 1))
    assert follow(Study(study.root), "table", "2", "others") == ["tshdb rebuild univariable_cox"]


# ------------------------------------------------------------------------------------- cohorts that nothing names


def test_a_plan_of_an_empty_study_asks_for_files(empty_study, quick):
    assert quick("plan", cwd=empty_study.root).stdout.rstrip().endswith(NOTHING_YET)


def test_a_cohort_that_study_toml_does_not_name_says_so(ingested, tmp_path):
    """It is frozen, and nothing is computed on it: what is said is done, and then something is due."""
    everyone = tmp_path / "everyone.sql"
    everyone.write_text("SELECT patient_id FROM patients")
    frozen = run_quick("cohort", "define", "mine", everyone, "--freeze", cwd=ingested.root).stderr
    assert f"Nothing is computed on mine: study.toml names {tiny.COHORT}" in frozen and "Next: tshdb plan" not in frozen
    run_quick("rebuild", cwd=ingested.root)
    plan = run_quick("plan", cwd=ingested.root).stdout
    assert "Nothing is due." in plan and "Nothing is computed on mine" in plan.splitlines()[-1]
    settings = ingested.root / "study.toml"
    settings.write_text(settings.read_text().replace(f'"{tiny.COHORT}"', '"mine"'))
    plan = run_quick("plan", cwd=ingested.root).stdout
    assert "gene_filter" in plan and "Run: tshdb rebuild" in plan and "Nothing is computed" not in plan
    frozen = run_quick("cohort", "freeze", "mine", cwd=ingested.root).stderr
    assert "no new version" in frozen


def test_a_cohort_without_members_is_not_to_be_frozen(real, tmp_path):
    """A freeze of it is refused: a definition and a plan name what brings members instead."""
    study = tiny.copy_study(real, tmp_path / "study")
    said = run_quick("cohort", "define", RADIOGENOMIC, f"cohorts/{RADIOGENOMIC}.sql", cwd=study.root).stderr
    assert "cohort freeze" not in said and f"Cohort {RADIOGENOMIC} has no members: no images were ingested" in said
    plan = run_quick("plan", cwd=study.root).stdout
    assert f"cohort freeze {RADIOGENOMIC}" not in plan
    assert f"cohort {RADIOGENOMIC} has no members: tshdb cohort flow {RADIOGENOMIC} --now" in plan
    run_quick("cohort", "flow", RADIOGENOMIC, "--now", cwd=study.root)
    run_quick("cohort", "freeze", RADIOGENOMIC, cwd=study.root, code=7)
    study.engine.dispose()


# -------------------------------------------------------------------------------------------------- what went wrong


def test_a_unit_that_failed_says_why_and_asks_for_no_rebuild(study):
    with writing(study.engine) as connection:
        connection.exec_driver_sql("DELETE FROM network_parameters")
        connection.exec_driver_sql(
            "UPDATE units SET state = 'failed', message = 'no memory' WHERE analysis = 'network_parameters'"
        )
    said = missing(study, "table", "s5", f"{tiny.COHORT}@1")
    unit = f"network_parameters/{tiny.COHORT}@1"
    assert said.endswith(f"{unit} failed: no memory. More: tshdb why {unit}")


def test_a_setting_that_cannot_be_comes_first(study):
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text() + "\n[nonsense]\n")
    said = missing(Study(study.root), "figure", "km", "nope")
    assert "[nonsense] is no analysis of this program" in said
