"""Any clinical table or workbook, read by a map (`maps`).

Files    csv, tsv, .xlsx, .xls; several sheets of one workbook are joined by the patient's identifier. Sheets and columns
         are found by name and content, since copies of a workbook differ in the names of their sheets.
Makes    Patient, FollowUp of every mapped endpoint, and every field as found.
Units    as the map converts them: years, mm, days.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import Double

from ingest.clinical.plausibility import check_outcomes
from ingest.identifiers import checked_patient
from ingest.tables.mapped_cells import Places, cell_of, number_of
from ingest.tables.mapped_columns import column_of, hidden_columns, places_of, warn_of_twice
from ingest.tables.mapped_outcomes import check_events, of_visits
from ingest.tables.maps import ClinicalMap, ValueMap
from ingest.tables.visits import Cell, Row, Visit, Visits
from ingest.tables.workbook import Sheet, read_sheets
from ingest.tables.written_dates import date_of
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.file_content import FileContent, RawValue, Record
from tshdb.readers import Part, Reader
from tshdb.schema import FollowUp, Patient

NUMBERS = {c.name for c in Patient.__table__.columns if isinstance(c.type, Double)}
STATUSES = ("er_status", "pr_status", "her2_status")
BOUNDS = {"age_years": (0.0, 120.0), "tumor_size_mm": (0.0, 1000.0)}  # where a map says no others


def read(path: Path, collection: str, map_: ClinicalMap) -> FileContent:
    """Everything that the map asks for. Raises InvalidInput when the table lacks a column of the map."""
    content = FileContent()
    sheets = read_sheets(path, content, map_.table.shape)
    holders = [s for s in sheets if column_of(path, s, map_.patient_id.names) is not None and len(s.header) > 1]
    if not holders:
        names = "; ".join(f"{s.name or path.name}: {', '.join(s.header[:6])} …" for s in sheets[:4])
        raise InvalidInput(
            f"no column {map_.patient_id.shown}",
            where=str(path),
            repair=f"The map asks for it; found {names}",
        )
    places = places_of(path, holders, map_)
    visits = Visits()
    hidden: set[tuple[str, str]] = set()
    for sheet in holders:
        warn_of_twice(sheet, content)
        hidden |= hidden_columns(sheet, map_, content)
        _read_sheet(path, sheet, map_, visits, content)
    if map_.as_of is not None and all(column_of(path, s, map_.as_of.names) is None for s in holders):
        raise InvalidInput(
            f"no column {map_.as_of.shown} (as_of)", where=str(path),
            repair=f"Correct the map; the table has {', '.join(h for s in holders for h in s.header)}",
        )  # fmt: skip
    for patient_id, row in visits.rows.items():
        with content.row() as is_bad:
            records = _records(patient_id, row, visits.words.get(patient_id, []), places, collection, map_, content)
        if not is_bad():
            content.records += [r._replace(as_of=visits.as_of.get(patient_id)) for r in records]
    _keep_raw(visits, hidden, len(holders) > 1, map_, content)
    check_events(map_, content)
    check_outcomes(content)
    return content


def _read_sheet(path: Path, sheet: Sheet, map_: ClinicalMap, visits: Visits, content: FileContent) -> None:
    at = sheet.column(map_.patient_id.names)
    column, header = sheet.header[at], sheet.unique_header
    filters = [(column_of(path, sheet, each.names), each) for each in map_.table.filters]
    if sheet.header and (missing := [each for place, each in filters if place is None]):
        raise InvalidInput(
            f"no column {missing[0].shown} (table.where)",
            where=str(path),
            repair=f"The table has {', '.join(sheet.header)}",
        )
    seen: dict[str, list[Visit]] = {}
    dated = None if map_.as_of is None else column_of(path, sheet, map_.as_of.names)
    n_filtered = 0
    for line, cells in sheet.rows:
        text = cells[at]
        if not all(each.takes(cells[place].strip()) for place, each in filters):
            n_filtered += 1
            continue
        if text.strip() in map_.missing.tokens:
            if any(c.strip() not in map_.missing.tokens for c in cells):
                content.withhold(line, column, text, "id.no-patient", "the row has values, but no identifier")
            continue
        with content.row() as is_bad:
            identifier = map_.patient_id.identifier(text)
            if identifier is None:
                content.error(line, column, text, "map.pattern", f"the cell is not as {map_.patient_id.pattern} says")
                continue
            if " " in identifier.strip() and not any(_says(c, map_) for i, c in enumerate(cells) if i != at):
                content.error(line, column, text, "id.note", "stands alone in its row: a note below the table?")
                continue
            patient_id = checked_patient(identifier, line, column, content)
            day = None if dated is None else _day(line, header[dated], cells[dated].strip(), map_, content)
            for other in seen.get(patient_id, ()):
                if day is None or other.day is None or day == other.day:
                    same = "" if dated is None else ", of the same day or without one"
                    message = f"line {other.line} has the patient already{same}"
                    content.error(line, column, text, "clinical.patient-twice", message)
                    break
        if not is_bad():
            row = {
                (sheet.name, h): Cell(line, h, c.strip())
                for i, (h, c) in enumerate(zip(header, cells, strict=True))
                if i != at
            }
            seen.setdefault(patient_id, []).append(Visit(line, day, row))
    for patient_id, of_patient in seen.items():
        visits.add(patient_id, of_patient, map_.as_of, map_.missing.tokens)
    n_earlier = sum(len(of_patient) - 1 for of_patient in seen.values())
    if n_earlier:
        content.warn(
            sheet.header_line, header[dated or 0], None, "map.visits",
            f"{n_earlier:,} rows are earlier than others of the same patients: of each column the later word holds",
        )  # fmt: skip
    if n_filtered:
        content.warn(
            sheet.header_line,
            filters[0][1].shown,
            None,
            "map.filtered",
            f"{n_filtered:,} rows are left out, as the map says",
        )


def _says(cell: str, map_: ClinicalMap) -> bool:
    return cell.strip() not in map_.missing.tokens


def _day(line: int, column: str, text: str, map_: ClinicalMap, content: FileContent) -> date | None:
    """The day of a row; none for an empty cell, and with an error for what is no date."""
    if map_.as_of is None or text in map_.missing.tokens:
        return None
    day = date_of(text, map_.as_of.dates)
    if day is None:
        content.error(line, column, None, "map.not-a-date", f"expected {map_.as_of.dates}")
    return day


def _records(
    patient_id: str,
    row: Row,
    words: list[tuple[Row, str]],
    places: Places,
    collection: str,
    map_: ClinicalMap,
    content: FileContent,
) -> list[Record]:
    """The rows of one patient. words: her visits, each with its day, where there are several."""
    patient: dict = {"patient_id": patient_id, "collection": collection}
    for name, each in map_.patients.items():
        cell = cell_of(row, places[f"patients.{name}"], map_, content)
        value, reason = _value(cell, name, each, map_, content)
        patient[name] = value
        if name in STATUSES:
            patient[f"{name}_reason"] = reason
        if name == "tumor_size_mm" and value is not None:
            patient["tumor_size_source"] = each.source or cell.column
    records = []
    for endpoint, outcome in map_.follow_ups.items():
        made = of_visits(endpoint, outcome, row, words, places, map_, content)
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
    value = number_of(cell.text, map_)
    if value is not None:
        value *= each.factor or 1.0
    low, high = (given if given is not None else usual for given, usual in
                 zip((each.at_least, each.at_most), BOUNDS.get(name, (None, None)), strict=True))  # fmt: skip
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        bounds = f" between {low:g} and {high:g}" if low is not None and high is not None else ""
        aside = "; of another unit: factor; of no value: [missing] tokens" if value is not None and bounds else ""
        content.error(cell.line, cell.column, cell.text, "map.not-a-number", f"expected a number{bounds}{aside}")
        return None, None
    return value, None


def _keep_raw(
    visits: Visits, hidden: set[tuple[str, str]], several: bool, map_: ClinicalMap, content: FileContent
) -> None:
    """Every field as found, also of earlier visits, but those that are hidden."""
    seen: set[tuple[str, int, str, str]] = set()
    for patient_id, row in (*visits.rows.items(), *visits.earlier):
        for (sheet, column), cell in row.items():
            if (sheet, column) in hidden or (place := (patient_id, cell.line, sheet, column)) in seen:
                continue
            seen.add(place)
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
    what = f"{n} workbooks with {map_.patient_id.shown}" if n else "no workbook with the patients"
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
