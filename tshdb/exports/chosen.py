"""Whose rows an export may hold: the patients that the study has, or those of one cohort version. Never a withdrawn one.

A row of a table is in an export if each of these holds: what it names of a patient (a sample, a profile, an examination …) is one
of the chosen patients'; it was made by a unit of such a patient, of a reference table, or of a cohort (of the one that was asked
for); so a row of which nobody knows whose it is stays out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from tshdb.cohorts.versions import find_version
from tshdb.database import reading
from tshdb.errors import Busy, NotFound
from tshdb.schema import Patient
from tshdb.study import Study
from tshdb.withdrawal.tombstones import Withheld

_SAMPLES = "SELECT sample_id FROM samples WHERE list_contains($patients, patient_id)"
_PROFILES = f"SELECT profile_id FROM expression_profiles WHERE sample_id IN ({_SAMPLES})"
_STUDIES = "SELECT study_uid FROM imaging_studies WHERE list_contains($patients, patient_id)"
_IMPORTED = "SELECT examination FROM imported_features WHERE list_contains($patients, patient_id)"
_OF_COHORT = (
    "SELECT cohort AS key FROM cohorts UNION ALL SELECT cohort || '@' || CAST(version AS VARCHAR) FROM cohort_versions"
)
_ENTITIES = " UNION ALL ".join(("SELECT unnest($patients) AS key", _SAMPLES, _PROFILES, _STUDIES, _IMPORTED))
_WHOSE = {  # column -> the values that are of the chosen patients
    "patient_id": "SELECT unnest($patients)",
    "sample_id": _SAMPLES,
    "profile_id": _PROFILES,
    "study_uid": _STUDIES,
    "series_uid": f"SELECT series_uid FROM imaging_series WHERE study_uid IN ({_STUDIES})",
    "segmentation_id": f"SELECT segmentation_id FROM segmentations WHERE study_uid IN ({_STUDIES})",
    "examination": f"{_STUDIES} UNION ALL {_IMPORTED}",
}
_ALL = ("all", "tumor", "contrast")  # in the place of a series in imaging_decisions: not one of them


class Chosen(NamedTuple):
    """Of whom an export is.

    patients          in order
    cohort, unit_key  the version that was asked for, and the key of the results that are of it; None: all patients
    n_withdrawn       rows of withdrawn patients that the database should not have, and that stay out
    """

    patients: tuple[str, ...]
    cohort: str | None = None
    unit_key: str | None = None
    n_withdrawn: int = 0

    def condition(self, columns: Iterable[str]) -> tuple[str, dict[str, Any]]:
        """(the condition of SQL that a row with these columns must meet, the values that it names)."""
        names = set(columns)
        parts = [_is_of(column) for column in _WHOSE if column in names]
        if "unit_id" in names:
            of_cohort = "k.key = $unit_key" if self.unit_key is not None else f"k.key IN ({_OF_COHORT})"
            parts.append(
                "unit_id IN (SELECT k.unit_id FROM units k WHERE starts_with(k.analysis, 'reference.') OR "
                f"{of_cohort} OR k.key IN ({_ENTITIES}) OR split_part(k.key, '|', 1) IN ({_STUDIES}))"
            )
        elif {"cohort", "version"} <= names and self.cohort is not None:
            parts.append("cohort || '@' || CAST(version AS VARCHAR) = $cohort")
        elif "cohort" in names and self.cohort is not None:
            parts.append("cohort = split_part($cohort, '@', 1)")
        text = " AND ".join(parts) or "true"
        values = {"patients": list(self.patients), "unit_key": self.unit_key, "cohort": self.cohort}
        return text, {name: value for name, value in values.items() if f"${name}" in text}


def _is_of(column: str) -> str:
    """Missing is nobody's."""
    words = f" OR {column} IN ({', '.join(map(repr, _ALL))})" if column == "series_uid" else ""
    return f"({column} IS NULL OR {column} IN ({_WHOSE[column]}){words})"


def chosen(study: Study, cohort: str | None = None) -> Chosen:
    """The patients of an export. cohort: NAME@VERSION, or a name for its newest version. Raises NotFound."""
    with reading(study.engine) as connection:
        withheld = Withheld(connection, study.root)
        known = connection.execute(select(Patient.patient_id).order_by(Patient.patient_id)).scalars().all()
        version = None if cohort is None else find_version(connection, cohort)
    there = [patient for patient in known if not withheld.has(patient)]
    n_withdrawn = len(known) - len(there)
    if version is not None:
        members = set(version.members)
        there = [patient for patient in there if patient in members]
    if not there:
        raise NotFound(
            "there are no patients" if cohort is None else f"{cohort} has no members",
            where="export",
            repair="Load some: tshdb ingest" if cohort is None else "See: tshdb cohort list",
        )
    if version is None:
        return Chosen(tuple(sorted(there)), n_withdrawn=n_withdrawn)
    return Chosen(tuple(sorted(there)), version.key, version.unit_key, n_withdrawn)


def require_there(root: Path, patients: Iterable[str]) -> None:
    """Raises Busy where a patient has been withdrawn since. root: the study's folder, whose database is looked at anew."""
    study = Study(root)
    try:
        with reading(study.engine) as connection:
            there = set(connection.execute(select(Patient.patient_id)).scalars())
    finally:
        if "engine" in vars(study):
            study.engine.dispose()
    if not there.issuperset(patients):
        raise Busy(
            "a patient was withdrawn while it was written, and nothing was kept", where="export",
            repair="Run the same command again",
        )  # fmt: skip
