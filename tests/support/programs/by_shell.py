"""A program that needs nothing but a shell and awk: each patient's mean TSH ratio; and a fit on it."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from tests.support.tiny import COHORT
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.program import program
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import RocPoint, TshRatio
from tshdb.schema.base import Base, UnitPayload


class MeanByShellParameters(Parameters):
    """[mean_by_shell]"""

    factor: float = 1.0


class MeanByShell(UnitPayload, Base):
    """One row is the mean of the TSH ratios of one patient."""

    __tablename__ = "xs_means"
    patient_id: Mapped[str]
    mean: Mapped[float] = mapped_column(info={"digits": 10})
    n: Mapped[int]
    is_high: Mapped[bool | None]
    note: Mapped[str | None]


@program(
    kind="map",
    per="patient",
    needs={"ratios": Need(TshRatio, SAME_PATIENT)},
    makes=MeanByShell,
    params=MeanByShellParameters,
    source="a test",
    command=("sh", "mean.sh"),
    files=("mean.sh",),
    interpreter=("sh", "-c", "echo a shell"),
    seconds=20,
)
def mean_by_shell(ratios, params, seeds):
    """One row a patient."""


@analysis(
    kind="fit",
    per="cohort",
    needs={"means": Need(MeanByShell, SAME_PATIENT)},
    makes=RocPoint,
    params=MeanByShellParameters,
    cohorts=(COHORT,),
    source="a test",
)
def fit_of_means(means, params):
    """The mean of the means, as a model."""
    import pandas as pd

    mean = means["mean"].mean()
    return pd.DataFrame([{"model": "toy", "position": 0, "score": mean, "sensitivity": 0.0, "specificity": 0.0}])
