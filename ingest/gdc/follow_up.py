"""What the GDC's follow-up and family-history tables add to a patient: later contacts, receptor tests, menopause, family.

Files    follow_up.tsv of the portal's "Clinical" download since 2025: one row a follow-up and molecular test, with
         cases.submitter_id, follow_ups.days_to_follow_up and molecular_tests.*; family_history.tsv with
         family_histories.relative_with_cancer_history. JSON of the API's /cases with follow_ups expanded. The portal's
         other tables (exposure.tsv, pathology_detail.tsv) give their fields as found.
Makes    Patient, and FollowUp (endpoint OS, time origin diagnosis) with the latest contact but without an event, which
         these tables do not say; every field as found.
Rule     several tests of one receptor that disagree give no status, with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.clinical import receptors
from ingest.gdc.clinical import OS_RULE, keep_raw
from ingest.gdc.columns import FIELDS, missing_reason, positions
from ingest.gdc.hits import flattened, hits_of, project_in
from ingest.gdc.projects import Projects
from ingest.identifiers import checked_patient
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.head import Head
from tshdb.readers import LAST, Part, Reader
from tshdb.schema import FollowUp, Patient
from tshdb.text_files import number, open_table, open_text
from tshdb.vocabulary import Endpoint

GENES = {"ESR1": "er", "PGR": "pr", "ERBB2": "her2"}
WANTED = (
    "project",
    "patient_id", "days_to_follow_up", "gene_symbol", "test_result", "laboratory_test", "analysis_method",
    "menopause_status", "relative_with_cancer_history",
)  # fmt: skip
ONCE = frozenset(name for field in WANTED for name in FIELDS[field]) - {"submitter_id"}


def read(path: Path, collection: str, her2_rule: str) -> FileContent:
    """Everything in the table. Raises InvalidInput for another file."""
    content = FileContent()
    by_patient: dict[str, list[tuple[int, dict[str, str], dict[str, str]]]] = {}
    projects = Projects(collection)
    for line, known, raw in _rows(path, content):
        if projects.is_other(known.get("project"), line):
            continue
        text = _value(known, "days_to_follow_up")
        with content.row() as is_bad:
            patient_id = checked_patient(known.get("patient_id", ""), line, "patient_id", content)
            if patient_id is not None and text is not None and number(text) is None:
                content.error(line, "days_to_follow_up", text, "clinical.not-a-number", "expected days")
        if not is_bad():
            by_patient.setdefault(patient_id, []).append((line, known, raw))
    projects.tell(content)
    for patient_id, rows in by_patient.items():
        line = rows[0][0]
        patient = {"patient_id": patient_id, "collection": collection}
        patient |= _receptors(rows, her2_rule) | _history(rows)
        contact = _latest_contact(rows)
        content.records.append(Record(Patient, patient, line))
        if contact is not None:
            content.records.append(Record(FollowUp, {"patient_id": patient_id, **contact[1]}, contact[0]))
    keep_raw({p: [(line, raw) for line, _, raw in rows] for p, rows in by_patient.items()}, content)
    return content


def _rows(path: Path, content: FileContent) -> Iterator[tuple[int, dict[str, str], dict[str, str]]]:
    with open_text(path) as file:
        is_json = file.read(1) in ("[", "{")
    if is_json:
        for i, hit in enumerate(hits_of(path), 1):
            for raw in flattened(hit):
                at = positions(list(raw), WANTED)
                values = list(raw.values())
                yield i, {f: values[j] for f, j in at.items()} | project_in(hit), raw
        return
    with open_table(path, content, "clinical.field-count", needs=ONCE) as table:
        header = table.header
        at = positions(header, WANTED)
        if "patient_id" not in at:
            raise InvalidInput(
                f"no column {' or '.join(FIELDS['patient_id'])}",
                where=f"{path}:1",
                repair="Expected a clinical table of the GDC's portal",
            )
        for line, fields in table.rows:
            raw = dict(zip(header, (f.strip() for f in fields), strict=True))
            yield line, {f: fields[i].strip() for f, i in at.items()}, raw


def _value(row: dict[str, str], field: str) -> str | None:
    text = row.get(field)
    return None if missing_reason(text) else text


def _receptors(rows, her2_rule: str) -> dict[str, str | None]:
    """Status of the receptors that were tested; nothing for those that were not."""
    verdicts: dict[str, set[str]] = {}
    for _, row, _ in rows:
        receptor = GENES.get((_value(row, "gene_symbol") or "").upper())
        result = _value(row, "test_result")
        if receptor is None or result is None:
            continue
        method = f"{_value(row, 'analysis_method') or ''} {_value(row, 'laboratory_test') or ''}".upper()
        by = "fish" if "FISH" in method or "ISH" in method.split() or "HYBRIDIZATION" in method else "ihc"
        verdicts.setdefault(f"{receptor}-{by}", set()).add(result.lower())
    if not verdicts:
        return {}

    def result_of(name: str) -> str | None:
        results = verdicts.get(name, set())
        return next(iter(results)) if len(results) == 1 else "several tests disagree" if results else None

    er, pr = receptors.status(result_of("er-ihc")), receptors.status(result_of("pr-ihc"))
    return receptors.columns(
        er, pr, receptors.her2(result_of("her2-ihc"), result_of("her2-fish"), her2_rule), her2_rule
    )


def _history(rows) -> dict[str, str]:
    """Menopause and family, where the table has them."""
    history: dict[str, str] = {}
    for _, row, _ in rows:
        menopause = (_value(row, "menopause_status") or "").lower()
        if menopause:
            history["menopausal_status"] = menopause.split()[0]
        family = (_value(row, "relative_with_cancer_history") or "").lower()
        if family.startswith("yes") or (family.startswith("no") and "family_history" not in history):
            history["family_history"] = "yes" if family.startswith("yes") else "no"
    return history


def _latest_contact(rows) -> tuple[int, dict] | None:
    latest: tuple[float, int] | None = None
    for line, row, _ in rows:
        text = _value(row, "days_to_follow_up")
        if text is None:
            continue
        days = number(text)
        if days >= 0 and (latest is None or days > latest[0]):
            latest = days, line
    if latest is None:
        return None
    return latest[1], {
        "endpoint": Endpoint.OS,
        "event": None,
        "duration_days": latest[0],
        "time_origin": "diagnosis",
        "reason": "the follow-up table has no vital status",
        "rule": OS_RULE,
    }


def _has(*fields: str) -> Callable[[Head], bool]:
    """Whether a table has these of the GDC's columns, under any of their names."""
    return lambda head: set(fields) <= positions(head.header, fields).keys()


def _reader(name: str, about: str, precedence: int, recognises: Callable[[Head], bool]) -> Reader:
    return Reader(
        name=name,
        about=about,
        part=Part.CLINICAL,
        precedence=precedence,
        recognises=recognises,
        read=lambda path, request: read(path, request.collection, request.options["her2_rule"]),
        recorded=receptors.recorded,
        reads_again=receptors.reads_again,
    )


FAMILY_HISTORY = _reader(
    "family-history", "the GDC's family_history.tsv", 60, _has("patient_id", "relative_with_cancer_history")
)
FOLLOW_UP = _reader("gdc-follow-up", "the GDC's follow_up.tsv", 40, _has("patient_id", "days_to_follow_up"))
OTHER_TABLE = _reader(
    "gdc-table", "another table of the GDC's Clinical download (cases.submitter_id)", LAST,
    lambda head: "cases.submitter_id" in head.header,
)  # fmt: skip
