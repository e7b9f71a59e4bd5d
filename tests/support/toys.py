"""Analyses that exist only to test the engine. They make rows of tables that the paper's analyses make as well."""

from __future__ import annotations

import pandas as pd

from tests.support.tiny import COHORT
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import OutOfFoldScore, RocPoint, TshRatio, TshScore


class ToyParameters(Parameters):
    """[toy_…]"""

    guilty: tuple[str, ...] = ()


@analysis(
    kind="fit",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT)},
    makes=RocPoint,
    params=ToyParameters,
    cohorts=(COHORT,),
    source="a toy",
)
def toy_fit(ratios: pd.DataFrame, params: ToyParameters) -> pd.DataFrame:
    """The mean ratio, as a model."""
    mean = ratios["value"].mean()
    return pd.DataFrame([{"model": "toy", "position": 0, "score": mean, "sensitivity": 0.0, "specificity": 0.0}])


@analysis(
    kind="apply",
    per="patient",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "model": Model(RocPoint)},
    makes=OutOfFoldScore,
    params=ToyParameters,
    source="a toy",
)
def toy_apply(ratios: pd.DataFrame, model: pd.DataFrame, params: ToyParameters) -> pd.DataFrame:
    """The patient's mean ratio less the model's; guilty patients raise."""
    for patient in params.guilty:
        if patient in set(ratios["patient_id"]):
            raise ValueError(f"{patient} is guilty")
    mean = float(model["score"].iloc[0])
    rows = [
        {
            "patient_id": p,
            "cohort": "toy",
            "score": g["value"].mean() - mean,
            "is_good": True,
            "n_repeats": 1,
            "features": "",
        }
        for p, g in ratios.groupby("patient_id")
    ]
    return pd.DataFrame(rows)


@analysis(
    kind="apply",
    per="patient",
    needs={"scores": Need(OutOfFoldScore, SAME_PATIENT)},
    makes=TshScore,
    params=ToyParameters,
    source="a toy",
)
def toy_last(scores: pd.DataFrame, seeds: dict[str, int], params: ToyParameters) -> pd.DataFrame:
    """One row a score, with the seed of its key."""
    return pd.DataFrame(
        {
            "patient_id": scores["patient_id"],
            "unit": "tpm",
            "score": [float(seeds[p] % 1000) for p in scores["patient_id"]],
            "threshold": 0.0,
        }
    )


def unfiltered_abundances(expression, markers, params):
    """cell_abundances without a gene filter."""
    from analyses.expression.cell_abundances import cell_abundances

    return cell_abundances.function(expression, markers, pd.DataFrame({"gene_id": []}), params)
