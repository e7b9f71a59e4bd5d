"""Simulated patients with covariates that are missing at random, for tests and trials of multiple imputation."""

from __future__ import annotations

import numpy as np
import pandas as pd

COVARIATES = ("age_years", "er_status", "t_stage")
NAMES = {"age": "age_years", "er": "er_status", "stage": "t_stage"}
TRUTH = {"score": 0.5, "age_years": 0.03, "er_status": -0.7, "t_stage": 0.2}  # log hazard ratios


def simulated_patients(
    n: int, seed: int | list[int], er_effect: float = TRUTH["er_status"], missing: float = 0.3
) -> pd.DataFrame:
    """patient_id, event, duration_days, score and COVARIATES; who lacks a covariate depends on the score and the event.

    missing: about what share of the ER is not known, of the others half of that.
    """
    random = np.random.default_rng(seed)
    age = random.normal(60, 10, n)
    er = (random.random(n) < 1 / (1 + np.exp(-(age - 55) / 12))).astype(float)
    stage = 1.0 + np.digitize(0.05 * (age - 60) + random.logistic(size=n), [-1.0, 0.5, 1.8])
    score = 0.4 * er + random.normal(size=n)
    log_hazard = (
        TRUTH["score"] * score + er_effect * er + TRUTH["age_years"] * (age - 60) + TRUTH["t_stage"] * (stage - 2)
    )
    death, end = random.exponential(1500 / np.exp(log_hazard)), random.uniform(200, 3650, n)
    data = pd.DataFrame(
        {
            "patient_id": [f"P{i:04d}" for i in range(n)], "event": death <= end,
            "duration_days": np.ceil(np.minimum(death, end)), "score": score, "age_years": age, "er_status": er,
            "t_stage": stage,
        }
    )  # fmt: skip
    for covariate, share in zip(COVARIATES, (missing / 2, missing, missing / 2), strict=True):
        low = np.log(share / (1 - share)) - 0.3
        chance = 1 / (1 + np.exp(-(low + 0.5 * score + 0.4 * data["event"])))
        data.loc[random.random(n) < chance, covariate] = np.nan
    return data
