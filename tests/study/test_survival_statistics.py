"""Quantiles, residuals and competing events of a study: their rows, the figure, and what is said where there is nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analyses.shared.competing_events import NOTHING_COMPETES
from analyses.shared.competing_risks import gray_test
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions import checking
from tshdb.optimism import note_labels
from tshdb.study import Study

KEY = f"{tiny.COHORT}@1"
NAMES = ["logrank_tests", "tsh_cox", "survival_quantiles", "ph_residuals", "cumulative_incidences", "gray_tests"]


@pytest.fixture
def computed(core):
    report = tiny.rebuild(core, names=NAMES)
    assert not report.failed
    return core


def test_quantiles_have_a_row_each_and_the_medians_are_those_of_the_test(computed):
    rows = computed.sql(f"SELECT * FROM survival_quantiles WHERE cohort = '{KEY}' AND grouping = 'tsh_ratio'")
    assert sorted(zip(rows["prognosis"], rows["percent"], strict=True)) == [
        (group, percent) for group in ("good", "poor") for percent in (25, 50, 75)
    ]
    test = computed.sql(f"SELECT * FROM logrank_tests WHERE cohort = '{KEY}' AND grouping = 'tsh_ratio'").iloc[0]
    by_place = rows.set_index(["prognosis", "percent"])
    for group in ("good", "poor"):
        middle = by_place.loc[(group, 50)]
        assert middle["n"] == test[f"n_{group}"] and middle["n_events"] == test[f"n_{group}_events"]
        if "ends level" not in (middle["reason"] or ""):
            assert middle["days"] == pytest.approx(test[f"median_{group}_days"], nan_ok=True)
        assert middle["is_reached"] or middle["reason"].startswith("not reached: survival is")
        days = by_place.loc[group, "days"].dropna()
        assert days.is_monotonic_increasing
    assert rows["is_optimistic"].isna().all() and note_labels(computed)
    labels = computed.sql(f"SELECT is_optimistic, is_in_sample FROM survival_quantiles WHERE cohort = '{KEY}'")
    assert labels["is_in_sample"].all() and not labels["is_optimistic"].any()


def test_residuals_are_of_the_models_of_the_table(computed):
    rows = computed.sql(f"SELECT * FROM schoenfeld_residuals WHERE cohort = '{KEY}'")
    terms = computed.sql(f"SELECT * FROM cox_terms WHERE cohort = '{KEY}' AND model IN ('group', 'continuous')")
    assert len(terms) == 2 and terms["coefficient"].notna().any()
    for term in terms.itertuples():
        mine = rows[(rows["model"] == term.model) & (rows["term"] == term.term)]
        if np.isnan(term.coefficient):
            assert mine["position"].tolist() == [0] and mine["reason"].tolist() == [term.reason]
            continue
        assert mine["position"].tolist() == list(range(1, term.n_events + 1)) and (mine["n"] == term.n).all()
        assert mine["coefficient"].to_numpy() == pytest.approx(term.coefficient, rel=1e-9)
        assert mine["value"].mean() == pytest.approx(term.coefficient, rel=1e-6), "they scatter about it"
        assert mine["ph_p_value"].to_numpy() == pytest.approx(term.ph_p_value, rel=1e-9, nan_ok=True)
        assert mine["km_time"].is_monotonic_increasing and mine["km_time"].iloc[0] == 0


def test_the_figure_shows_every_term_with_its_p_or_its_reason(computed):
    said = run_quick("figure", "ph", "--out", "ph.svg", cwd=computed.root).stdout
    drawn = (computed.root / "ph.svg").read_text()
    rows = computed.sql(
        f"SELECT DISTINCT model, term, ph_p_value, reason, position = 0 AS no FROM schoenfeld_residuals WHERE cohort = '{KEY}'"
    )
    for row in rows.itertuples():
        assert f"OS, {row.model}: {row.term}"[:30] in drawn
        if row.no:
            assert row.reason.split()[0] in drawn
        elif not np.isnan(row.ph_p_value):
            assert f"p = {row.ph_p_value:.2g}" in drawn
    assert "level where hazards are proportional" in " ".join(said.split())


def test_nothing_competes_with_a_death(computed):
    rows = computed.sql(f"SELECT * FROM gray_tests WHERE cohort = '{KEY}' ORDER BY cause")
    assert rows["cause"].tolist() == ["death", "disease"] and (rows["reason"] == NOTHING_COMPETES).all()
    assert rows["p_value"].isna().all() and not len(computed.sql("SELECT * FROM cumulative_incidences"))
    assert not {b.rule.name for b in checking.check(computed).broken} & {"unit.rows", "result.label"}


def test_a_figure_without_rows_names_the_command(core):
    said = run_quick("figure", "ph", cwd=core.root, code=None)
    assert "no residuals of Cox models of the TSH biomarker" in said.stderr and "tshdb rebuild" in said.stderr


MAP = """
[patient_id]
column = "ID"

