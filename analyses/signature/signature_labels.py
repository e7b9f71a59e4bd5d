"""The classes that the radiogenomic signature learns. `[signature] label` says what they are made of.

tsh        good or poor, by the TSH score of the tumour's RNA at 0.5. Fan et al. 2023, Imaging cellular tumour-stroma
           heterogeneity (46 good, 45 poor). It is another model's opinion, not an outcome: with two deaths among the paper's 91
           patients no survival can be validated there, and `logrank_tests` and `tsh_cox` of that cohort say so
survival   poor: an event of `endpoint` up to day `horizon_days`; good: known to be free of it on that day. Who was censored
           before has no label
a column   of the patients, of another table of patients, or a field of the clinical files: the values in `positive` against those
           in `negative`, or against all other known values

Who has neither has no label, and the reason. A label that was made from follow-up or from a column makes results that test these
on the same patients optimistic (`tshdb.optimism`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from analyses.shared.populations import only_unit
from analyses.signature.classes import Classes
from analyses.signature.settings import SURVIVAL, TSH, LabelParameters
from tshdb.engine.analysis import Chosen, Need, analysis
from tshdb.engine.columns import Column, plain
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import FollowUp, SignatureLabel, TshScore
from tshdb.vocabulary import ExpressionUnit, Prognosis

if TYPE_CHECKING:
    import pandas as pd

UNDECIDED = {
    "", "equivocal", "indeterminate", "inconclusive", "borderline", "ambiguous", "uncertain", "undetermined", "unknown",
    "not known", "not available", "not evaluated", "not done", "not performed", "not reported", "not applicable", "na", "n/a",
    "nan", "none",
}  # fmt: skip
"""Words of a clinical file that put nobody into the rest, if `negative` names no values"""


class SignatureLabelParameters(LabelParameters):
    """[signature_labels]"""

    OWN = ("threshold", "unit")
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """a TSH score of at least this is good"""
    unit: ExpressionUnit | None = None
    """of expression, where a study has TSH scores of several"""


@analysis(
    kind="map",
    per="patient",
    needs={
        "scores": Chosen(
            TshScore, SAME_PATIENT, parameter="label", words={TSH: None, SURVIVAL: Need(FollowUp, SAME_PATIENT)},
            named={SURVIVAL: ("endpoint", "endpoint")}, classes=("positive", "negative"),
        ),
    },
    makes=SignatureLabel,
    params=SignatureLabelParameters,
    libraries=("pandas",),
    tracks=("label",),
    source="doi:10.1186/s12967-023-04748-6, Imaging cellular tumor-stroma heterogeneity; A20",
    base="signature",
)  # fmt: skip
def signature_labels(scores: pd.DataFrame, params: SignatureLabelParameters) -> pd.DataFrame:
    """One row per patient with a row in what the label is made of. Raises ValueError for several units without `unit`.

    scores: rows of tsh_scores, or of what [signature] label names in their place.
    """
    import pandas as pd

    classes = classes_asked(params)
    rows = []
    for patient_id, of_patient in scores.groupby("patient_id", sort=True):
        row = {"patient_id": patient_id, "score": None, "threshold": None, "value": None, "label": None, "reason": None}
        if params.label == TSH:
            row |= _by_score(of_patient, params)
        elif params.label == SURVIVAL:
            row |= _by_survival(of_patient, params)
        else:
            row |= _by_column(of_patient, params, classes)
        rows.append(row | classes.columns)
    return pd.DataFrame(rows)


def classes_asked(params: LabelParameters) -> Classes:
    """The classes that these settings ask for."""
    if params.label == TSH:
        return Classes()
    if params.label == SURVIVAL:
        return Classes(asked=f"{params.endpoint} at day {params.horizon_days:g}")
    column = Column.of(params.label)
    foretold = _named(column, params.positive)
    return Classes(foretold, _named(column, params.negative) if params.negative else f"not {foretold}", str(column))


def _named(column: Column, values: tuple[str, ...]) -> str:
    """Values as the name of a class; a code without letters has the column's name before it."""
    words = " or ".join(values)
    return words if any(c.isalpha() for c in words) else f"{column.name.rpartition(': ')[2]} {words}"


def _by_score(of_patient: pd.DataFrame, params: SignatureLabelParameters) -> dict[str, Any]:
    import pandas as pd

    unit = only_unit(of_patient, params.unit, "signature_labels")
    of_unit = of_patient[of_patient["unit"] == unit]
    row: dict[str, Any] = {"threshold": params.threshold}
    if not len(of_unit):
        return row | {"reason": f"no TSH score of {unit}"}
    if pd.isna(of_unit["score"].iloc[0]):
        return row | {"reason": of_unit["reason"].iloc[0]}
    score = float(of_unit["score"].iloc[0])
    return row | {"score": score, "label": str(Prognosis.GOOD if score >= params.threshold else Prognosis.POOR)}


def _by_survival(of_patient: pd.DataFrame, params: SignatureLabelParameters) -> dict[str, Any]:
    import pandas as pd

    outcome = of_patient[of_patient["endpoint"].astype(str) == str(params.endpoint)]
    if not len(outcome):
        return {"reason": f"no follow-up of {params.endpoint}"}
    one = outcome.iloc[0]
    if pd.isna(one["event"]) or pd.isna(one["duration_days"]):
        return {"reason": f"{params.endpoint} is not known{_why(one['reason'])}"}
    days, has_event = float(one["duration_days"]), bool(one["event"])
    found = {"value": f"{'event' if has_event else 'no event'}, day {days:g}"}
    if has_event and days <= params.horizon_days:
        return found | {"label": str(Prognosis.POOR)}
    if days >= params.horizon_days:
        return found | {"label": str(Prognosis.GOOD)}
    return found | {"reason": f"censored before day {params.horizon_days:g}"}


def _by_column(of_patient: pd.DataFrame, params: SignatureLabelParameters, classes: Classes) -> dict[str, Any]:
    column = Column.of(params.label)
    rows = of_patient if column.field is None else of_patient[of_patient["field"] == column.field]
    found = {plain(value): str(value).strip() for value in rows[column.column].dropna()}
    if not found:
        why = "missing_reason" if column.field else f"{column.column}_reason"
        reasons = rows[why].dropna() if why in rows else ()
        return {"reason": f"{column.name} is not known{_why(reasons.iloc[0] if len(reasons) else None)}"}
    row: dict[str, Any] = {"value": "; ".join(sorted(found.values()))}
    if len(found) > 1:
        return row | {"reason": f"{column.name} has several values: {row['value']}"}
    (value,) = found
    if value in map(plain, params.positive):
        return row | {"label": classes.foretold}
    if params.negative and value not in map(plain, params.negative):
        return row | {"reason": f"{column.name} is {row['value']}: neither {classes.foretold} nor {classes.against}"}
    if not params.negative and value in UNDECIDED:
        return row | {"reason": f"{column.name} is {row['value'] or 'empty'}, which decides nothing"}
    return row | {"label": classes.against}


def _why(reason: Any) -> str:
    return f": {reason}" if isinstance(reason, str) and reason else ""
