"""Tumour purity of a profile, from the abundances of immune and stromal cells: a guest per profile."""

import math

from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PROFILE
from tshdb.schema import CellAbundance
from tshdb.schema.base import Base, UnitPayload


class Purity(UnitPayload, Base):
    """One row is the tumour purity of one expression profile."""

    __tablename__ = "xy_purities"
    profile_id: Mapped[str]
    purity: Mapped[float | None] = mapped_column(doc="share of tumour cells, 0 to 1", info={"digits": 12})
    reason: Mapped[str | None] = mapped_column(doc="why there is no purity")


class PurityParameters(Parameters):
    """[purities]"""

    slope: float = 0.0001467884
    """per point of the score (Yoshihara et al. 2013)"""
    scale: float = 1000.0
    """points of the score per unit of mean abundance"""


@analysis(
    kind="map", per="profile", needs={"abundances": Need(CellAbundance, SAME_PROFILE)}, makes=Purity,
    params=PurityParameters, tracks=("purity",), source="doi:10.1038/ncomms3612, the cosine of the score",
)  # fmt: skip
def purities(abundances, params):
    """cos(0.6049872018 + slope * score), of a score that is the mean abundance times `scale`."""
    rows = []
    for profile_id, of_profile in abundances.groupby("profile_id"):
        known = of_profile["abundance"].dropna()
        purity = math.cos(0.6049872018 + params.slope * params.scale * float(known.mean())) if len(known) else None
        rows.append({"profile_id": profile_id, "purity": purity, "reason": None if len(known) else "no abundance"})
    return _frame(rows)


def _frame(rows):
    import pandas as pd

    return pd.DataFrame(rows, columns=["profile_id", "purity", "reason"])
