"""`[signature] label`: the TSH score, a column, or survival. Who gets which class, what is refused, and what is said where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared.cox_models import GOOD
from analyses.signature.classes import Classes, classes_of
from analyses.signature.features import training_of
from analyses.signature.signature_labels import SignatureLabelParameters, signature_labels
from analyses.signature.validation import note_of
from tests.analyses.test_signature_study import MODEL, changed, make
from tests.support import guests
from tests.support.ladder_tables import ladder, nested, tables
from tests.support.program import run_quick
from tests.support.tiny import copy_study
from tshdb.actions.rebuilding import RebuildOptions, rebuild
from tshdb.figures import figure
from tshdb.optimism import label_of
from tshdb.study import Study

pytestmark = pytest.mark.xdist_group("any label")
KEY = "radiogenomic_development@1"
VALIDATED = (
    "signature_logrank", "signature_cox", "signature_curves", "signature_performance", "selected_features", "feature_tests",
    "likelihood_ratio_tests", "signature_quantiles", "signature_gray", "signature_roc", "signature_ladder",
)  # fmt: skip
FEW = {"population": 4, "generations": 1, "folds": 2, "n_trees": 3, "final_trees": 5}


# ------------------------------------------------------------------------------------------------------- who gets a class


def labels(rows: pd.DataFrame, **settings) -> dict[str, tuple]:
    """patient -> (label, value, reason)."""
    found = signature_labels.function(rows, SignatureLabelParameters(**settings))
    plain = found.astype(object).where(found.notna(), None)
    return {r.patient_id: (r.label, r.value, r.reason) for r in plain.itertuples()}


PATIENTS = pd.DataFrame(
    [("A", "positive", None, 50.0), ("B", "negative", None, 61.0), ("C", None, "equivocal", None), ("D", None, None, 50.0)],
    columns=["patient_id", "her2_status", "her2_status_reason", "age_years"],
)  # fmt: skip


@pytest.mark.parametrize("name", ["her2_status", "patients.her2_status"])
def test_a_column_of_the_patients_and_why_it_is_not_known(name):
    assert labels(PATIENTS, label=name, positive=("Positive ",), negative=("negative",)) == {
        "A": ("Positive ", "positive", None),
        "B": ("negative", "negative", None),
        "C": (None, None, "her2_status is not known: equivocal"),
        "D": (None, None, "her2_status is not known"),
    }
    turned = labels(PATIENTS, label=name, positive=("negative",))
    assert {p: label for p, (label, *_) in turned.items()} == {
        "A": "not negative",
        "B": "negative",
        "C": None,
        "D": None,
    }


def test_numbers_are_compared_as_numbers_and_have_the_columns_name():
    found = labels(PATIENTS, label="age_years", positive=("50",))
    assert [label for label, *_ in found.values()] == ["age_years 50", "not age_years 50", None, "age_years 50"]


def fields(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["patient_id", "field", "value"])
    return frame.assign(
        source_file_id=1, line=range(len(rows)), missing_reason=[None if v else "blank" for *_, v in rows]
    )


def test_a_field_of_the_clinical_files_such_as_pcr():
    """A response that was read from one sheet, from two that agree or disagree, that is blank, undecided, or not there."""
    rows = fields(
        ("A", "outcomes: PCR", "1"), ("B", "outcomes: PCR", "0"), ("B", "outcomes: PCR", "0.0"), ("C", "outcomes: PCR", "1"),
        ("C", "outcomes: PCR", "0"), ("D", "outcomes: PCR", None), ("E", "other", "1"), ("F", "outcomes: PCR", "Unknown"),
    )  # fmt: skip
    asked = {"label": "clinical_values.outcomes: PCR", "positive": ("1",)}
    found = labels(rows, **asked)
    assert {p: label for p, (label, *_) in found.items()} == {
        "A": "PCR 1", "B": "not PCR 1", "C": None, "D": None, "E": None, "F": None,
    }  # fmt: skip
    assert found["C"][2] == "outcomes: PCR has several values: 0; 1"
    assert found["D"][2] == "outcomes: PCR is not known: blank" and found["E"][2] == "outcomes: PCR is not known"
    assert found["F"][2] == "outcomes: PCR is Unknown, which decides nothing"
    both = labels(rows, **asked, negative=("0",))
    assert both["B"][0] == "PCR 0" and both["F"][2] == "outcomes: PCR is Unknown: neither PCR 1 nor PCR 0"


def test_one_subtype_against_the_rest_or_against_another_one():
    rows = pd.DataFrame({"patient_id": list("ABCD"), "subtype": ["basal", "luminal A", "luminal B", "basal"]})
    rest = labels(rows, label="guests.subtype", positive=("basal",))
    assert [label for label, *_ in rest.values()] == ["basal", "not basal", "not basal", "basal"]
    two = labels(rows, label="guests.subtype", positive=("luminal A", "luminal B"), negative=("basal",))
    assert [label for label, *_ in two.values()] == [
        "basal",
        "luminal A or luminal B",
        "luminal A or luminal B",
        "basal",
    ]


def test_survival_at_a_day_by_hand():
    """An event on the very day is one up to it; who leaves on it is known free of it."""
    rows = pd.DataFrame(
        [("A", "OS", True, 999), ("B", "OS", True, 1000), ("C", "OS", True, 1001), ("D", "OS", False, 1000),
         ("E", "OS", False, 999), ("F", "RFS", True, 10), ("G", "OS", None, 20), ("H", "OS", False, None)],
        columns=["patient_id", "endpoint", "event", "duration_days"],
    ).assign(reason=None)  # fmt: skip
    rows.loc[rows["patient_id"] == "G", "reason"] = "sources disagree"
    found = labels(rows, label="survival", horizon_days=1000)
    assert {p: label for p, (label, *_) in found.items()} == dict(
        zip("ABCDEFGH", ("poor", "poor", "good", "good", None, None, None, None), strict=True)
    )
    assert found["E"][2] == "censored before day 1000" and found["F"][2] == "no follow-up of OS"
    assert found["G"][2] == "OS is not known: sources disagree" and found["H"][2] == "OS is not known"
    assert labels(rows, label="survival", horizon_days=1000, endpoint="RFS")["F"][0] == "poor"


def test_the_tsh_score_is_as_it_was():
    rows = pd.DataFrame(
        {"patient_id": list("ABC"), "unit": "rsem", "score": [0.5, 0.49, np.nan], "reason": [None, None, "no RNA"]}
    )
    found = signature_labels.function(rows, SignatureLabelParameters())
    assert found["label"].tolist() == ["good", "poor", None] and found["reason"].tolist() == [None, None, "no RNA"]
    assert found["threshold"].eq(0.5).all() and found[["value", "asked", "foretold", "against"]].isna().all().all()


# ------------------------------------------------------------------------------------------------------- what follows from it


def of_column(data: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The same tables, whose label is HER2: positive where it was good."""
    words = {"asked": "patients.her2_status", "foretold": "positive", "against": "negative"}
    named = data["labels"].assign(
        label=data["labels"]["label"].map({"good": "positive", "poor": "negative"}), reason=None, **words
    )
    patients = data["patients"].assign(her2_status=named["label"])
    return data | {"labels": named, "patients": patients}


