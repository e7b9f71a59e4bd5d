"""Which part of the story is told: of a result table, an analysis, a patient, a cohort or one unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from tshdb.engine.analysis import Analysis
from tshdb.engine.units import ENTITY_COLUMN
from tshdb.errors import NotFound
from tshdb.schema import Change, Cohort, CohortVersion, Patient, Unit
from tshdb.withdrawal.identifiers import identifiers

NEAR = 5  # names that are suggested
COMPARED = 20_000  # patients whose names are compared letter by letter


@dataclass(frozen=True)
class Scope:
    """Which part of the story is told.

    units, rows: the conditions that choose units, and rows of the change log. Where a part is None it is not told.
    of_one: of a key rather than of the study or a table. Each row is told, and only what came out different.
    cohort, version: the one whose versions are told, "" for all.
    patient: whose comings and goings.
    """

    units: ColumnElement[bool] | None = None
    rows: ColumnElement[bool] | None = None
    of_one: bool = False
    cohort: str | None = None
    version: int | None = None
    patient: str | None = None

    @property
    def is_whole(self) -> bool:
        return self is WHOLE


WHOLE = Scope(units=true(), rows=true(), cohort="")


def scope_of(connection: Connection, analyses: Sequence[Analysis], text: str | None) -> Scope:
    """What TABLE or KEY means: a table or an analysis first, then a cohort, a patient, a unit, an entity of a table.

    Raises NotFound for a name that is none of them, with those that are near.
    """
    if text is None:
        return WHOLE
    makers = {a.name for a in analyses if text in (a.name, a.makes.__tablename__)}
    if makers:
        return Scope(units=Unit.analysis.in_(makers))
    if text in ENTITY_COLUMN:
        return Scope(rows=Change.table_name == text)
    name, _, number = text.partition("@")
    if connection.execute(select(Cohort.cohort).where(Cohort.cohort == name)).scalar() is not None:
        return _of_cohort(connection, name, number, text)
    if connection.execute(select(Patient.patient_id).where(Patient.patient_id == text)).scalar() is not None:
        keys = identifiers(connection, text).keys
        return Scope(Unit.key.in_(keys), Change.entity_key.in_(keys), of_one=True, patient=text)
    analysis, slash, key = text.partition("/")
    of_unit = (Unit.analysis == analysis) & (Unit.key == key)
    if slash and analysis in {a.name for a in analyses} and _is_there(connection, of_unit):
        return Scope(units=of_unit, of_one=True)
    of_entity, of_rows = (Unit.key == text) & ~Unit.analysis.startswith("reference."), Change.entity_key == text
    if _is_there(connection, of_entity) or connection.execute(select(Change.change_id).where(of_rows).limit(1)).all():
        return Scope(of_entity, of_rows, of_one=True, patient=text)
    raise NotFound(f"'{text}' is no table, analysis, cohort, patient or unit", repair=_near(connection, analyses, text))


def _of_cohort(connection: Connection, name: str, number: str, text: str) -> Scope:
    if not number:
        return Scope(or_(Unit.key == name, Unit.key.startswith(f"{name}@", autoescape=True)), of_one=True, cohort=name)
    query = select(CohortVersion.version).where(CohortVersion.cohort == name)
    known = set(connection.execute(query).scalars())
    if not number.isdecimal() or int(number) not in known:
        versions = f"Its versions: {', '.join(f'{name}@{v}' for v in sorted(known)) or 'none'}"
        raise NotFound(f"no version '{text}'", repair=versions)
    return Scope(units=Unit.key == f"{name}@{int(number)}", of_one=True, cohort=name, version=int(number))


def _is_there(connection: Connection, units: ColumnElement[bool]) -> bool:
    return connection.execute(select(Unit.unit_id).where(units).limit(1)).scalar() is not None


def _near(connection: Connection, analyses: Sequence[Analysis], text: str) -> str:
    """The names that are near to a text, or what a name can be."""
    names = {a.name for a in analyses} | {a.makes.__tablename__ for a in analyses} | ENTITY_COLUMN.keys()
    names |= set(connection.execute(select(Cohort.cohort)).scalars())
    patients = Patient.patient_id
    matches = [
        *connection.execute(select(patients).where(patients.contains(text, autoescape=True)).limit(NEAR)).scalars()
    ]
    if connection.execute(select(func.count()).select_from(Patient)).scalar_one() <= COMPARED:
        names |= set(connection.execute(select(patients)).scalars())
    head, slash, key = text.partition("/")
    if slash and head in names:  # a unit of that analysis
        query = select(Unit.key).where(Unit.analysis == head).order_by(Unit.key).limit(COMPARED)
        keys = {f"{head}/{k}" for k in connection.execute(query).scalars()}
        return _suggestion(get_close_matches(text, sorted(keys), NEAR, 0.5) or sorted(keys)[:NEAR])
    matches += get_close_matches(text, sorted(names), NEAR)
    matches += [n for n in sorted(names) if text.lower() in n.lower()]
    return _suggestion(list(dict.fromkeys(matches))[:NEAR])


def _suggestion(names: list[str]) -> str:
    if names:
        return f"Did you mean {', '.join(names)}?"
    return "Name a table of results, an analysis, a cohort, a patient, or a unit as ANALYSIS/KEY"
