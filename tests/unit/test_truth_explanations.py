"""What would explain a truth that disagrees: each planted error is told, and none is told where nothing was planted."""

from __future__ import annotations

import numpy as np
import pytest

from tshdb.truths.declared import Side, Truth
from tshdb.truths.explanations import exchanges, explanations, opposite
from tshdb.truths.verdicts import Pairs, State, figure_of, state_of

SIDE = Side(table="t", column="c")
SAME = Truth(relation="same", at_least=0.8, derived=SIDE, measured=SIDE)
RANK = Truth(relation="rank", at_least=0.4, derived=SIDE, measured=SIDE)


def sample(seed: int, n: int = 60, noise: float = 0.1, tails: int = 0) -> Pairs:
    """Measured log-normal, derived with an error in proportion. tails: degrees of freedom of the error, 0: normal."""
    random = np.random.default_rng(seed)
    measured = random.lognormal(2, 0.7, n)
    error = random.standard_t(tails, n) if tails else random.normal(size=n)
    return Pairs(tuple(f"P-{i:03d}" for i in range(n)), measured * np.exp(noise * error), measured)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x * 1000, "derived is 1,000 times as large: mm3 for ml"),
        (lambda x: x / 10, "measured is 10 times as large: mm for cm"),
        (lambda x: x * 30.4375, "derived is 30.4375 times as large: days for months"),
        (np.log, "derived is the ln of measured"),
        (np.log10, "derived is the log10 of measured"),
        (np.exp2, "measured is the log2 of derived"),
        (lambda x: -x, "wrong sign"),
    ],
)
def test_a_wrong_unit_is_told(change, words):
    pairs = sample(1)
    found = explanations(SAME, pairs._replace(derived=change(pairs.derived)))
    assert any(words in told for told in found), found


def test_a_logarithm_of_another_base_is_told():
    """Both sides are logarithms: ln and log2."""
    pairs = sample(2)
    mixed = pairs._replace(derived=np.log(pairs.derived), measured=np.log2(pairs.measured))
    assert any("derived is ln, measured log2" in told for told in explanations(SAME, mixed))


@pytest.mark.parametrize("truth", [SAME, RANK], ids=["same", "rank"])
def test_noise_is_not_explained(truth):
    """Of 300 samples of two sides that have nothing to do with each other none is explained, and none is green."""
    for seed in range(300):
        random = np.random.default_rng(1_000 + seed)
        pairs = sample(seed, n=40)._replace(derived=random.lognormal(2, 0.7, 40))
        assert state_of(truth, figure_of(truth, pairs))[0] is not State.AGREES
        assert explanations(truth, pairs) == [] == exchanges(truth, pairs), seed


@pytest.mark.parametrize("tails", [0, 3, 2])
def test_nobody_is_exchanged_where_nobody_was(tails):
    """Also where errors have heavy tails (with two degrees of freedom, no variance): 100 samples each of 100 and of 300."""
    alarms = [(n, seed) for n in (100, 300) for seed in range(100) if exchanges(SAME, sample(seed, n=n, tails=tails))]
    assert len(alarms) <= (0 if tails != 2 else 2), alarms


def test_two_who_were_exchanged_are_found_among_others():
    found = 0
    for seed in range(100):
        pairs = sample(seed)
        order = np.argsort(pairs.measured)
        i, j = order[5], order[-6]  # more than six spreads apart
        swap = np.arange(60)
        swap[[i, j]] = j, i
        (exchange,) = exchanges(SAME, pairs.exchanged(swap)) or [None]
        found += exchange == tuple(sorted((pairs.keys[i], pairs.keys[j])))
    assert found >= 95


def test_the_other_breast_is_named_where_it_is_there():
    columns = ["left_ml", "right_ml"]
    assert opposite(Side(table="t", column="left_ml"), columns).column == "right_ml"
    assert opposite(Side(table="t", column="left_ml"), ["left_ml"]) is None
    assert opposite(Side(table="t", column="c", where={"side": "right"}), ["c"]).where == {"side": "left"}
    assert opposite(Side(table="t", column="c", where={"side": "both"}), ["c"]) is None