@pytest.fixture(scope="module")
def her2() -> dict[str, pd.DataFrame]:
    return of_column(tables("texture", 1))


@pytest.fixture(scope="module")
def fold_scores(her2) -> pd.DataFrame:
    return nested(her2, **FEW)


def test_the_label_is_not_among_the_clinical_variables_of_its_ladder(her2, fold_scores):
    rows = ladder(her2, fold_scores, **FEW)
    assert (
        rows.loc["clinical", "reason"] == "without her2_status: it is the label itself"
        and rows.loc["clinical", "auc"] < 0.8
    )
    copied = her2 | {
        "patients": her2["patients"].assign(
            pr_status=her2["labels"]["label"].map({"positive": "negative", "negative": "positive"})
        )
    }
    said = ladder(copied, fold_scores, **FEW).loc["clinical", "reason"]
    assert (
        said
        == "without pr_status: it tells the classes apart without an exception; without her2_status: it is the label itself"
    )
    kept = copied["patients"].copy()
    kept.loc[0, "pr_status"] = kept.loc[1:, "pr_status"][kept["pr_status"] != kept.loc[0, "pr_status"]].iloc[0]
    assert "pr_status" not in ladder(copied | {"patients": kept}, fold_scores, **FEW).loc["clinical", "reason"]


