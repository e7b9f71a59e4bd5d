"""Patients and outcomes, from the Biotab tables of TCGA's Biospecimen Core Resource (BCR).

Files    nationwidechildrens.org_clinical_patient_brca.txt and …_follow_up_v4.0_brca.txt: tab-separated, with three header
         rows (names, older names, CDE_ID:…); [Not Available], [Not Evaluated], [Unknown], [Not Applicable] and
         [Discrepancy] where there is nothing. A patient stands once in the former, once a follow-up in the latter.
Makes    Patient (of the patient table), FollowUp (endpoint OS, time origin diagnosis), and every field as found.
Rules    overall survival os-1 (see gdc_clinical); HER2 by a rule of `receptors`.
Dates    form_completion_date of the row, else the version of the form in the file's name (follow_up_v4.0).
Source   columns: the BCR's CDE dictionary; values: the published file of 2017.
"""

from __future__ import annotations

from pathlib import Path

from ingest.clinical import receptors
from ingest.clinical.histology import histology
from ingest.clinical.plausibility import check_outcomes
from ingest.gdc.clinical import OLDEST_YEARS, OS_RULE, keep_raw
from ingest.gdc.columns import missing_reason
from ingest.gdc.projects import Projects, project_of_biotab
from ingest.identifiers import checked_patient
from tshdb.dated import of_form, of_version
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.loading.outcome import of_rows
from tshdb.readers import Part, Reader
from tshdb.schema import FollowUp, Patient
from tshdb.text_files import number, open_table
from tshdb.vocabulary import Endpoint

KEY = "bcr_patient_barcode"
HEADER_ROWS = 3
FIELDS = {
    "sex": "gender",
    "race": "race",
    "ethnicity": "ethnicity",
    "t_stage": "ajcc_tumor_pathologic_pt",
    "n_stage": "ajcc_nodes_pathologic_pn",
    "m_stage": "ajcc_metastasis_pathologic_pm",
    "stage": "ajcc_pathologic_tumor_stage",
}
LOWER = {"sex", "race", "ethnicity"}


def is_biotab(rows: list[list[str]]) -> bool:
    """Whether the first three rows are the header of a Biotab table of patients or follow-ups."""
    return len(rows) == HEADER_ROWS and KEY in rows[0] and any(f.startswith("CDE_ID:") for f in rows[2])


def read(path: Path, collection: str, her2_rule: str) -> FileContent:
    """Everything in the table. Raises InvalidInput for another file."""
    content = FileContent()
    projects = Projects(collection)
    if projects.is_other(project_of_biotab(path), 1):
        projects.tell(content, KEY)
        return content
    by_patient: dict[str, list[tuple[int, dict[str, str]]]] = {}
    with open_table(path, content, "clinical.field-count", HEADER_ROWS) as table:
        if not is_biotab(table.top):
            raise InvalidInput(
                f"no Biotab table with {KEY}",
                where=f"{path}:1",
                repair="Expected three header rows, the third of CDE_ID:… cells",
            )
        header = table.header
        for line, fields in table.rows:
            values = dict(zip(header, (f.strip() for f in fields), strict=True))
            with content.row():
                patient_id = checked_patient(fields[header.index(KEY)], line, KEY, content)
            if patient_id is not None:
                by_patient.setdefault(patient_id, []).append((line, values))
    is_patient_table = "gender" in header
    version = of_version(path.name)
    for patient_id, lines in by_patient.items():
        if is_patient_table and len(lines) > 1:
            content.withhold(
                lines[1][0], KEY, patient_id, "clinical.patient-twice", f"stands on line {lines[0][0]} already"
            )
            continue
        as_of = {line: of_form(row.get("form_completion_date")) or version for line, row in lines}
        with content.row() as is_bad:
            outcome = _outcome(lines, as_of, content)
        if is_bad():
            continue
        patient = {"patient_id": patient_id, "collection": collection}
        if is_patient_table:
            patient |= _patient(*lines[0], her2_rule, content)
        content.records.append(Record(Patient, patient, lines[0][0], as_of=as_of[lines[0][0]]))
        if outcome is not None:
            line, columns = outcome
            content.records.append(Record(FollowUp, {"patient_id": patient_id, **columns}, line, as_of=as_of[line]))
    check_outcomes(content)
    keep_raw(by_patient, content)
    return content


