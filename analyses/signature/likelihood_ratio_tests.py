"""Does the signature add to what is known without it: the likelihood ratio test of two nested Cox models.

    chi2 = 2 (log-likelihood with the score - without it), one degree of freedom

Both models are fitted on the same complete cases: other patients would make their likelihoods incomparable. Where covariates are
imputed there is no test.
Fan et al. 2023, Statistical analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.shared.clinical_covariates import numeric
from analyses.shared.cox import NoConvergence, cox, likelihood_ratio
from analyses.shared.cox_models import adjusted
from analyses.shared.imputed_cox import words_of
from analyses.shared.missing import left_out_of_imputation
from analyses.shared.survival import seen_in_training
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
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
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
    left_out = left_out_of_imputation(params, patients, params.covariates)
    rows = []
    for endpoint, data in outcomes(scores, follow_ups, params).items():
        used, both, _, gaps, _ = adjusted(data, clinical, params.covariates, params.min_known, left_out)
        row = {
            "score": SCORE, "endpoint": endpoint, "covariates": ", ".join(used), "n": len(both),
            "n_events": int(both["event"].sum()),
        }  # fmt: skip
        rows.append(row)
        if gaps:
            row["reason"] = (
                f"covariates are imputed ({words_of(gaps)}), and likelihood ratios are not pooled over data sets: "
                "signature_cox has the pooled test of the score"
            )
            continue
        seen = seen_in_training(both, trained_on)
        fitted = cox(both, ["value", *used], params.min_events, False, params.likelihood)["value"]
        if seen and not params.allow_training_patients:
            row["reason"] = f"refused: {seen}"
        elif not used:
            row["reason"] = "no clinical variable is known for enough patients"
        elif fitted["coefficient"] is None:
            row["reason"] = fitted["reason"]
        else:
            try:
                ratio = likelihood_ratio(both, "value", used, params.likelihood)
            except NoConvergence as error:
                row["reason"] = f"no convergence: {error}"
                continue
            reasons = [f"optimistic: {seen}" if seen else None, note_of(both, used), fitted["reason"]]
            row |= {
                "log_likelihood_clinical": ratio.without, "log_likelihood_both": ratio.with_term, "chi2": ratio.chi2,
                "degrees": 1,
                "p_value": float(chi2_distribution.sf(ratio.chi2, 1)), "reason": "; ".join(filter(None, reasons)) or None,
            }  # fmt: skip
    return pd.DataFrame(rows)