[follow_ups.RFS]
time_origin = "diagnosis"
event = { column = "rfs", codes = { "1" = true, "0" = false } }
duration = { column = "days", unit = "days" }
"""


def test_recurrences_are_told_from_deaths_where_a_study_has_both(core, tmp_path):
    """Of the patients every other one who dies recurs at half the time; the others die without a recurrence."""
    known = core.sql("SELECT * FROM follow_ups WHERE endpoint = 'OS' AND duration_days IS NOT NULL ORDER BY patient_id")
    recurs = known["event"].astype(bool) & (np.arange(len(known)) % 2 == 0)
    days = np.where(recurs, known["duration_days"] // 2, known["duration_days"])
    lines = [
        f"{p},{int(e)},{d:g}" for p, e, d in zip(known["patient_id"], known["event"].astype(bool), days, strict=True)
    ]
    (tmp_path / "rfs.csv").write_text("\n".join(["ID,rfs,days", *lines]) + "\n")
    (tmp_path / "rfs.toml").write_text(MAP)
    run_quick(
        "ingest",
        "clinical",
        tmp_path / "rfs.csv",
        "--collection",
        "tcga-tn",
        "--map",
        tmp_path / "rfs.toml",
        cwd=core.root,
    )
    settings = core.root / "study.toml"
    text = re.sub(r"(?ms)^\[logrank_tests\]\n.*?(?=^\[|\Z)", "", settings.read_text())
    settings.write_text(f'{text}\n[logrank_tests]\ncohorts = ["{tiny.COHORT}"]\nendpoint = "RFS"\nmin_events = 1\n')
    study = Study(core.root)
    assert not tiny.rebuild(study, names=["cumulative_incidences", "gray_tests"]).failed
    groups = study.sql("SELECT patient_id, prognosis FROM survival_groups WHERE prognosis IS NOT NULL").set_index(
        "patient_id"
    )
    members = set(study.sql(f"SELECT patient_id FROM cohort_members WHERE cohort = '{tiny.COHORT}'")["patient_id"])
    mine = known["patient_id"].isin(members & set(groups.index)).to_numpy()
    first = np.where(recurs, 1, np.where(known["event"].astype(bool), 2, 0))[mine]
    prognosis = groups["prognosis"].loc[known["patient_id"][mine]].to_numpy(str)
    rows = study.sql(f"SELECT * FROM gray_tests WHERE cohort = '{KEY}' AND grouping = 'tsh_ratio'").set_index("cause")
    for cause, kind in (("disease", 1), ("death", 2)):
        for group in ("good", "poor"):
            assert rows.loc[cause, f"n_{group}_events"] == ((prognosis == group) & (first == kind)).sum()
        by_cause = np.where(first == kind, 1, np.where(first == 0, 0, 2))
        found = gray_test(days[mine].astype(float), by_cause, prognosis)
        assert rows.loc[cause, "n_left_out"] == 0
        if rows.loc[cause, "reason"] is None:
            assert rows.loc[cause, "p_value"] == pytest.approx(found.p_value, rel=1e-9)
    assert rows["p_value"].notna().any()
    curves = study.sql(f"SELECT * FROM cumulative_incidences WHERE cohort = '{KEY}' AND grouping = 'tsh_ratio'")
    last = curves.sort_values("time_days").groupby(["prognosis", "cause"]).last()
    for group in ("good", "poor"):
        assert last.loc[group, "incidence"].sum() <= 1 + 1e-9 and (last.loc[group, "incidence"] >= 0).all()
        assert curves[curves["prognosis"] == group]["n_at_risk"].max() == (prognosis == group).sum()
    study.engine.dispose()
