"""Parameters that the analyses of survival share. Those of one table of study.toml stand here once for all who read it."""

from __future__ import annotations

from pydantic import Field

from analyses.shared.cox import Likelihood
from analyses.shared.missing import ImputationParameters, MissingParameters
from tshdb.config import Parameters
from tshdb.vocabulary import Endpoint, ExpressionUnit


class SurvivalParameters(Parameters):
    """of every analysis of survival"""

    cohorts: tuple[str, ...] = ("tumor_stroma_development",)
    endpoint: Endpoint = Endpoint.OS
    censor_at_days: float | None = Field(default=3652.5, gt=0)


class OneByOneParameters(SurvivalParameters):
    """of Cox models of one population each"""

    min_events: int = Field(default=5, ge=1)
    unit: ExpressionUnit | None = None


class GroupParameters(SurvivalParameters):
    """[logrank_tests]"""

    allow_training_patients: bool = False


class GroupTestParameters(GroupParameters):
    """[logrank_tests]"""

    min_events: int = Field(default=5, ge=1)


class GroupCoxParameters(GroupTestParameters):
    """[tsh_cox]"""

    covariates: tuple[str, ...] = ("age_years", "er_status", "pr_status", "her2_status", "t_stage")
    """clinical variables of the multivariable models"""
    min_known: float = Field(default=0.5, ge=0, le=1)
    """a variable known for a smaller share of the patients is left out"""
    likelihood: Likelihood = "partial"
    """penalised: Firth's, which has an estimate under separation"""


class GroupResidualParameters(GroupCoxParameters, MissingParameters):
    """[tsh_cox]"""


class TshCoxParameters(GroupCoxParameters, ImputationParameters):
    """[tsh_cox]"""
