"""Names of files, the order of rows, columns, files and of dated releases, and how a release is cut change no row."""

from __future__ import annotations

from random import Random

import pytest

from tests.support import deliveries
from tests.support.deliveries import COLLECTION, MAP
from tests.support.program import run_quick
from tshdb.actions import ingest
from tshdb.errors import UsageError
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit, Scale


def test_any_delivery_gives_what_the_clinic_knows(tmp_path):
    assert list(deliveries.wrong(tmp_path, 1, 5)) == []


def test_results_are_those_of_any_other_delivery(tmp_path):
    assert list(deliveries.wrong(tmp_path, 2, 2, rebuilds=True)) == []


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_undated_sources_that_agree_are_one(empty_study, tmp_path, order):
    (tmp_path / "m.toml").write_text(MAP)
    rows = {
        "a": "P1,60,positive,alive,900\nP2,61,,alive,800",
        "b": "P2,61,negative,alive,800\nP1,60,positive,alive,900",
    }
    for name in order:
        path = tmp_path / f"{name}.csv"
        path.write_text(f"id,age,er,status,days\n{rows[name]}\n")
        loaded = ingest.clinical(empty_study, path, COLLECTION, map=tmp_path / "m.toml")
        assert [f.rule for f in loaded.findings if f.rule == "source.undecided"] == []
    people = empty_study.sql("SELECT patient_id, age_years, er_status FROM patients ORDER BY 1")
    assert people.values.tolist() == [["P1", 60, "positive"], ["P2", 61, "negative"]]
    assert len(empty_study.sql("SELECT * FROM conflicts")) == 0


def told(empty_study, tmp_path, name, row, **how):
    (tmp_path / "m.toml").write_text(MAP)
    path = tmp_path / name
    path.write_text(f"id,age,er,status,days\n{row}\n")
    loaded = ingest.clinical(empty_study, path, COLLECTION, map=tmp_path / "m.toml", how=ingest.Loading(**how))
    return [(f.rule, f.line, f.column) for f in loaded.findings]


def test_undated_sources_that_differ_are_told_and_settled_by_a_date(empty_study, tmp_path):
    assert told(empty_study, tmp_path, "a.csv", "P1,60,positive,alive,900") == []
    assert told(empty_study, tmp_path, "z.csv", "P1,66,negative,dead,800") == [
        ("source.undecided", 2, "event"), ("source.undecided", 2, "age_years"), ("source.undecided", 2, "er_status"),
    ]  # fmt: skip
    row = (
        "SELECT age_years, er_status, er_status_reason, event, duration_days, reason FROM patients "
        "JOIN follow_ups USING (patient_id)"
    )
    values = empty_study.sql(row).astype(object)
    assert values.where(values.notna(), None).values.tolist() == [
        [None, None, "sources disagree, and none is known to be the later one", None, None,
         "sources disagree, and none is known to be the later one"]
    ]  # fmt: skip
    assert set(empty_study.sql("SELECT held_source FROM conflicts")["held_source"]) == {""}
    told(empty_study, tmp_path, "a.csv", "P1,60,positive,alive,900", as_of="2024-05-01")
    assert told(empty_study, tmp_path, "z.csv", "P1,66,negative,dead,800", as_of="2025-05-01") == []
    assert empty_study.sql(row).values.tolist() == [[66, "negative", None, True, 800, None]]
    assert set(empty_study.sql("SELECT rule FROM conflicts")["rule"]) == {"the later word: 2025-05-01 after 2024-05-01"}


def test_a_person_settles_what_sources_leave_open(empty_study, tmp_path):
    told(empty_study, tmp_path, "a.csv", "P1,60,positive,alive,900")
    told(empty_study, tmp_path, "z.csv", "P1,66,negative,dead,800")
    path = tmp_path / "decisions.csv"
    path.write_text(
        "table,row,column,value,decided_by,reason\n"
        "patients,P1,er_status,negative,B. Meyer,second biopsy\npatients,P1,age_years,66,B. Meyer,passport\n"
        "follow_ups,P1|OS,event,true,B. Meyer,registry\npatients,P9,sex,female,B. Meyer,registry\n"
    )
    loaded = ingest.decisions(empty_study, path, COLLECTION)
    assert [(f.rule, f.value) for f in loaded.findings] == [("settlement.unknown-row", None)]
    row = "SELECT age_years, er_status, event, duration_days FROM patients JOIN follow_ups USING (patient_id)"
    assert empty_study.sql(row).values.tolist() == [[66, "negative", True, 800]]
    held = empty_study.sql("SELECT held_source, rule FROM conflicts WHERE column_name = 'er_status'").values.tolist()
    assert held == [[f"{COLLECTION}/settlements/decisions.csv", "decided by B. Meyer: second biopsy"]]
    path.write_text("table,row,column,value,decided_by,reason\n")
    ingest.decisions(empty_study, path, COLLECTION, how=ingest.Loading(complete=True))
    assert empty_study.sql("SELECT er_status FROM patients")["er_status"].isna().all()


