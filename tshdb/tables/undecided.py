"""What a table's patients lack since sources disagree and nobody has decided: a note below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tshdb.next_step import NoRows
from tshdb.tables.layouts import Layout
from tshdb.tables.rows import members

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tshdb.study import Study

WORDS = {"is_selected": "the expression profile"}  # of columns that say little by their name


def noted(study: Study, layouts: list[Layout], cohorts: Iterable[str]) -> list[Layout]:
    """The layouts, the last with a note where sources disagree on patients of these cohorts."""
    from tshdb.database import reading

    if not layouts:
        return layouts
    with reading(study.engine) as connection:
        undecided = _undecided(connection)
    if not undecided:
        return layouts
    people: set[str] = set()
    for cohort in dict.fromkeys(cohorts):
        try:
            people |= members(study, cohort)
        except NoRows:  # a version that is gone
            continue
    lacks = [f"{WORDS.get(c, c)} of {n}" for c, patients in sorted(undecided.items()) if (n := len(patients & people))]
    if not lacks:
        return layouts
    note = f"Sources disagree on {', '.join(lacks)} of these {len(people)} patients: not known until decided (tshdb check)."
    return [*layouts[:-1], layouts[-1]._replace(notes=(*layouts[-1].notes, note))]


def _undecided(connection: Connection) -> dict[str, set[str]]:
    """column -> the patients of whom nobody has decided it."""
    from sqlalchemy import select

    from tshdb.schema import Conflict, ExpressionProfile, Sample
    from tshdb.vocabulary import NOBODY

    by_column: dict[str, set[str]] = defaultdict(set)
    query = select(Conflict.table_name, Conflict.row_key, Conflict.column_name).where(Conflict.held_source == NOBODY)
    profiles: dict[str, str] = {}
    for table, key, column in connection.execute(query):
        if table in ("patients", "follow_ups"):
            by_column[column].add(key.partition("|")[0])
        elif table == "expression_profiles":
            profiles[key] = column
    if profiles:
        of_profiles = select(ExpressionProfile.profile_id, Sample.patient_id).join(
            Sample, Sample.sample_id == ExpressionProfile.sample_id
        )
        for profile, patient in connection.execute(of_profiles):
            if profile in profiles:
                by_column[profiles[profile]].add(patient)
    return by_column
