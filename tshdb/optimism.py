"""Whether a result rests on something that its own patients made: a cut-off, groups, features, labels. From its inputs alone.

is_optimistic   a fit behind it looked at the tested outcome of some of these patients: a p value is too small, a measure too good
is_in_sample    a fit behind it was fitted on some of them, without that outcome
                what a fit looked at is also what that was made of, short of other fits: labels that were made of follow-up
is_circular     it compares a quantity between groups that were made from that quantity (`circularity`)

What a fit learns it declares (`learns`), and a result what it tests (`tests`). Who declares nothing is taken to look at, or to
test, all that it reads; so is a fit whose program is not here. Analyses whose table has such a column of their own say it
themselves, by row; in others (`Labelled`, `LabelledCircular`) it is noted at the end of a rebuild (`note_labels`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, false, not_, or_, select, text, update

from tshdb import circularity
from tshdb.circularity import Circular
from tshdb.cohorts.states import members_of
from tshdb.database import reading, tuples, writing
from tshdb.engine.needs import Learns, Need
from tshdb.engine.units import INGEST
from tshdb.guest_tables import fits_of
from tshdb.schema import Base, Patient, Unit
from tshdb.text.counts import plural
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.study import Study

MADE_OF = """
WITH RECURSIVE above(unit_id) AS (
    SELECT input_unit_id FROM unit_inputs WHERE unit_id = :unit AND role = :role
    UNION SELECT e.input_unit_id FROM unit_inputs e JOIN above a ON a.unit_id = e.unit_id
    JOIN units u ON u.unit_id = e.unit_id WHERE u.analysis NOT IN :fits
)
SELECT DISTINCT u.analysis FROM above a JOIN units u ON u.unit_id = a.unit_id
"""


MOVED = """
SELECT DISTINCT e.unit_id FROM unit_inputs e JOIN units u ON u.unit_id = e.input_unit_id
WHERE u.fingerprint IS DISTINCT FROM e.seen_fingerprint
"""


class Seen(NamedTuple):
    """A fit that has learned from patients of a result.

    fit       analysis/cohort@version
    outcome   the tested table that it looked at; None: it was fitted without an outcome that is tested
    n_seen    of the result's patients, whom it learned from; n: all of them
    where     the collection on which the value was chosen before it came here, or None
    honest    column and p value that the fit's choice does not make smaller, or None
    spared    (column, values) of rows that do not use what it chose by the outcome, or None
    by        the table that it looked at, where that was made of the outcome; None: the outcome itself
    """

    fit: str
    outcome: str | None
    n_seen: int
    n: int
    where: str | None
    honest: tuple[str, float] | None
    spared: tuple[str, tuple[str, ...]] | None = None
    by: str | None = None

    @property
    def words(self) -> str:
        of = f"{self.n_seen:,} of these {plural(self.n, 'patient')}"
        if self.outcome is None:
            return f"in sample: {self.fit} was fitted on {of}, not on what is tested"
        how = f"was chosen on {self.where}, by {self.outcome}" if self.where else f"looked at {self.outcome}"
        how += f" (by {self.by})" if self.by else ""
        honest = f"; its own {self.honest[0]} is {self.honest[1]:.2g}" if self.honest else ""
        but = f" (not of {self.spared[0]} {', '.join(self.spared[1])})" if self.spared else ""
        return f"optimistic: {self.fit} {how} of {of}{honest}{but}"


class Label(NamedTuple):
    """What must be said beside a result. seen: those that looked at the outcome first; circular: groups of what is tested."""

    seen: tuple[Seen, ...]
    circular: tuple[Circular, ...] = ()

    @property
    def is_optimistic(self) -> bool:
        return any(s.outcome is not None for s in self.seen)

    @property
    def is_in_sample(self) -> bool:
        return any(s.outcome is None for s in self.seen)

    @property
    def words(self) -> list[str]:
        return [s.words for s in (*self.seen, *self.circular)]

    @property
    def optimistic(self) -> str | None:
        """Those that looked at the outcome, in words; None without any."""
        return "; ".join(s.words for s in self.seen if s.outcome is not None) or None

    def of_row(self, row: Mapping[str, Any]) -> str | None:
        """The same of one row of the result."""
        looked = [s for s in self.seen if s.outcome is not None]
        of_it = [s for s in looked if s.spared is None or row[s.spared[0]] not in s.spared[1]]
        return "; ".join(s._replace(spared=None).words for s in of_it) or None

    def circular_of_row(self, row: Mapping[str, Any]) -> str | None:
        """Why this row of the result tests what made its groups, in words; None where it does not."""
        return "; ".join(c._replace(spared=None).words for c in self.circular if c.holds_of(row)) or None


NOTHING = Label(())


class Labels:
    """What must be said beside the results of a study, whose analyses and settings are read once."""

    def __init__(self, study: Study):
        from tshdb.guests.listing import listing_of

        self._study, listing = study, listing_of(study)
        world = listing.world(study.settings)
        self._by_name, self._parameters = world.by_name, world.parameters  # as study.toml has them now
        self._found: dict[int, Label] = {}

    def of(self, analysis: str, key: str) -> Label:
        """Of an analysis's result for a cohort version (or a patient); NOTHING where there is no such result."""
        query = select(Unit.unit_id).where(Unit.analysis == analysis, Unit.key == key, Unit.state == UnitState.CURRENT)
        with reading(self._study.engine) as connection:
            unit = connection.execute(query).scalar()
        return NOTHING if unit is None else self.of_unit(unit)

    def of_unit(self, unit_id: int) -> Label:
        """Of the result whose rows bear this unit_id."""
        if unit_id not in self._found:
            with reading(self._study.engine) as connection:
                self._found[unit_id] = self._made(connection, unit_id)
        return self._found[unit_id]

    def _made(self, connection: Connection, unit_id: int) -> Label:
        name, key = connection.execute(select(Unit.analysis, Unit.key).where(Unit.unit_id == unit_id)).one()
        analysis = self._by_name.get(name)
        if analysis is None:
            return NOTHING
        fits = fits_of(connection, tuple(self._by_name.values()))
        circular = circularity.circular(connection, analysis, unit_id, fits)
        if _says_it_itself(analysis.makes.__table__):
            return Label((), circular)
        patients = _patients(connection, analysis, key)
        needs = analysis.needs if analysis.tests is None else {role: analysis.needs[role] for role in analysis.tests}
        tested = {need.table.__tablename__ for need in needs.values() if isinstance(need, Need)}
        seen = []
        for fit_id, fit_name, fit_key, params in _fits_above(connection, unit_id, fits):
            fit, found = self._by_name.get(fit_name), []
            for learns in _learns(fit, json.loads(params)):
                where = getattr(self._parameters.get(fit_name), learns.elsewhere, None) if learns.elsewhere else None
                one = _seen(connection, fit, fit_id, f"{fit_name}/{fit_key}", learns, where, patients, tested, fits)
                found += [one] if one else []
            found.sort(key=lambda one: one.outcome is None)
            seen += [one._replace(spared=analysis.spared) if one.outcome else one for one in found[:1]]
        return Label(tuple(sorted(seen, key=lambda one: (one.outcome is None, one.fit))), circular)