def test_reasons_are_in_the_words_of_the_label(her2, fold_scores):
    few = her2["labels"].copy()
    few.loc[few.index[few["label"] == "positive"][3:], ["label", "reason"]] = (
        None,
        "her2_status is not known: equivocal",
    )
    n = (few["label"] == "negative").sum()
    rows = ladder(her2 | {"labels": few}, fold_scores, **FEW)
    assert set(rows["reason"]) == {
        f"3 positive and {n} negative with features: fewer than 10 of one kind "
        f"(no label: {87 - n} her2_status is not known: equivocal)"
    }
    assert Classes("a", "b", "c").reworded("the scores separate good from poor") == "the scores separate a from b"
    assert Classes().reworded("3 good and 2 poor") == "3 good and 2 poor" and Classes().term == GOOD


def test_a_feature_that_is_the_label_is_not_learned_from(her2):
    given = {name: frame for name, frame in her2.items() if name != "patients"}
    before = training_of(**given, source="computed")
    at = {f"E{i:03d}": label == "positive" for i, label in enumerate(her2["labels"]["label"])}
    copies = {"tumor.SI.glcm.Copy": {e: 3.0 if is_good else -1.0 for e, is_good in at.items()},
              "site.HER2_Status": {e: float(i % 7) for i, e in enumerate(at)},
              "tumor.SI.glcm.Near": {e: 3.0 if is_good and i else -1.0 for i, (e, is_good) in enumerate(at.items())}}  # fmt: skip
    i_first = next(i for i, is_good in enumerate(at.values()) if is_good)
    copies["tumor.SI.glcm.Near"][f"E{i_first:03d}"] = -1.0
    more = pd.DataFrame([(e, name, v, "glcm") for name, values in copies.items() for e, v in values.items()],
                        columns=["study_uid", "feature", "value", "feature_class"])  # fmt: skip
    found = training_of(**given | {"computed": pd.concat([given["computed"], more])}, source="computed")
    assert found.the_label == {
        "tumor.SI.glcm.Copy": "it is the label: one value for all positive, another for all negative",
        "site.HER2_Status": "it bears the name of the label, patients.her2_status",
    }
    assert set(found.names) == {*before.names, "tumor.SI.glcm.Near"} and found.values.shape[1] == len(found.names)


def test_a_model_beside_the_label_says_so():
    data = pd.DataFrame(
        {"is_degraded": [False, True], "asked": "patients.her2_status", "foretold": "positive", "against": "negative"}
    )
    itself = "her2_status is what the signature foretells: it was learned from it"
    degraded = "1 of 2 scores are degraded (signature_scores says why)"
    assert (
        note_of(data, ("age_years", "her2_status")) == f"{degraded}; {itself}"
        and note_of(data, ("age_years",)) == degraded
    )
    assert note_of(data.assign(asked=None, foretold=None), ("her2_status",)) == degraded
    assert classes_of(data) == Classes("positive", "negative", "patients.her2_status")


# ------------------------------------------------------------------------------------------------------- whole studies


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    """A simulated study, frozen, with its feature sets. Not to be changed."""
    folder = tmp_path_factory.mktemp("labels")
    study = make(folder / "made", folder / "sim")
    rebuild(study, RebuildOptions(("feature_sets",)))
    study.engine.dispose()
    return study


def asking(made: Study, folder: Path, *lines: str) -> Study:
    """A copy of the study that asks for another label, whose validation is of its development cohort as well."""
    study = copy_study(Study(made.root), folder)
    settings = study.root / "study.toml"
    written = changed(
        settings.read_text(), ('label = "tsh" ', "\n".join(["min_per_class = 4", *lines, "# "])),
        ("signatures_of = []", 'signatures_of = ["radiogenomic_development"]\npopulation = 4\ngenerations = 1\nmost_trees = 5'),
        ("n_random = 20 ", "n_random = 1 "), ("n_searched = 5 ", "n_searched = 0 "),
        ("calibration_days", "allow_training_patients = true\ncalibration_days"),
        ('cohorts = ["prognostic_validation_ispy1", "prognostic_validation_nact"]\nendpoints',
         'cohorts = ["radiogenomic_development", "prognostic_validation_ispy1"]\nendpoints'),
    )  # fmt: skip
    settings.write_text(written)
    return Study(study.root)


