"""Tumour-stroma heterogeneity: how far a cell population's abundance in the tumour departs from the stroma's.

    ratio = (A_tumor - A_stroma) / A_stroma        Fan et al. 2023, Methods

A is an MCP-counter abundance (mean log2), so the ratio has no unit: 0 is equal abundance, below 0 less in the tumour.
Stroma is the solid-tissue-normal sample (code 11) of the same patient. The ratio explodes where A_stroma is near 0:
below min_denominator it is not defined, and the row says so. It is a share of something only where both abundances are on a
scale with a zero: below 0 (logarithms of values below 1, z scores, centred arrays) there is none, and its sign would be
wrong. What was brought to the log2 scale in two ways is not compared.
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
    """of a smaller abundance in the stroma there is no ratio; below 0 there is none whatever this is"""


BELOW_ZERO = "marker values below 0"  # how `cell_abundances` begins the reason


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

    tumor, stroma: patient_id, population, unit, transform, abundance, and the reason for which an abundance is doubtful.
    """
    import numpy as np

    keys = ["patient_id", "population", "unit"]
    columns = [*keys, "transform", "abundance", "below_zero"]
    pairs = _below_zero(tumor)[columns].merge(
        _below_zero(stroma)[columns], on=keys, suffixes=("_tumor", "_stroma"), validate="one_to_one"
    )
    pairs = pairs.rename(columns={"abundance_tumor": "tumor_abundance", "abundance_stroma": "stroma_abundance"})
    one, other = pairs.pop("transform_tumor").astype(object), pairs.pop("transform_stroma").astype(object)
    is_other = (one != other).to_numpy(bool)
    pairs["transform"] = one.where(~is_other, one + " | " + other)
    here, there = pairs["tumor_abundance"].to_numpy(float), pairs["stroma_abundance"].to_numpy(float)
    reason = np.full(len(pairs), None, dtype=object)
    if params.biomarker != "difference":
        reason[there < params.min_denominator] = f"stroma abundance below {params.min_denominator}"
        for name, abundance in (("stroma", there), ("tumor", here)):
            word = {"tumor": "tumour"}.get(name, name)
            reason[pairs[f"below_zero_{name}"].to_numpy(bool)] = (
                f"{word} has marker values below 0: no ratio on such a scale"
            )
            reason[abundance < 0] = f"{word} abundance below 0: no ratio on such a scale"
    if params.biomarker == "log2_ratio":
        reason[(here >= 0) & (here < params.min_denominator)] = f"tumour abundance below {params.min_denominator}"
    reason[np.isnan(there)] = "no stroma abundance"
    reason[np.isnan(here)] = "no tumour abundance"
    reason[is_other] = "tumour and stroma were brought to a log2 scale in different ways"
    with np.errstate(all="ignore"):
        value = {
            "ratio": (here - there) / there,
            "difference": here - there,
            "log2_ratio": np.log2(here / there),
        }[params.biomarker]
    defined = np.array([r is None for r in reason], dtype=bool)
    pairs = pairs.drop(columns=["below_zero_tumor", "below_zero_stroma"])
    pairs["value"] = np.where(defined, value, np.nan)
    pairs["biomarker"] = params.biomarker
    pairs["reason"] = reason
    return pairs


def _below_zero(abundances: pd.DataFrame) -> pd.DataFrame:
    """With `below_zero`: whether a marker of the population stands below 0, on a scale that has no zero."""
    said = abundances["reason"] if "reason" in abundances else [None] * len(abundances)
    return abundances.assign(below_zero=[isinstance(text, str) and text.startswith(BELOW_ZERO) for text in said])