def labelled_tables() -> list[Table]:
    """The tables of results whose rows bear the label."""
    return [table for table in Base.metadata.sorted_tables if any(c.info.get("label") for c in table.columns)]


def expected_labels(study: Study) -> Iterator[tuple[Table, int, Label]]:
    """(table, unit, label) of every result whose rows bear the label, but of those whose inputs have moved since they were made:
    what these rest on is not there any more, and they keep what was noted of it."""
    labels = Labels(study)
    with reading(study.engine) as connection:
        moved = set(connection.execute(text(MOVED)).scalars())
    for table in labelled_tables():
        with reading(study.engine) as connection:
            units = list(connection.execute(select(table.c.unit_id).distinct()).scalars())
        for unit in units:
            if unit in moved:
                continue
            yield table, unit, labels.of_unit(unit)


def note_labels(study: Study) -> int:
    """Write the labels of results into their rows. Gives how many rows said something else before."""
    wanted = list(expected_labels(study))
    changes = [change for each in wanted for change in changes_of(*each)]
    with reading(study.engine) as connection:  # most rebuilds move none, and need not write
        waiting = [
            c for c in changes if connection.execute(select(c.table.c.unit_id).where(c.differs).limit(1)).first()
        ]
    if not waiting:
        return 0
    with writing(study.engine) as connection:
        return sum(connection.execute(update(c.table).where(c.differs).values(c.label)).rowcount for c in waiting)


