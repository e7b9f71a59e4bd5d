"""What a rule is: one promise of a study, how a broken one is found, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import Connection

from tshdb import installed
from tshdb.engine.analysis import Analysis
from tshdb.engine.world import World
from tshdb.origins import Origins
from tshdb.study import Study
from tshdb.truths.declared import declared_truths
from tshdb.truths.judging import Judged, judge


@dataclass(frozen=True)
class Context:
    """What rules look at: one state of the database, and the study's folder.

    absent: analyses that the study has results of and nobody here can run, each in words.
    described: all analyses that nobody here can run, those without results too -> the table that each makes.
    untrusted: files of the study's own code that may not run.
    """

    study: Study
    connection: Connection
    analyses: tuple[Analysis, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    untrusted: tuple[str, ...] = ()
    described: Mapping[str, str] = field(default_factory=dict)

    def world(self) -> World:
        """The analyses as they are now. Raises TshdbError where study.toml does not fit them."""
        return World(self.analyses, self.study.settings, absent=self.described, untrusted=self.untrusted)

    @property
    def origins(self) -> Origins:
        """A look at whose objects and rows are, which knows the readers that are here."""
        return Origins(self.connection, frozenset(reader.name for reader in installed.readers()))

    @cached_property
    def truths(self) -> tuple[Judged, ...]:
        """The truths of truths.toml, judged once for all rules. Raises TshdbError where that file cannot be read."""
        return tuple(judge(self.study, one) for one in declared_truths(self.study.root))


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

    is_full: it reads bytes and all rows, so that --fast leaves it out.
    is_warning: nothing is wrong yet.
    marks: `mend` only notes what is to be made again or read again, by the command that `repair` names.
    """

    name: str
    meaning: str
    repair: str
    find: Find
    is_full: bool = False
    is_warning: bool = False
    mend: Mend | None = None
    marks: bool = False


def rule(
    name: str,
    meaning: str,
    repair: str,
    *,
    is_full: bool = False,
    is_warning: bool = False,
    mend: Mend | None = None,
    marks: bool = False,
) -> Callable[[Find], Rule]:
    """Make a rule of the function that finds where the promise `meaning` is broken. Modules list theirs in `RULES`."""
    return lambda find: Rule(name, meaning, repair, find, is_full, is_warning, mend, marks)


class Broken(NamedTuple):
    """A rule with the places where it is broken."""

    rule: Rule
    problems: list[Problem]
