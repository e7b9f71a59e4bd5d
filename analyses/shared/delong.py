"""The interval of an area under the ROC curve by the variance of its placements.

DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837; placements from midranks as Sun and Xu 2014, IEEE Signal Process Lett
21:1389. Normal, cut at 0 and 1, as ci.auc of R's pROC.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyses.shared.curves import NORMAL_95


class Interval(NamedTuple):
    """The 95 % interval, or the reason for having none."""

    lower: float | None
    upper: float | None
    reason: str | None


def interval(is_good: np.ndarray, scores: np.ndarray) -> Interval:
    """Of the AUC of scores (patients,) that are higher in good; both classes are there."""
    from scipy.stats import rankdata

    good, poor = scores[is_good], scores[~is_good]
    if min(len(good), len(poor)) < 2:
        return Interval(None, None, f"{len(good)} good and {len(poor)} poor: DeLong's variance needs two of each")
    ranks = rankdata(scores)
    of_good = (ranks[is_good] - rankdata(good)) / len(poor)  # the share of poor patients below each good one
    of_poor = 1 - (ranks[~is_good] - rankdata(poor)) / len(good)
    auc = float(of_good.mean())
    error = float(np.sqrt(of_good.var(ddof=1) / len(good) + of_poor.var(ddof=1) / len(poor)))
    if not error > 0:
        which = {
            1.0: "the scores separate good from poor",
            0.0: "the scores separate good from poor, the wrong way round",
        }
        why = which.get(auc, "every patient has the same score")
        return Interval(None, None, f"{why}: DeLong's variance is 0, and the bootstrap's interval says nothing")
    return Interval(max(0.0, auc - NORMAL_95 * error), min(1.0, auc + NORMAL_95 * error), None)
