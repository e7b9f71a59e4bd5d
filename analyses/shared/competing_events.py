"""Which event came first, of the disease or a death without one; and rows of cumulative_incidences and of gray_tests.

follow_ups have one event an endpoint and no cause of death. Of RFS (recurrence or death) and DFS, the deaths are known where OS
counts from the same day:

    death       OS ends with a death on the day on which the endpoint ends, whether that counts as its event or not
    disease     the endpoint's event is on another day, before the death
    censored    neither until the last day

A day's difference is that of rounding. A recurrence that was found on the day of the death counts as a death. OS itself is ended
by every death, and nothing competes with it. Who cannot be told is left out, and counted. Days are those of the endpoint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyses.shared.competing_risks import CENSORED, COMPETING, EVENT, cumulative_incidence, gray_test
from analyses.shared.survival import censored, origin_of
from tshdb.vocabulary import Endpoint, FirstEvent, Prognosis

if TYPE_CHECKING:
    import pandas as pd

SAME_DAY = 1.0
NOTHING_COMPETES = "every death ends OS: no other event can come first"
NO_VARIANCE = "no variance: at every event one group alone is left"
DISEASE, DEATH = 1, 2


class FirstEvents(NamedTuple):
    """data: patient_id, prognosis, duration_days, time_origin, first (CENSORED, DISEASE or DEATH); left_out: reason -> number."""

    data: pd.DataFrame
    left_out: Counter[str]

    @property
    def words(self) -> str | None:
        return "; ".join(f"{n}: {reason}" for reason, n in self.left_out.items()) or None

    def causes(self, of: FirstEvent) -> np.ndarray:
        """(patients,) as `competing_risks` has them, of this kind of event."""
        first = self.data["first"].to_numpy(int)
        mine = DISEASE if of is FirstEvent.DISEASE else DEATH
        return np.where(first == CENSORED, CENSORED, np.where(first == mine, EVENT, COMPETING))


def first_events(
    data: pd.DataFrame, follow_ups: pd.DataFrame, endpoint: Endpoint, at_days: float | None
) -> FirstEvents:
    """data: patient_id, prognosis, of the patients; endpoint: not OS; what happens after at_days is not seen."""
    ends = data[["patient_id", "prognosis"]].merge(censored(follow_ups, endpoint, None), on="patient_id")
    deaths = censored(follow_ups, Endpoint.OS, None).rename(columns={"event": "is_dead", "duration_days": "os_days"})
    both = ends.merge(deaths.rename(columns={"time_origin": "os_origin"}), on="patient_id", how="left")
    both = both.sort_values("patient_id", ignore_index=True)
    day, os_day = both["duration_days"].to_numpy(float), both["os_days"].to_numpy(float)
    is_dead, has_event = both["is_dead"].eq(True).to_numpy(bool), both["event"].to_numpy(bool)
    reasons = np.select(
        [
            np.isnan(os_day),
            (both["os_origin"] != both["time_origin"]).to_numpy(bool),
            is_dead & (os_day < day - SAME_DAY),
        ],
        ["no OS", f"OS and {endpoint} count from different days", f"dead before the day on which {endpoint} ends"],
        "",
    )
    is_death = is_dead & (np.abs(os_day - day) <= SAME_DAY)
    first = np.where(is_death, DEATH, np.where(has_event, DISEASE, CENSORED))
    if at_days is not None:
        first, day = np.where(day <= at_days, first, CENSORED), np.minimum(day, at_days)
    known = both.assign(first=first, duration_days=day)[
        ["patient_id", "prognosis", "duration_days", "time_origin", "first"]
    ]
    return FirstEvents(known[reasons == ""].reset_index(drop=True), Counter(reason for reason in reasons if reason))


def incidence_rows(
    grouping: str, data: pd.DataFrame, follow_ups: pd.DataFrame, endpoint: Endpoint, at_days: float | None
) -> list[pd.DataFrame]:
    """Rows of cumulative_incidences, of each group that has patients; none of OS (`gray_tests` says why)."""
    if endpoint is Endpoint.OS:
        return []
    found = first_events(data, follow_ups, endpoint, at_days)
    curves = []
    for prognosis in Prognosis:
        is_member = (found.data["prognosis"] == str(prognosis)).to_numpy(bool)
        days = found.data["duration_days"].to_numpy(float)[is_member]
        for cause in FirstEvent if len(days) else ():
            curve = cumulative_incidence(days, found.causes(cause)[is_member]).drop(columns="variance")
            curves.append(curve.assign(grouping=grouping, prognosis=prognosis, endpoint=endpoint, cause=cause))
    return curves


def gray_rows(
    grouping: str,
    data: pd.DataFrame,
    follow_ups: pd.DataFrame,
    endpoint: Endpoint,
    at_days: float | None,
    min_events: int,
    refused: str | None,
    words: tuple[str, str] = ("a good prognosis", "a poor prognosis"),
) -> Iterator[dict]:
    """Rows of gray_tests, one each kind of event; without a test with the reason. refused: why nothing may be tested.

    words: what the patients of good and of poor have.
    """
    nothing = {f"n_{p}{what}": 0 for p in Prognosis for what in ("", "_events", "_competing")}
    for cause in FirstEvent:
        row = {
            "grouping": grouping,
            "endpoint": endpoint,
            "cause": cause,
            "censored_at_days": at_days,
            "n_left_out": 0,
        } | nothing
        if endpoint is Endpoint.OS:
            yield row | {"time_origin": origin_of(data), "reason": NOTHING_COMPETES}
            continue
        found = first_events(data, follow_ups, endpoint, at_days)
        causes, prognosis = found.causes(cause), found.data["prognosis"].to_numpy(str)
        row |= {"time_origin": origin_of(found.data), "n_left_out": found.left_out.total(), "left_out": found.words}
        for group in Prognosis:
            mine = causes[prognosis == str(group)]
            row |= {f"n_{group}": len(mine), f"n_{group}_events": int((mine == EVENT).sum())}
            row[f"n_{group}_competing"] = int((mine == COMPETING).sum())
        yield row | _tested(found, causes, prognosis, min_events, refused, words)


def _tested(
    found: FirstEvents,
    causes: np.ndarray,
    prognosis: np.ndarray,
    min_events: int,
    refused: str | None,
    words: tuple[str, str],
) -> dict:
    n_events = int((causes == EVENT).sum())
    if refused:
        return {"reason": refused}
    if not len(causes):
        return {"reason": "of no patient it is known which event came first"}
    if len(set(prognosis)) < 2:
        return {"reason": f"all patients have {words[prognosis[0] != str(Prognosis.GOOD)]}"}
    if n_events < min_events:
        return {"reason": f"{n_events} events, fewer than {min_events}"}
    test = gray_test(found.data["duration_days"].to_numpy(float), causes, prognosis)
    if test.chi2 != test.chi2:
        return {"reason": NO_VARIANCE}
    return {"chi2": test.chi2, "p_value": test.p_value, "reason": None}
