"""The record of what began each change: sets of causes that attempts and retirements name are there."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select, update

from tshdb.checking.rule import Context, Problem, rule
from tshdb.schema import Attempt, CauseSet, Retirement, Unit


def _forget(c: Context, problems: list[Problem]) -> None:
    """What names a set that is gone says `not recorded` from now on: what stood there cannot be told."""
    known = select(CauseSet.cause_set)
    for table in (Attempt, Retirement):
        lost = table.cause_set.is_not(None) & table.cause_set.not_in(known)
        c.connection.execute(update(table).where(lost).values(cause_set=None))


@rule(
    "history.causes", "causes that an attempt or a retirement names are on record",
    "tshdb check --repair has them say `not recorded`; a backup has what stood there", mend=_forget,
)  # fmt: skip
def _causes(c: Context) -> Iterator[Problem]:
    known = select(CauseSet.cause_set)
    for table, what in ((Attempt, "an attempt"), (Retirement, "a retirement")):
        query = (
            select(Unit.analysis, Unit.key, table.cause_set)
            .join(Unit, Unit.unit_id == table.unit_id)
            .where(table.cause_set.is_not(None), table.cause_set.not_in(known))
        )
        for analysis, key, number in c.connection.execute(query):
            yield Problem(f"{analysis}/{key}", f"{what} names set {number} of causes, which is not there", str(number))


RULES = (_causes,)
