"""Does the signature add to what is known without it: the likelihood ratio test of two nested Cox models.

    chi2 = 2 (log-likelihood with the score - without it), one degree of freedom

Both models are fitted on the same complete cases: other patients would make their likelihoods incomparable.
Fan et al. 2023, Statistical analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox_models import adjusted
from analyses.shared.survival import cox, log_likelihood, seen_in_training
from analyses.signature.validation import CLINICAL_NEEDS, SCORE, SOURCE, CovariateParameters, note_of, outcomes
from tshdb.engine.analysis import analysis
from tshdb.schema import LikelihoodRatioTest

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="summary",
    per="cohort",
    needs=CLINICAL_NEEDS,
    makes=LikelihoodRatioTest,
    params=CovariateParameters,
    cohorts="cohorts",
    libraries=("lifelines", "numpy", "pandas", "scipy"),
    source=SOURCE,
    base="signature_validation",
    tracks=("p_value",),
)
def likelihood_ratio_tests(
    scores: pd.DataFrame,
    follow_ups: pd.DataFrame,
    trained_on: pd.DataFrame,
    patients: pd.DataFrame,
    params: CovariateParameters,
) -> pd.DataFrame:
    """One row per endpoint that the cohort has."""
    import pandas as pd
    from scipy.stats import chi2 as chi2_distribution

    clinical = numeric(patients, params.covariates)
    rows = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        used, both, _ = adjusted(data, clinical, params.covariates, params.min_known)
        row = {
            "score": SCORE, "endpoint": endpoint, "covariates": ", ".join(used), "n": len(both),
            "n_events": int(both["event"].sum()),
        }  # fmt: skip
        rows.append(row)
        seen = seen_in_training(both, trained_on)
        fitted = cox(both, ["value", *used], params.min_events, test_proportionality=False)["value"]
        if seen and not params.allow_training_patients:
            row["reason"] = f"refused: {seen}"
        elif not used:
            row["reason"] = "no clinical variable is known for enough patients"
        elif fitted["coefficient"] is None:
            row["reason"] = fitted["reason"]
        else:
            without, with_score = log_likelihood(both, used), log_likelihood(both, ["value", *used])
            statistic = max(2 * (with_score - without), 0.0)
            reasons = [f"optimistic: {seen}" if seen else None, note_of(both), fitted["reason"]]
            row |= {
                "log_likelihood_clinical": without, "log_likelihood_both": with_score, "chi2": statistic, "degrees": 1,
                "p_value": float(chi2_distribution.sf(statistic, 1)), "reason": "; ".join(filter(None, reasons)) or None,
            }  # fmt: skip
    return pd.DataFrame(rows)
