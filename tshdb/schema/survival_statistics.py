"""What is told of a survival curve besides the curve and its test: quantiles, residuals of Cox models, competing events."""

from tshdb.schema.base import Base, Labelled, UnitPayload, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import Endpoint, FirstEvent, Prognosis


class SurvivalQuantile(Labelled, UnitPayload, Base):
    """One row is the day by which a part of one group has had the event: the first quartile, the median or the third."""

    __tablename__ = "survival_quantiles"
    grouping: Mapped[str] = mapped_column(
        primary_key=True, doc="tsh_ratio, tsh_score or signature: what makes the groups"
    )
    prognosis: Mapped[Prognosis] = mapped_column(closed(Prognosis), primary_key=True, doc="the group")
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    percent: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, doc="25, 50 or 75: how many of a hundred have had the event by then"
    )
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    time_origin: Mapped[str | None] = mapped_column(doc="what day 0 is", info={"fingerprint": False})
    n: Mapped[int] = mapped_column(doc="patients in the group")
    n_events: Mapped[int]
    censored_at_days: Mapped[float | None]
    is_reached: Mapped[bool | None] = mapped_column(
        doc="whether the curve comes so low; empty where nothing is said of the group"
    )
    days: Mapped[float | None] = mapped_column(
        doc="as quantile() of R's survfit: of a level stretch the middle", info={"digits": 12}
    )
    ci_lower: Mapped[float | None] = mapped_column(
        doc="95 % interval, of the log(-log) limits of the curve", info={"digits": 12}
    )
    ci_upper: Mapped[float | None] = mapped_column(doc="none where the limit does not come so low", info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no day or no limit, or how it was chosen")


class SchoenfeldResidual(Labelled, UnitPayload, Base):
    """One row is one death as one term of a Cox model sees it: what the coefficient looks like at that time."""

    __tablename__ = "schoenfeld_residuals"
    model: Mapped[str] = mapped_column(primary_key=True, doc="as in cox_terms: group, continuous, multivariable")
    term: Mapped[str] = mapped_column(primary_key=True, doc="the covariate")
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    position: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        doc="of the death, by time, counted from 1; 0 where there are no residuals",
    )
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    time_days: Mapped[float | None] = mapped_column(doc="of the death")
    km_time: Mapped[float | None] = mapped_column(
        doc="1 less the Kaplan-Meier curve of all patients before that time", info={"digits": 12}
    )
    value: Mapped[float | None] = mapped_column(
        doc="scaled residual and coefficient, a log hazard ratio (y of R's cox.zph)", info={"digits": 10}
    )
    smooth: Mapped[float | None] = mapped_column(
        doc="natural spline with four degrees of freedom through the values", info={"digits": 10}
    )
    smooth_lower: Mapped[float | None] = mapped_column(
        doc="two standard errors below, as R draws a cox.zph", info={"digits": 10}
    )
    smooth_upper: Mapped[float | None] = mapped_column(info={"digits": 10})
    coefficient: Mapped[float | None] = mapped_column(doc="of the model: log hazard ratio", info={"digits": 12})
    ph_p_value: Mapped[float | None] = mapped_column(
        doc="of the score test of proportional hazards, as in cox_terms", info={"digits": 10}
    )
    n: Mapped[int] = mapped_column(doc="patients in the model")
    n_events: Mapped[int]
    censored_at_days: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there are no residuals, or no curve through them; or a warning")


class CumulativeIncidence(Labelled, UnitPayload, Base):
    """One row is one time of one cumulative incidence: one group of one cohort and one kind of event, from day 0."""

    __tablename__ = "cumulative_incidences"
    grouping: Mapped[str] = mapped_column(
        primary_key=True, doc="tsh_ratio, tsh_score or signature: what makes the groups"
    )
    prognosis: Mapped[Prognosis] = mapped_column(closed(Prognosis), primary_key=True, doc="the group")
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cause: Mapped[FirstEvent] = mapped_column(
        closed(FirstEvent), primary_key=True, doc="disease: the endpoint without deaths; death: before any such event"
    )
    time_days: Mapped[float] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    n_at_risk: Mapped[int] = mapped_column(doc="patients who have had no event and were observed until time_days")
    n_events: Mapped[int] = mapped_column(doc="of this kind")
    n_competing: Mapped[int] = mapped_column(doc="events of the other kind")
    n_censored: Mapped[int]
    incidence: Mapped[float] = mapped_column(doc="share who have had it (Aalen-Johansen)", info={"digits": 12})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % log(-log) interval", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})


class GrayTest(Labelled, UnitPayload, Base):
    """One row is Gray's test of one kind of event between good and poor prognosis in one cohort."""

    __tablename__ = "gray_tests"
    grouping: Mapped[str] = mapped_column(
        primary_key=True, doc="tsh_ratio, tsh_score or signature: what makes the groups"
    )
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    cause: Mapped[FirstEvent] = mapped_column(
        closed(FirstEvent), primary_key=True, doc="disease: the endpoint without deaths; death: before any such event"
    )
    cohort: Mapped[str] = mapped_column(info={"fingerprint": False})
    time_origin: Mapped[str | None] = mapped_column(doc="what day 0 is", info={"fingerprint": False})
    n_good: Mapped[int] = mapped_column(doc="patients of whom it is known which event came first, or that none did")
    n_good_events: Mapped[int] = mapped_column(doc="of this kind")
    n_good_competing: Mapped[int] = mapped_column(doc="events of the other kind")
    n_poor: Mapped[int]
    n_poor_events: Mapped[int]
    n_poor_competing: Mapped[int]
    n_left_out: Mapped[int] = mapped_column(doc="patients with the endpoint of whom that is not known")
    left_out: Mapped[str | None] = mapped_column(doc="who they are, in words: how many and why")
    chi2: Mapped[float | None] = mapped_column(info={"digits": 10})
    p_value: Mapped[float | None] = mapped_column(info={"digits": 10})
    censored_at_days: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why there is no test")
