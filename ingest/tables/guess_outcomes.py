"""The outcomes of a first map: for each endpoint the column of its event, and the one of its time.

An endpoint needs columns that name it. What is called like another event (a recurrence for a death) is never taken for it; a
time without a name of its own (days to an MRI) is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ingest.tables.guessed_columns import Column, choice, codes_in, date_formats, inline, text
from ingest.tables.workbook import header_key

MOST_CODES = 12
LARGEST_CODE = 31
EVENTS = {"dead": True, "deceased": True, "1": True, "yes": True, "true": True, "event": True,
          "alive": False, "living": False, "0": False, "no": False, "false": False, "censored": False,
          "0:living": False, "1:deceased": True, "0:diseasefree": False, "1:recurred/progressed": True,
          "tot": True, "verstorben": True, "gestorben": True, "lebend": False, "lebt": False, "ja": True, "nein": False,
          "oui": True, "non": False, "si": True, "sí": True, "décédé": True, "vivant": False, "死亡": True, "存活": False,
          "是": True, "否": False}  # fmt: skip
UNITS = (
    ("days", "day|tage|jours|dias|天"),
    ("weeks", "week|woche|周"),
    ("months", "month|monat|mois|meses|月"),
    ("years", "year|jahr|ann"),
)
ORIGINS = (
    ("diagnosis", "diagnos"),
    ("surgery", r"surg|operat|resect|\bop\b|chirurg"),
    ("randomisation", "random"),
    ("study_entry", "enrol|entry|registr"),
)
TIME = r"time|(?:day|week|month|year)s?(?![a-z])|duration|surv|follow|monate|tage|überleb|生存"


class Endpoint(NamedTuple):
    """How an endpoint is called.

    exact: names of its event and its time that leave no doubt; event, time: of columns; never: what is another event.
    """

    name: str
    exact: tuple[str, str]
    event: str
    time: str
    never: str


NO_DAY = "free|surv|follow"  # of a time without the event
LAST_SEEN = (
    r"last[ _.]?(contact|follow|assess|visit|seen)|follow.?up|letzte[rs]? (kontakt|nachsorge|vorstellung|kontrolle)"
    r"|derni[eè]res? (nouvelles?|contact|visite)|[uú]ltim[oa] (contacto|visita|control)|末次|最后"
)


def _exact(name: str, more: str = "") -> tuple[str, str]:
    event = rf"{name}|{name}[ _.]?(event|status|stat|ind\w*|censor\w*)"
    return event, rf"{name}[ _.]?(time|days|months|years|weeks|t)([ _.(]\w+\)?)*{more}"


ENDPOINTS = (
    Endpoint(
        "OS",
        _exact("os", r"|overall[ _]survival([ _.(]\w+\)?)*"),
        r"vital|death|dead|deceas|\bos\b|overall.?surv|^sstat|verstorben|gestorben|\btod|sterbe|d[eé]c[eè]s|décès|muert|死亡"
        r"|surv.*(stat|event|ind)",
        r"death|surv|\bos\b|überleb|survie|supervivencia|生存",
        r"recur|relapse|progress|disease.?free|\bdfs\b|\brfs\b|\bpfs\b|\bdss\b|specific|metasta|cause",
    ),
    Endpoint(
        "RFS",
        _exact("rfs"),
        "rfs|recurr|relapse|rezidiv|r[eé]cidive|recidiva|复发",
        "rfs|recurr|relapse|rezidiv|r[eé]cidive|recidiva|复发",
        r"death|\bos\b|vital|dfs",
    ),
    Endpoint(
        "DFS",
        _exact("dfs"),
        r"dfs|disease.?free|\bcensor",
        "dfs|disease.?free",
        r"death|\bos\b|vital|rfs|recurr",
    ),
)


def outcomes(columns: Sequence[Column], dates: Sequence[Column]) -> tuple[list[str], set[str]]:
    """([follow_ups.X] of every endpoint that columns name, the names of the columns that are used).

    dates: columns of dates, of which an outcome may take the time between two.
    """
    lines: list[str] = []
    used: set[str] = set()
    for endpoint in ENDPOINTS:
        free = [c for c in columns if c.name not in used]
        made, names = _outcome(endpoint, free, dates)
        lines += made
        used |= names
    return lines, used


def key(column: Column) -> str:
    """A column's name without what stands in brackets."""
    return re.sub(r"\(.*?\)", " ", header_key(column.name)).strip()


