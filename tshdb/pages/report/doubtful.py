"""What is doubtful of a study, for the first screen: nothing that was guessed, left out, lost or refused goes unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tshdb.checking import Context, broken_in
from tshdb.database import reading
from tshdb.errors import TshdbError
from tshdb.text.counts import plural

if TYPE_CHECKING:
    from tshdb.pages.report.look import Look
    from tshdb.pages.report.parts import Statement

MEANT = {  # of one, of several
    "optimistic": ("looks better than it is: what is tested had chosen its groups or its model",
                   "look better than they are: what is tested had chosen their groups or their model"),
    "in-sample": ("rests on a model that was fitted on the same patients, not by their outcome",
                  "rest on a model that was fitted on the same patients, not by their outcome"),
    "circular": ("compares groups by what made these groups", "compare groups by what made these groups"),
    "weak": ("rests on few events", "rest on few events"),
}  # fmt: skip
RULES = (
    "ingest.left-out",
    "words.closed",
    "sources.undecided",
)  # of tshdb check: what is held otherwise than a source says
FAILED = "SELECT analysis, count(*) AS n FROM units WHERE state = 'failed' GROUP BY 1 ORDER BY 1"
DAMAGED = "SELECT analysis, count(*) AS n FROM units WHERE damage IS NOT NULL GROUP BY 1 ORDER BY 1"
SHOWN = 4


def doubtful(look: Look, statements: Sequence[Statement]) -> list[str]:
    """A line each, the gravest first; the commands that say more are in the lines. statements: of the first screen."""
    failed, damaged = look.study.sql_each([FAILED, DAMAGED])
    lines = []
    for frame, words, more in (
        (damaged, "are not as they were made", "tshdb check"), (failed, "failed", "tshdb why ANALYSIS/KEY"),
    ):  # fmt: skip
        if len(frame):
            parts = ", ".join(f"{r.n:,} of {r.analysis}" for r in frame.itertuples(index=False))
            lines.append(f"Results that {words} ({more}): {parts}.")
    labelled = Counter(s.kind for s in statements if s.kind in MEANT)
    above = f"Of the {plural(len(statements), 'result')} above"
    lines += [f"{above}, {n} {MEANT[kind][n > 1]}." for kind, n in labelled.items()]
    lines += _models(look)
    lines += _of_rules(look)
    return [look.said(line) for line in lines]


def _models(look: Look) -> Iterator[str]:
    flagged = [m for m in look.models if m["is_flagged"]]
    if flagged:
        names = ", ".join(m["model"] for m in flagged[:SHOWN]) + (" …" if len(flagged) > SHOWN else "")
        yield f"Models that saw data which has since been corrected: {names}. They are not refitted silently: tshdb model list."


def _of_rules(look: Look) -> Iterator[str]:
    with reading(look.study.engine) as connection:
        try:
            context = Context(look.study, connection, look.listing.analyses)
            for name in RULES:
                for rule, problems in broken_in(context, name):
                    told = [f"{p.where}: {p.found}" for p in problems[:SHOWN]]
                    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
                    yield f"Not so: {rule.meaning}. {'; '.join(told)}{more} (tshdb check)."
        except TshdbError as error:
            yield f"The study cannot be checked: {error}"