ASSOCIATION = '''"""Whether scores and HER2 go together: a guest that tests a column that a label was made of."""

from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Named, Need, analysis
from tshdb.engine.relations import EXAMINATIONS_OF_PATIENT
from tshdb.schema import SignatureScore
from tshdb.schema.base import Base, UnitPayload


class Association(UnitPayload, Base):
    """One row is the mean score of a cohort's HER2 positive patients."""

    __tablename__ = "xy_associations"
    cohort: Mapped[str]
    mean: Mapped[float] = mapped_column(info={"digits": 12})


class AssociationParameters(Parameters):
    """[associations]"""

    column: str = "patients.her2_status"


@analysis(
    kind="summary", per="cohort", makes=Association, params=AssociationParameters, cohorts=("radiogenomic_development",),
    needs={"scores": Need(SignatureScore, EXAMINATIONS_OF_PATIENT), "found": Named("column")}, tests=("found",), source="a mean",
)
def associations(scores, found):
    """The mean."""
    import pandas as pd

    return pd.DataFrame({"mean": [scores.merge(found, on="patient_id")["score"].mean()]})
'''


def said_of(study: Study, *command: str) -> str:
    return " ".join(run_quick(*command, cwd=study.root).stdout.split())


def test_a_study_of_her2(made, tmp_path):
    study = asking(
        made, tmp_path / "her2", 'label = "her2_status"', 'positive = ["positive"]', 'negative = ["negative"]'
    )
    guests.put(study, associations=ASSOCIATION)
    study = guests.fresh(study)
    assert not rebuild(study, RebuildOptions((*VALIDATED, "associations"))).report.failed
    both = study.sql(
        "SELECT l.*, p.her2_status, p.her2_status_reason FROM signature_labels l JOIN patients p USING (patient_id)"
    )
    assert (both["label"].fillna("") == both["her2_status"].fillna("")).all() and set(both["asked"]) == {
        "patients.her2_status"
    }
    unknown = both[both["label"].isna()]
    assert len(unknown) and (unknown["reason"] == "her2_status is not known: " + unknown["her2_status_reason"]).all()
    members = study.sql("SELECT count(*) FILTER (WHERE her2_status = 'positive') AS yes, count(her2_status) AS n FROM patients "
                        "WHERE patient_id IN (SELECT patient_id FROM cohort_members WHERE cohort = $c)",
                        {"c": "radiogenomic_development"}).iloc[0]  # fmt: skip
    model = study.sql("SELECT * FROM signature_models").iloc[0]
    assert (model["n_good"], model["n"], model["foretold"], model["against"]) == (
        members["yes"],
        members["n"],
        "positive",
        "negative",
    )
    scores = study.sql("SELECT * FROM signature_scores WHERE score IS NOT NULL")
    assert (scores["label"] == np.where(scores["score"] >= 0.5, "positive", "negative")).all()
    assert (
        not study.sql("SELECT * FROM model_performance WHERE scheme = 'nested' AND measure = 'auc'")["value"]
        .isna()
        .any()
    )
    # everywhere in its own words
    s6 = said_of(study, "table", "s6")
    assert (
        "mean, positive" in s6
        and "It foretells positive against negative, of patients.her2_status. Of its cohort: " in s6
    )
    prognosis = said_of(study, "table", "prognosis")
    assert (
        "Positive against negative by the signature score" in prognosis and "positive (against negative)" in prognosis
    )
    assert "Gray's test of positive against negative" in prognosis
    assert "her2_status is what the signature foretells" in prognosis
    shown = said_of(study, "table", "ladder")
    assert "without her2_status: it is the label itself" in shown and "It foretells positive against negative" in shown
    for text in (s6, prognosis, shown):
        assert "poor" not in text.lower() and "good" not in text.lower()
    drawn = figure(study, "signature-km").svg
    assert "positive (n = " in drawn and "prognosis (n" not in drawn
    assert all(
        "positive against negative (patients.her2_status)"
        in " ".join(re.sub("<[^>]+>", " ", figure(study, n).svg).split())
        for n in ("search", "signature-roc", "ladder")
    )
    assert "positive against negative, of patients.her2_status (" in said_of(study, "checklist", "clear")
    tests = study.sql(f"SELECT DISTINCT foretold, against FROM feature_tests WHERE cohort = '{KEY}'")
    assert tests.to_numpy().tolist() == [["positive", "negative"]]
    # survival did not make this label: in sample, not optimistic; a test of the column that did is optimistic
    logrank = label_of(study, "signature_logrank", KEY)
    assert logrank.is_in_sample and not logrank.is_optimistic
    associated = label_of(study, "associations", KEY)
    assert f"optimistic: {MODEL} looked at patients (by signature_labels) of" in associated.optimistic
    study.engine.dispose()