def _outcome(endpoint: Endpoint, columns: Sequence[Column], dates: Sequence[Column]) -> tuple[list[str], set[str]]:
    def is_named(column: Column, pattern: str) -> bool:
        return re.search(pattern, key(column)) is not None and re.search(endpoint.never, key(column)) is None

    whole = [header_key(c.name) for c in columns]
    exact_event = [
        c for c, k in zip(columns, whole, strict=True) if re.fullmatch(endpoint.exact[0], k) and _is_coded(c)
    ]
    exact_time = [c for c, k in zip(columns, whole, strict=True) if re.fullmatch(endpoint.exact[1], k) and _is_time(c)]
    events = [c for c in columns if is_named(c, endpoint.event) and _is_coded(c) and not re.search(LAST_SEEN, key(c))]
    days = [
        c
        for c in columns
        if is_named(c, endpoint.event)
        and re.search(TIME, header_key(c.name))
        and not re.search(NO_DAY, key(c))
        and _is_time(c)
    ]
    times = [c for c in columns if is_named(c, endpoint.time) and _is_time(c)]
    seen = [c for c in columns if re.search(LAST_SEEN, key(c)) and _is_time(c)]
    events, times = exact_event or events, exact_time or times
    dates_of_event = [c for c in dates if is_named(c, endpoint.event) and not re.search(LAST_SEEN, key(c))]
    if not times and not days and dates and (events or dates_of_event):
        return _of_dates(endpoint, events, exact_event, dates_of_event, dates)
    if not events and not days:
        return [], set()
    used: set[str] = set()
    lines = [f"[follow_ups.{endpoint.name}]"]
    origin, why_origin = _origin([*days, *times, *events])
    lines.append(f'time_origin = "{origin}"    # {why_origin}')
    if events:
        event, why = choice(events, lambda c: c in exact_event)
        shown = event or events[0]
        codes = {c: EVENTS.get(c.lower(), "?") for c in codes_in(shown)}
        column = text(event.name if event else "?")
        lines.append(f"event = {{ column = {column}, codes = {inline(codes)} }}    # {why}")
        time, why = choice(times, lambda c: c in exact_time)
        if not times:
            time, why = None, _without_time(seen)
        unit, why_unit = _unit(time) if time else ("?", "")
        last, otherwise = None, ""
        if time is not None and time in days and seen:  # the day of the event; who has none was seen last on another
            last, why_last = choice(seen, lambda c: False)
            otherwise = f"else_column = {text(last.name if last else '?')}, "
            why += f". Without an event: {why_last}"
        lines.append(
            f"duration = {{ column = {text(time.name if time else '?')}, {otherwise}unit = {text(unit)} }}    # {why}{why_unit}"
        )
        used |= {c.name for c in (event, time, last) if c is not None}
    else:
        day, why = choice(days, lambda c: False)
        last, why_last = choice(seen, lambda c: False)
        unit, why_unit = _unit(day) if day else ("?", "")
        lines += [
            f"event = {{ column = {text(day.name if day else '?')}, none = [] }}    # a number is the day of the event; {why}",
            f"duration = {{ column = {text(day.name if day else '?')}, else_column = {text(last.name if last else '?')}, "
            f"unit = {text(unit)} }}    # without an event: {why_last or 'no column tells of the last contact'}{why_unit}",
        ]
        used |= {c.name for c in (day, last) if c is not None}
    return [*lines, ""], used


