"""Rows of calibration_groups: each patient's survival foretold by models that have not seen her, beside what is seen.

`survival_at` and `kaplan_meier` are held against R elsewhere (test_cox.py, test_curves.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.shared.cox import survival_at
from analyses.shared.curves import kaplan_meier
from analyses.signature.calibration_groups import CalibrationParameters, calibration_groups

NOBODY = pd.DataFrame({"patient_id": [], "cohort": []}, dtype=str)
FOLDS = 10  # "tenfold"
AT = CalibrationParameters().calibration_days


def study(n: int = 60, last: float = 3_000.0, shift: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """scores and follow-ups of patients: the higher the score the later the death, with chance; none is seen after `last`."""
    random = np.random.default_rng(8)
    names, score = [f"P{i:02d}" for i in range(n)], np.round(random.random(n), 3)
    times = np.ceil(random.exponential(1_500 * np.exp(score + shift)))
    scores = pd.DataFrame(
        {"examination": names, "patient_id": names, "status": "scored", "score": score, "prognosis": "good"}
    )
    follow_ups = pd.DataFrame(
        {"patient_id": names, "endpoint": "OS", "event": times < last, "duration_days": np.minimum(times, last),
         "time_origin": "diagnosis"}
    )  # fmt: skip
    return scores, follow_ups


def rows_of(scores: pd.DataFrame, follow_ups: pd.DataFrame, seed: int = 4, **options) -> list[dict]:
    return calibration_groups(scores, follow_ups, NOBODY, CalibrationParameters(**options), seed).to_dict("records")


def test_each_part_is_foretold_by_models_of_the_other_folds():
    scores, follow_ups = study()
    data = follow_ups.assign(value=scores["score"]).sort_values(["value", "duration_days", "event"], ignore_index=True)
    fold_of = np.random.default_rng(4).permutation(np.arange(len(data)) % FOLDS)
    foretold = np.full(len(data), np.nan)
    for fold in range(FOLDS):
        out = fold_of == fold
        foretold[out] = survival_at(data[~out], data[out], "value", AT)
    rows = rows_of(scores, follow_ups)
    assert [row["part"] for row in rows] == [1, 2, 3] and [row["n"] for row in rows] == [20, 20, 20]
    for row, part in zip(rows, np.split(np.arange(60), 3), strict=True):
        mine = data.iloc[part]
        assert row["foretold"] == pytest.approx(foretold[part].mean(), abs=1e-12)
        assert row["mean_score"] == pytest.approx(mine["value"].mean())
        curve = kaplan_meier(mine["duration_days"].to_numpy(), mine["event"].to_numpy(bool))
        last = curve[curve["time_days"] <= AT].iloc[-1]
        assert (row["seen"], row["ci_lower"], row["ci_upper"]) == (last["survival"], last["ci_lower"], last["ci_upper"])
        assert row["n_events"] == (mine["event"] & (mine["duration_days"] <= AT)).sum() and row["reason"] is None
    whole = survival_at(data, data, "value", AT)
    assert abs(rows[0]["foretold"] - whole[:20].mean()) > 1e-6, "not by a model of all"


def test_events_at_the_day_count_and_a_part_that_nobody_follows_says_so():
    scores, follow_ups = study()
    order = scores["score"].rank(method="first").to_numpy()
    early, late = order <= 20, order > 40
    follow_ups.loc[early, ["duration_days", "event"]] = [AT, True]
    follow_ups.loc[late, "duration_days"] = follow_ups.loc[late, "duration_days"].clip(upper=AT - 1)
    follow_ups.loc[late, "event"] = follow_ups.loc[late, "duration_days"] < AT - 1
    first, _, third = rows_of(scores, follow_ups)
    assert (first["n_events"], first["seen"]) == (20, 0.0) and first["reason"] is None
    assert third["seen"] is None or np.isnan(third["seen"])
    assert third["reason"] == "nobody of this part was observed so long" and third["foretold"] is not None
    follow_ups.loc[late, "event"] = True  # all of them are dead by then: 0 is seen, though nobody is there on the day
    assert rows_of(scores, follow_ups)[2]["seen"] == 0.0


def test_too_few_events_or_days_are_refused():
    scores, follow_ups = study()
    n_events = int(follow_ups["event"].sum())
    assert len(rows_of(scores, follow_ups, min_events=n_events)) == 3
    (row,) = rows_of(scores, follow_ups, min_events=n_events + 1)
    assert row["reason"] == f"{n_events} events: too few for 3 parts" and (row["part"], row["n"]) == (1, 60)
    rare = follow_ups.assign(event=np.arange(60) < 6)
    assert len(rows_of(scores, rare, min_events=1)) == 3, "two a part"
    (few,) = rows_of(scores, follow_ups.assign(event=np.arange(60) < 5), min_events=1)
    assert few["reason"] == "5 events: too few for 3 parts"
    on_the_day = follow_ups.assign(duration_days=follow_ups["duration_days"].clip(upper=AT))
    assert len(rows_of(scores, on_the_day)) == 3
    (short,) = rows_of(scores, follow_ups.assign(duration_days=follow_ups["duration_days"].clip(upper=AT - 1)))
    assert short["reason"] == f"nobody was observed for {AT:.0f} days"
