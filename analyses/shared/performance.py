"""How well a score tells two classes apart: discrimination, the confusion at a threshold, calibration; and the ROC curve.

calibration_slope is 1 and calibration_intercept 0 for a calibrated score (logistic regression of the class on the score's log
odds). Brier 1950.
"""

from __future__ import annotations

import numpy as np

from analyses.tsh_model.tsh_modelling import auc


def measures(is_good: np.ndarray, scores: np.ndarray, threshold: float, n_bootstrap: int, seed: int) -> list[dict]:
    """Each measure with its 95 % bootstrap interval over patients. scores: (patients,) probabilities of good."""

    observed = _all(is_good, scores, threshold)
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in observed}
    for _ in range(n_bootstrap):
        sample = generator.integers(0, len(scores), len(scores))
        if 0 < is_good[sample].sum() < len(sample):
            for name, value in _all(is_good[sample], scores[sample], threshold, calibrate=False).items():
                drawn[name].append(value)
    rows = []
    for name, value in observed.items():
        interval = np.quantile(drawn[name], [0.025, 0.975]) if drawn[name] else (None, None)
        rows.append({"measure": name, "value": value, "ci_lower": interval[0], "ci_upper": interval[1]})
    return rows


def _all(is_good: np.ndarray, scores: np.ndarray, threshold: float, calibrate: bool = True) -> dict[str, float]:

    called = scores >= threshold
    sensitivity, specificity = float(called[is_good].mean()), float((~called[~is_good]).mean())
    by_measure = {
        "auc": auc(is_good, scores),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "brier": float(np.mean((scores - is_good) ** 2)),
    }
    if calibrate:
        from sklearn.linear_model import LogisticRegression

        odds = np.log(np.clip(scores, 1e-9, 1 - 1e-9) / np.clip(1 - scores, 1e-9, 1 - 1e-9))
        line = LogisticRegression(C=1e6, tol=1e-8, max_iter=10_000).fit(odds[:, None], is_good)
        by_measure |= {
            "calibration_slope": float(line.coef_[0, 0]),
            "calibration_intercept": float(line.intercept_[0]),
        }
    return by_measure


def curve(is_good: np.ndarray, scores: np.ndarray) -> list[dict]:
    """Sensitivity and specificity at every threshold, from (0, 1) to (1, 0)."""
    rows = [{"position": 0, "score": None, "sensitivity": 0.0, "specificity": 1.0}]
    for score in sorted(set(scores), reverse=True):
        called = scores >= score
        rows.append(
            {
                "position": len(rows),
                "score": score,
                "sensitivity": float(called[is_good].mean()),
                "specificity": float((~called[~is_good]).mean()),
            }
        )
    return rows