def _of_dates(
    endpoint: Endpoint,
    events: Sequence[Column],
    exact: Sequence[Column],
    days: Sequence[Column],
    dates: Sequence[Column],
) -> tuple[list[str], set[str]]:
    """The outcome by the time between two dates. events: coded columns of the event; days: dates of it; dates: all dates."""
    begins = [(origin, c) for origin, pattern in ORIGINS for c in dates if re.search(pattern, key(c)) and c not in days]
    seen = [c for c in dates if re.search(LAST_SEEN, key(c)) and c not in days]
    start, why_start = choice([c for _, c in begins], lambda c: False)
    day, why_day = choice(days, lambda c: False)
    last, why_last = choice(seen, lambda c: False)
    origin = next((o for o, c in begins if c is start), "?")
    why_origin = (
        f"{start.name}, {why_start}" if start else why_start or "no date names where time begins: diagnosis, surgery, …"
    )
    lines = [f"[follow_ups.{endpoint.name}]", f"time_origin = {text(origin)}    # {why_origin}"]
    used: set[str] = set()
    if events:
        event, why = choice(events, lambda c: c in exact)
        codes = {c: EVENTS.get(c.lower(), "?") for c in codes_in(event or events[0])}
        lines.append(f"event = {{ column = {text(event.name if event else '?')}, codes = {inline(codes)} }}    # {why}")
        used |= {event.name} if event else set()
    else:
        lines.append(
            f"event = {{ column = {text(day.name if day else '?')}, none = [] }}    # a date is that of the event; {why_day}"
        )
    chosen = [c for c in (start, day, last) if c is not None]
    fits = date_formats([cell for c in chosen for cell in c.cells])
    known = fits[0] if len(fits) == 1 else "?"
    why_dates = "" if known != "?" else f"; dates could be {' or '.join(fits) or 'of several kinds'}"
    ends = f"end = {text(day.name if day else '?')}, else_end = {text(last.name if last else '?')}"
    whys = [why for why in (why_start if start is None else "", why_last or "no date tells of the last contact") if why]
    lines.append(
        f"duration = {{ start = {text(start.name if start else '?')}, {ends}, dates = {text(known)} }}"
        f"    # without an event: {'; '.join(whys)}{why_dates}"
    )
    return [*lines, ""], used | {c.name for c in chosen}


def _without_time(seen: Sequence[Column]) -> str:
    """What to do where no column is called like the time of an event. seen: columns of the last contact."""
    if seen:
        return f"no column is called like its time; is it {' or '.join(c.name for c in seen)}?"
    return (
        "no column is called like its time: name the one that holds it, or take this section out; "
        "a time in another table comes by tshdb ingest follow-up"
    )


def _is_coded(column: Column) -> bool:
    different = set(column.cells)
    if column.share_of_numbers == 1 and max(column.numbers) > LARGEST_CODE:  # the days of few deaths are no codes
        return False
    return 0 < len(different) <= MOST_CODES and (len(different) <= 4 or column.share_of_numbers < 0.5)


def _is_time(column: Column) -> bool:
    known = [c for c in column.cells if c not in column.words_among_numbers]
    return len(set(known)) > 2 and len(column.numbers) > len(known) * 0.8


def _unit(column: Column) -> tuple[str, str]:
    """(unit, why) of a time, by its name alone."""
    key = header_key(column.name)
    named = [unit for unit, pattern in UNITS if re.search(pattern, key)]
    if len(named) == 1:
        return named[0], ""
    largest = max(column.numbers, default=0.0)
    return "?", f"; days, weeks, months or years: nothing says which, the largest is {largest:g}"


def _origin(columns: Sequence[Column]) -> tuple[str, str]:
    """(where time begins, why)."""
    keys = [header_key(c.name) for c in columns]
    for origin, pattern in ORIGINS:
        if any(re.search(pattern, key) for key in keys):
            return origin, "by the name of a column"
    return "diagnosis", "a guess that nothing confirms: or surgery, study_entry, …"
