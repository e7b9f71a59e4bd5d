"""What a rule is, and how all of them are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from tshdb.engine.analysis import Analysis
from tshdb.study import Study


@dataclass(frozen=True)
class Context:
    """What rules look at: one state of the database, and the study's folder."""

    study: Study
    connection: Connection
    analyses: tuple[Analysis, ...]


class Problem(NamedTuple):
    """One place where a rule is broken. key: what the repair needs to find it again; repair: if it is not the rule's."""

    where: str
    found: str
    key: str = ""
    repair: str = ""


Find = Callable[[Context], Iterator[Problem]]
Mend = Callable[[Context, list[Problem]], None]


@dataclass(frozen=True)
class Rule:
    """One promise.

    is_full: it reads bytes and all rows, so that --fast leaves it out; is_warning: nothing is wrong yet; marks: `mend` only
    notes what is to be made again or read again, by the command that `repair` names.
    """

    name: str
    meaning: str
    repair: str
    find: Find
    is_full: bool = False
    is_warning: bool = False
    mend: Mend | None = None
    marks: bool = False


RULES: dict[str, Rule] = {}
ROWS = (
    "ingested.rows",
    "ingested.added",
)  # mended first: through these rows others are looked at, and taken for unused


def rule(
    name: str,
    meaning: str,
    repair: str,
    *,
    is_full: bool = False,
    is_warning: bool = False,
    mend: Mend | None = None,
    marks: bool = False,
) -> Callable[[Find], Find]:
    """Register a function that finds where the promise `meaning` is broken."""

    def register(find: Find) -> Find:
        RULES[name] = Rule(name, meaning, repair, find, is_full, is_warning, mend, marks)
        return find

    return register


class Broken(NamedTuple):
    """A rule with the places where it is broken."""

    rule: Rule
    problems: list[Problem]


def check(context: Context, *, full: bool, progress: Callable[[str, int, int], None] = lambda *_: None) -> list[Broken]:
    """Run the rules; gives those that are broken. Without `full`, those that read bytes or every row are left out."""
    from tshdb.checking import cohorts, database, history, imaging, objects, provenance, rows, traces, units  # noqa: F401 (they register)

    found = []
    first = ("database.bytes", "schema.tables")  # where these are broken nothing else can be trusted
    chosen = [r for r in sorted(RULES.values(), key=lambda r: r.name not in first) if full or not r.is_full]
    for i, one in enumerate(chosen):
        progress("check", i, len(chosen))
        problems = list(one.find(context))
        if problems:
            found.append(Broken(one, problems))
            if one.name in first:
                break
    progress("check", len(chosen), len(chosen))
    return found


def mend(context: Context, broken: Iterable[Broken]) -> list[Broken]:
    """Repair what can be repaired without losing anything, and mark what is to be made again. Gives those rules, with what.

    Inside `writing` and the study lock: what was found before them is looked for again, since a command that has ended
    meanwhile may have brought it in order.
    """
    mended = []
    for one in sorted(broken, key=lambda b: b.rule.name not in ROWS):
        problems = list(one.rule.find(context)) if one.rule.mend is not None else []
        if problems:
            one.rule.mend(context, problems)
            mended.append(Broken(one.rule, problems))
    return mended
