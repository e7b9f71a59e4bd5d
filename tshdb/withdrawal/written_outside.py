"""Files that commands made of the study and wrote outside of it, which hold the patient or may: named, and not looked into."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.schema import WrittenFile
from tshdb.withdrawal.deliveries import GONE, NOT_SEEN
from tshdb.withdrawal.identifiers import Identifiers

HOLDS = "pictures of the patient"
OF_PATIENTS = "rows of single patients, hers among them"
MAY_HOLD = "may hold rows of single patients"
COMPUTED = "numbers that were computed with hers"


class WrittenOutside(NamedTuple):
    """A file, or a folder, outside of the study. what: table 2, backup …; holds: what of the patient; state: is it there yet."""

    path: str
    what: str
    written_at: str
    holds: str
    state: str


def written_outside(connection: Connection, names: Identifiers, cohorts: Collection[str]) -> list[WrittenOutside]:
    """Those that hold the patient, or may, in the order in which they were written. cohorts: the versions that she is in."""
    table = WrittenFile.__table__
    found = []
    for row in connection.execute(select(table).order_by(table.c.written_at, table.c.written_file_id)).mappings():
        of_cohorts = None if row["cohorts"] is None else set(json.loads(row["cohorts"]))
        if row["patient_id"] is not None:
            if row["patient_id"] != names.patient_id:
                continue
            holds = HOLDS
        elif of_cohorts is not None and not of_cohorts & set(cohorts):
            continue
        else:
            holds = MAY_HOLD if row["of_patients"] is None else OF_PATIENTS if row["of_patients"] else COMPUTED
        state = NOT_SEEN if Path(row["path"]).exists() else GONE
        what = row["kind"] if row["name"] == row["kind"] else f"{row['kind']} {row['name']}"
        found.append(WrittenOutside(row["path"], what, row["written_at"], holds, state))
    return found
