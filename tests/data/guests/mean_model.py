"""A model and its scores: what a patient's mean ratio is above the cohort's. Guests that are a fit and an apply."""

from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import TshRatio
from tshdb.schema.base import Base, UnitPayload


class MeanModel(UnitPayload, Base):
    """One row is the model of one cohort version."""

    __tablename__ = "xy_mean_models"
    cohort: Mapped[str]
    mean: Mapped[float] = mapped_column(doc="of all ratios of its members", info={"digits": 12})
    jitter: Mapped[float] = mapped_column(doc="a number from the seed", info={"digits": 12})


class MeanScore(UnitPayload, Base):
    """One row is the score of one patient."""

    __tablename__ = "xy_mean_scores"
    patient_id: Mapped[str]
    score: Mapped[float | None] = mapped_column(doc="mean ratio of the patient less the model's", info={"digits": 12})


class MeanModelParameters(Parameters):
    """[mean_model]"""

    cohort: str = "tumor_stroma_development"
    """the cohort on which it is fitted"""


@analysis(
    kind="fit", per="cohort", needs={"ratios": Need(TshRatio, SAME_PATIENT)}, makes=MeanModel,
    params=MeanModelParameters, cohorts="cohort", source="a mean", libraries=("numpy",),
)  # fmt: skip
def mean_model(ratios, seed, params):
    """The mean of all ratios of the members."""
    import numpy as np
    import pandas as pd

    return pd.DataFrame({"mean": [ratios["value"].mean()], "jitter": [np.random.default_rng(seed).random()]})


@analysis(
    kind="apply", per="patient", needs={"ratios": Need(TshRatio, SAME_PATIENT), "model": Model(MeanModel)},
    makes=MeanScore, params=Parameters, tracks=("score",), source="a mean",
)  # fmt: skip
def mean_scores(ratios, model):
    """One row a patient with ratios."""
    means = ratios.groupby("patient_id")["value"].mean() - float(model["mean"].iloc[0])
    return means.rename("score").reset_index()
