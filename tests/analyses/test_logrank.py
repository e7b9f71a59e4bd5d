"""The log-rank test, all its cut-offs and their p value by permutation against R's survdiff (tests/data/logrank.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses.shared import survival
from analyses.shared.survival import logrank, logrank_scan, maxstat_p_value

DATA = Path(__file__).parent.parent / "data"
SETS = {name: rows.dropna() for name, rows in pd.read_csv(DATA / "logrank_input.csv").groupby("set")}
R = pd.read_csv(DATA / "logrank_r.csv").set_index(["set", "what"]).sort_index()
ORDERS = pd.read_csv(DATA / "logrank_orders.csv").groupby("set")["order"]
LEAST = 0.1  # of the patients, on both sides of a cut-off


def arrays(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = SETS[name]
    return rows["value"].to_numpy(float), rows["days"].to_numpy(float), rows["event"].to_numpy() == 1


@pytest.mark.parametrize("name", [name for name in SETS if name != "two values"])
def test_the_test_of_two_groups_is_survdiffs(name):
    """Halves by the median; of "two values" the lower one is empty, and survdiff refuses it."""
    values, days, events = arrays(name)
    found = logrank(days, events, values >= np.median(values))
    assert found.chi2 == pytest.approx(R.loc[(name, "chi2"), "value"].item(), rel=1e-9)
    assert found.p_value == pytest.approx(R.loc[(name, "p"), "value"].item(), rel=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_every_cutoff_is_survdiffs(name):
    theirs = R.loc[[(name, "scan")]]
    found = logrank_scan(*arrays(name), LEAST)
    assert found.cutoffs.tolist() == theirs["at"].tolist()
    assert found.chi2 == pytest.approx(theirs["value"].to_numpy(), rel=1e-9, nan_ok=True)
    assert found.n_low.tolist() == [(arrays(name)[0] < at).sum() for at in theirs["at"]]


@pytest.mark.parametrize("name", SETS)
def test_the_p_value_of_the_best_cutoff_is_that_of_rs_permutations(name, monkeypatch):
    """In blocks of 20, as many as R drew: a block more or a patient's outcome elsewhere is another p value."""
    drawn = np.array([[int(place) for place in order.split()] for order in ORDERS.get_group(name)])
    values, days, events = arrays(name)

    class Drawn:
        given = 0

        def permuted(self, patients: np.ndarray, axis: int) -> np.ndarray:
            assert axis == 1 and (patients == np.arange(len(values))).all()
            self.given += len(patients)
            return drawn[self.given - len(patients) : self.given]

    generator = Drawn()
    monkeypatch.setattr(survival, "BATCH", 20)
    monkeypatch.setattr(survival.np.random, "default_rng", lambda seed: generator)
    theirs = R.loc[(name, "p_permutation")]
    n = int(theirs["at"].item())
    found = maxstat_p_value(values, days, events, LEAST, n, 1)
    assert generator.given == n == len(drawn)
    assert found == pytest.approx(theirs["value"].item(), abs=1e-12)
