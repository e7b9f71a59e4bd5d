"""A cohort's file: named steps of plain SQL, in order.

    -- disjoint from: tumor_stroma_development
    -- include: women with RNA
    SELECT patient_id FROM …;
    -- exclude: no known outcome
    SELECT patient_id FROM …;

Every step is one SELECT that gives patient_id. `include` adds those patients, `exclude` takes them out, and the text
behind the colon is the reason that the flow shows. A file without marks is one inclusion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tshdb.errors import InvalidInput
from tshdb.vocabulary import StepEffect

MARK = re.compile(r"(?im)^[ \t]*--[ \t]*(include|exclude)[ \t]*:[ \t]*(.*)$")
DISJOINT = re.compile(r"(?im)^[ \t]*--[ \t]*disjoint from[ \t]*:[ \t]*(.*)$")
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
UNNAMED = "the definition's SELECT"


class CohortStep(NamedTuple):
    """One SELECT of a definition, what it does, and why."""

    effect: StepEffect
    reason: str
    sql: str


class Definition(NamedTuple):
    """What a cohort's file says."""

    steps: tuple[CohortStep, ...]
    disjoint_from: tuple[str, ...]


class Moved(NamedTuple):
    """A step with the patients that it brought in or took out, sorted; n_in and n_out: members before and after it."""

    step: CohortStep
    patients: tuple[str, ...]
    n_in: int
    n_out: int


def walk(definition: Definition, where: str, select: Callable[[str, str], set[str]]) -> list[Moved]:
    """Go through the steps in order. select(sql, where) -> the patients that a step's SELECT gives."""
    members: set[str] = set()
    flow = []
    for i, step in enumerate(definition.steps, 1):
        patients = select(step.sql, place_of(definition, i, where))
        moved = patients - members if step.effect is StepEffect.INCLUDE else patients & members
        flow.append(Moved(step, tuple(sorted(moved)), len(members), len(members ^ moved)))
        members ^= moved
    return flow


def place_of(definition: Definition, number: int, where: str) -> str:
    """Where an error of a step is: in the cohort, and in which step, where there are several."""
    if len(definition.steps) == 1:
        return where
    return f"{where}, step {number} ({definition.steps[number - 1].reason})"


def flow_of(definition: Definition, moved: Sequence[Sequence[str]]) -> tuple[Moved, ...]:
    """The flow, of who came or left by each step."""
    n, flow = 0, []
    for step, patients in zip(definition.steps, moved, strict=True):
        after = n + len(patients) if step.effect is StepEffect.INCLUDE else n - len(patients)
        flow.append(Moved(step, tuple(patients), n, after))
        n = after
    return tuple(flow)


def members_after(flow: Sequence[Moved]) -> set[str]:
    """Who is left when all steps are done."""
    members: set[str] = set()
    for moved in flow:
        members ^= set(moved.patients)
    return members


def parse(text: str, where: str) -> Definition:
    """The steps of a cohort's file. Raises InvalidInput for a file whose steps cannot be told apart."""
    others = [name.strip() for listed in DISJOINT.findall(text) for name in listed.split(",")]
    disjoint = tuple(dict.fromkeys(name for name in others if name))
    marks = list(MARK.finditer(text))
    if not marks:
        return Definition((CohortStep(StepEffect.INCLUDE, UNNAMED, _select(text, where)),), disjoint)
    if COMMENT.sub("", text[: marks[0].start()]).strip():
        raise InvalidInput(
            "SQL stands before the first step", where=where, repair="Write '-- include: WHO' above the first SELECT"
        )
    steps: list[CohortStep] = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        effect, reason = StepEffect(mark[1].lower()), mark[2].strip()
        place = f"{where}, step {len(steps) + 1} ({reason or effect})"
        if not reason:
            raise InvalidInput("the step has no reason", where=place, repair=f"Write '-- {effect}: WHO, or WHY'")
        sql = text[mark.end() : following.start() if following else len(text)]
        steps.append(CohortStep(effect, reason, _select(sql, place)))
    if steps[0].effect is not StepEffect.INCLUDE:
        raise InvalidInput("the first step takes patients out", where=where, repair="Begin with '-- include: WHO'")
    return Definition(tuple(steps), disjoint)


def _select(sql: str, where: str) -> str:
    """The text without a semicolon at its end. Raises InvalidInput unless it begins as a SELECT."""
    bare = COMMENT.sub("", sql).strip()
    if not re.match(r"(?i)(select|with)\b", bare):
        raise InvalidInput("the definition is not a SELECT", where=where, repair="Write: SELECT patient_id FROM …")
    return sql.strip().rstrip(";").strip()