class Change(NamedTuple):
    """Rows of a result, and the label that they should bear. differs: the condition that finds those that do not."""

    table: Table
    label: dict[str, bool]
    differs: ColumnElement[bool]


def changes_of(table: Table, unit: int, label: Label) -> Iterator[Change]:
    """What must stand in the rows of one unit, by what is true of which of them."""
    if circularity.LABEL in table.columns and not circularity.says_it_itself(table):
        yield from _circular_changes(table, unit, label)
    if "is_in_sample" in table.columns:
        yield from _optimistic_changes(table, unit, label)


def _circular_changes(table: Table, unit: int, label: Label) -> Iterator[Change]:
    is_of_it = or_(false(), *(one.rows(table) for one in label.circular))
    for where, value in ((is_of_it, True), (not_(is_of_it), False)):
        differs = table.c[circularity.LABEL].is_distinct_from(value)
        yield Change(table, {circularity.LABEL: value}, and_(table.c.unit_id == unit, where, differs))


def _optimistic_changes(table: Table, unit: int, label: Label) -> Iterator[Change]:
    """Of the rows that are spared what was chosen by the outcome, and of the others."""
    spared = next((s.spared for s in label.seen if s.spared is not None), None)
    of_unit = table.c.unit_id == unit
    is_spared = None if spared is None else table.c[spared[0]].in_(spared[1])
    parts = [(of_unit, label.is_optimistic)] if is_spared is None else [
        (and_(of_unit, is_spared), False), (and_(of_unit, not_(is_spared)), label.is_optimistic),
    ]  # fmt: skip
    for where, is_optimistic in parts:
        said = {"is_optimistic": is_optimistic, "is_in_sample": label.is_in_sample}
        yield Change(
            table, said, and_(where, or_(*(table.c[name].is_distinct_from(value) for name, value in said.items())))
        )


def _says_it_itself(table: Table) -> bool:
    """Whether an analysis fills a column is_optimistic of its own."""
    column = table.columns.get("is_optimistic")
    return column is not None and not column.info.get("label")


def label_of(study: Study, analysis: str, key: str) -> Label:
    """As `Labels.of`, of one result."""
    return study.once("labels", lambda: Labels(study)).of(analysis, key)


def notes_of(study: Study, analyses: Iterable[str], cohorts: Iterable[str]) -> list[str]:
    """A line for each thing that must be said of these analyses' results for these cohorts."""
    analyses, cohorts = list(analyses), list(dict.fromkeys(cohorts))
    if not analyses or not cohorts:
        return []
    labels = study.once("labels", lambda: Labels(study))
    lines: dict[str, None] = {}
    for cohort in cohorts:
        for analysis in analyses:
            for words in labels.of(analysis, cohort).words:
                lines[f"{cohort}: {words}." if len(cohorts) > 1 else f"{words[0].upper()}{words[1:]}."] = None
    return list(lines)


