"""Whether every flip of a group is recorded, and nothing else: the tables before and after each rebuild, compared by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import select

from tests.support.life import Life
from tshdb.database import reading
from tshdb.drift import drift, groups_of
from tshdb.engine.causes import Cause, causes_in_words
from tshdb.schema import Unit
from tshdb.study import Study
from tshdb.vocabulary import UnitState

Groups = dict[str, dict[tuple[str, ...], str | None]]  # unit -> the rest of a row's key -> its group


class Flipped(NamedTuple):
    """A unit whose group changed: unit, before, after."""

    unit: str
    before: str | None
    after: str | None


def groups(life: Life) -> Groups:
    """The groups of all units as they stand, by table."""
    found: Groups = {}
    with reading(life.study.engine) as connection:
        for analysis in life.analyses:
            for column in groups_of(analysis):
                table = analysis.makes.__table__
                parts = [table.c[c.name] for c in analysis.makes.__table__.primary_key if c.name != "unit_id"]
                query = select(Unit.key, table.c[column], *parts).join(Unit, Unit.unit_id == table.c.unit_id)
                query = query.where(Unit.analysis == analysis.name, Unit.state == UnitState.CURRENT)
                for key, group, *rest in connection.execute(query):
                    said = None if group is None else str(group.value)
                    found.setdefault(f"{analysis.name}/{key}", {})[tuple(map(str, rest))] = said
    return found


class Flips:
    """The groups through a history. A group that was lost by hand, and comes again as it was, is no flip."""

    def __init__(self, life: Life):
        self.life = life
        self.known: Groups = {}  # as they were when units were last made, or their groups last went

    def untrue(self, run_id: int, causes: Mapping[str, frozenset[Cause]]) -> Iterator[str]:
        """What is wrong with what a run recorded, in words. causes: unit -> those that the run recorded, judged elsewhere."""
        now = groups(self.life)
        for unit in self.life.harmed.keys() & self.known.keys():  # it was not made again yet
            now[unit] = self.known[unit]
        wanted = list(_flipped(self.known, now))
        self.known = {**dict.fromkeys(self.known, {}), **now}
        analyses = [a for a in self.life.analyses if groups_of(a)]
        study = Study(self.life.study.root)
        with reading(study.engine) as connection:
            found = [f for a in analyses for f in drift(connection, self.life.analyses, a.name) if f.run_id == run_id]
        study.engine.dispose()
        said = [Flipped(f"{f.analysis}/{f.patient_id}", f.before, f.after) for f in found]
        if more := [f for f in said if f not in wanted]:
            yield f"{len(more)} flips are told that were not, such as {tuple(more[0])}"
        if less := [f for f in wanted if f not in said]:
            yield f"{len(less)} flips are not told, such as {tuple(less[0])}"
        for flip in found:
            unit = f"{flip.analysis}/{flip.patient_id}"
            recorded = causes_in_words(causes.get(unit, ()))
            if flip.cause != recorded:
                yield f"the flip of {unit} is told to be of {flip.cause}, and was recorded of {recorded}"
            if flip.cause == causes_in_words(()):
                yield f"the flip of {unit} has no cause"


def _flipped(before: Groups, after: Groups) -> Iterator[Flipped]:
    """Units that had groups before. A row that is another one now, as by another population, is the only one of its unit."""
    for unit, rows in before.items():
        now = after.get(unit, {})
        if rows.keys() == now.keys() or len(rows) > 1 or len(now) > 1:
            pairs: Mapping = {part: (rows.get(part), now.get(part)) for part in rows.keys() | now.keys()}
        else:
            pairs = {(): (next(iter(rows.values()), None), next(iter(now.values()), None))}
        yield from (Flipped(unit, was, is_now) for was, is_now in pairs.values() if was != is_now)
