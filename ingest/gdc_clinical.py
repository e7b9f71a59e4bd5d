"""Patients and their follow-up, from the GDC's clinical.tsv of 2023.

File     clinical.tsv of the portal's "Clinical" download: tab-separated, one row a case and treatment, so a patient stands
         on two rows or more; `'--` where there is nothing.
Makes    Patient, FollowUp (endpoint OS, time origin diagnosis), and every field as found.
Rule     os-1: Dead, with days_to_death; Alive, censored at days_to_last_follow_up. Otherwise event or duration stay
         empty with the reason.
Units    duration_days: days from diagnosis, as the GDC counts them; age_years: years.
"""

from __future__ import annotations

from pathlib import Path

from ingest.text import number, open_text, rows_of
from tshdb.errors import InvalidInput
from tshdb.reading import Found, RawValue, Reading
from tshdb.schema import FollowUp, Patient
from tshdb.vocabulary import Endpoint

OS_RULE = "os-1"
ABSENT = "'--"
REASONS = {
    "'--": "empty in the source",
    "--": "empty in the source",
    "": "empty in the source",
    "not reported": "not reported",
    "unknown": "unknown",
    "not allowed to collect": "not allowed to collect",
}
PATIENT_FIELDS = {
    "age_at_index": "age_years",
    "gender": "sex",
    "race": "race",
    "ethnicity": "ethnicity",
    "ajcc_pathologic_t": "t_stage",
    "ajcc_pathologic_n": "n_stage",
    "ajcc_pathologic_m": "m_stage",
    "ajcc_pathologic_stage": "stage",
    "primary_diagnosis": "histology",
}
FOLLOW_UP_FIELDS = ("vital_status", "days_to_death", "days_to_last_follow_up")
KEY = "case_submitter_id"


def missing_reason(text: str) -> str | None:
    """How the file says that a value is missing, or None for a value."""
    return REASONS.get(text.strip().lower())


def read(path: Path, collection: str, *, follow_up_only: bool = False) -> Reading:
    """Patients, follow-up and raw fields; with follow_up_only the outcome alone. Raises InvalidInput for another file."""
    reading = Reading()
    cases: dict[str, list[tuple[int, dict[str, str]]]] = {}
    with open_text(path) as file:
        rows = rows_of(file, "\t")
        _, header = next(rows, (1, []))
        header = [h.strip() for h in header]
        required = (KEY, *FOLLOW_UP_FIELDS, *(() if follow_up_only else PATIENT_FIELDS))
        missing = [c for c in required if c not in header]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)}",
                where=f"{path}:1",
                repair="Expected the GDC's clinical.tsv with case_submitter_id, vital_status, days_to_death …",
            )
        for line, fields in rows:
            if len(fields) != len(header):
                reading.error(
                    line, None, fields[0], "clinical.field-count", f"{len(fields)} fields; the header has {len(header)}"
                )
                reading.n_withheld += 1
                continue
            values = dict(zip(header, (f.strip() for f in fields), strict=True))
            patient_id = values[KEY]
            if missing_reason(patient_id):
                reading.error(line, KEY, patient_id, "clinical.no-patient", "expected a patient's identifier")
                reading.n_withheld += 1
                continue
            cases.setdefault(patient_id, []).append((line, values))
    for patient_id, lines in cases.items():
        _read_case(patient_id, lines, collection, follow_up_only, reading)
    if not follow_up_only:
        _keep_raw(header, cases, reading)
    return reading


def _read_case(patient_id, lines, collection: str, follow_up_only: bool, reading: Reading) -> None:
    line, first = lines[0]
    fields = FOLLOW_UP_FIELDS if follow_up_only else (*PATIENT_FIELDS, *FOLLOW_UP_FIELDS)
    for other_line, other in lines[1:]:
        for field in fields:
            if other[field] != first[field]:
                reading.error(
                    other_line, field, other[field], "clinical.rows-disagree", f"line {line} says '{first[field]}'"
                )
                reading.n_withheld += 1
                return
    patient = {"patient_id": patient_id, "collection": collection}
    if not follow_up_only:
        for field, column in PATIENT_FIELDS.items():
            text = first[field]
            patient[column] = None if missing_reason(text) else text
        if patient["age_years"] is not None:
            patient["age_years"] = number(patient["age_years"])
            if patient["age_years"] is None or not 0 <= patient["age_years"] <= 120:
                reading.error(
                    line, "age_at_index", first["age_at_index"], "clinical.age", "expected years between 0 and 120"
                )
                reading.n_withheld += 1
                return
    outcome = overall_survival(first, line, reading)
    if outcome is None:
        reading.n_withheld += 1
        return
    reading.records += [
        Found(Patient, patient, line),
        Found(FollowUp, {"patient_id": patient_id, **outcome}, line),
    ]


def overall_survival(row: dict[str, str], line: int, reading: Reading) -> dict | None:
    """Columns of a FollowUp by rule os-1, or None after a finding that withholds the patient."""
    status = row["vital_status"].lower()
    outcome = {
        "endpoint": Endpoint.OS,
        "event": None,
        "duration_days": None,
        "time_origin": "diagnosis",
        "reason": None,
        "rule": OS_RULE,
    }
    if status not in ("alive", "dead"):
        if missing_reason(status) is None:
            reading.error(line, "vital_status", row["vital_status"], "clinical.vital-status", "expected Alive or Dead")
            return None
        return outcome | {"reason": f"vital status {missing_reason(status)}"}
    field = "days_to_death" if status == "dead" else "days_to_last_follow_up"
    outcome["event"] = status == "dead"
    if missing_reason(row[field]):
        return outcome | {"reason": f"{field} {missing_reason(row[field])}"}
    days = number(row[field])
    if days is None:
        reading.error(line, field, row[field], "clinical.not-a-number", "expected days")
        return None
    if days < 0:
        reading.warn(line, field, row[field], "clinical.negative-days", "before diagnosis; the duration stays empty")
        return outcome | {"reason": f"{field} is negative"}
    return outcome | {"duration_days": days}


def _keep_raw(header: list[str], cases, reading: Reading) -> None:
    """Every field as found; fields that nobody has are left out, and a value repeated on a patient's rows stands once."""
    used = {c for lines in cases.values() for _, row in lines for c in header if row[c] != ABSENT}
    empty = [c for c in header if c not in used]
    if empty:
        reading.warn(None, None, None, "clinical.empty-columns", f"{len(empty)} of {len(header)} columns hold no value")
    for patient_id, lines in cases.items():
        seen: set[tuple[str, str]] = set()
        for line, row in lines:
            for field in header:
                text = row[field]
                if field in used and (field, text) not in seen:
                    seen.add((field, text))
                    reason = missing_reason(text)
                    reading.raw_values.append(RawValue(patient_id, line, field, None if reason else text, reason))