def _value(row: dict[str, str], field: str) -> str | None:
    text = row.get(field)
    return None if missing_reason(text) else text


def _patient(line: int, row: dict[str, str], her2_rule: str, content: FileContent) -> dict:
    patient: dict = {column: _value(row, field) for column, field in FIELDS.items()}
    for column in LOWER:
        patient[column] = patient[column].lower() if patient[column] else None
    age = _value(row, "age_at_diagnosis")
    patient["age_years"] = None if age is None else number(age)
    if age is not None and (patient["age_years"] is None or not 0 <= patient["age_years"] <= OLDEST_YEARS):
        content.warn(line, "age_at_diagnosis", age, "clinical.age", "expected years; the age stays empty")
        patient["age_years"] = None
    menopause = _value(row, "menopause_status")
    word = menopause.split()[0].lower() if menopause else ""
    patient["menopausal_status"] = word or None  # "Indeterminate (neither Pre or Postmenopausal)" is nobody's word
    side = (_value(row, "anatomic_neoplasm_subdivision") or "").split("|")
    sides = {s.split()[0].lower() for s in side if s} & {"left", "right"}
    patient["laterality"] = sides.pop() if len(sides) == 1 else None
    patient["histology"] = histology(_value(row, "icd_o_3_histology"), _value(row, "histological_type"))
    er, pr = (receptors.status(row.get(f"{name}_status_by_ihc")) for name in ("er", "pr"))
    her2 = receptors.her2(row.get("her2_status_by_ihc"), row.get("her2_fish_status"), her2_rule)
    return patient | receptors.columns(er, pr, her2, her2_rule)


def _outcome(
    lines: list[tuple[int, dict[str, str]]], as_of: dict[int, str | None], content: FileContent
) -> tuple[int, dict] | None:
    """(line, columns of a FollowUp) of all rows of a patient, as if each form were a file of its own."""
    words: list[tuple[dict, str | None]] = []
    for line, row in lines:
        if "vital_status" not in row:
            return None
        columns = _of_form(line, row, content)
        if columns is None:
            return None
        words.append((columns, as_of[line]))
    columns, disagreements = of_rows("biotab", words)
    if disagreements:
        last = lines[-1][0]
        differing = " and ".join(dict.fromkeys(d.column for d in disagreements))
        held = "it is not known" if any(d.is_undecided for d in disagreements) else "the later form holds"
        content.warn(
            last, "vital_status", None, "follow-up.rows-differ", f"rows of one patient differ on {differing}; {held}"
        )
    told = next((line for (line, _), (said, _) in zip(lines, words, strict=True) if said["event"] == columns["event"]
                 and said["duration_days"] == columns["duration_days"]), lines[-1][0])  # fmt: skip
    return told, columns


def _of_form(line: int, row: dict[str, str], content: FileContent) -> dict | None:
    """The outcome that one form tells; nothing after an error."""
    status = (_value(row, "vital_status") or "").lower()
    columns: dict = {
        "endpoint": Endpoint.OS,
        "event": {"dead": True, "alive": False}.get(status),
        "duration_days": None,
        "time_origin": "diagnosis",
        "reason": None,
        "rule": OS_RULE,
    }
    if columns["event"] is None:
        columns["reason"] = f"vital status {missing_reason(row['vital_status']) or row['vital_status']}"
        return columns
    field = "death_days_to" if columns["event"] else "last_contact_days_to"
    text = _value(row, field)
    days = None if text is None else number(text)
    if text is not None and days is None:
        content.error(line, field, text, "clinical.not-a-number", "expected days")
        return None
    if days is not None and days < 0:
        content.warn(line, field, text, "clinical.negative-days", "before diagnosis; the duration stays empty")
    if days is None or days < 0:
        columns["reason"] = f"{field} {missing_reason(row.get(field)) or 'is negative'}"
    else:
        columns["duration_days"] = days
    return columns


READER = Reader(
    name="biotab",
    about="a Biotab of the BCR (bcr_patient_barcode, three header rows)",
    part=Part.CLINICAL,
    precedence=80,
    recognises=lambda head: is_biotab(head.rows),
    read=lambda path, request: read(path, request.collection, request.options["her2_rule"]),
    recorded=receptors.recorded,
    reads_again=receptors.reads_again,
)
