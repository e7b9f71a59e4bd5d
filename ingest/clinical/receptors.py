"""Receptor status from what the pathology found. Only `positive` and `negative` are values; the rest is a reason.

HER2 is measured by immunohistochemistry (IHC) and in situ hybridisation (FISH), and studies join them differently:

ihc-fish    IHC; FISH decides what IHC found equivocal or did not find (clinical practice: the default)
fan2023     positive: IHC positive, or IHC equivocal and FISH positive; negative: IHC negative (gives the 23/56/33 of the
            112 women in Table 1 of Fan et al. 2023)
fish-ihc    FISH; IHC where there is no FISH
ihc         IHC alone
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.gdc.columns import missing_reason
from tshdb.words import Vocabulary

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.readers import Request

HER2_RULES = ("ihc-fish", "fan2023", "fish-ihc", "ihc")
DEFAULT_HER2_RULE = HER2_RULES[0]


class Status(NamedTuple):
    """positive or negative; or None with the reason."""

    value: str | None
    reason: str | None


def status(text: str | None) -> Status:
    """What one test says."""
    if reason := missing_reason(text):
        return Status(None, reason)
    verdict = Vocabulary().understood("er_status", text).value
    return Status(verdict, None) if verdict else Status(None, text.strip().lower())


def her2(ihc: str | None, fish: str | None, rule: str) -> Status:
    """HER2 by one of HER2_RULES. ihc, fish: as found."""
    by_ihc, by_fish = status(ihc), status(fish)
    if rule == "ihc":
        return by_ihc
    if rule == "fish-ihc":
        return by_fish if by_fish.value else by_ihc
    if rule == "ihc-fish":
        return by_ihc if by_ihc.value else by_fish if by_fish.value else by_ihc
    if rule == "fan2023":
        if by_ihc.value or by_ihc.reason != "equivocal":
            return by_ihc
        return (
            by_fish
            if by_fish.value == "positive"
            else Status(None, f"IHC equivocal, FISH {by_fish.value or by_fish.reason}")
        )
    raise ValueError(f"no HER2 rule {rule!r}")


def columns(er: Status, pr: Status, her2_status: Status, rule: str) -> dict[str, str | None]:
    """The columns of `patients`."""
    return {
        "er_status": er.value,
        "er_status_reason": er.reason,
        "pr_status": pr.value,
        "pr_status_reason": pr.reason,
        "her2_status": her2_status.value,
        "her2_status_reason": her2_status.reason,
        "her2_rule": rule,
    }


def recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """The options of a reader that joins tests of HER2: the study's rule, unless one is given."""
    return {"her2_rule": settings.ingest.her2_rule, **request.options}


def reads_again(options: Mapping[str, Any]) -> bool:
    """Whether nothing but the rule was asked for."""
    return not options.keys() - {"her2_rule"}
