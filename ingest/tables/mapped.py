"""Any clinical table or workbook, read by a map (`maps`).

Files    csv, tsv, .xlsx, .xls; several sheets of one workbook are joined by the patient's identifier. Sheets and columns
         are found by name and content, since copies of a workbook differ in the names of their sheets.
Makes    Patient, FollowUp of every mapped endpoint, and every field as found.
Units    as the map converts them: years, mm, days.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Double

from ingest.clinical.plausibility import check_outcomes
from ingest.identifiers import checked_patient
from ingest.tables.maps import DAYS, ClinicalMap, OutcomeMap, ValueMap
from ingest.tables.workbook import Sheet, read_sheets
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.file_content import FileContent, RawValue, Record
from tshdb.readers import Part, Reader
from tshdb.schema import FollowUp, Patient
from tshdb.text_files import number
from tshdb.vocabulary import Endpoint

NUMBERS = {c.name for c in Patient.__table__.columns if isinstance(c.type, Double)}
STATUSES = ("er_status", "pr_status", "her2_status")
FEWEST_OUTCOMES = 40  # below, the share of events says nothing about the direction of its code


class Cell(NamedTuple):
    """One cell with its place."""

    line: int
    column: str
    text: str


Row = dict[tuple[str, str], Cell]  # (sheet, column) -> cell


def read(path: Path, collection: str, map_: ClinicalMap) -> FileContent:
    """Everything that the map asks for. Raises InvalidInput when the table lacks a column of the map."""
    content = FileContent()
    sheets = read_sheets(path, content)
    holders = [s for s in sheets if s.column(map_.patient_id.names) is not None and len(s.header) > 1]
    if not holders:
        names = "; ".join(f"{s.name or path.name}: {', '.join(s.header[:6])} …" for s in sheets[:4])
        raise InvalidInput(
            f"no column {' or '.join(map_.patient_id.names)}",
            where=str(path),
            repair=f"The map asks for it; found {names}",
        )
    places = _places(path, holders, map_)
    by_patient: dict[str, Row] = {}
    for sheet in holders:
        _read_sheet(sheet, map_, by_patient, content)
    for patient_id, row in by_patient.items():
        with content.row() as is_bad:
            records = _records(patient_id, row, places, collection, map_, content)
        if not is_bad():
            content.records += records
    _keep_raw(by_patient, len(holders) > 1, map_, content)
    _check_events(map_, content)
    check_outcomes(content)
    return content


def _places(path: Path, sheets: list[Sheet], map_: ClinicalMap) -> dict[str, tuple[str, str]]:
    """Mapped field -> (sheet, column)."""
    wanted = {f"patients.{name}": each.names for name, each in map_.patients.items()}
    for endpoint, outcome in map_.follow_ups.items():
        wanted[f"{endpoint}.event"] = outcome.event.names
        wanted[f"{endpoint}.duration"] = outcome.duration.names
    place_of_field = {}
    for field, names in wanted.items():
        for sheet in sheets:
            at = sheet.column(names)
            if at is not None:
                place_of_field[field] = (sheet.name, sheet.header[at])
                break
        else:
            have = ", ".join(h for s in sheets for h in s.header)
            raise InvalidInput(
                f"no column {' or '.join(names)} ({field})",
                where=str(path),
                repair=f"Correct the map; the table has {have}",
            )
    return place_of_field


def _read_sheet(sheet: Sheet, map_: ClinicalMap, by_patient: dict[str, Row], content: FileContent) -> None:
    at = sheet.column(map_.patient_id.names)
    column = sheet.header[at]
    seen: dict[str, int] = {}
    for line, cells in sheet.rows:
        text = cells[at]
        if text.strip() in map_.missing.tokens:
            if any(c.strip() not in map_.missing.tokens for c in cells):
                content.withhold(line, column, text, "id.no-patient", "the row has values, but no identifier")
            continue
        with content.row() as is_bad:
            patient_id = checked_patient(map_.patient_id.template.format(text), line, column, content)
            if patient_id in seen:
                content.error(
                    line, column, text, "clinical.patient-twice", f"line {seen[patient_id]} has the patient already"
                )
        if not is_bad():
            seen[patient_id] = line
            row = by_patient.setdefault(patient_id, {})
            row |= {
                (sheet.name, h): Cell(line, h, c.strip())
                for h, c in zip(sheet.header, cells, strict=True)
                if h != column
            }


def _records(
    patient_id: str, row: Row, places, collection: str, map_: ClinicalMap, content: FileContent
) -> list[Record]:
    patient: dict = {"patient_id": patient_id, "collection": collection}
    for name, each in map_.patients.items():
        cell = row.get(places[f"patients.{name}"])
        value, reason = _value(cell, name, each, map_, content)
        patient[name] = value
        if name in STATUSES:
            patient[f"{name}_reason"] = reason
        if name == "tumor_size_mm" and value is not None:
            patient["tumor_size_source"] = each.source or cell.column
    records = []
    for endpoint, outcome in map_.follow_ups.items():
        made = _outcome(endpoint, outcome, row, places, map_, content)
        if made is not None:
            line, columns = made
            records.append(Record(FollowUp, {"patient_id": patient_id, **columns}, line))
    return [Record(Patient, patient, min(cell.line for cell in row.values())), *records]


def _value(cell: Cell | None, name: str, each: ValueMap, map_: ClinicalMap, content: FileContent):
    """(value, reason for having none); an error where the cell holds neither."""
    if cell is not None and cell.text in each.reasons:
        return None, each.reasons[cell.text]
    if cell is None or cell.text in map_.missing.tokens:
        return None, "empty in the source"
    if each.codes is not None:
        if cell.text not in each.codes:
            content.error(
                cell.line, cell.column, cell.text, "map.unknown-code", f"expected one of {', '.join(each.codes)}"
            )
            return None, None
        return each.codes[cell.text], None
    if name not in NUMBERS:
        return cell.text, None
    value = number(cell.text)
    if value is not None:
        value *= each.factor or 1.0
    low, high = each.at_least, each.at_most
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        bounds = f" between {low:g} and {high:g}" if low is not None and high is not None else ""
        content.error(cell.line, cell.column, cell.text, "map.not-a-number", f"expected a number{bounds}")
        return None, None
    return value, None


def _outcome(endpoint: Endpoint, outcome: OutcomeMap, row: Row, places, map_: ClinicalMap, content: FileContent):
    """(line, columns of a FollowUp), or None after an error or when the table says nothing."""
    event_cell, days_cell = row.get(places[f"{endpoint}.event"]), row.get(places[f"{endpoint}.duration"])
    cell = event_cell or days_cell
    if cell is None:
        return None
    columns = {
        "endpoint": endpoint,
        "event": None,
        "duration_days": None,
        "time_origin": outcome.time_origin,
        "reason": None,
        "rule": map_.rule,
    }
    if event_cell is None or event_cell.text in map_.missing.tokens:
        columns["reason"] = f"{outcome.event.names[0]} empty in the source"
    elif event_cell.text not in outcome.event.codes:
        content.error(
            event_cell.line, event_cell.column, event_cell.text, "map.unknown-code",
            f"expected one of {', '.join(outcome.event.codes)}",
        )  # fmt: skip
        return None
    else:
        columns["event"] = outcome.event.codes[event_cell.text]
        columns["reason"] = outcome.event.notes.get(event_cell.text)
    if days_cell is None or days_cell.text in map_.missing.tokens:
        columns["reason"] = columns["reason"] or f"{outcome.duration.names[0]} empty in the source"
        return cell.line, columns
    value = number(days_cell.text)
    if value is None or value < 0:
        what = "negative" if value is not None else "no number"
        content.error(days_cell.line, days_cell.column, days_cell.text, "follow-up.bad-duration",
                      f"{what}; expected {outcome.duration.unit}")  # fmt: skip
        return None
    columns["duration_days"] = value * DAYS[outcome.duration.unit]
    return cell.line, columns


def _check_events(map_: ClinicalMap, content: FileContent) -> None:
    """Stop where the share of events is not what the map expects, and say which way the code seems to run."""
    for endpoint, outcome in map_.follow_ups.items():
        if outcome.event_share_expected is None:
            continue
        low, high = outcome.event_share_expected
        known = [r for r in content.records if r.table is FollowUp and r.values["endpoint"] == endpoint]
        known = [r for r in known if r.values["event"] is not None]
        share = sum(r.values["event"] for r in known) / max(len(known), 1)
        if low <= share <= high or len(known) < FEWEST_OUTCOMES:
            continue
        codes = ", ".join(f"{c} = {'event' if e else 'censored'}" for c, e in outcome.event.codes.items())
        hint = "the code seems to run the other way" if low <= 1 - share <= high else "neither way gives that"
        content.error(
            known[0].line, outcome.event.names[0], f"{share:.0%}", "follow-up.events-unexpected",
            f"{share:.0%} of {len(known)} have {endpoint}, expected {low:.0%} to {high:.0%} (read with {codes}): {hint}",
        )  # fmt: skip


def _keep_raw(by_patient: dict[str, Row], several: bool, map_: ClinicalMap, content: FileContent) -> None:
    for patient_id, row in by_patient.items():
        for (sheet, column), cell in row.items():
            field = f"{sheet}: {column}" if several else column
            is_missing = cell.text in map_.missing.tokens
            reason = (cell.text or "empty in the source") if is_missing else None
            content.raw_values.append(RawValue(patient_id, cell.line, field, None if is_missing else cell.text, reason))


def only_workbook(folder: Path, map_: ClinicalMap) -> Path:
    """The one workbook of a folder that has the map's patients, or the file that was named."""
    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder))
    workbooks = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".xlsx", ".xls") and p.name[:2] != "~$"):
        try:
            sheets = read_sheets(path, FileContent())
        except TshdbError:
            continue
        if any(s.column(map_.patient_id.names) is not None for s in sheets):
            workbooks.append(path)
    if len(workbooks) == 1:
        return workbooks[0]
    n = len(workbooks)
    what = f"{n} workbooks with {map_.patient_id.names[0]}" if n else "no workbook with the patients"
    raise (InvalidInput if n else NotFound)(
        what, where=str(folder), repair="Name the file itself with --from" if n else "Expected an .xlsx or .xls"
    )


READER = Reader(
    name="workbook",
    about="a collection's clinical workbook (.xlsx, .xls), by the map that comes with the program",
    part=Part.CLINICAL,
    precedence=10,
    read=lambda path, request: read(path, request.collection, ClinicalMap.model_validate(request.options["map"])),
    command="ingest COLLECTION",
)
