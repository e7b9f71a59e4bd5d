"""The names of patients, read from a study: ids, UIDs, record numbers, files that are of one patient alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Text, func, select

from tshdb.contents.plain import names_somebody
from tshdb.database import reading, tuples
from tshdb.guest_tables import guests_of, unknown_tables
from tshdb.identity import Identity, of_header
from tshdb.schema import ClinicalValue
from tshdb.withdrawal.identifiers import is_alias
from tshdb.withdrawal.unknown import columns_of

if TYPE_CHECKING:
    from tshdb.study import Study

PATIENT = "patient id"
TELLING = (Identity.NAME, Identity.NUMBER, Identity.MAIL, Identity.PHONE, Identity.BIRTH, Identity.ADDRESS)
IDS = (  # kind, SELECT of (name, patient)
    (PATIENT, "SELECT patient_id, patient_id FROM patients"),
    ("sample id", "SELECT sample_id, patient_id FROM samples"),
    ("profile id", "SELECT e.profile_id, s.patient_id FROM expression_profiles e JOIN samples s USING (sample_id)"),
    ("profile id", "SELECT e.aliquot_id, s.patient_id FROM expression_profiles e JOIN samples s USING (sample_id)"),
    (PATIENT, "SELECT patient_id, patient_id FROM annotations"),
    ("id of a notice", "SELECT annotation_id, patient_id FROM annotations"),
    ("id of a notice", "SELECT entity_id, patient_id FROM annotations"),
    ("UID of images", "SELECT study_uid, patient_id FROM imaging_studies"),
    ("UID of images", "SELECT r.series_uid, s.patient_id FROM imaging_series r JOIN imaging_studies s USING (study_uid)"),
    ("id of a mask", "SELECT m.segmentation_id, s.patient_id FROM segmentations m JOIN imaging_studies s USING (study_uid)"),
    ("id of a mask", "SELECT l.outline, s.patient_id FROM lesion_verdicts l JOIN imaging_studies s USING (study_uid) "
     "WHERE l.outline <> 'grown'"),
    ("id of an examination", "SELECT examination, patient_id FROM imported_features"),
)  # fmt: skip
INSTANCES = "SELECT DISTINCT sop_uid FROM imaging_instances"


@dataclass
class Read:
    """names: each -> its kind; owner: whose an id is; patients: ids alone.

    files: names and paths of files of one patient; archive_ids: the archive's, of these.
    """

    names: dict[str, str] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    patients: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    archive_ids: set[str] = field(default_factory=set)

    def add(self, name: str | None, kind: str) -> None:
        if name and not is_alias(name):
            self.names.setdefault(name, kind)


def read_names(study: Study, with_images: bool = False) -> Read:
    """The names of a study's patients. with_images: the UID of each image as well, which are many, and known by their form."""
    read = Read()
    with reading(study.engine) as connection:
        for kind, query in IDS:
            for name, patient in tuples(connection, query):
                read.add(name, kind)
                read.owner.setdefault(name, patient)
                if kind == PATIENT and name:
                    read.patients.add(name)
        _add_originals(connection, read)
        _add_clinical(connection, read)
        _add_guests(connection, read)
        for name, path, archive_id, md5 in _files_of_one(connection, read.owner):
            read.files |= {name, path, re.split(r"[/\\]", path)[-1]}
            read.archive_ids |= {known for known in (archive_id, md5) if known}
        if with_images:
            for (uid,) in tuples(connection, INSTANCES):
                read.add(uid, "UID of images")
    return read


def _add_originals(connection: Connection, read: Read) -> None:
    """What files call patients whose names a map made of it, where its template alone says how."""
    for (options,) in tuples(connection, "SELECT DISTINCT options FROM source_files"):
        mapped = json.loads(options).get("map")
        template = (mapped.get("patient_id") or {}) if isinstance(mapped, dict) else {}
        before, found, after = (template.get("template") or "" if isinstance(template, dict) else "").partition("{}")
        if found and before + after:
            for patient in list(read.patients):
                if patient.startswith(before) and patient.endswith(after):
                    read.add(patient[len(before) : len(patient) - len(after)], PATIENT)


def _add_clinical(connection: Connection, read: Read) -> None:
    """Values of clinical files whose column says that they name somebody, and that one patient alone has."""
    fields = [f for (f,) in tuples(connection, "SELECT DISTINCT field FROM clinical_values")]
    telling = [f for f in fields if names_somebody(f) or of_header(f) in TELLING]
    if telling:
        v = ClinicalValue
        query = select(v.value, func.min(v.field)).where(v.field.in_(telling), v.value.is_not(None)).group_by(v.value)
        for value, name in connection.execute(query.having(func.count(v.patient_id.distinct()) == 1)):
            read.add(value.strip(), f"value of {name}")


def _add_guests(connection: Connection, read: Read) -> None:
    """Values of other packages' tables, and of tables that nobody has declared, in columns that name somebody."""
    for table in guests_of(connection).values():
        for column in table.columns:
            if isinstance(column.type, Text) and names_somebody(column.name):
                for value in connection.execute(select(column).distinct()).scalars():
                    read.add(value, f"{column.name} of {table.name}")
    for name in unknown_tables(connection):
        for column, values in columns_of(connection, name).items():
            if names_somebody(column):
                for value in values:
                    read.add(value, f"{column} of {name}")


def _files_of_one(connection: Connection, owner: dict[str, str]) -> Iterator[tuple[str, str, str | None, str | None]]:
    """(name, path, the archive's id, md5) of the files whose rows are all of one patient."""
    patients: dict[int, set[str]] = {}
    for file_id, key in tuples(connection, "SELECT DISTINCT source_file_id, row_key FROM source_records"):
        who = owner.get(key) or owner.get(key.partition("|")[0])
        patients.setdefault(file_id, set()).add(who or key)
    of_values = "SELECT source_file_id, count(DISTINCT patient_id), min(patient_id) FROM clinical_values GROUP BY source_file_id"
    for file_id, n, first in tuples(connection, of_values):
        patients.setdefault(file_id, set()).update({first} if n == 1 else {first, ""})
    files = tuples(connection, "SELECT source_file_id, name, path, archive_id, md5 FROM source_files")
    for file_id, *known in files:
        if len(patients.get(file_id, ())) == 1:
            yield tuple(known)
