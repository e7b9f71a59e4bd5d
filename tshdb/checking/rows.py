"""Ingested rows: they are those that were ingested, and what is chosen among them is what the rules choose.

What another hand changed is put back from the sources' words that the study keeps, where these are proven to be what was
ingested; else its ingest unit is marked, and its sources are read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import select

from tshdb.checking.healing import mark_ingested
from tshdb.checking.rule import Context, Problem, rule
from tshdb.engine.units import ENTITY_COLUMN
from tshdb.ingested import Entity, edited, speakers
from tshdb.loading.commit import refresh_units
from tshdb.loading.put_back import prove, put_back, remove_added
from tshdb.origins import MARK, RESTORE, Row
from tshdb.schema import ClinicalValue, Patient, SourceFile
from tshdb.selection import chosen_otherwise, select_profiles
from tshdb.timepoints import number_time_points, numbered_otherwise
from tshdb.vocabulary import Damage

REPAIR = f"Run: {MARK}"
NO_UNIT = "has rows that were never ingested"


class _EditedRows(NamedTuple):
    """Ingested rows that are not as they were ingested.

    wrong: entity -> what is wrong.
    added: those that no source says.
    spoken: the sources of the others.
    """

    wrong: dict[Entity, str]
    added: set[Entity]
    spoken: dict[Entity, set[tuple[str, str, str]]]


def _look(c: Context) -> _EditedRows:
    wrong = {(t, e): text for t in ENTITY_COLUMN for e, text in edited(c.connection, t).items()}
    spoken: dict[Entity, set[tuple[str, str, str]]] = defaultdict(set)
    for source, entities in speakers(c.connection, _by_table(wrong)).items() if wrong else ():
        for entity in entities:
            spoken[entity].add(source)
    added = {e for e, text in wrong.items() if text == NO_UNIT and not _is_said(c, e, spoken[e])}
    return _EditedRows(wrong, added, spoken)


def _is_said(c: Context, entity: Entity, sources: set[tuple[str, str, str]]) -> bool:
    """Whether rows without an ingest unit may be a source's. Values as found name the file that they are from."""
    if entity[0] != ClinicalValue.__tablename__:
        return bool(sources)
    file = SourceFile
    query = (
        select(file.collection, file.reader, file.name)
        .join(ClinicalValue, ClinicalValue.source_file_id == file.source_file_id)
        .where(ClinicalValue.patient_id == entity[1])
    )
    return any(tuple(row) in sources for row in c.connection.execute(query))


def _by_table(entities: Iterable[Entity]) -> dict[str, set[str]]:
    by_table: dict[str, set[str]] = defaultdict(set)
    for table, entity in entities:
        by_table[table].add(entity)
    return by_table


@rule(
    "ingested.rows", "the rows of every patient, sample and profile are those that were ingested", "As is said of each",
    is_full=True, mend=lambda c, problems: _mend_rows(c), marks=True,
)  # fmt: skip
def _ingested(c: Context) -> Iterator[Problem]:
    looked = _look(c)
    to_prove = looked.wrong.keys() - looked.added
    proven = prove(c.connection, c.study.objects, _by_table(to_prove)).entities if to_prove else set()
    origins = c.origins
    for table, entity in sorted(to_prove):
        where = f"{table}/{entity}"
        if (table, entity) in proven:
            repair = f"{REPAIR}. It puts back what was ingested"
        elif looked.wrong[table, entity] == NO_UNIT or not looked.spoken[table, entity]:
            repair = RESTORE
        else:
            advice = origins.advice_of_sources(looked.spoken[table, entity], Damage.EDITED)
            repair = f"{advice}. If that does not help, restore a backup"
        yield Problem(where, looked.wrong[table, entity], where, repair)


def _mend_rows(c: Context) -> None:
    """Put back what is proven; mark the rest."""
    looked = _look(c)
    to_prove = looked.wrong.keys() - looked.added
    proven = prove(c.connection, c.study.objects, _by_table(to_prove))
    if proven.entities:
        put_back(c.connection, proven, MARK)
        for table, entities in _by_table(e for e in proven.entities if looked.wrong[e] == NO_UNIT).items():
            refresh_units(c.connection, table, entities)
    mark_ingested(c, (Row(table, "", entity) for table, entity in to_prove - proven.entities), Damage.EDITED)


def _remove(c: Context, problems: list[Problem]) -> None:
    remove_added(c.connection, _by_table(_look(c).added))


@rule(
    "ingested.added", "every row was said by a source", f"{REPAIR}. It removes them, unless rows that stay name them",
    is_full=True, mend=_remove,
)  # fmt: skip
def _added(c: Context) -> Iterator[Problem]:
    for table, entity in sorted(_look(c).added):
        yield Problem(f"{table}/{entity}", NO_UNIT)


def _choose(c: Context, _: list[Problem]) -> None:
    everybody = c.connection.execute(select(Patient.patient_id)).scalars().all()
    select_profiles(c.connection, everybody)
    number_time_points(c.connection, everybody)


@rule(
    "ingested.chosen", "the profiles that speak for patients, and the time points, are those that the rules give", REPAIR,
    is_full=True, mend=_choose,
)  # fmt: skip
def _chosen(c: Context) -> Iterator[Problem]:
    everybody = c.connection.execute(select(Patient.patient_id)).scalars().all()
    for row in chosen_otherwise(c.connection, everybody):
        yield Problem(f"expression_profiles/{row['b_id']}", "is selected, or excluded, by no rule")
    for row in numbered_otherwise(c.connection, everybody):
        yield Problem(f"imaging_studies/{row['b_uid']}", f"is {row['b_point'] or 'no time point'}, by the rule")


RULES = (_ingested, _added, _chosen)