@pytest.mark.parametrize(
    ("row", "rule", "column"),
    [
        ("patient,P1,age_years,66,me,x", "settlement.place", "table"), ("patients,P1,age,66,me,x", "settlement.place", "column"),
        ("patients,P1,age_years,old,me,x", "settlement.value", "value"),
        ("patients,P1,age_years,66,,x", "settlement.incomplete", "decided_by"),
        ("patients,P1,age_years,66,me,", "settlement.incomplete", "reason"),
        ("follow_ups,P1,event,true,me,x", "settlement.place", "row"),
        ("follow_ups,P1|OS,event,perhaps,me,x", "settlement.value", "value"),
        ("patients,P1,patient_id,P2,me,x", "settlement.place", "column"),
        ("patients,P1,age_years,66,me,x\npatients,P1,age_years,67,me,x", "settlement.twice", "column"),
        ("expression_profiles,x,n_genes,66,me,x", "settlement.place", "column"),
        ("patients,P1,age_years,610,me,x", "settlement.value", "value"),
        ("patients,P1,er_status,perhaps,me,x", "settlement.value", "value"),
        ("follow_ups,P1|OS,duration_days,-1,me,x", "settlement.value", "value"),
        ("follow_ups,P1|os,event,1,me,x", "settlement.place", "row"),
        ("follow_ups,P1|OS,time_origin,surgery,me,x", "settlement.place", "column"),
        ("patients,P1,her2_rule,x,me,x", "settlement.place", "column"),
    ],
)  # fmt: skip
def test_a_decision_that_says_nothing_clear_is_refused(empty_study, tmp_path, row, rule, column):
    path = tmp_path / "decisions.csv"
    path.write_text(f"table,row,column,value,decided_by,reason\n{row}\n")
    loaded = ingest.decisions(empty_study, path, COLLECTION)
    assert loaded.is_refused and [(f.rule, f.column) for f in loaded.errors] == [(rule, column)]


def test_profiles_of_one_aliquot_are_chosen_by_date_or_by_a_person(empty_study, tmp_path):
    options = ingest.RnaOptions(ExpressionUnit.TPM, Scale.LINEAR)
    sample = "TCGA-Z1-Q001-01A"

    def load(name, value, **how):
        path = tmp_path / name
        path.write_text(f"gene\t{sample}\nCD3D\t{value}\nCD6\t5\n")
        loaded = ingest.rna(empty_study, path, COLLECTION, options, how=ingest.Loading(**how))
        return [f.rule for f in loaded.findings if f.rule == "source.undecided"]

    def selected():
        query = "SELECT value FROM expression WHERE gene = 'CD3D' AND is_selected"
        return empty_study.sql(query)["value"].tolist()

    assert load("b.tsv", 100) == [] and selected() == [100]
    assert load("a.tsv", 777) == ["source.undecided"] and selected() == []
    assert len(empty_study.sql("SELECT * FROM conflicts WHERE table_name = 'expression_profiles'")) == 2
    path = tmp_path / "decisions.csv"
    path.write_text(
        "table,row,column,value,decided_by,reason\n"
        f"expression_profiles,{sample}:tpm:a.tsv,is_selected,yes,B. Meyer,the corrected one\n"
    )
    ingest.decisions(empty_study, path, COLLECTION)
    assert selected() == [777] and len(empty_study.sql("SELECT * FROM conflicts")) == 0
    path.write_text("table,row,column,value,decided_by,reason\n")
    ingest.decisions(empty_study, path, COLLECTION, how=ingest.Loading(complete=True))
    assert selected() == []
    load("b.tsv", 100, as_of="2025")
    assert selected() == []  # the other has no date
    load("a.tsv", 777, as_of="2024")
    assert selected() == [100]
    assert empty_study.sql("SELECT selection_rule FROM expression_profiles WHERE is_selected")[
        "selection_rule"
    ].tolist() == ["A7.4"]


