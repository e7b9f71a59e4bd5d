"""Outcomes that cannot be, or hardly can: looked for in the rows of one source, before anything is loaded."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from tshdb.file_content import FileContent, Record
from tshdb.schema import FollowUp

LONGEST_DAYS = 36_525.0
FEW = 8  # below so many outcomes nothing is said of all of them together
SHORT_MEDIAN, SHORT_MAXIMUM = 120.0, 400.0  # all durations so short look like months or years


def check_outcomes(content: FileContent) -> None:
    """Add findings on the outcomes that were read."""
    by_endpoint: dict[str, list[Record]] = defaultdict(list)
    for record in content.records:
        if record.table is FollowUp:
            by_endpoint[str(record.values["endpoint"])].append(record)
    for endpoint, records in sorted(by_endpoint.items()):
        _check_endpoint(endpoint, records, content)
    _check_order(by_endpoint, content)


def _check_endpoint(endpoint: str, records: list[Record], content: FileContent) -> None:
    for record in records:
        if record.values["event"] and record.values["duration_days"] is None:
            content.warn(
                record.line, endpoint, record.values["patient_id"], "follow-up.event-without-day",
                "the event has no day; the patient takes part in no survival analysis",
            )  # fmt: skip
    known = [r for r in records if r.values["duration_days"] is not None and r.values["event"] is not None]
    for record in known:
        days = record.values["duration_days"]
        if days > LONGEST_DAYS:
            content.warn(record.line, endpoint, f"{days:g}", "follow-up.too-long", "more than 100 years of days")
        if days == 0:
            content.warn(record.line, endpoint, "0", "follow-up.zero", "a duration of 0 days; it is kept")
    if len(known) < FEW:
        return
    events = sum(bool(r.values["event"]) for r in known)
    days = [r.values["duration_days"] for r in known]
    first = known[0].line
    if events == 0:
        content.warn(
            first, endpoint, "0", "follow-up.all-censored", f"none of {len(known)} has the event; are codes swapped?"
        )
    elif events == len(known):
        content.warn(
            first, endpoint, str(events), "follow-up.all-events", f"all {len(known)} have the event; are codes swapped?"
        )
    if median(days) < SHORT_MEDIAN and max(days) < SHORT_MAXIMUM:
        content.warn(
            first, endpoint, f"{median(days):g}", "follow-up.not-days",
            f"the median of {len(days)} durations, the longest {max(days):g}: are these months or years?",
        )  # fmt: skip
    if max(days) <= 1 and set(days) <= {0, 1}:
        content.error(
            first, endpoint, "0 / 1", "follow-up.time-is-event", "every duration is 0 or 1: are the columns swapped?"
        )


def _check_order(by_endpoint: dict[str, list[Record]], content: FileContent) -> None:
    """Nobody recurs after the end of the observation for death."""
    survival = {r.values["patient_id"]: r.values["duration_days"] for r in by_endpoint.get("OS", ())}
    for endpoint in ("RFS", "DFS"):
        for record in by_endpoint.get(endpoint, ()):
            days, until = record.values["duration_days"], survival.get(record.values["patient_id"])
            if days is not None and until is not None and days > until:
                content.warn(
                    record.line, endpoint, f"{days:g}", "follow-up.beyond-survival",
                    f"{record.values['patient_id']}: longer than the {until:g} days of overall survival; both are kept",
                )  # fmt: skip
