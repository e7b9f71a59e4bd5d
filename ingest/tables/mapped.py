"""Any clinical table or workbook, read by a map (`maps`).

Files    csv, tsv, .xlsx, .xls; several sheets of one workbook are joined by the patient's identifier. Sheets and columns
         are found by name and content, since copies of a workbook differ in the names of their sheets.
Makes    Patient, FollowUp of every mapped endpoint, and every field as found.
Units    as the map converts them: years, mm, days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Double

from ingest.clinical.plausibility import check_outcomes
from ingest.identifiers import checked_patient
from ingest.tables.identity import identity_columns, in_words, of_header
from ingest.tables.maps import DAYS, ClinicalMap, OutcomeMap, ValueMap, date_of
from ingest.tables.workbook import Sheet, header_key, read_sheets
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
    sheets = read_sheets(path, content, map_.table.shape)
    holders = [s for s in sheets if _column(path, s, map_.patient_id.names) is not None and len(s.header) > 1]
    if not holders:
        names = "; ".join(f"{s.name or path.name}: {', '.join(s.header[:6])} …" for s in sheets[:4])
        raise InvalidInput(
            f"no column {map_.patient_id.shown}",
            where=str(path),
            repair=f"The map asks for it; found {names}",
        )
    places = _places(path, holders, map_)
    by_patient: dict[str, Row] = {}
    hidden: set[tuple[str, str]] = set()
    for sheet in holders:
        _warn_of_twice(sheet, content)
        hidden |= _hidden(sheet, map_, content)
        _read_sheet(path, sheet, map_, by_patient, content)
    for patient_id, row in by_patient.items():
        with content.row() as is_bad:
            records = _records(patient_id, row, places, collection, map_, content)
        if not is_bad():
            content.records += records
    _keep_raw(by_patient, hidden, len(holders) > 1, map_, content)
    _check_events(map_, content)
    check_outcomes(content)
    return content


def _column(path: Path, sheet: Sheet, names: Sequence[str | int]) -> int | None:
    """The place of a column. Raises InvalidInput with the file for a name that stands twice."""
    try:
        return sheet.column(names)
    except InvalidInput as error:
        raise InvalidInput(error.message, where=f"{path}, {error.where}", repair=error.repair) from None


def _warn_of_twice(sheet: Sheet, content: FileContent) -> None:
    """Names that stand twice are kept under their places, which is said."""
    twice = [name for name, n in Counter(h for h in sheet.header if h).items() if n > 1]
    if twice:
        content.warn(
            sheet.header_line, twice[0], None, "text.column-twice",
            f"columns of one name ({', '.join(twice)}) are kept with their places, such as "
            f"'{next(h for h in sheet.unique_header if h not in sheet.header)}'",
        )  # fmt: skip


def _hidden(sheet: Sheet, map_: ClinicalMap, content: FileContent) -> set[tuple[str, str]]:
    """(sheet, column) of what is not kept as found: what the map leaves out, and what says who somebody is."""
    header = sheet.unique_header
    wanted = {header_key(name) for name in map_.table.leave_out}
    allowed = {header_key(name) for name in map_.table.allow}
    for name in (*map_.table.leave_out, *map_.table.allow):
        if header_key(name) not in {header_key(h) for h in (*header, *sheet.header)}:
            content.warn(
                sheet.header_line, name, None, "map.no-such-column", "the map names it; the table has no such column"
            )
    left = [h for h in header if header_key(h) in wanted]
    if left:
        content.warn(
            sheet.header_line,
            left[0],
            None,
            "map.left-out",
            f"{len(left)} columns are left out, as the map says: {', '.join(left)}",
        )
    at = sheet.column(map_.patient_id.names)
    columns = {h: [cells[i] for _, cells in sheet.rows] for i, h in enumerate(header) if i != at}
    told = {
        name: identity for name, identity in identity_columns(columns).items() if header_key(name) not in wanted | allowed
    }  # fmt: skip
    if told:
        content.warn(
            sheet.header_line, next(iter(told)), None, "identity.left-out",
            f"{len(told)} columns look as if they said who somebody is, and are left out: {in_words(told)}; "
            "if they do not, name them in the map: [table] allow",
        )  # fmt: skip
    kept = [name for name, identity in identity_columns(columns).items() if header_key(name) in allowed]
    if kept:
        content.warn(
            sheet.header_line, kept[0], None, "identity.allowed", f"kept, since the map allows them: {', '.join(kept)}"
        )
    identity = of_header(sheet.header[at])
    if identity is not None:
        content.warn(
            sheet.header_line, sheet.header[at], None, "identity.identifier",
            f"patients are named by {identity}, which stand in every table and report; write pseudonyms instead",
        )  # fmt: skip
    return {(sheet.name, name) for name in (*told, *left)}


def _places(path: Path, sheets: list[Sheet], map_: ClinicalMap) -> dict[str, tuple[str, str]]:
    """Mapped field -> (sheet, column)."""
    wanted = {f"patients.{name}": each.names for name, each in map_.patients.items()}
    for endpoint, outcome in map_.follow_ups.items():
        wanted[f"{endpoint}.event"] = outcome.event.names
        for i, names in enumerate(outcome.duration.columns):
            wanted[f"{endpoint}.duration.{i}"] = names
    place_of_field = {}
    for field, names in wanted.items():
        for sheet in sheets:
            at = _column(path, sheet, names)
            if at is not None:
                place_of_field[field] = (sheet.name, sheet.unique_header[at])
                break
        else:
            have = ", ".join(h for s in sheets for h in s.header)
            raise InvalidInput(
                f"no column {' or '.join(map(str, names))} ({field})",
                where=str(path),
                repair=f"Correct the map; the table has {have}",
            )
    return place_of_field


def _read_sheet(path: Path, sheet: Sheet, map_: ClinicalMap, by_patient: dict[str, Row], content: FileContent) -> None:
    at = sheet.column(map_.patient_id.names)
    column, header = sheet.header[at], sheet.unique_header
    filters = [(_column(path, sheet, each.names), each) for each in map_.table.filters]
    if sheet.header and (missing := [each for place, each in filters if place is None]):
        raise InvalidInput(
            f"no column {missing[0].shown} (table.where)",
            where=str(path),
            repair=f"The table has {', '.join(sheet.header)}",
        )
    seen: dict[str, int] = {}
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
            patient_id = checked_patient(identifier, line, column, content)
            if patient_id in seen:
                content.error(
                    line, column, text, "clinical.patient-twice", f"line {seen[patient_id]} has the patient already"
                )
        if not is_bad():
            seen[patient_id] = line
            row = by_patient.setdefault(patient_id, {})
            row |= {
                (sheet.name, h): Cell(line, h, c.strip())
                for i, (h, c) in enumerate(zip(header, cells, strict=True))
                if i != at
            }
    if n_filtered:
        content.warn(
            sheet.header_line,
            filters[0][1].shown,
            None,
            "map.filtered",
            f"{n_filtered:,} rows are left out, as the map says",
        )


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
    value = _number(cell.text, map_)
    if value is not None:
        value *= each.factor or 1.0
    low, high = each.at_least, each.at_most
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        bounds = f" between {low:g} and {high:g}" if low is not None and high is not None else ""
        content.error(cell.line, cell.column, cell.text, "map.not-a-number", f"expected a number{bounds}")
        return None, None
    return value, None


def _number(text: str, map_: ClinicalMap) -> float | None:
    """The number of a cell, with a decimal comma where the map says so; a point is none then, but a mark of thousands."""
    if not map_.table.decimal_comma:
        return number(text)
    return None if "." in text and "," not in text else number(text.replace(".", "").replace(",", "."))


def _outcome(endpoint: Endpoint, outcome: OutcomeMap, row: Row, places, map_: ClinicalMap, content: FileContent):
    """(line, columns of a FollowUp), or None after an error or when the table says nothing."""
    event_cell = row.get(places[f"{endpoint}.event"])
    cells = [row.get(places[f"{endpoint}.duration.{i}"]) for i in range(len(outcome.duration.columns))]
    cell = event_cell or next((c for c in cells if c is not None), None)
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
    if outcome.event.none is not None:
        columns["event"] = not _is_none(event_cell, outcome, map_)
    elif event_cell is None or event_cell.text in map_.missing.tokens:
        columns["reason"] = f"{outcome.event.shown} empty in the source"
    elif event_cell.text not in outcome.event.codes:
        content.error(
            event_cell.line, event_cell.column, event_cell.text, "map.unknown-code",
            f"expected one of {', '.join(outcome.event.codes)}",
        )  # fmt: skip
        return None
    else:
        columns["event"] = outcome.event.codes[event_cell.text]
        columns["reason"] = outcome.event.notes.get(event_cell.text)
    if outcome.duration.column is None:
        days, problem = _days_between(outcome, cells, map_)
    else:
        days, problem = _days_of_column(outcome, cells, map_)
    if problem is not None:
        at, message = problem
        content.error(at.line, at.column, at.text, "follow-up.bad-duration", message)
        return None
    if days is None:
        columns["reason"] = columns["reason"] or f"{outcome.duration.shown} empty in the source"
    columns["duration_days"] = days
    return cell.line, columns


def _is_none(cell: Cell | None, outcome: OutcomeMap, map_: ClinicalMap) -> bool:
    """Whether a cell of the day of an event says that there was none."""
    return cell is None or cell.text in map_.missing.tokens or cell.text in (outcome.event.none or ())


Problem = tuple[Cell, str]


def _days_of_column(
    outcome: OutcomeMap, cells: Sequence[Cell | None], map_: ClinicalMap
) -> tuple[float | None, Problem | None]:
    """(days, None) of the first column that holds a duration, else of the other; (None, problem) where it is no duration."""
    filled = [c for c in cells if c is not None and c.text not in map_.missing.tokens]
    if outcome.duration.else_column is not None:
        filled = [c for c in filled if c is not cells[0] or not _is_none(c, outcome, map_)]
    if not filled:
        return None, None
    cell = filled[0]
    value = _number(cell.text, map_)
    if value is None or value < 0:
        what = "negative" if value is not None else "no number"
        return None, (cell, f"{what}; expected {outcome.duration.unit}")
    return value * DAYS[outcome.duration.unit], None


def _days_between(
    outcome: OutcomeMap, cells: Sequence[Cell | None], map_: ClinicalMap
) -> tuple[float | None, Problem | None]:
    """(days, None) from the first date to the first of the others that is filled; (None, problem) where one is no date."""
    start, *ends = cells
    end = next((c for c in ends if c is not None and c.text not in map_.missing.tokens), None)
    if start is None or start.text in map_.missing.tokens or end is None:
        return None, None
    days = []
    for cell in (start, end):
        when = date_of(cell.text, outcome.duration.dates or "")
        if when is None:
            return None, (cell._replace(text="(not shown)"), f"no date as {outcome.duration.dates}")
        days.append(when.toordinal())
    if days[1] < days[0]:
        return None, (end._replace(text="(not shown)"), f"before {start.column}")
    return float(days[1] - days[0]), None


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
            known[0].line, outcome.event.shown, f"{share:.0%}", "follow-up.events-unexpected",
            f"{share:.0%} of {len(known)} have {endpoint}, expected {low:.0%} to {high:.0%} (read with {codes}): {hint}",
        )  # fmt: skip


def _keep_raw(
    by_patient: dict[str, Row], hidden: set[tuple[str, str]], several: bool, map_: ClinicalMap, content: FileContent
) -> None:
    """Every field as found, but those that are hidden."""
    for patient_id, row in by_patient.items():
        for (sheet, column), cell in row.items():
            if (sheet, column) in hidden:
                continue
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