def test_the_seed_of_the_trial_has_every_kind_of_change():
    """Deaths, deaths taken back or moved, corrected ages, values measured again: else the trial would prove little."""
    kinds = set()
    for seed in range(30):
        releases = deliveries.clinic(Random(seed))
        for before, after in zip(releases, releases[1:], strict=False):
            for patient, was in before.patients.items():
                state = after.patients[patient]
                kinds |= {("dead", was.is_dead, state.is_dead), ("age", was.age != state.age), ("er", was.er != state.er),
                          ("values", was.values != state.values), ("moved", was.is_dead and state.days < was.days)}  # fmt: skip
    assert {
        ("dead", False, True),
        ("dead", True, False),
        ("age", True),
        ("er", True),
        ("values", True),
        ("moved", True),
    } <= kinds


def outcome(study):
    frame = study.sql("SELECT patient_id, event, duration_days FROM follow_ups ORDER BY 1").astype(object)
    return [tuple(row) for row in frame.where(frame.notna(), None).itertuples(index=False)]


def load_map(study, folder, name, rows, map_=MAP, header="id,age,er,status,days", **how):
    (folder / "m.toml").write_text(map_)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return ingest.clinical(study, folder / name, COLLECTION, map=folder / "m.toml", how=ingest.Loading(**how))


VISITS = MAP + '[as_of]\ncolumn = "visit"\n'
SEEN = [  # patient, visits, the outcome by hand
    ("V1", ("alive,400,2019-01-01", "dead,900,2021-01-01"), (True, 900)),
    ("V2", ("alive,400,2019-01-01", "dead,300,2020-01-01"), (None, None)),  # alive after the death
    ("V3", ("dead,400,2019-01-01", "alive,700,2020-01-01"), (False, 700)),
    ("V4", ("alive,900,2018-01-01", "alive,400,2019-01-01"), (False, 900)),  # what was seen stays seen
]


@pytest.mark.parametrize("n_files", [1, 2])
def test_visits_have_one_outcome_in_one_file_or_in_several(empty_study, tmp_path, n_files):
    rows = [[f"{p},60,positive,{visit}" for p, visits, _ in SEEN for visit in [visits[i]]] for i in (0, 1)]
    header = "id,age,er,status,days,visit"
    if n_files == 1:
        loaded = load_map(empty_study, tmp_path, "v.csv", rows[0] + rows[1], VISITS, header)
        assert {"map.visits", "follow-up.rows-differ"} <= {f.rule for f in loaded.findings}
    else:
        for i in (0, 1):
            load_map(empty_study, tmp_path, f"v{i}.csv", rows[i], VISITS, header)
    assert outcome(empty_study) == [(p, event, days) for p, _, (event, days) in SEEN]


def test_outcomes_by_another_clock_are_told_and_never_mixed(empty_study, tmp_path):
    surgery = MAP.replace("diagnosis", "surgery")
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900"], as_of="2024")
    loaded = load_map(empty_study, tmp_path, "b.csv", ["P1,60,positive,dead,300"], surgery, as_of="2023")
    assert [f.rule for f in loaded.findings] == ["source.other-clock"] and outcome(empty_study) == [("P1", False, 900)]
    assert empty_study.sql("SELECT other_value FROM conflicts WHERE column_name = 'time_origin'")[
        "other_value"
    ].tolist() == ["surgery"]


def test_undated_outcomes_by_two_clocks_are_not_known(empty_study, tmp_path):
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900"])
    loaded = load_map(empty_study, tmp_path, "b.csv", ["P1,60,positive,dead,300"], MAP.replace("diagnosis", "surgery"))
    assert "source.undecided" in {f.rule for f in loaded.findings} and outcome(empty_study) == [("P1", None, None)]


