"""When a printed number holds: cases by hand, at the edges too."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.program import ROOT
from tshdb.tables.judged import Verdict, by_interval, by_p

HOLDS, SAME, MOVED, CANNOT = Verdict.HOLDS, Verdict.SAME_DIRECTION, Verdict.MOVED, Verdict.CANNOT


@pytest.mark.parametrize(
    ("printed", "here", "verdict"),
    [
        ("< 0.0001", 0.00009, HOLDS),
        ("< 0.0001", 0.0001, SAME),
        ("< 0.0001", 0.0044, SAME),  # not "holds": the claim is less than a ten-thousandth
        ("< 0.0001", 0.0500, MOVED),
        ("< 0.05", 0.0499, HOLDS),
        ("< 0.05", 0.05, MOVED),
        ("7.755e-16", 1.5e-5, SAME),  # ten orders of magnitude apart
        ("7.755e-16", 7.0e-15, HOLDS),
        ("0.01", 0.0172, HOLDS),
        ("0.01", 0.0009, SAME),
        ("0.455", 0.0003, MOVED),
        ("0.066", 0.0340, MOVED),
        ("0.415", 0.1091, HOLDS),
        ("p = 0.003", 0.004, HOLDS),
    ],
)
def test_a_p_value_is_judged_by_the_claim_as_printed(printed, here, verdict):
    assert by_p(printed, here)[0] is verdict


@pytest.mark.parametrize(
    ("printed", "interval", "neutral", "is_ratio", "verdict"),
    [
        (0.38, (0.0516, 0.594), 1, True, HOLDS),
        (0.42, (0.0211, 0.411), 1, True, SAME),  # smaller, on the same side of 1
        (0.94, (0.189, 1.09), 1, True, HOLDS),  # no clear effect, printed and here
        (0.47, (0.0101, 1.86), 1, True, CANNOT),  # 184 times wide, with 1 in it
        (0.10, (0.000616, 0.538), 1, True, SAME),  # 873 times wide, but all of it below 1
        (0.17, (1.2, 3.0), 1, True, MOVED),
        (0.17, (0.8, 1.4), 1, True, MOVED),  # neither the size nor a direction
        (0.17, (None, None), 1, True, CANNOT),
        (0.17, (0.0, 2.0), 1, True, CANNOT),
        (0.962, (0.905, 0.993), 0.5, False, HOLDS),
        (0.893, (0.966, 1.0), 0.5, False, SAME),
        (0.893, (0.333, 0.833), 0.5, False, CANNOT),
        (0.893, (0.2, 0.45), 0.5, False, MOVED),
    ],
)
def test_an_estimate_is_judged_by_this_study_s_interval(printed, interval, neutral, is_ratio, verdict):
    assert by_interval(printed, *interval, neutral, is_ratio)[0] is verdict


def test_what_cannot_be_judged_says_why():
    assert by_interval(0.47, 0.0101, 1.86, 1, True)[1] == "the interval is too wide: 0.0101 to 1.86"
    assert "no interval" in by_interval(0.47, None, None, 1, True)[1]


def test_every_printed_p_can_be_read():
    paper = tomllib.loads((ROOT / "tshdb/presets/fan2023/paper.toml").read_text())
    printed = [claim["printed"] for claim in paper["claims"] if claim.get("criterion") == "p"]
    assert len(printed) > 10 and {by_p(text, 1e-300)[0] for text in printed} <= set(Verdict)
