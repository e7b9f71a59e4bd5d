"""Tumour-stroma heterogeneity: how far a cell population's abundance in the tumour departs from the stroma's.

    ratio = (A_tumor - A_stroma) / A_stroma        Fan et al. 2023, Methods

A is an MCP-counter abundance (mean log2), so the ratio has no unit: 0 is equal abundance, below 0 less in the tumour.
Stroma is the solid-tissue-normal sample (code 11) of the same patient. The ratio explodes where A_stroma is near 0:
below min_denominator it is not defined, and the row says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import STROMA_OF_PAIR, TUMOR_OF_PAIR
from tshdb.schema import CellAbundance, TshRatio

if TYPE_CHECKING:
    import pandas as pd


class TshRatioParameters(Parameters):
    """[tsh_ratios]"""

    biomarker: Literal["ratio", "difference", "log2_ratio"] = "ratio"
    """(A_tumor - A_stroma) / A_stroma, the difference, or log2 of A_tumor / A_stroma"""
    min_denominator: float = Field(default=0.05, ge=0)
    """of a smaller abundance in the stroma there is no ratio"""


@analysis(
    kind="map",
    per="patient",
    needs={"tumor": Need(CellAbundance, TUMOR_OF_PAIR), "stroma": Need(CellAbundance, STROMA_OF_PAIR)},
    makes=TshRatio,
    params=TshRatioParameters,
    libraries=("numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Cell subpopulation estimation; A06",
)
def tsh_ratios(tumor: pd.DataFrame, stroma: pd.DataFrame, params: TshRatioParameters) -> pd.DataFrame:
    """One row per (patient_id, population, unit) that has both compartments; value missing, with the reason, where the
    ratio is undefined.

    tumor, stroma: patient_id, population, unit, transform, abundance.
    """
    import numpy as np

    keys = ["patient_id", "population", "unit", "transform"]
    pairs = tumor[[*keys, "abundance"]].merge(
        stroma[[*keys, "abundance"]], on=keys, suffixes=("_tumor", "_stroma"), validate="one_to_one"
    )
    pairs = pairs.rename(columns={"abundance_tumor": "tumor_abundance", "abundance_stroma": "stroma_abundance"})
    here, there = pairs["tumor_abundance"].to_numpy(float), pairs["stroma_abundance"].to_numpy(float)
    reason = np.full(len(pairs), None, dtype=object)
    if params.biomarker != "difference":
        reason[np.abs(there) < params.min_denominator] = f"stroma abundance below {params.min_denominator}"
    if params.biomarker == "log2_ratio":
        reason[here < params.min_denominator] = f"tumour abundance below {params.min_denominator}"
    reason[np.isnan(there)] = "no stroma abundance"
    reason[np.isnan(here)] = "no tumour abundance"
    with np.errstate(all="ignore"):
        value = {
            "ratio": (here - there) / there,
            "difference": here - there,
            "log2_ratio": np.log2(here / there),
        }[params.biomarker]
    defined = np.array([r is None for r in reason], dtype=bool)
    pairs["value"] = np.where(defined, value, np.nan)
    pairs["biomarker"] = params.biomarker
    pairs["reason"] = reason
    return pairs