def test_rows_that_a_file_has_no_more_are_kept_and_told(empty_study, tmp_path):
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900", "P2,60,positive,alive,800"])
    loaded = load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,901"])
    assert [f.rule for f in loaded.findings] == ["source.rows-kept"] and len(outcome(empty_study)) == 2
    loaded = load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,902"], complete=True)
    assert loaded.findings == [] and outcome(empty_study) == [("P1", False, 902)]
    load_map(empty_study, tmp_path, "a.csv", [], complete=True)
    assert outcome(empty_study) == []


def test_the_whole_truth_of_one_file_takes_nothing_from_others(empty_study, tmp_path):
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900"])
    load_map(empty_study, tmp_path, "b.csv", ["P2,60,positive,alive,800"], complete=True)
    assert [p for p, *_ in outcome(empty_study)] == ["P1", "P2"]


def test_a_file_of_one_name_in_another_folder_is_told(empty_study, tmp_path):
    assert load_map(empty_study, tmp_path, "2024/clin.csv", ["P1,62,positive,alive,900"]).findings == []
    loaded = load_map(empty_study, tmp_path, "2023/clin.csv", ["P1,61,positive,alive,800"])
    assert [f.rule for f in loaded.findings] == ["source.other-path"]


def test_two_decisions_that_differ_are_none(empty_study, tmp_path):
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900"])
    head = "table,row,column,value,decided_by,reason\n"
    for name, value in (("d1.csv", "negative"), ("d2.csv", "positive")):
        (tmp_path / name).write_text(f"{head}patients,P1,er_status,{value},B. Meyer,biopsy\n")
        loaded = ingest.decisions(empty_study, tmp_path / name, COLLECTION)
    assert [f.rule for f in loaded.findings] == ["source.undecided"]
    assert empty_study.sql("SELECT er_status FROM patients")["er_status"].isna().all()
    (tmp_path / "d2.csv").write_text(head)
    ingest.decisions(empty_study, tmp_path / "d2.csv", COLLECTION)  # what it no longer says is taken back
    assert empty_study.sql("SELECT er_status FROM patients")["er_status"].tolist() == ["negative"]


def test_a_decision_waits_for_its_row(empty_study, tmp_path):
    head = "table,row,column,value,decided_by,reason\n"
    (tmp_path / "d.csv").write_text(f"{head}follow_ups,P1|OS,event,true,B. Meyer,registry\n")
    loaded = ingest.decisions(empty_study, tmp_path / "d.csv", COLLECTION)
    assert [f.rule for f in loaded.findings] == ["settlement.unknown-row"] and not loaded.is_refused
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900"])
    assert outcome(empty_study) == [("P1", True, None)]


@pytest.mark.parametrize("name", ["", " ", "mine ", "a b", "../x", "a/b", "-a"])
def test_a_collection_has_a_plain_name(empty_study, tmp_path, name):
    (tmp_path / "a.csv").write_text("x\n")
    with pytest.raises(UsageError, match="no name of a collection"):
        ingest.file(empty_study, tmp_path / "a.csv", name, "clinical")


def test_findings_on_a_withdrawn_patients_lines_are_gone_however_short_her_name(empty_study, tmp_path):
    load_map(empty_study, tmp_path, "a.csv", ["P1,60,positive,alive,900", "P2,50,positive,alive,900"])
    load_map(empty_study, tmp_path, "b.csv", ["P1,66,negative,alive,900", "P2,51,positive,alive,900"])
    values = "SELECT value FROM ingest_issues WHERE rule = 'source.undecided' ORDER BY value"
    assert empty_study.sql(values)["value"].tolist() == ["51", "66", "negative"]
    run_quick("withdraw", "P1", "--reason", "consent", cwd=empty_study.root)
    assert Study(empty_study.root).sql(values)["value"].tolist() == ["51"]


def test_a_unit_that_is_not_the_maps_is_refused(empty_study, tmp_path):
    (tmp_path / "x.tsv").write_text("gene\tTCGA-Z1-Q001-01A\nCD3D\t1\n")
    (tmp_path / "m.toml").write_text('[expression]\nunit = "tpm"\nscale = "linear"\n')
    options = ingest.RnaOptions(ExpressionUnit.COUNTS, map=tmp_path / "m.toml")
    with pytest.raises(UsageError, match="--unit counts, and the map says tpm"):
        ingest.rna(empty_study, tmp_path / "x.tsv", COLLECTION, options)
