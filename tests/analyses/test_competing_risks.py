"""Cumulative incidence and Gray's test against R's cmprsk (tests/data/competing_risks.R), and which event comes first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared.competing_events import NOTHING_COMPETES, first_events, gray_rows, incidence_rows
from analyses.shared.competing_risks import CENSORED, COMPETING, EVENT, cumulative_incidence, gray_test
from analyses.shared.curves import NORMAL_95, kaplan_meier
from tshdb.vocabulary import Endpoint, FirstEvent

DATA = Path(__file__).parent.parent / "data"
INPUT = pd.read_csv(DATA / "competing_risks_input.csv").dropna()
R = pd.read_csv(DATA / "competing_risks_r.csv").set_index(["set", "cause", "group", "what"]).sort_index()
CURVES = [key[:3] for key in R.index.unique() if key[3] == "incidence"]
TESTS = [key[:2] for key in R.index.unique() if key[3] == "gray"]


def arrays(name: str, of: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """days, causes and groups of a set, where `of` is the event and what else happens competes."""
    mine = INPUT[INPUT["set"] == name]
    cause = mine["cause"].to_numpy()
    causes = np.where(cause == 0, CENSORED, np.where(cause == of, EVENT, COMPETING))
    return mine["days"].to_numpy(float), causes, mine["group"].to_numpy(str)


@pytest.mark.parametrize("name, cause, group", CURVES)
def test_incidences_are_those_of_cmprsk(name, cause, group):
    days, causes, groups = arrays(name, int(cause))
    curve = cumulative_incidence(days[groups == group], causes[groups == group]).set_index("time_days")
    for what, column in (("incidence", "incidence"), ("var", "variance")):
        theirs = R.loc[[(name, cause, group, what)]]
        place = np.searchsorted(curve.index.to_numpy(), theirs["at"].to_numpy(), side="right") - 1
        ours = curve[column].to_numpy()[place]
        assert ours == pytest.approx(theirs["value"].to_numpy(), rel=1e-9, abs=1e-12), what


@pytest.mark.parametrize("name, cause", TESTS)
def test_grays_test_is_that_of_cmprsk(name, cause):
    found = gray_test(*arrays(name, int(cause)))
    theirs = {what: R.loc[(name, cause, "all", what), "value"].item() for what in ("gray", "degrees", "p")}
    assert found.chi2 == pytest.approx(theirs["gray"], rel=1e-9, abs=1e-12) and found.degrees == theirs["degrees"]
    assert found.p_value == pytest.approx(theirs["p"], rel=1e-8)


def test_the_cases_of_cmprsk_are_there():
    """Ties of both kinds, day 0, three groups, nothing that competes, and a group without the event."""
    of = INPUT.groupby("set")
    assert (of["days"].nunique() < of.size() / 3)[["ties", "zeros"]].all() and of["days"].min()["zeros"] == 0
    assert of["group"].nunique()["three groups"] == 3 and set(INPUT[INPUT["set"] == "none competes"]["cause"]) == {0, 1}
    lone = INPUT[INPUT["set"] == "one without the event"]
    assert not (lone[lone["group"] == "b"]["cause"] == 1).any() and ("one without the event", 1) in [
        (name, int(cause)) for name, cause in TESTS
    ]


def test_without_competing_events_it_is_one_less_kaplan_meier():
    days, causes, groups = arrays("none competes", 1)
    for group in "ab":
        mine = groups == group
        curve, km = cumulative_incidence(days[mine], causes[mine]), kaplan_meier(days[mine], causes[mine] == EVENT)
        assert curve["incidence"].to_numpy() == pytest.approx(1 - km["survival"].to_numpy(), abs=1e-12)


def test_incidences_by_hand():
    """Of four the first has the event, one dies, one is censored, the last has the event: 1/4, 1/4, 1/4, 1/4 + 1/2."""
    curve = cumulative_incidence(np.array([1.0, 2, 3, 4]), np.array([EVENT, COMPETING, CENSORED, EVENT]))
    assert curve["incidence"].tolist() == [0, 0.25, 0.25, 0.25, 0.75]
    other = cumulative_incidence(np.array([1.0, 2, 3, 4]), np.array([COMPETING, EVENT, CENSORED, COMPETING]))
    assert (curve["incidence"] + other["incidence"]).iloc[-1] == 1, "nobody is left"
    inside = curve.iloc[1]
    half = NORMAL_95 * np.sqrt(inside["variance"]) / (0.25 * np.log(4))
    limits = [0.25 ** np.exp(half), 0.25 ** np.exp(-half)]
    assert [inside["ci_lower"], inside["ci_upper"]] == pytest.approx(limits) and np.isnan(curve["ci_lower"].iloc[0])


def test_without_a_variance_there_is_no_test():
    groups = np.array(["a", "a", "b", "b"])
    assert np.isnan(gray_test(np.full(4, 5.0), np.full(4, CENSORED), groups).chi2)
    alone = gray_test(np.array([1.0, 2, 3, 4]), np.array([CENSORED, CENSORED, EVENT, EVENT]), groups)
    assert np.isnan(alone.chi2) and alone.degrees == 1


PATIENTS = [  # RFS event, day; OS event, day; what came first
    ("a", True, 100, False, 900, "disease"), ("b", True, 300, True, 300, "death"), ("c", False, 500, True, 500.6, "death"),
    ("d", False, 800, False, 800, "censored"), ("e", True, 200, True, 700, "disease"), ("f", True, 400, None, None, "no OS"),
    ("g", False, 600, True, 90, "dead before the day on which RFS ends"), ("h", False, 250, True, 700, "censored"),
]  # fmt: skip


def follow_ups(os_origin: str = "diagnosis") -> pd.DataFrame:
    rows = []
    for name, event, day, dead, os_day, _ in PATIENTS:
        rows.append((name, Endpoint.RFS, event, float(day), "diagnosis"))
        if dead is not None:
            rows.append((name, Endpoint.OS, dead, float(os_day), os_origin))
    return pd.DataFrame(rows, columns=["patient_id", "endpoint", "event", "duration_days", "time_origin"])


def people() -> pd.DataFrame:
    ids = [row[0] for row in PATIENTS]
    return pd.DataFrame({"patient_id": ids, "prognosis": ["good", "poor"] * 4, "time_origin": "diagnosis"})


def test_which_event_came_first_is_found_from_overall_survival():
    found = first_events(people(), follow_ups(), Endpoint.RFS, None)
    words = {0: "censored", 1: "disease", 2: "death"}
    told = {row[0]: row[5] for row in PATIENTS}
    kept = dict(zip(found.data["patient_id"], found.data["first"].map(words), strict=True))
    assert kept == {name: said for name, said in told.items() if said in words.values()}
    assert found.left_out == {"no OS": 1, "dead before the day on which RFS ends": 1}
    early = first_events(people(), follow_ups(), Endpoint.RFS, 350.0).data.set_index("patient_id")
    assert (
        early.loc["c", "first"] == CENSORED and early.loc["c", "duration_days"] == 350 and early.loc["b", "first"] == 2
    )


def test_rows_of_tests_count_both_kinds_and_say_what_is_missing():
    given = ("signature", people(), follow_ups(), Endpoint.RFS, None)
    disease, death = gray_rows(*given, 1, None)
    assert (disease["cause"], death["cause"]) == (FirstEvent.DISEASE, FirstEvent.DEATH)
    assert [disease[f"n_{g}{w}"] for g in ("good", "poor") for w in ("", "_events", "_competing")] == [3, 2, 1, 3, 0, 1]
    assert [death[f"n_{g}_events"] for g in ("good", "poor")] == [1, 1] and disease["n_left_out"] == 2
    assert disease["left_out"] == "1: no OS; 1: dead before the day on which RFS ends"
    few = next(iter(gray_rows(*given, 5, None)))
    assert few["reason"] == "2 events, fewer than 5" and "p_value" not in few
    curves = pd.concat(incidence_rows(*given))
    ends = curves.groupby(["prognosis", "cause"])["incidence"].last()
    assert ends["good", "disease"] == pytest.approx(2 / 3) and ends["good", "death"] == pytest.approx(1 / 3), "by hand"


def test_what_cannot_be_told_has_a_reason():
    of_os = list(gray_rows("signature", people(), follow_ups(), Endpoint.OS, None, 1, None))
    assert [row["reason"] for row in of_os] == [NOTHING_COMPETES] * 2
    assert incidence_rows("signature", people(), follow_ups(), Endpoint.OS, None) == []
    apart = list(gray_rows("signature", people(), follow_ups("surgery"), Endpoint.RFS, None, 1, None))
    assert [row["reason"] for row in apart] == ["of no patient it is known which event came first"] * 2
    assert "7: OS and RFS count from different days" in apart[0]["left_out"] and apart[0]["n_left_out"] == 8
    only_rfs = follow_ups()[lambda rows: rows["endpoint"] == Endpoint.RFS]
    assert next(iter(gray_rows("signature", people(), only_rfs, Endpoint.RFS, None, 1, None)))["left_out"] == "8: no OS"
    of_one = people().assign(prognosis="good")
    lone = next(iter(gray_rows("signature", of_one, follow_ups(), Endpoint.RFS, None, 1, None)))
    assert lone["reason"] == "all patients have a good prognosis" and lone["n_poor"] == 0
    assert {
        str(c["prognosis"].iloc[0]) for c in incidence_rows("signature", of_one, follow_ups(), Endpoint.RFS, None)
    } == {"good"}
    refused = next(iter(gray_rows("signature", people(), follow_ups(), Endpoint.RFS, None, 1, "refused: seen")))
    assert refused["reason"] == "refused: seen"
