"""A first map for a clinical table: what its columns seem to be, for a person to correct.

Nothing is loaded by a guess alone. Columns are recognised by their names; codes are listed as they stand in the table,
with a meaning where the name and the code leave one, and `?` (which no map accepts) where they do not.
"""

from __future__ import annotations

import re
from pathlib import Path

from ingest.tables.maps import PATIENT_COLUMNS
from ingest.tables.workbook import Sheet, header_key, read_sheets
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.text_files import number

ID_NAMES = r"(patient|subject|case|participant).*(id|barcode|identifier)|^(id|patient|subject|case)$"
COLUMN_NAMES = {
    "age_years": r"^age",
    "sex": r"^(sex|gender)",
    "race": r"race",
    "ethnicity": r"ethnicity",
    "menopausal_status": r"menopaus",
    "er_status": r"^(er|estrogen|oestrogen)\b|^er[^a-z]|^erpos",
    "pr_status": r"^(pr|pgr|progesterone)\b|^pr[^a-z]|^pgrpos",
    "her2_status": r"^(her2|her-2|erbb2)",
    "tumor_size_mm": r"(tumou?r.*size|^size|longest diameter|^ld\b)",
    "t_stage": r"(pathologic.*_t$|^pt$|^t.?stage)",
    "n_stage": r"(pathologic.*_n$|^pn$|^n.?stage)",
    "stage": r"^(ajcc.*stage|stage)",
    "laterality": r"(laterality|^side)",
    "family_history": r"family.*history",
}
EVENT_NAMES = r"(event|status|vital|death|dead|censor|recurr|relapse|progress|stat$|_ind$|indicator)"
TIME_NAMES = r"(time|days|weeks|months|years|duration|surv|follow.?up|^rfs$|^dfs$|^os$)"
NO_EVENT = r"(her2|receptor|^hr\b|^hr[ _]|stage)"
ENDPOINTS = {  # endpoint -> what its event is called, what its time is called
    "RFS": (r"(rfs|recurr|relapse)", r"(rfs|recurr|relapse)"),
    "DFS": (r"(dfs|disease.?free|censor)", r"(dfs|disease.?free)"),
    "OS": (r"(vital|death|dead|deceas|surv|stat|^os|event)", r"(surv|death|last|^os|time|days|months|years|follow)"),
}
MEANINGS = {
    "positive": "positive", "pos": "positive", "+": "positive", "1": "positive", "yes": "positive",
    "negative": "negative", "neg": "negative", "-": "negative", "0": "negative", "no": "negative",
}  # fmt: skip
EVENTS = {"dead": True, "deceased": True, "1": True, "yes": True, "true": True, "event": True,
          "alive": False, "living": False, "0": False, "no": False, "false": False, "censored": False}  # fmt: skip
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
MOST_CODES = 12


def guess(path: Path) -> str:
    """A map as TOML text. Raises InvalidInput when no column looks like a patient's identifier."""
    sheets = read_sheets(path, FileContent())
    id_column = next(
        ((s, i) for s in sheets for i, h in enumerate(s.header) if re.search(ID_NAMES, header_key(h))), None
    )
    if id_column is None:
        names = ", ".join(h for s in sheets for h in s.header[:20])
        raise InvalidInput("no column looks like a patient's identifier", where=str(path), repair=f"Columns: {names}")
    lines = [
        f"# A guess from the columns of {path.name}: correct it, then name it with --map. A ? must become a meaning.",
        "[patient_id]",
        f"column = {_text(id_column[0].header[id_column[1]])}",
        "",
    ]
    taken = {id_column[0].header[id_column[1]]}
    columns = [(s, i, h) for s in sheets for i, h in enumerate(s.header) if h not in taken]
    for target in PATIENT_COLUMNS:
        pattern = COLUMN_NAMES.get(target)
        hit = next(
            ((s, i, h) for s, i, h in columns if pattern and h not in taken and re.search(pattern, header_key(h))), None
        )
        if hit is not None:
            taken.add(hit[2])
            lines += [f"[patients.{target}]", f"column = {_text(hit[2])}", *_values(target, hit[0], hit[1]), ""]
    lines += _outcomes([c for c in columns if c[2] not in taken])
    return "\n".join(lines).rstrip() + "\n"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _cells(sheet: Sheet, i: int) -> list[str]:
    return [cells[i].strip() for _, cells in sheet.rows if cells[i].strip() not in MISSING]


def _values(target: str, sheet: Sheet, i: int) -> list[str]:
    cells = _cells(sheet, i)
    if target.endswith("_status") and target != "menopausal_status":
        codes = sorted(set(cells))[:MOST_CODES]
        return [f"codes = {_codes({c: MEANINGS.get(c.lower(), '?') for c in codes})}"]
    if target in ("sex", "race", "ethnicity", "laterality", "menopausal_status", "family_history"):
        codes = sorted(set(cells))
        is_coded = 0 < len(codes) <= MOST_CODES and all(number(c) is not None for c in codes)
        return [f"codes = {_codes(dict.fromkeys(codes, '?'))}"] if is_coded else []
    if target == "tumor_size_mm":
        numbers = [v for v in map(number, cells) if v is not None]
        is_cm = bool(numbers) and max(numbers) < 30
        return [f"factor = {10 if is_cm else 1}    # {'cm' if is_cm else 'mm'}, by the largest value"]
    if target == "age_years":
        numbers = [v for v in map(number, cells) if v is not None]
        return ["factor = 0.0027379    # days, by the largest value"] if numbers and max(numbers) > 150 else []
    return []


def _codes(meanings: dict[str, object]) -> str:
    pairs = (f"{_text(c)} = {str(m).lower() if isinstance(m, bool) else _text(str(m))}" for c, m in meanings.items())
    return "{ " + ", ".join(pairs) + " }"


def _outcomes(columns: list[tuple[Sheet, int, str]]) -> list[str]:
    """[follow_ups.X] for every endpoint that has a column of few codes and one of numbers."""
    events = [
        (s, i, h)
        for s, i, h in columns
        if re.search(EVENT_NAMES, header_key(h))
        and not re.search(NO_EVENT, header_key(h))
        and 0 < len(set(_cells(s, i))) <= MOST_CODES
    ]
    times = [
        (s, i, h) for s, i, h in columns
        if re.search(TIME_NAMES, header_key(h)) and len(set(_cells(s, i))) > 2
        and all(number(c) is not None for c in _cells(s, i))
    ]  # fmt: skip
    lines: list[str] = []
    used: set[str] = set()
    for endpoint, (of_event, of_time) in ENDPOINTS.items():
        event = next((e for e in events if e[2] not in used and re.search(of_event, header_key(e[2]))), None)
        time = next((t for t in times if t[2] not in used and re.search(of_time, header_key(t[2]))), None)
        if event is None or time is None:
            continue
        used |= {event[2], time[2]}
        codes = {c: EVENTS.get(c.lower(), "?") for c in sorted(set(_cells(event[0], event[1])))}
        name = header_key(time[2])
        unit = next((u for u in ("days", "weeks", "months", "years") if u[:-1] in name), None)
        lines += [
            f"[follow_ups.{endpoint}]",
            'time_origin = "diagnosis"    # or surgery, study_entry, …',
            f"event = {{ column = {_text(event[2])}, codes = {_codes(codes)} }}",
            f"duration = {{ column = {_text(time[2])}, unit = {_text(unit or '?')} }}",
            "",
        ]
    return lines
