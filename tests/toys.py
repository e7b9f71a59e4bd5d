"""Analyses that exist only to test the engine. They make rows of tables that the paper's analyses make as well."""

from __future__ import annotations

import pandas as pd

from tests.tiny import COHORT
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import CoxTerm, GeneFilter, MarkerGene, TshRatio


class ToyParameters(Parameters):
    """[toy_…]"""

    guilty: tuple[str, ...] = ()


@analysis(
    kind="fit",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT)},
    makes=MarkerGene,
    params=ToyParameters,
    cohorts=lambda params: (COHORT,),
    source="a toy",
)
def toy_fit(ratios: pd.DataFrame, params: ToyParameters) -> pd.DataFrame:
    """The mean ratio, as a model."""
    mean = ratios["value"].mean()
    return pd.DataFrame([{"signature": "toy", "population": "mean", "marker": repr(float(mean)), "position": 0}])


@analysis(
    kind="apply",
    per="patient",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "model": Model(MarkerGene)},
    makes=GeneFilter,
    params=ToyParameters,
    source="a toy",
)
def toy_apply(ratios: pd.DataFrame, model: pd.DataFrame, params: ToyParameters) -> pd.DataFrame:
    """The patient's mean ratio less the model's; guilty patients raise."""
    for patient in params.guilty:
        if patient in set(ratios["patient_id"]):
            raise ValueError(f"{patient} is guilty")
    mean = float(model["marker"].iloc[0])
    rows = [
        {"patient_id": p, "gene_id": p, "cohort": "toy", "absent_fraction": g["value"].mean() - mean, "n_profiles": 1}
        for p, g in ratios.groupby("patient_id")
    ]
    return pd.DataFrame(rows)


@analysis(
    kind="apply",
    per="patient",
    needs={"scores": Need(GeneFilter, SAME_PATIENT)},
    makes=CoxTerm,
    params=ToyParameters,
    source="a toy",
)
def toy_last(scores: pd.DataFrame, seeds: dict[str, int], params: ToyParameters) -> pd.DataFrame:
    """One row a score, with the seed of its key."""
    return pd.DataFrame(
        {
            "patient_id": scores["patient_id"],
            "model": "toy",
            "term": scores["patient_id"],
            "cohort": "toy",
            "endpoint": "OS",
            "position": 0,
            "coefficient": [float(seeds[p] % 1000) for p in scores["patient_id"]],
            "n": 1,
            "n_events": 0,
            "n_left_out": 0,
        }
    )


def unfiltered_abundances(expression, markers, params):
    """cell_abundances without a gene filter."""
    from analyses.cell_abundances import cell_abundances

    return cell_abundances.function(expression, markers, pd.DataFrame({"gene_id": []}), params)
