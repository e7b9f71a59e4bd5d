"""Parts of a calibration are made of scores, never of names; what is foretold does not hang on them either."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyses.signature.calibration_groups import CalibrationParameters, calibration_groups, parts_of

NOBODY = pd.DataFrame({"patient_id": [], "cohort": []}, dtype=str)


@pytest.mark.parametrize(
    ("counts", "n_parts", "expected"),
    [
        ((9, 17, 14), 3, [9, 17, 14]),
        ((10, 10, 10, 10), 2, [20, 20]),
        ((1, 1, 38), 3, [1, 1, 38]),
        ((38, 1, 1), 3, [38, 1, 1]),
        ((5, 6, 1), 2, [5, 7]),
        ((20, 20), 3, None),
    ],
)
def test_cuts_lie_between_scores_as_near_to_equal_numbers_as_they_can(counts, n_parts, expected):
    """By hand. 9, 17 and 14 patients of one score each: array_split would have made 14, 13 and 13 of them."""
    values = np.repeat(np.arange(len(counts)) / 2, counts)
    mixed = np.random.default_rng(1).permutation(values)
    parts = parts_of(mixed, n_parts)
    assert (None if parts is None else [len(p) for p in parts]) == expected
    if parts is not None:
        assert all(mixed[a].max() < mixed[b].min() for a, b in zip(parts, parts[1:], strict=False))


def _study(names: list[str], score: np.ndarray, times: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    scores = pd.DataFrame(
        {"examination": names, "patient_id": names, "status": "scored", "score": score, "prognosis": "good"}
    )
    follow_ups = pd.DataFrame(
        {"patient_id": names, "endpoint": "OS", "event": times < 3_000, "duration_days": np.minimum(times, 3_000),
         "time_origin": "diagnosis"}
    )  # fmt: skip
    return scores, follow_ups


def test_other_names_give_the_same_rows():
    random = np.random.default_rng(3)
    score = random.integers(0, 5, 80) / 4
    times = np.ceil(random.exponential(1_500 * np.exp(score)) / 90) * 90
    rows = []
    for names in (np.arange(80), random.permutation(80), np.arange(80)[::-1]):
        scores, follow_ups = _study([f"P{n:03}" for n in names], score, times)
        rows.append(calibration_groups(scores, follow_ups, NOBODY, CalibrationParameters(), 1))
    assert rows[0]["foretold"].notna().all() and len(rows[0]) == 3
    assert rows[0].equals(rows[1]) and rows[0].equals(rows[2])


def test_too_few_scores_and_scores_that_separate_have_a_reason():
    n = 40
    scores, follow_ups = _study([f"P{n:03}" for n in range(n)], np.repeat([0.0, 1.0], n // 2), np.arange(n) * 90.0 + 90)
    (row,) = calibration_groups(scores, follow_ups, NOBODY, CalibrationParameters(), 1).to_dict("records")
    assert row["reason"] == "2 different scores: too few for 3 parts"
    scores["score"] = np.arange(n) / n  # the lower the score, the earlier the death, without exception
    rows = calibration_groups(scores, follow_ups, NOBODY, CalibrationParameters(), 1)
    assert len(rows) == 3 and rows["foretold"].isna().all() and rows["seen"].notna().all()
    assert rows["reason"].str.contains("without a tenth of the patients the score has no estimate").all()
