"""Nobody dies, one patient, one group, one day: where R has no number (tests/data/refusals.R) there is none here either."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.expression.compartment_tests import _compare
from analyses.shared import delong
from analyses.shared.calibration import calibration_line
from analyses.shared.competing_risks import cumulative_incidence, gray_test
from analyses.shared.concordance import concordance, pairs
from analyses.shared.cox import cox
from analyses.shared.curves import kaplan_meier, restricted_mean
from analyses.shared.paired_auc import placements
from analyses.shared.quantiles import quantile
from analyses.shared.survival import logrank, logrank_scan
from analyses.signature.classes import Classes
from analyses.signature.feature_tests import _test

DATA = Path(__file__).parent.parent / "data"
SETS = dict(list(pd.read_csv(DATA / "refusals_input.csv").groupby("set")))
R = pd.read_csv(DATA / "refusals_r.csv", keep_default_na=False)
NOTHING = ("NA", "NaN", "Inf", "-Inf")


class Given:
    """The columns of a set."""

    def __init__(self, rows: pd.DataFrame):
        self.days, self.x = rows["days"].to_numpy(float), rows["x"].to_numpy(float)
        self.died, self.is_a = rows["event"].to_numpy() == 1, (rows["group"] == "a").to_numpy()
        self.groups = rows["group"].to_numpy(str)

    def cox(self, what: str) -> float | None:
        data = pd.DataFrame({"duration_days": self.days, "event": self.died, "x": self.x})
        return cox(data, ["x"], 1)["x"][what]

    def curve(self) -> pd.DataFrame:
        return kaplan_meier(self.days, self.died)

    def concordance(self) -> float | None:
        found = concordance(*pairs(self.x, self.days, self.died))
        return None if found is None else found.index

    def largest(self) -> float | None:
        found = logrank_scan(self.x, self.days, self.died, 0.01).chi2
        return None if np.isnan(found).all() else float(np.nanmax(found))


OURS: dict[str, Callable[[Given], float | None]] = {
    "survdiff": lambda g: logrank(g.days, g.died, g.is_a).chi2,
    "coxph": lambda g: g.cox("coefficient"),
    "cox.zph": lambda g: g.cox("ph_p_value"),
    "concordance": lambda g: g.concordance(),
    "cuminc": lambda g: cumulative_incidence(g.days, g.died.astype(int))["incidence"].iloc[-1],
    "gray": lambda g: gray_test(g.days, g.died.astype(int), g.groups).chi2,
    "median": lambda g: quantile(g.curve(), 0.5).days,
    "median lower": lambda g: quantile(g.curve(), 0.5).lower,
    "median upper": lambda g: quantile(g.curve(), 0.5).upper,
    "rmean": lambda g: restricted_mean(g.curve(), g.days.max()).days,
    "maxstat": lambda g: g.largest(),
    "auc": lambda g: placements(g.is_a, [g.x]).auc,
    "auc lower": lambda g: delong.interval(g.is_a, g.x).lower,
    "glm": lambda g: calibration_line(g.is_a, g.x).slope,
    "wilcox.test, paired": lambda g: _compare(g.x, g.x, 1)["p_value"],
    "wilcox.test": lambda g: _test("x", g.x, g.is_a, Classes())["p_value"],
    "cor.test": lambda g: _compare(g.x, g.days, 3)["correlation"],
}
STRICTER = {  # R has a number, and there is none to have
    ("nobody dies", "survdiff"): "0 / 0 is 0 to it",
    ("nobody dies", "maxstat"): "0 / 0 is 0 to it",
    ("who dies is alone at risk", "survdiff"): "0 / 0 is 0 to it",
    ("who dies is alone at risk", "maxstat"): "0 / 0 is 0 to it",
    ("who dies is alone at risk", "coxph"): "the likelihood is level: a coefficient of 0 with a variance of 0",
    ("separation", "cox.zph"): "of a coefficient that has no end",
    **{
        (name, "gray"): "its -1 says that the covariance is singular"
        for name in ("all on one day", "all on day 0", "who dies is alone at risk")
    },
    **{
        (name, "wilcox.test"): "fewer than three of one kind"
        for name in ("two patients", "who dies is alone at risk", "all on day 0")
    },
}
ANYHOW = {("nobody dies", "cuminc"): 0.0, ("one patient, censored", "cuminc"): 0.0}  # R stops, and the incidence is 0


@pytest.mark.parametrize("theirs", list(R.itertuples()), ids=lambda row: f"{row.what}: {row.set}")
def test_where_r_has_no_number_there_is_none(theirs):
    given = Given(SETS[theirs.set])
    key = (theirs.set, theirs.what)
    try:
        ours = OURS[theirs.what](given)
    except ValueError as refused:
        assert str(refused)
        ours = None
    if ours is not None and math.isnan(ours):
        ours = None
    is_none = theirs.said in NOTHING or theirs.said.startswith("stops:")
    if key in ANYHOW:
        assert is_none and ours == ANYHOW[key]
    elif key in STRICTER:
        assert not is_none and ours is None
    elif is_none:
        assert ours is None
    else:
        assert ours == pytest.approx(float(theirs.said), rel=1e-6, abs=1e-12)