def _seen(
    connection: Connection, fit: Analysis | None, unit: int, name: str, learns: Learns, where: str | None,
    patients: set[str], tested: set[str], fits: Iterable[str],
) -> Seen | None:  # fmt: skip
    if learns.elsewhere and not where:
        return None
    if where:
        learned_from = _of_collection(connection, fit, where)
    else:
        cohort, _, version = name.partition("/")[2].partition("@")
        if not version.isdecimal():
            return None  # what stands in for a fit without a cohort has learned from nobody
        learned_from = set(members_of(connection, cohort, int(version)))
    shared = learned_from & patients
    if not shared:
        return None
    outcome = by = None
    if learns.outcome is not None:
        looked_at = fit.needs[learns.outcome].table.__tablename__ if fit is not None else learns.outcome
        outcome = looked_at if fit is None or looked_at in tested else None
        made_of = (
            sorted(_made_of(connection, unit, learns.outcome, fits) & tested) if outcome is None and tested else ()
        )
        if made_of:
            outcome, by = made_of[0], looked_at
    if where and outcome is None:
        return None  # chosen elsewhere by what is not tested here: nothing was fitted on these patients
    honest = _honest(connection, fit, unit, learns.honest) if outcome else None
    return Seen(name, outcome, len(shared), len(patients), where, honest, by=by)


def _made_of(connection: Connection, unit: int, role: str, fits: Iterable[str]) -> set[str]:
    """The ingested tables of which a fit's inputs of a role were computed, not by way of another fit."""
    asked = text(MADE_OF).bindparams(bindparam("fits", expanding=True))
    given = {"unit": unit, "role": role, "fits": tuple(fits) or ("",)}
    found = connection.execute(asked, given).scalars()
    return {analysis.removeprefix(INGEST) for analysis in found if analysis.startswith(INGEST)}


def _of_collection(connection: Connection, fit: Analysis | None, collection: str) -> set[str]:
    """The patients of a collection who have all that the fit reads: on whom its value can have been chosen elsewhere."""
    patients = set(connection.execute(select(Patient.patient_id).where(Patient.collection == collection)).scalars())
    tables = [need.table.__table__ for need in fit.needs.values() if isinstance(need, Need)] if fit is not None else []
    for table in tables:
        if "patient_id" in table.columns:
            patients &= set(connection.execute(select(table.c.patient_id).distinct()).scalars())
    return patients


def _learns(fit: Analysis | None, params: dict[str, Any]) -> Iterable[Learns]:
    """What a fit with these parameters has learned."""
    if fit is None:
        return (Learns("all that it read (its program is not here)"),)
    if fit.learns is None:
        return tuple(Learns(role) for role, need in fit.needs.items() if isinstance(need, Need))
    return tuple(one for one in fit.learns if one.when is None or params.get(one.when[0]) in one.when[1])


def _honest(connection: Connection, fit: Analysis | None, unit: int, column: str | None) -> tuple[str, float] | None:
    if fit is None or column is None:
        return None
    table = fit.makes.__table__
    value = connection.execute(select(table.c[column]).where(table.c.unit_id == unit).limit(1)).scalar()
    return None if value is None else (column, float(value))


def _fits_above(connection: Connection, unit_id: int, fits: Iterable[str]) -> list[tuple[int, str, str, str]]:
    """(unit, analysis, key, its parameters) of every fit that a result rests on, directly or through others."""
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in fits)
    if not names:
        return []
    return tuples(
        connection,
        f"WITH RECURSIVE above(unit_id) AS (SELECT input_unit_id FROM unit_inputs WHERE unit_id = {unit_id:d} UNION "
        "SELECT e.input_unit_id FROM unit_inputs e JOIN above a ON a.unit_id = e.unit_id) "
        "SELECT u.unit_id, u.analysis, u.key, s.params FROM above a JOIN units u ON u.unit_id = a.unit_id "
        f"JOIN specs s ON s.spec_id = u.spec_id WHERE u.analysis IN ({names}) ORDER BY u.unit_id",
    )


def _patients(connection: Connection, analysis: Analysis, key: str) -> set[str]:
    """Whom a result is of: a cohort's members, or the patient. Of other entities it is not asked."""
    if analysis.over_cohort:
        from tshdb.cohorts.versions import find_version

        return set(find_version(connection, key).members)
    return {key} if analysis.per == "patient" else set()
