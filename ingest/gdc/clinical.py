"""Patients and their outcome, from the GDC's clinical table or its API's cases.

Files    clinical.tsv of the portal's "Clinical" download, of 2023 (case_submitter_id, …) or since 2025 (cases.submitter_id,
         demographic.*, diagnoses.*): tab-separated, a row a case, diagnosis and treatment; `'--` where there is nothing.
         JSON of the API's /cases (hits, or the whole answer) with diagnoses, demographic, follow_ups expanded.
Makes    Patient, FollowUp (endpoint OS, time origin diagnosis), and every field as found.
Rule     os-1: Dead, with days_to_death; Alive, censored at the latest days_to_last_follow_up of any diagnosis or
         days_to_follow_up of any follow-up. Otherwise event or duration stay empty with the reason.
         Of several diagnoses the primary one describes the tumour.
Dates    updated_datetime of a case's parts, which answers of the API have; the portal dates its files by their names.
Units    duration_days: days from diagnosis, as the GDC counts them; age_years: years.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ingest.clinical import receptors
from ingest.clinical.histology import histology
from ingest.clinical.plausibility import check_outcomes
from ingest.gdc.columns import FIELDS, NOTHING, missing_reason, positions
from ingest.gdc.hits import flattened, hits_of, project_in
from ingest.gdc.projects import Projects
from ingest.identifiers import checked_patient
from ingest.tables import mapped, maps
from ingest.tables.guess import guess, identifier_of
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput, TshdbError
from tshdb.file_content import FileContent, RawValue, Record
from tshdb.head import Head
from tshdb.identity import in_words, of_header
from tshdb.readers import SURE, Described, Part, Reader, Request
from tshdb.schema import FollowUp, Patient
from tshdb.text_files import number, open_table, open_text
from tshdb.vocabulary import Endpoint

OS_RULE = "os-1"
PATIENT_FIELDS = {
    "age_at_index": "age_years",
    "gender": "sex",
    "race": "race",
    "ethnicity": "ethnicity",
    "ajcc_pathologic_t": "t_stage",
    "ajcc_pathologic_n": "n_stage",
    "ajcc_pathologic_m": "m_stage",
    "ajcc_pathologic_stage": "stage",
    "laterality": "laterality",
}
OF_THE_PERSON = ("age_at_index", "gender", "race", "ethnicity", "vital_status", "days_to_death")
OF_THE_TUMOUR = (
    "ajcc_pathologic_t", "ajcc_pathologic_n", "ajcc_pathologic_m", "ajcc_pathologic_stage", "laterality", "morphology",
    "primary_diagnosis",
)  # fmt: skip
LOWER = {"gender", "race", "ethnicity", "laterality"}
FOLLOW_UP_FIELDS = ("vital_status", "days_to_death", "days_to_last_follow_up")
REQUIRED = ("patient_id", *FOLLOW_UP_FIELDS)
DESCRIBING = ("diagnosis_id", "classification_of_tumor", "diagnosis_is_primary_disease", "days_to_diagnosis")
WANTED = (*REQUIRED, "project", "days_to_follow_up", "age_at_diagnosis", *OF_THE_PERSON, *OF_THE_TUMOUR, *DESCRIBING)
OLDEST_YEARS = 120
UPDATED, UPDATED_DAY = "updated_datetime", re.compile(r"\d{4}-\d\d-\d\d(?=T|$)")
DAYS_OF_A_YEAR = 365.25
ONCE = frozenset(name for field in WANTED for name in FIELDS[field]) - {"submitter_id"}
_SUBMITTER = re.compile(r"(?:cases\.)?submitter_id \(column \d+\)")


class Row(NamedTuple):
    """One row of a case: the line (in JSON the number of the case), the known fields, and all fields as found."""

    line: int
    fields: dict[str, str]
    raw: dict[str, str]


def read(path: Path, collection: str, *, follow_up_only: bool = False) -> FileContent:
    """Patients, follow-up and raw fields; with follow_up_only the outcome alone. Raises InvalidInput for another file."""
    content = FileContent()
    cases: dict[str, list[Row]] = {}
    projects = Projects(collection)
    for row in _rows(path, content):
        if projects.is_other(row.fields.get("project"), row.line):
            continue
        column = next((name for name in FIELDS["patient_id"] if name in row.raw), "patient_id")
        with content.row():
            patient_id = checked_patient(row.fields.get("patient_id", ""), row.line, column, content)
        if patient_id is not None:
            cases.setdefault(patient_id, []).append(row)
    projects.tell(content)
    for patient_id, rows in cases.items():
        with content.row():
            _read_case(patient_id, rows, collection, follow_up_only, content)
    check_outcomes(content)
    if not follow_up_only:
        keep_raw({p: [(r.line, r.raw) for r in rows] for p, rows in cases.items()}, content)
    return content


def _rows(path: Path, content: FileContent) -> Iterator[Row]:
    with open_text(path) as file:
        start = file.read(1)
    if start in ("[", "{"):
        yield from _json_rows(path)
        return
    with open_table(path, content, "clinical.field-count", needs=ONCE) as table:
        header, rows = table.header, table.rows
        at = positions(header, WANTED)
        if "patient_id" not in at:
            at["patient_id"], rows = identifier_of_several(header, rows)
            at = {field: place for field, place in at.items() if place is not None}
        missing = [f for f in REQUIRED if f not in at]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(FIELDS[f][0] for f in missing)}",
                where=f"{path}:1",
                repair="Expected the GDC's clinical.tsv with case_submitter_id (or cases.submitter_id), vital_status …",
            )
        for line, fields in rows:
            values = [f.strip() for f in fields]
            raw = dict(zip(header, values, strict=True))
            yield Row(line, {f: fields[i] if f == "patient_id" else values[i] for f, i in at.items()}, raw)


def identifier_of_several(
    header: list[str], rows: Iterator[tuple[int, list[str]]]
) -> tuple[int | None, Iterator[tuple[int, list[str]]]]:
    """(place, rows) of the patient among several columns `submitter_id`, by the barcodes in the first row; else None."""
    first = next(rows, None)
    if first is None:
        return None, rows
    line, fields = first
    barcodes = [i for i, name in enumerate(header) if _SUBMITTER.fullmatch(name) and Barcode.is_one(fields[i].strip())]
    patients = [i for i in barcodes if Barcode.parse(fields[i].strip()).sample_type is None]
    return (patients[0] if len(patients) == 1 else None), chain([(line, fields)], rows)


def _json_rows(path: Path) -> Iterator[Row]:
    for i, hit in enumerate(hits_of(path), 1):
        for raw in flattened(hit):
            at = positions(list(raw), WANTED)
            values = list(raw.values())
            yield Row(i, {f: values[j] for f, j in at.items()} | project_in(hit), raw)


# ----------------------------------------------------------------------------------------------------- one case


def _read_case(
    patient_id: str, rows: Sequence[Row], collection: str, follow_up_only: bool, content: FileContent
) -> None:
    tumour = _primary(patient_id, rows, content)
    line = tumour[0].line
    if not (_agree(rows, OF_THE_PERSON, content) and (follow_up_only or _agree(tumour, OF_THE_TUMOUR, content))):
        return
    first = {f: next((r.fields[f] for r in rows if missing_reason(r.fields.get(f)) is None), None) for f in WANTED}
    patient: dict[str, Any] = {"patient_id": patient_id, "collection": collection}
    if not follow_up_only:
        for field, column in PATIENT_FIELDS.items():
            text = first[field] if field in OF_THE_PERSON else tumour[0].fields.get(field)
            text = None if missing_reason(text) else text
            patient[column] = text.lower() if text and field in LOWER else text
        patient["histology"] = histology(_value(tumour[0], "morphology"), _value(tumour[0], "primary_diagnosis"))
        if not _typed_age(patient, first, line, content):
            return
    as_of = _updated(rows)
    content.records.append(Record(Patient, patient, line, as_of=as_of))
    if not any("vital_status" in r.fields for r in rows):
        return
    outcome = overall_survival(rows, line, content)
    if outcome is None:
        content.records.pop()
        return
    content.records.append(Record(FollowUp, {"patient_id": patient_id, **outcome}, line, as_of=as_of))


def _updated(rows: Sequence[Row]) -> str | None:
    """The latest day on which the GDC changed any part of a case, where the file says it."""
    days = [UPDATED_DAY.match(text) for r in rows for field, text in r.raw.items() if field.endswith(UPDATED) and text]
    return max((day.group() for day in days if day is not None), default=None)


def _value(row: Row, field: str) -> str | None:
    text = row.fields.get(field)
    return None if missing_reason(text) else text


def _primary(patient_id: str, rows: Sequence[Row], content: FileContent) -> Sequence[Row]:
    """The rows of the primary diagnosis."""
    diagnoses = [r for r in rows if _value(r, "diagnosis_id")] or list(rows)
    if len({_value(r, "diagnosis_id") for r in diagnoses}) == 1:
        return diagnoses
    is_primary = [
        r
        for r in diagnoses
        if (_value(r, "classification_of_tumor") or "").lower() == "primary"
        or (_value(r, "diagnosis_is_primary_disease") or "").lower() == "true"
    ]
    at_start = [r for r in is_primary or diagnoses if _value(r, "days_to_diagnosis") in ("0", "0.0")]
    chosen = at_start or is_primary or diagnoses
    ids = list(dict.fromkeys(_value(r, "diagnosis_id") for r in chosen))
    if len(ids) > 1:
        content.warn(
            chosen[0].line, "diagnosis_id", patient_id, "clinical.several-primaries",
            f"{len(ids)} diagnoses could be the primary one; the first in the file describes the tumour",
        )  # fmt: skip
    return [r for r in chosen if _value(r, "diagnosis_id") == ids[0]]


def _agree(rows: Sequence[Row], fields: Sequence[str], content: FileContent) -> bool:
    """Whether rows of one patient say the same; a finding where they do not."""
    for field in fields:
        values = [(r.line, r.fields[field]) for r in rows if _value(r, field) is not None]
        for line, text in values[1:]:
            if text != values[0][1]:
                content.error(line, field, text, "clinical.rows-disagree", f"line {values[0][0]} says '{values[0][1]}'")
                return False
    return True


def _typed_age(patient: dict, first: dict, line: int, content: FileContent) -> bool:
    """age_years as a number: age_at_index, else age_at_diagnosis, which is in days."""
    text, days = patient["age_years"], first["age_at_diagnosis"]
    if text is None and days is not None:
        in_days = number(days)
        if in_days is None or not 0 <= in_days <= OLDEST_YEARS * DAYS_OF_A_YEAR:
            content.error(
                line, "age_at_diagnosis", days, "clinical.age", f"expected days, of {OLDEST_YEARS} years at most"
            )
            return False
        if 0 < in_days <= OLDEST_YEARS:
            content.warn(line, "age_at_diagnosis", days, "clinical.age", "days, by the column's name: are these years?")
        patient["age_years"] = float(int(in_days / DAYS_OF_A_YEAR))
        return True
    if text is not None:
        patient["age_years"] = number(text)
        if patient["age_years"] is None or not 0 <= patient["age_years"] <= OLDEST_YEARS:
            content.error(line, "age_at_index", text, "clinical.age", f"expected years between 0 and {OLDEST_YEARS}")
            return False
    return True


def overall_survival(rows: Sequence[Row], line: int, content: FileContent) -> dict | None:
    """Columns of a FollowUp by rule os-1, or None after a finding that withholds the patient."""
    written = next((r.fields["vital_status"] for r in rows if "vital_status" in r.fields), "")
    status = next((r.fields["vital_status"] for r in rows if _value(r, "vital_status")), written)
    outcome = {
        "endpoint": Endpoint.OS,
        "event": None,
        "duration_days": None,
        "time_origin": "diagnosis",
        "reason": None,
        "rule": OS_RULE,
    }
    if status.lower() not in ("alive", "dead"):
        if missing_reason(status) is None:
            content.error(line, "vital_status", status, "clinical.vital-status", "expected Alive or Dead")
            return None
        return outcome | {"reason": f"vital status {missing_reason(status)}"}
    outcome["event"] = status.lower() == "dead"
    _check_days(rows, outcome["event"], content)
    fields = ("days_to_death",) if outcome["event"] else ("days_to_last_follow_up", "days_to_follow_up")
    days: list[float] = []
    for field in fields:
        for row in rows:
            text = _value(row, field)
            if text is None:
                continue
            value = number(text)
            if value is None:
                content.error(row.line, field, text, "clinical.not-a-number", "expected days")
                return None
            days.append(value)
    if not days:
        written = next((r.fields[fields[0]] for r in rows if fields[0] in r.fields), None)
        return outcome | {"reason": f"{fields[0]} {missing_reason(written)}"}
    latest = max(days)
    if latest < 0:
        content.warn(
            line, fields[0], f"{latest:g}", "clinical.negative-days", "before diagnosis; the duration stays empty"
        )
        return outcome | {"reason": f"{fields[0]} is negative"}
    return outcome | {"duration_days": latest}


def _check_days(rows: Sequence[Row], is_dead: bool, content: FileContent) -> None:
    """Days that do not go together: a day of death of somebody alive, a contact after the death."""
    deaths = [(r, d) for r in rows if (d := number(_value(r, "days_to_death") or "")) is not None]
    contacts = [d for r in rows if (d := number(_value(r, "days_to_last_follow_up") or "")) is not None]
    if deaths and not is_dead:
        row, day = deaths[0]
        content.warn(
            row.line, "days_to_death", f"{day:g}", "clinical.alive-with-death", "vital status is Alive, which holds"
        )
    elif deaths and contacts and max(contacts) > deaths[0][1]:
        row, day = deaths[0]
        content.warn(
            row.line, "days_to_last_follow_up", f"{max(contacts):g}", "clinical.contact-after-death",
            f"the death was on day {day:g}, which holds",
        )  # fmt: skip


def keep_raw(cases: dict[str, list[tuple[int, dict[str, str]]]], content: FileContent) -> None:
    """Every field as found; fields that nobody has are left out, and a value repeated on a patient's rows stands once.

    Of several rows of one line (diagnoses of one case in JSON) the first has the field's name, the third `name (3)`.
    Fields whose names say that they tell who somebody is are left out too, which is said.
    """
    used = {f for rows in cases.values() for _, row in rows for f, text in row.items() if text not in NOTHING}
    told = {f: identity for f in sorted(used) if (identity := of_header(f)) is not None}
    used -= told.keys()
    if told:
        content.warn(
            None, next(iter(told)), None, "identity.left-out",
            f"{len(told)} columns look as if they said who somebody is, and are left out: {in_words(told)}",
        )  # fmt: skip
    for patient_id, rows in cases.items():
        seen: set[tuple[str, str]] = set()
        named: set[tuple[int, str]] = set()
        of_line: Counter[int] = Counter()
        for line, row in rows:
            of_line[line] += 1
            for field, text in row.items():
                if field in used and (field, text) not in seen:
                    seen.add((field, text))
                    name = field if (line, field) not in named else f"{field} ({of_line[line]})"
                    named.add((line, field))
                    reason = missing_reason(text)
                    content.raw_values.append(RawValue(patient_id, line, name, None if reason else text, reason))


def _recognises(head: Head) -> float:
    at = positions(head.header, REQUIRED)
    return SURE if {"patient_id", "vital_status"} <= at.keys() else 0.5 if at else 0.0


def _read(path: Path, request: Request) -> FileContent:
    map_ = maps.map_in(request.options)
    return read(path, request.collection) if map_ is None else mapped.read(path, request.collection, map_)


def _describes(head: Head) -> Described | None:
    """A table with a patient's identifier, which a map can read."""
    if head.is_json:
        return None
    try:
        name = identifier_of(head.path)
    except TshdbError:
        return None
    return Described(
        f"a table of patients ({name})", needs="a map, which says what its columns mean",
        command="ingest clinical FILE --collection NAME --guess",
    )  # fmt: skip


READER = Reader(
    name="clinical",
    about="the GDC's clinical.tsv (case_submitter_id or cases.submitter_id, vital_status …)",
    part=Part.CLINICAL,
    precedence=30,
    recognises=_recognises,
    read=_read,
    recorded=maps.recorded,
    reads_again=receptors.reads_again,
    guess=guess,
    describes=_describes,
)
