"""What cohorts' steps give now, in the sandbox of `tshdb sql`: one text has one answer, on every database.

An answer is remembered (`tshdb.cohorts.remembered`); what is not is asked of one process for all cohorts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tshdb.cohorts.remembered import Remembered, keys_of, recall, remember
from tshdb.cohorts.rows import Rows, rows_of
from tshdb.cohorts.steps import Moved, flow_of, members_after, parse
from tshdb.cohorts.worker import Asked, answers
from tshdb.errors import TshdbError

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Evaluated(NamedTuple):
    """What a cohort's steps give now: members (sorted), the tables that they read, and what every step did."""

    members: tuple[str, ...]
    tables: tuple[str, ...]
    flow: tuple[Moved, ...]
    disjoint_from: tuple[str, ...]


def evaluate(connection: Connection, name: str, text: str) -> Evaluated:
    """Run the steps of a cohort's file, one after the other, on what the connection sees.

    Raises InvalidInput unless each is one SELECT that gives patients of the study in a column patient_id, ResourceError
    when it takes too long.
    """
    evaluated = evaluate_each(rows_of(connection), {name: text})[name]
    if isinstance(evaluated, TshdbError):
        raise evaluated
    return evaluated


def evaluate_each(rows: Rows, texts: Mapping[str, str]) -> dict[str, Evaluated | TshdbError]:
    """cohort -> what its steps give now, or why they give nothing. texts: cohort -> its file's text."""
    asked: dict[str, Asked] = {}
    evaluated: dict[str, Evaluated | TshdbError] = {}
    for name, text in texts.items():
        try:
            asked[name] = Asked(name, parse(text, f"cohort {name}"))
        except TshdbError as error:
            evaluated[name] = error
    keys = keys_of({name: texts[name] for name in asked}, rows.known()) if asked else {}
    for name, answer in recall(rows, keys).items():
        evaluated[name] = _evaluated(asked[name], answer)
    for one, answered in answers(rows, [a for name, a in asked.items() if name not in evaluated]):
        answer = Remembered(tuple(sorted(answered.tables)), answered.versions, answered.moved)
        remember(rows, one.name, keys[one.name], answer)
        evaluated[one.name] = _evaluated(one, answer)
    return {name: evaluated[name] for name in texts}


def _evaluated(asked: Asked, answer: Remembered) -> Evaluated | TshdbError:
    if isinstance(answer.moved, TshdbError):
        return answer.moved
    flow = flow_of(asked.definition, answer.moved)
    members = tuple(sorted(members_after(flow)))
    return Evaluated(members, answer.tables, flow, asked.definition.disjoint_from)
