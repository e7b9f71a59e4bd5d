"""What every analysis of the prognostic groups reads: groups, scores and follow-up of the cohort's members."""

from tshdb.engine.analysis import Need, Trained
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import FollowUp, SurvivalGroup, TshScore

GROUPED = {
    "groups": Need(SurvivalGroup, SAME_PATIENT),
    "scores": Need(TshScore, SAME_PATIENT),
    "follow_ups": Need(FollowUp, SAME_PATIENT),
    "trained_on": Trained(TshScore),
}
