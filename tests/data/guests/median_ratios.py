"""The median TSH ratio of every population over a cohort: a guest that is a summary, of frozen and of live cohorts."""

from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import TshRatio
from tshdb.schema.base import Base, UnitPayload


class MedianRatio(UnitPayload, Base):
    """One row is the median TSH ratio of one population over one cohort version."""

    __tablename__ = "xy_median_ratios"
    cohort: Mapped[str]
    population: Mapped[str] = mapped_column(primary_key=True)
    median: Mapped[float | None] = mapped_column(doc="of the ratios that are known", info={"digits": 12})
    n: Mapped[int] = mapped_column(doc="patients with a ratio")


class MedianRatioParameters(Parameters):
    """[median_ratios]"""

    cohorts: tuple[str, ...] = ("tumor_stroma_development", "everyone")
    """cohorts over which the medians are taken"""


@analysis(
    kind="summary", per="cohort", needs={"ratios": Need(TshRatio, SAME_PATIENT)}, makes=MedianRatio,
    params=MedianRatioParameters, cohorts="cohorts", source="the definition of the median",
)  # fmt: skip
def median_ratios(ratios, params):
    """One row a population."""
    by_population = ratios.dropna(subset=["value"]).groupby("population")["value"]
    return by_population.agg(median="median", n="size").reset_index()
