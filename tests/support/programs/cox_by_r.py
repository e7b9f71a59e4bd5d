"""Univariable Cox regression of every TSH ratio by R's survival::coxph, one model a population.

    h(t | x) = h0(t) exp(coefficient * x), Efron's treatment of ties        Cox 1972

x is the TSH ratio; follow-up is censored at `censor_at_days`. Durations are in days, p values of the Wald test.
"""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from tests.support.tiny import COHORT
from tshdb.config import Parameters
from tshdb.engine.analysis import Need
from tshdb.engine.program import program
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import FollowUp, TshRatio
from tshdb.schema.base import Base, UnitPayload


class CoxByRParameters(Parameters):
    """[cox_by_r]"""

    cohorts: tuple[str, ...] = (COHORT,)
    endpoint: str = "OS"
    censor_at_days: float = 3652.5
    min_events: int = 2


class CoxByR(UnitPayload, Base):
    """One row is one population's Cox model by R, in one cohort."""

    __tablename__ = "xr_cox_terms"
    population: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(doc="cohort@version", info={"fingerprint": False})
    coefficient: Mapped[float | None] = mapped_column(doc="log hazard ratio per 1 of the ratio", info={"digits": 12})
    standard_error: Mapped[float | None] = mapped_column(info={"digits": 12})
    p_value: Mapped[float | None] = mapped_column(doc="of the Wald test", info={"digits": 12})
    n: Mapped[int] = mapped_column(doc="patients in the model")
    n_events: Mapped[int]


@program(
    kind="summary",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "follow_ups": Need(FollowUp, SAME_PATIENT)},
    makes=CoxByR,
    params=CoxByRParameters,
    cohorts="cohorts",
    source="Therneau, survival; doi:10.1007/978-1-4757-3294-8",
    command=("Rscript", "--vanilla", "cox.R"),
    files=("cox.R",),
    lock="r-packages.lock",
    interpreter=("Rscript", "--version"),
    seconds=120,
)
def cox_by_r(ratios, follow_ups, members, params):
    """One row a population: its Cox model over the members who have a ratio and a follow-up."""
