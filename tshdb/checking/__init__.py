"""Does everything that a study promises still hold? Rules by subject; each finds its kind of damage and names the repair.

rule        what a rule is
database    the file itself, its schema, its foreign keys
objects     expression parts: there, unchanged, holding what rows say
units       results and the digests by which they are trusted; inputs, runs, leases
provenance  rows and the places in files that say them; specs
rows        ingested rows that were edited, deleted or added by hand
history     what began each change
cohorts     versions, members, flows
imaging     series and their files
paths       of files, where they are hashed
traces      leftovers of interruptions, withdrawals
truths      independent measurements that derived values are held against
words       what was left out, or read as something else
healing     what helps a damaged result
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tshdb.checking import (
    cohorts,
    database,
    history,
    imaging,
    objects,
    paths,
    provenance,
    rows,
    traces,
    truths,
    units,
    words,
)
from tshdb.checking.rule import Broken, Context, Problem, Rule

__all__ = ["OF_OBJECTS", "RULES", "Broken", "Context", "Problem", "Rule", "broken_in", "check", "mend"]

OF_OBJECTS = ("object.extra", "part.unused")  # a rebuild writes objects before the rows that name them
FIRST = ("database.bytes", "database.code", "schema.tables")  # where these are broken nothing else can be trusted
MENDED_FIRST = ("ingested.rows", "ingested.added")  # through these rows others are looked at, and taken for unused
RULES: dict[str, Rule] = {
    rule.name: rule
    for module in (cohorts, database, history, imaging, objects, paths, provenance, rows, traces, truths, units, words)
    for rule in module.RULES
}


def check(context: Context, *, full: bool, progress: Callable[[str, int, int], None] = lambda *_: None) -> list[Broken]:
    """Run the rules; gives those that are broken. Without `full`, those that read bytes or every row are left out."""
    broken = []
    chosen = [r for r in sorted(RULES.values(), key=lambda r: r.name not in FIRST) if full or not r.is_full]
    for i, rule in enumerate(chosen):
        progress("check", i, len(chosen))
        problems = list(rule.find(context))
        if problems:
            broken.append(Broken(rule, problems))
            if rule.name in FIRST:
                break
    progress("check", len(chosen), len(chosen))
    return broken


def broken_in(context: Context, name: str) -> list[Broken]:
    """The rule of that name, if it is broken."""
    problems = list(RULES[name].find(context))
    return [Broken(RULES[name], problems)] if problems else []


def mend(context: Context, broken: Iterable[Broken]) -> list[Broken]:
    """Repair what can be repaired without losing anything, and mark what is to be made again. Gives those rules, with what.

    Inside `writing` and the study lock: what was found before them is looked for again, since a command that has ended
    meanwhile may have brought it in order.
    """
    mended = []
    for rule, _ in sorted(broken, key=lambda b: b.rule.name not in MENDED_FIRST):
        if rule.mend is None:
            continue
        problems = list(rule.find(context))
        if problems:
            rule.mend(context, problems)
            mended.append(Broken(rule, problems))
    return mended