def test_a_study_of_survival(made, tmp_path):
    study = asking(made, tmp_path / "survival", 'label = "survival"', "horizon_days = 1000")
    assert not rebuild(study, RebuildOptions(VALIDATED)).report.failed
    outcome = study.sql("SELECT l.label, l.reason, f.event, f.duration_days AS days FROM follow_ups f JOIN signature_labels l "
                        "USING (patient_id) WHERE f.endpoint = 'OS' AND f.duration_days IS NOT NULL")  # fmt: skip
    event = outcome["event"].astype(bool)
    wanted = np.where(event & (outcome["days"] <= 1000), "poor", np.where(outcome["days"] >= 1000, "good", None))
    assert (outcome["label"].fillna("") == pd.Series(wanted).fillna("")).all()
    assert outcome.loc[outcome["label"].isna(), "reason"].eq("censored before day 1000").all()
    n_censored = study.sql("SELECT count(*) AS n FROM signature_labels JOIN cohort_members USING (patient_id) "
                           "WHERE label IS NULL AND cohort = 'radiogenomic_development' "
                           "AND reason = 'censored before day 1000'")["n"][0]  # fmt: skip
    s6 = said_of(study, "table", "s6")
    assert (
        n_censored
        and f"{n_censored} no label: censored before day 1000" in s6
        and "good against poor, of OS at day 1000" in s6
    )
    label = label_of(study, "signature_logrank", KEY)
    assert f"optimistic: {MODEL} looked at follow_ups (by signature_labels) of" in label.optimistic
    rows = study.sql("SELECT cohort, is_optimistic FROM logrank_tests WHERE grouping = 'signature'")
    assert (rows["is_optimistic"].astype(bool) == (rows["cohort"] == KEY)).all() and len(rows) == 3
    assert study.sql(f"SELECT bool_and(is_optimistic) AS o FROM cox_terms WHERE cohort = '{KEY}'")["o"][0]
    assert (
        json.loads(run_quick("table", "s6", "--json", cwd=study.root).stdout)[0]["label"]["asked"] == "OS at day 1000"
    )
    study.engine.dispose()


def test_the_tsh_label_is_in_sample_and_another_question_is_asked_anew(made, tmp_path):
    """Survival did not make the TSH score's labels. What is asked is a parameter of every fit: another question is due."""
    study = asking(made, tmp_path / "tsh")
    assert not rebuild(study, RebuildOptions(("signature_logrank",))).report.failed
    label = label_of(study, "signature_logrank", KEY)
    assert (
        label.is_in_sample
        and MODEL in [s.fit for s in label.seen]
        and not any(s.fit == MODEL and s.outcome for s in label.seen)
    )
    assert study.sql("SELECT count(asked) + count(foretold) + count(against) AS n FROM signature_models")["n"][0] == 0
    settings = study.root / "study.toml"
    settings.write_text(
        settings.read_text().replace(
            "min_per_class = 4\n", 'min_per_class = 4\nlabel = "survival"\nhorizon_days = 1000\n', 1
        )
    )
    study = Study(study.root)
    done = rebuild(study, RebuildOptions(("signature_logrank",))).report.computed
    assert {"signature_labels", "signature_search", "signature_model", "signature_scores"} <= set(done)
    assert study.sql("SELECT asked FROM signature_models ORDER BY unit_id DESC")["asked"][0] == "OS at day 1000"
    study.engine.dispose()


