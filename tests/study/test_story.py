"""The story of a study: every event, in its order, with the cause that was made and the numbers that the tables had."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, update

from analyses import ANALYSES
from ingest.redact import redact
from tests.study.test_drift import did, groups
from tests.support import tiny
from tshdb.database import reading, writing
from tshdb.errors import NotFound, UsageError
from tshdb.origins import BY_REPAIR
from tshdb.pages.report.changes import changes
from tshdb.pages.report.look import Look
from tshdb.schema import Attempt, IngestRun, Run, Spec
from tshdb.story import Event, EventKind, since, story, what_changed
from tshdb.story.event import counted, moved, several
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.tombstones import readmit
from tshdb.withdrawal.withdraw import withdraw

FROZEN = f"{tiny.COHORT}@1"
STEPS = ("correct", "method", "members", "lost")  # tests.study.test_drift.did: each is a run, from run 2 on
CORRECTED, LOST = "TCGA-TN-0001", "TCGA-TN-0002"


@dataclass
class Lived:
    """A study with a history, and what its tables said after each run."""

    study: Study
    cutoffs: list[dict[str, float]] = field(default_factory=list)
    groups: list[dict[str, str]] = field(default_factory=list)

    def note(self) -> None:
        frame = self.study.sql("SELECT cohort, value FROM cutoffs")
        self.cutoffs.append(dict(zip(frame["cohort"], frame["value"], strict=True)))
        self.groups.append(groups(self.study))


@pytest.fixture(scope="module")
def lived(core_template, tmp_path_factory) -> Lived:
    """Not to be changed: copy it."""
    study = tiny.copy_study(Study(core_template), tmp_path_factory.mktemp("lived") / "study")
    archive, found = tiny.TinyArchive.make(10), Lived(study)
    found.note()
    for what in STEPS:
        did(study, archive, what)
        tiny.rebuild(study, tiny.CORE)
        found.note()
    study.engine.dispose()
    return found


@pytest.fixture
def copied(lived, tmp_path):
    made = tiny.copy_study(lived.study, tmp_path / "copy")
    yield made
    made.engine.dispose()


def told(study: Study, name: str | None = None, **options) -> list[Event]:
    with reading(study.engine) as connection:
        return story(connection, ANALYSES, name, **options)


def of_run(events: list[Event], run: int) -> list[Event]:
    return [e for e in events if e.by == f"run {run}"]


# ------------------------------------------------------------------------------------------------------- the whole


def test_every_event_is_told_in_its_order(lived):
    """By hand, from what `lived` did. A run has a line for each kind of cause; a live cohort is committed in its run."""
    events = told(lived.study)
    assert [(e.kind.value, e.by) for e in events] == [
        ("ingest", "ingest 1"), ("ingest", "ingest 2"), ("ingest", "ingest 3"),
        ("cohort", "cohort"), ("cohort", "cohort"), ("cohort", "cohort"), ("rebuild", "run 1"), ("cohort", "cohort"),
        ("ingest", "ingest 4"), ("rebuild", "run 2"),
        ("rebuild", "run 3"),
        ("ingest", "ingest 5"), ("ingest", "ingest 6"), ("ingest", "ingest 7"), ("cohort", "cohort"),
        ("rebuild", "run 4"), ("rebuild", "run 4"), ("rebuild", "run 4"), ("cohort", "cohort"),
        ("ingest", "ingest 8"), ("rebuild", "run 5"),
    ]  # fmt: skip
    assert [e.at for e in events] == sorted(e.at for e in events)
    first, second, *cohorts = [e.says for e in events if e.kind is EventKind.COHORT]
    assert {first, second} == {f"{tiny.COHORT} was defined", f"{tiny.LIVE} was defined"}, "within a millisecond, maybe"
    assert cohorts == [
        f"{FROZEN} was frozen: 10 members",
        f"{tiny.LIVE}@1 was found anew (live): 10 members",
        f"{tiny.COHORT}@2 was frozen: 17 members, 7 came, 0 left",
        f"{tiny.LIVE}@2 was found anew (live): 17 members, 7 came, 0 left",
    ]  # fmt: skip
    assert [e.says for e in events if e.kind is EventKind.INGEST][:4] == [
        "test (clinical.tsv): 20 inserted", "test (expression.csv): 40 inserted", "test (features.csv): 10 inserted",
        "test (expression.csv): 1 updated",
    ]  # fmt: skip
    assert all("\n" not in e.says for e in events), "one line each"


def test_a_run_tells_how_many_units_what_moved_and_from_what_cause(lived):
    events = told(lived.study)
    (first,), (corrected,), (method,), (lost,) = (of_run(events, run) for run in (1, 2, 3, 5))
    assert first.says == (  # 1 gene filter, 2 Cox models, 1 cut-off
        "44 units of 6 analyses (cell_abundances 20, survival_groups 10, tsh_ratios 10 and 3 more) computed for the first time"
    )
    assert re.fullmatch(
        r"5 units of 4 analyses \(univariable_cox 2, cell_abundances 1, survival_groups 1 and 1 more\) changed: .* "
        rf"hazard_ratio [\d.]+ -> [\d.]+; .*; survival_groups prognosis poor -> good 1 \({CORRECTED}\); and 2 more. "
        rf"Because: expression_profiles/{CORRECTED}-01A\S+ EOMES .* \(expression.csv line 1, sha256 \w+…\)",
        corrected.says,
    )
    flips = sorted(p for p in lived.groups[1] if lived.groups[1][p] != lived.groups[2][p])
    n, was, now = len(flips), lived.cutoffs[1][FROZEN], lived.cutoffs[2][FROZEN]
    names = ", ".join(flips[:3]) + (f" and {n - 3} more" if n > 3 else "")
    assert method.says.startswith(
        f"11 units of 2 analyses (survival_groups 10, cutoff 1) changed: cutoff/{FROZEN} Cytotoxic lymphocytes value {was:.4g} "
        f"-> {now:.4g}; survival_groups prognosis good -> poor {n} ({names}). "
        "Because: "
    )
    assert '[cutoff] method: "median" -> "fixed" (study.toml line 37)' in method.says and now == 0.2
    assert (
        lost.says.startswith("2 units of univariable_cox changed, 3 units of 3 analyses ") and f"({LOST})" in lost.says
    )
    assert f"Because: expression_profiles/{LOST}-11A" in lost.says


def test_all_values_that_moved_are_in_the_facts(lived):
    """As the tables had them: whom the text does not name, and every digit."""
    events = told(lived.study)
    for run, (before, after) in enumerate(zip(lived.groups, lived.groups[1:], strict=False), 2):
        found = [m for e in of_run(events, run) for m in e.facts["moved"] if m["column"] == "prognosis"]
        flips = {(p, before[p], after.get(p)) for p in before if before[p] != after.get(p)}
        assert {(m["key"], m["before"], m["after"]) for m in found} == flips and len(found) == len(flips)
    (method,) = of_run(events, 3)
    (number,) = [m for m in method.facts["moved"] if m["analysis"] == "cutoff"]
    assert number == {
        "analysis": "cutoff", "key": FROZEN, "row": "Cytotoxic lymphocytes", "row_before": None, "column": "value",
        "before": repr(lived.cutoffs[1][FROZEN]), "after": "0.2",
    }  # fmt: skip
    assert method.facts["analyses"] == [
        {"analysis": "cutoff", "units": 1, "changed": 1, "failed": 0, "gone": 0},
        {"analysis": "survival_groups", "units": 10, "changed": 10, "failed": 0, "gone": 0},
    ]
    assert {c["subject"] for c in method.facts["causes"]} >= {"[cutoff] method", "[cutoff] value"}
    (lost,) = of_run(events, 5)
    assert {"analysis": "survival_groups", "units": 0, "changed": 0, "failed": 0, "gone": 1} in lost.facts["analyses"]


def test_a_unit_that_fails_and_those_that_wait_for_it_are_told(copied):
    settings = copied.root / "study.toml"
    settings.write_text(
        settings.read_text().replace('population = "Cytotoxic lymphocytes"', 'population = "none such"')
    )
    run = tiny.rebuild(copied, tiny.CORE).run_id
    (event,) = of_run(told(copied), run)
    assert event.says.startswith(
        "1 unit of cutoff failed, 16 units of survival_groups gone: "
        f"cutoff/{tiny.COHORT}@2 Cytotoxic lymphocytes value 0.2 -> none; "
    )
    assert '[cutoff] population: "Cytotoxic lymphocytes" -> "none such" (study.toml line 36)' in event.says


def test_what_came_out_the_same_is_told_of_the_study_and_of_no_patient(copied):
    settings = copied.root / "study.toml"
    settings.write_text(settings.read_text().replace("min_denominator = 0.05", "min_denominator = 0.049"))
    run = tiny.rebuild(copied, tiny.CORE).run_id
    (event,) = of_run(told(copied), run)
    assert event.says.startswith(
        "16 units of tsh_ratios came out the same. Because: [tsh_ratios] min_denominator: 0.05 -> 0.049"
    )
    assert of_run(told(copied, "tsh_ratios"), run) and not of_run(told(copied, CORRECTED), run)


def test_what_was_not_recorded_says_so(copied):
    """Of runs before revision 0012."""
    with writing(copied.engine) as connection:
        connection.execute(update(Attempt).where(Attempt.run_id == 2).values(cause_set=None))
    (event,) = of_run(told(copied), 2)
    assert event.says.endswith("Because: not recorded") and event.facts["because"] == "not recorded"
    assert [c["kind"] for c in event.facts["causes"]] == ["unrecorded"]


def test_repairs_programs_and_migrations_are_told(copied):
    with writing(copied.engine) as connection:
        connection.execute(update(IngestRun).where(IngestRun.ingest_run_id == 4).values(command=f"test{BY_REPAIR}"))
        connection.execute(update(Run).where(Run.run_id < 3).values(program_version="0.0.1"))
        connection.execute(update(Spec).where(Spec.analysis == "cutoff").values(taken_over="2020-01-01T00:00:00.000Z"))
        n = len(connection.execute(select(Spec.spec_id).where(Spec.analysis == "cutoff")).all())
    events = told(copied)
    assert [e.by for e in events if e.kind is EventKind.REPAIR] == ["ingest 4"]
    assert (events[0].kind, events[0].says) == (
        EventKind.MIGRATION, f"taken over from revision 0009: {n} ways in which analyses were computed",
    )  # fmt: skip
    (program,) = [e for e in events if e.kind is EventKind.PROGRAM]
    assert program.by == "run 3" and program.says == "tshdb 0.1.0 computes, before it was 0.0.1"


# ---------------------------------------------------------------------------------------------------- a part of it


def test_a_table_and_an_analysis_have_their_changes_alone(lived):
    events = told(lived.study, "cutoffs")
    assert events == told(lived.study, "cutoff") != []
    assert [(e.by, [a["analysis"] for a in e.facts["analyses"]]) for e in events] == [
        ("run 1", ["cutoff"]), ("run 3", ["cutoff"]), ("run 4", ["cutoff"]),
    ]  # fmt: skip
    assert {m["analysis"] for e in told(lived.study, "cox_terms") for m in e.facts["moved"]} == {"univariable_cox"}
    rows = told(lived.study, "follow_ups")  # one a patient: ten, then seven
    assert [e.says for e in rows] == ["test (clinical.tsv): 10 inserted", "test (clinical.tsv): 7 inserted"]


def test_a_patient_has_rows_with_their_lines_and_cohorts_and_results(lived):
    events = told(lived.study, CORRECTED)
    said = [e.says for e in events if e.kind is EventKind.INGEST]
    assert f"follow_ups/{CORRECTED}|OS: inserted (clinical.tsv line 4)" in said  # two lines a patient, one of headers
    (correction,) = [e for e in events if e.by == "ingest 4"]
    assert correction.says == (
        f"expression_profiles/{CORRECTED}-01A-11R-A000-07:rsem:expression.csv: EOMES 11.668 -> 500000.0, "
        "GNLY 37.178 -> 500000.0, KLRD1 8.541 -> 500000.0 (expression.csv line 1)"
    )
    assert correction.facts["columns"]["EOMES"] == [11.668, 500000.0] and correction.facts["line"] == 1
    came = [e.says for e in events if e.kind is EventKind.COHORT]
    assert came == [f"{CORRECTED} came into {FROZEN}", f"{CORRECTED} came into {tiny.LIVE}@1"]
    (run,) = of_run(events, 2)
    assert [a["analysis"] for a in run.facts["analyses"]] == ["cell_abundances", "tsh_ratios", "survival_groups"]
    assert f"survival_groups prognosis poor -> good 1 ({CORRECTED})" in run.says
    assert not of_run(events, 4), "nothing of that patient was computed"
    sample = told(lived.study, f"{LOST}-11A")
    assert [e.facts["action"] for e in sample if e.kind is EventKind.INGEST] == ["insert", "delete"]


def test_a_cohort_a_version_and_a_unit(lived, copied):
    assert [e.facts["version"] for e in told(lived.study, tiny.LIVE) if e.kind is EventKind.COHORT] == [None, 1, 2]
    assert {m["key"] for e in told(lived.study, tiny.LIVE) for m in e.facts.get("moved", ())} == {tiny.LIVE}
    second = told(lived.study, f"{tiny.COHORT}@2")
    assert len(second[0].facts["came"]) == 7 and second[0].facts["left"] == []
    assert {m["key"] for e in second for m in e.facts.get("moved", ())} == {f"{tiny.COHORT}@2"}
    assert f"({FROZEN} before)" in of_run(second, 4)[0].says, "numbers of a new version are held against the one before"
    unit = told(lived.study, f"survival_groups/{LOST}")
    assert [e.by for e in unit] == ["run 1", "run 3", "run 5"] and "prognosis poor -> none 1" in unit[-1].says
    with writing(copied.engine) as connection:
        from tshdb.cohorts.versions import define

        define(connection, tiny.LIVE, f"{tiny.LIVE_SQL} AND patient_id > 'TCGA-TN-0004'")
    tiny.rebuild(copied, tiny.CORE)
    (anew,) = [e for e in told(copied, tiny.LIVE) if e.says.endswith("defined anew")]
    assert anew.facts == {"cohort": tiny.LIVE, "version": None}
    assert told(copied, f"{tiny.LIVE}@3")[0].says.endswith("12 members, 0 came, 5 left, by another definition")
    assert f"{LOST} left {tiny.LIVE}@3" in [e.says for e in told(copied, LOST)]


def test_from_a_run_or_a_day_on_and_the_last_so_many(lived):
    events = told(lived.study)
    with reading(lived.study.engine) as connection:
        moment = since(connection, "4")
        assert since(connection, "2026-11") == "2026-11" and since(connection, events[3].at) == events[3].at
        for text, error in (("99", NotFound), ("yesterday", UsageError), ("2026", NotFound), ("2026-1-1", UsageError)):
            with pytest.raises(error):
                since(connection, text)
    later = told(lived.study, since=moment)
    assert later == [e for e in events if e.at >= moment] and {e.by for e in later} >= {"run 4", "run 5"}
    assert told(lived.study, limit=3) == events[-3:] and told(lived.study, limit=1000) == events
    assert told(lived.study, since="9999") == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("survival_group", "survival_groups"),
        ("TCGA-TN-001", "TCGA-TN-0001"),
        ("evryone", tiny.LIVE),
        (f"cutoff/{tiny.COHORT}", f"cutoff/{FROZEN}"),
        (f"{tiny.COHORT}@7", f"{FROZEN}, {tiny.COHORT}@2"),
        ("xyzzy", "ANALYSIS/KEY"),
    ],
)
def test_a_name_that_is_unknown_is_answered_with_those_that_are_near(lived, name, near):
    with pytest.raises(NotFound) as error:
        told(lived.study, name)
    assert near in str(error.value)


def test_the_command(quick, lived):
    study = ("--study", lived.study.root)
    events = told(lived.study)
    said = quick("history", *study).stdout.splitlines()
    assert len(said) == len(events), "one line each"
    assert all(e.by in line and line.endswith(e.says) for e, line in zip(events, said, strict=True))
    facts = json.loads(quick("history", "--json", *study).stdout)
    assert facts == [json.loads(json.dumps(e.as_values())) for e in events]
    assert len(json.loads(quick("history", "cutoff", "--since", 3, "--limit", 1, "--json", *study).stdout)) == 1
    assert "Did you mean" in quick("history", "cutof", *study, code=8).stderr
    quick("history", "--since", "soon", *study, code=2)


# ----------------------------------------------------------------------------------------- withdrawals, the report


def test_a_withdrawn_patient_is_told_without_a_name(copied):
    """Groups that changed by another population, a retired unit, and rows: none of it names the patient any more."""
    settings = copied.root / "study.toml"
    settings.write_text(
        settings.read_text().replace('population = "Cytotoxic lymphocytes"', 'population = "Fibroblasts"')
    )
    tiny.rebuild(copied, tiny.CORE)
    for who in (CORRECTED, LOST):
        assert who in json.dumps([e.as_values() for e in told(copied)])
        withdraw(Study(copied.root), ANALYSES, who, reason="asked", scope=WithdrawalScope.KEEP, redact=redact)
    fresh = Study(copied.root)
    text = json.dumps([e.as_values() for e in told(fresh)])
    assert CORRECTED not in text and LOST not in text
    assert re.findall(r"a patient was withdrawn, scope keep \(withdrawn:\w{16}\)", text) and "asked" not in text
    with pytest.raises(NotFound):
        told(fresh, LOST)
    left = fresh.sql("SELECT * FROM result_changes").to_csv() + fresh.sql("SELECT * FROM causes").to_csv()
    assert LOST not in left and CORRECTED not in left
    with writing(fresh.engine) as connection:
        readmit(connection, fresh.root, LOST, "asked again")
    assert [e.kind for e in told(fresh)][-3:] == [EventKind.WITHDRAWAL, EventKind.WITHDRAWAL, EventKind.READMISSION]


def test_the_report_tells_what_changed_since_the_study_was_first_computed(lived, core):
    with reading(lived.study.engine) as connection:
        found = what_changed(connection, ANALYSES, 5)
    events = told(lived.study)
    assert found == events[-5:]
    with reading(lived.study.engine) as connection:
        assert what_changed(connection, ANALYSES, 1000) == events[8:], (
            "all but the first eight: up to the first run's end"
        )
    ((part,), (nothing,)) = (changes(Look(study)).parts for study in (lived.study, core))
    (layout,) = part.layouts
    assert [row[1:] for row in layout.cells] == [(e.by, e.says) for e in reversed(events[8:])], "the newest first"
    assert nothing.text == "Nothing has changed since."


# --------------------------------------------------------------------------------------------------------- its words


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("-0.3512", "-0.26", "-0.3512 -> -0.26"),
        ("0.123456", "0.123499", "0.12346 -> 0.1235"),  # four digits would say 0.1235 twice
        ("0.3", "0.30000000000000004", "0.3 -> 0.30000000000000004"),
        ("1e-12", None, "1e-12 -> none"),
        ("good", "poor", "good -> poor"),
        (None, "good", "none -> good"),
    ],
)
def test_a_value_that_moved_has_the_digits_that_tell(before, after, said):
    assert moved(before, after) == said


def test_a_few_of_many():
    assert several(["a", "b"]) == "a, b" and several(list("abcde")) == "a, b, c and 2 more"
    assert counted({"a": 1, "b": 3, "c": 2, "d": 1, "e": 0}) == "b 3, c 2, a 1 and 1 more"


def test_the_story_is_the_same_on_postgresql(postgresql, tmp_path):
    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    archive = tiny.TinyArchive.make(6)
    tiny.ingest(study, archive, images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    before = groups(study)
    did(study, archive, "method")
    run = tiny.rebuild(study, tiny.CORE).run_id
    flips = {(p, g, groups(study)[p]) for p, g in before.items() if g != groups(study)[p]}
    (event,) = of_run(told(study), run)
    assert (
        {(m["key"], m["before"], m["after"]) for m in event.facts["moved"] if m["column"] == "prognosis"}
        == flips
        != set()
    )
    assert "Because: [cutoff] method" in event.says and told(study, "cutoff", since=event.at)
    with pytest.raises(NotFound):
        told(study, "nobody")
    study.engine.dispose()
