"""The gene filter: genes without expression in most samples are left out.

    drop a gene if mean(value is zero or missing) >= 0.8 over the profiles of the development cohort
    Fan et al. 2023, Methods: "excluded genes that displayed zero expression or were missing data in 80% of the samples"

Looks at the whole cohort, so it is a fit: on a frozen cohort version, then read by everyone. Without a frozen cohort its
identity `unfiltered` stands in. The fraction has no unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from tshdb.config import Parameters
from tshdb.engine.analysis import Learns, Need, analysis
from tshdb.engine.relations import PROFILES_OF_PATIENT
from tshdb.schema import ExpressionProfile, GeneFilter

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.expression_store import ExpressionMatrix


class GeneFilterParameters(Parameters):
    """[gene_filter]"""

    cohort: str = "tumor_stroma_development"
    """the frozen cohort whose profiles are looked at"""
    absent_fraction: float = Field(default=0.8, gt=0, le=1)
    """a gene that is zero or missing in so many of them is dropped"""


@analysis(
    kind="fit",
    per="cohort",
    needs={"expression": Need(ExpressionProfile, PROFILES_OF_PATIENT, values=True)},
    makes=GeneFilter,
    params=GeneFilterParameters,
    cohorts="cohort",
    learns=(Learns(None),),
    identity="unfiltered",
    libraries=("numpy",),
    source="doi:10.1186/s12967-023-04748-6, Cell subpopulation estimation; open points A04",
)
def gene_filter(expression: ExpressionMatrix, params: GeneFilterParameters) -> pd.DataFrame:
    """One row per gene that is dropped: gene_id, absent_fraction, n_profiles.

    A profile counts for a gene only if its source has the gene at all. Raises ValueError without any profile.
    """
    import numpy as np
    import pandas as pd

    if not len(expression.profiles):
        raise ValueError("no member of the cohort has an expression profile")
    absent = expression.present & (np.isnan(expression.values) | (expression.values == 0.0))
    n_profiles = expression.present.sum(axis=1)
    fraction = absent.sum(axis=1) / np.maximum(n_profiles, 1)
    dropped = fraction >= params.absent_fraction
    return pd.DataFrame(
        {
            "gene_id": expression.genes[dropped],
            "absent_fraction": fraction[dropped],
            "n_profiles": n_profiles[dropped],
        }
    )