@pytest.mark.parametrize(
    ("lines", "where", "said"),
    [
        (['label = "her2_statu"'], "[signature] label", "patients has no column 'her2_statu'. Did you mean her2_status"),
        (['label = "patient.her2_status"'], "[signature] label", "no table 'patient'. Did you mean patients? Write tsh, "),
        (['label = "samples.compartment"', 'positive = ["tumor"]'], "[signature] label", "'samples' has no row of a patient"),
        (['label = "clinical_values.HER2 Positiv"', 'positive = ["1"]'], "[signature] label",
         "no clinical file has a field 'HER2 Positiv'. Did you mean HER2 Positive"),
        (['label = "her2_status"'], "[signature] positive", "found nothing, but label = 'her2_status' is a column"),
        (['label = "her2_status"', 'positive = ["postive"]'], "[signature] positive",
         "no patient has this value of patients.her2_status. Did you mean positive? Values, with patients: negative ("),
        (['label = "her2_status"', 'positive = ["positive"]', 'negative = ["none"]'], "[signature] negative",
         "found 'none': no patient has this value"),
        (['label = "her2_status"', 'positive = ["positive"]', 'negative = ["POSITIVE"]'], "[signature] negative",
         "which positive names as well"),
        (['label = "survival"', 'positive = ["dead"]'], "[signature] positive", "label = 'survival' has no values"),
        (['label = "survival"', 'endpoint = "PFS"'], "[signature] endpoint", "input should be 'OS', 'RFS' or 'DFS'"),
        (['label = "survival"', "horizon_days = 0"], "[signature] horizon_days", "greater than 0"),
    ],
)  # fmt: skip
def test_what_is_named_wrongly_is_refused_in_one_line(made, tmp_path, lines, where, said):
    study = asking(made, tmp_path / "wrong", *lines)
    for command in ("plan", "rebuild"):
        refused = run_quick(command, "signature_labels", cwd=study.root, code=7).stderr
        assert where in refused and said in refused and refused.count("\n") == 1, refused
    study.engine.dispose()


def test_an_endpoint_that_no_patient_has_is_refused_with_those_that_there_are(made, tmp_path):
    study = asking(made, tmp_path / "wrong", 'label = "survival"', 'endpoint = "DFS"')
    assert run_quick("plan", "signature_labels", cwd=study.root).stdout
    from tshdb.database import writing

    with writing(study.engine) as connection:
        connection.exec_driver_sql("DELETE FROM follow_ups WHERE endpoint = 'DFS'")
    refused = run_quick("plan", "signature_labels", cwd=study.root, code=7).stderr
    assert "[signature] endpoint: found 'DFS': no patient has this value of follow_ups.endpoint" in refused
    assert "Values, with patients: OS (" in refused and "RFS (" in refused
    study.engine.dispose()


def test_a_class_with_nobody_in_the_cohort_is_said(made, tmp_path):
    """NACT alone has patients of these fields: of the development cohort nobody has a label."""
    study = asking(made, tmp_path / "empty", 'label = "clinical_values.HER2 Positive"', 'positive = ["1"]')
    assert not rebuild(study, RebuildOptions(("signature_model",))).report.failed
    reason = study.sql("SELECT reason FROM signature_models")["reason"][0]
    assert reason.startswith(
        "0 HER2 Positive 1 and 0 not HER2 Positive 1 with features: fewer than 4 of one kind (no label: "
    )
    assert "36 HER2 Positive is not known" in reason
    study.engine.dispose()


def test_the_threshold_of_the_scores_is_not_that_of_the_labels(made, tmp_path):
    study = copy_study(Study(made.root), tmp_path / "threshold")
    settings = study.root / "study.toml"
    text = changed(
        settings.read_text(),
        ("threshold = 0.5            # a TSH score", "# "),
        ("threshold = 0.5            # a signature", "threshold = 0.9 # "),
    )
    settings.write_text(text)
    rebuild(Study(study.root), RebuildOptions(("signature_labels",)))
    assert set(Study(study.root).sql("SELECT threshold FROM signature_labels")["threshold"]) == {0.5}
