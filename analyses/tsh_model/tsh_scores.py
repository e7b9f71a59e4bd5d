"""The TSH score of every patient with tumour RNA, by the frozen TSH model.

The model is read, never fitted: a new patient costs one patient's arithmetic. Abundances of another expression unit
than the model's give no score, with that reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.tsh_model.tsh_modelling import logistic_of
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import ModelTerm, TshScore, TumorAbundance
from tshdb.vocabulary import Prognosis

if TYPE_CHECKING:
    import pandas as pd


class TshScoreParameters(Parameters):
    """[tsh_scores]"""


@analysis(
    kind="apply",
    per="patient",
    needs={"tumor": Need(TumorAbundance, SAME_PATIENT), "model": Model(ModelTerm)},
    makes=TshScore,
    params=TshScoreParameters,
    libraries=("numpy", "pandas"),
    tracks=("prognosis",),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity",
)
def tsh_scores(tumor: pd.DataFrame, model: pd.DataFrame, params: TshScoreParameters) -> pd.DataFrame:
    """One row per patient and expression unit."""
    import numpy as np
    import pandas as pd

    reason, unit = model["reason"].iloc[0], model["unit"].iloc[0]
    threshold = float(model["threshold"].iloc[0])
    rows = []
    for (patient_id, unit_of_patient), of_patient in tumor.groupby(["patient_id", "unit"], sort=True):
        row = {
            "patient_id": patient_id,
            "unit": unit_of_patient,
            "score": None,
            "prognosis": None,
            "threshold": threshold,
        }
        abundances = of_patient.set_index("population")["abundance"]
        terms = [t for t in model["term"] if not t.startswith("(")]
        missing = [t for t in terms if t not in abundances or pd.isna(abundances[t])]
        if reason:
            row["reason"] = f"no model: {reason}"
        elif unit_of_patient != unit:
            row["reason"] = f"the model reads {unit}"
        elif missing:
            row["reason"] = f"no abundance of {', '.join(missing)}"
        else:
            values = np.array([[float(abundances[t]) for t in terms]])
            score = float(logistic_of(model, terms).scores(values)[0])
            row |= {"score": score, "prognosis": Prognosis.GOOD if score >= threshold else Prognosis.POOR}
        rows.append(row)
    return pd.DataFrame(rows)
