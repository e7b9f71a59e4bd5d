"""How well a score tells two classes apart: discrimination, the confusion at a threshold, calibration; and the ROC curve.

Intervals are of the bootstrap over patients; the AUC's is of DeLong besides (`delong`). Calibration: `calibration`. Brier 1950.
"""

from __future__ import annotations

import numpy as np

from analyses.shared import delong
from analyses.shared.calibration import calibration_line
from analyses.tsh_model.tsh_modelling import auc

INTERVALS = ("ci_lower", "ci_upper", "delong_lower", "delong_upper")


def measures(is_good: np.ndarray, scores: np.ndarray, threshold: float, n_bootstrap: int, seed: int) -> list[dict]:
    """Each measure with its 95 % interval over patients, or why it has none. scores: (patients,) probabilities of good."""
    observed = _all(is_good, scores, threshold)
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in observed}
    for _ in range(n_bootstrap):
        sample = generator.integers(0, len(scores), len(scores))
        if 0 < is_good[sample].sum() < len(sample):
            for name, value in _all(is_good[sample], scores[sample], threshold).items():
                drawn[name].append(value)
    rows = []
    for name, value in observed.items():
        bootstrap = np.quantile(drawn[name], [0.025, 0.975]) if drawn[name] else (None, None)
        rows.append(_row(name, value) | {"ci_lower": bootstrap[0], "ci_upper": bootstrap[1]})
    of_delong = delong.interval(is_good, scores)
    rows[0] |= {"delong_lower": of_delong.lower, "delong_upper": of_delong.upper, "reason": of_delong.reason}
    line = calibration_line(is_good, scores)
    rows.append(_row("calibration_slope", line.slope) | {"reason": line.reason})
    rows.append(_row("calibration_intercept", line.intercept) | {"reason": line.reason})
    return rows


def _row(measure: str, value: float | None) -> dict:
    return {"measure": measure, "value": value} | dict.fromkeys(INTERVALS) | {"reason": None}


def _all(is_good: np.ndarray, scores: np.ndarray, threshold: float) -> dict[str, float]:
    """Measures that a resample has, too; the AUC first."""
    called = scores >= threshold
    sensitivity, specificity = float(called[is_good].mean()), float((~called[~is_good]).mean())
    return {
        "auc": auc(is_good, scores),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "brier": float(np.mean((scores - is_good) ** 2)),
    }


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
