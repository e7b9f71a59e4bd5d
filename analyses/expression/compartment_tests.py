"""Tumour against stroma in the same patients: Wilcoxon signed-rank test and correlation, of everybody and by prognosis.

    Wilcoxon 1945; exact for fewer than 50 patients without ties and without zero differences, else normal with the continuity
    correction, zeros left out, as R's wilcox.test. Correlation is Pearson's. Both are adjusted by Benjamini and Hochberg
    within a group of patients.        Fan et al. 2023, Statistical analysis, Fig. 4a

Abundances are mean log2 expression, so a difference of 1 is twice the markers' geometric mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.shared.multiple_testing import benjamini_hochberg
from analyses.shared.populations import in_table_order, only_unit
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import SurvivalGroup, TshRatio, WilcoxonTest
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FEWEST_NORMAL = 50  # differences


class CompartmentTestParameters(Parameters):
    """[compartment_tests]"""

    cohorts: tuple[str, ...] = ("tumor_stroma_development",)
    min_patients: int = Field(default=5, ge=3)
    unit: ExpressionUnit | None = None


@analysis(
    kind="summary",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "groups": Need(SurvivalGroup, SAME_PATIENT)},
    makes=WilcoxonTest,
    params=CompartmentTestParameters,
    cohorts="cohorts",
    spared=("grouping", ("all",)),
    libraries=("numpy", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Fig. 4a",
    tracks=("p_value",),
)
def compartment_tests(ratios: pd.DataFrame, groups: pd.DataFrame, params: CompartmentTestParameters) -> pd.DataFrame:
    """One row per grouping (all, good, poor) and population. Raises ValueError for several units without `unit`."""
    import pandas as pd

    unit = only_unit(ratios, params.unit, "compartment_tests")
    both = ratios[(ratios["unit"] == unit) & ratios["tumor_abundance"].notna() & ratios["stroma_abundance"].notna()]
    known = groups[groups["prognosis"].notna()]
    chosen = {"all": set(both["patient_id"])}
    chosen |= {str(p): set(members["patient_id"]) for p, members in known.groupby("prognosis", sort=True)}
    parts = []
    for grouping, patients in chosen.items():
        rows = []
        for population in in_table_order(both["population"]):
            members = both[(both["population"] == population) & both["patient_id"].isin(patients)]
            members = members.sort_values("patient_id", ignore_index=True)
            pair = members["tumor_abundance"].to_numpy(float), members["stroma_abundance"].to_numpy(float)
            described = {"grouping": grouping, "population": population, "unit": unit, "n": len(members)}
            described["transform"] = both["transform"].iloc[0]
            rows.append(described | _compare(*pair, params.min_patients))
        table = pd.DataFrame(rows)
        if len(table):
            table["p_adjusted"] = benjamini_hochberg(table["p_value"].to_numpy(float))
            table["correlation_p_adjusted"] = benjamini_hochberg(table["correlation_p_value"].to_numpy(float))
            parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _compare(tumor: np.ndarray, stroma: np.ndarray, min_patients: int) -> dict:
    """The description and the tests of one population; too few patients give the reason."""
    import numpy as np
    from scipy import stats

    names = ("statistic", "p_value", "correlation", "correlation_p_value")
    row = dict.fromkeys((*names, "tumor_mean", "tumor_sd", "stroma_mean", "stroma_sd")) | {"is_exact": False}
    if len(tumor) > 1:
        for name, values in (("tumor", tumor), ("stroma", stroma)):
            row |= {f"{name}_mean": float(np.mean(values)), f"{name}_sd": float(np.std(values, ddof=1))}
    difference = tumor - stroma
    has_zeros = bool((difference == 0).any())
    difference = difference[difference != 0]
    if len(tumor) < min_patients:
        return row | {"reason": f"{len(tumor)} patients, fewer than {min_patients}"}
    if not len(difference):
        return row | {"reason": "no difference"}
    has_ties = len(set(np.abs(difference))) < len(difference)
    is_exact = len(difference) < FEWEST_NORMAL and not has_ties and not has_zeros
    test = stats.wilcoxon(difference, correction=not is_exact, method="exact" if is_exact else "asymptotic")
    ranks = stats.rankdata(np.abs(difference))
    row |= {"statistic": float(ranks[difference > 0].sum()), "p_value": float(test.pvalue), "is_exact": is_exact}
    if np.ptp(tumor) > 0 and np.ptp(stroma) > 0:
        correlated = stats.pearsonr(tumor, stroma)
        row |= {"correlation": float(correlated.statistic), "correlation_p_value": float(correlated.pvalue)}
    return row | {"reason": None}
