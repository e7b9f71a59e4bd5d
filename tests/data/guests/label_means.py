"""The mean TSH ratio by a label that study.toml names: a guest with an input that a parameter chooses."""

from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Named, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import TshRatio
from tshdb.schema.base import Base, UnitPayload


class LabelMean(UnitPayload, Base):
    """One row is the mean ratio of the members with one label."""

    __tablename__ = "xy_label_means"
    cohort: Mapped[str]
    label: Mapped[str] = mapped_column(primary_key=True)
    mean: Mapped[float] = mapped_column(info={"digits": 12})
    n: Mapped[int] = mapped_column(doc="ratios")


class LabelMeanParameters(Parameters):
    """[label_means]"""

    label: str = "patients.sex"
    """table and column of the label"""


@analysis(
    kind="summary", per="cohort", needs={"ratios": Need(TshRatio, SAME_PATIENT), "labels": Named("label")},
    makes=LabelMean, params=LabelMeanParameters, cohorts=("tumor_stroma_development",), source="a mean",
)  # fmt: skip
def label_means(ratios, labels):
    """One row a label."""
    of_label = ratios.merge(labels[["patient_id", "value"]].rename(columns={"value": "label"}), on="patient_id")
    means = of_label.dropna(subset=["label"]).groupby("label")["value"].agg(mean="mean", n="size")
    return means.reset_index().astype({"label": str})
