"""What is written outside of the study is noted with what it holds, so that a withdrawal can name it.

A file in the study's folder is found there by the withdrawal itself, and is not noted.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.database import reading, writing
from tshdb.errors import TshdbError
from tshdb.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

PERSONAL = frozenset(
    ("patient_id", "sample_id", "profile_id", "study_uid", "series_uid", "examination", "segmentation_id")
)
BEHIND = """
WITH RECURSIVE above(unit_id) AS (
    SELECT unit_id FROM units WHERE key IN :keys
    UNION SELECT e.input_unit_id FROM unit_inputs e JOIN above a ON a.unit_id = e.unit_id
)
SELECT DISTINCT u.key FROM above a JOIN units u ON u.unit_id = a.unit_id WHERE u.analysis = :cohort
"""
NOT_NOTED = "It is not noted in the study, which cannot be written here: a withdrawal will not name this file."


@dataclass(frozen=True)
class Holds:
    """What a file that is made of a study holds.

    root         the study's folder
    kind, name   table 2, figure km, backup …
    of_patients  whether there are rows or images of single patients in it; None: not known
    cohorts      the cohort versions whose members it is of; None: any patient of the study
    patient_id   of a picture: whose it is
    """

    root: Path
    kind: str
    name: str
    of_patients: bool | None
    cohorts: Collection[str] | None = None
    patient_id: str | None = None


def is_of_patients(frame: pd.DataFrame) -> bool:
    """Whether a row may be of a single patient, by the columns."""
    return not PERSONAL.isdisjoint(frame.columns)


def note_written(holds: Holds, path: Path) -> str | None:
    """Note a file or folder that was just written. Gives what must be said where that could not be done; None elsewhere."""
    place = path.resolve()
    home = holds.root.resolve()
    if home == place or home in place.parents or not (place.is_file() or place.is_dir()):  # no pipe, no /dev/stdout
        return None
    from sqlalchemy import insert, select, update
    from sqlalchemy.exc import SQLAlchemyError

    from tshdb.engine.units import now
    from tshdb.objects import sha256_of
    from tshdb.schema import WrittenFile

    table = WrittenFile.__table__
    study = Study(holds.root)
    try:
        with writing(study.engine) as connection:
            cohorts = None if holds.cohorts is None else json.dumps(sorted(_behind(connection, holds.cohorts)))
            row = {
                "path": as_stored(place), "kind": holds.kind, "name": holds.name, "cohorts": cohorts,
                "sha256": sha256_of(place) if place.is_file() else None, "of_patients": holds.of_patients,
                "patient_id": holds.patient_id,
            }  # fmt: skip
            same = [table.c[name].is_not_distinct_from(value) for name, value in row.items()]
            known = connection.execute(select(table.c.written_file_id).where(*same)).scalar()
            if known is None:
                connection.execute(insert(table).values(row | {"written_at": now()}))
            else:
                connection.execute(update(table).where(table.c.written_file_id == known).values(written_at=now()))
    except (TshdbError, SQLAlchemyError, OSError):
        return NOT_NOTED
    finally:
        if "engine" in vars(study):
            study.engine.dispose()
    return None


def _behind(connection: Connection, cohorts: Collection[str]) -> set[str]:
    """These cohort versions, and those that results of theirs rest on: a score of some is of a model that learned from others."""
    from sqlalchemy import bindparam, text

    from tshdb.engine.units import COHORT

    asked = text(BEHIND).bindparams(bindparam("keys", expanding=True))
    return {*cohorts, *connection.execute(asked, {"keys": list(cohorts), "cohort": COHORT}).scalars()}


def as_stored(path: Path) -> str:
    """A path as the study keeps it."""
    return str(path)


def noted(study: Study) -> list[dict]:
    """What was written outside of the study, as plain rows, the newest last."""
    from sqlalchemy import select

    from tshdb.schema import WrittenFile

    table = WrittenFile.__table__
    with reading(study.engine) as connection:
        query = select(table).order_by(table.c.written_at, table.c.written_file_id)
        return [dict(row) for row in connection.execute(query).mappings()]
