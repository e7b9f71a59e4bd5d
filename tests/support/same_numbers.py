"""Whether two studies that were computed by other libraries, or on another processor, say the same.

Numbers may differ by a billionth of themselves; everything else (labels, groups, members, chosen features, counts, sentences,
missing values) has to be the same.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RELATIVE, ABSOLUTE = 1e-9, 1e-12
OF_BYTES = re.compile(
    r".*(_id|sha256|digest|fingerprint|chain|_at|seconds|bytes|version|versions|libraries)|object|hash"
)
NOT_RESULTS = {"units", "unit_inputs", "attempts", "retirements", "causes", "leases", "work"}
HEX = re.compile(r"[0-9a-f]{32,}")


@dataclass
class Compared:
    """What a comparison came to. n: values that were compared; furthest: relative, of numbers; other: in words."""

    n: int = 0
    n_numbers: int = 0
    n_same_bits: int = 0
    furthest: float = 0.0
    where: str = ""
    other: list[str] = field(default_factory=list)


def rows_of(database: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """table -> unit -> its rows in their order, without what names bytes, rows, times or versions."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as raw:
        raw.row_factory = sqlite3.Row
        tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        for table in tables:
            columns = [row[1] for row in raw.execute(f'PRAGMA table_info("{table}")')]
            if "unit_id" not in columns or table in NOT_RESULTS:
                continue
            query = (
                f"SELECT u.analysis || '/' || u.key AS __unit, t.* FROM \"{table}\" t JOIN units u ON u.unit_id = t.unit_id "
                "WHERE u.state = 'current' ORDER BY 1, t.rowid"
            )
            units: dict[str, list[dict[str, Any]]] = {}
            for row in raw.execute(query):
                kept = {c: row[c] for c in columns if not OF_BYTES.fullmatch(c)}
                units.setdefault(row["__unit"], []).append(kept)
            found[table] = units
        states = raw.execute("SELECT analysis || '/' || key, state FROM units WHERE state <> 'retired' ORDER BY 1")
        found["units"] = {name: [{"state": state}] for name, state in states}
    return found


def compared(one: dict, other: dict) -> Compared:
    """Compare what two databases say (`rows_of`)."""
    found = Compared()
    for table in sorted({*one, *other}):
        ours, theirs = one.get(table, {}), other.get(table, {})
        for unit in sorted({*ours, *theirs}):
            rows, others = ours.get(unit, []), theirs.get(unit, [])
            if len(rows) != len(others):
                found.other.append(f"{table} {unit}: {len(rows)} rows, {len(others)}")
                continue
            for i, (row, another) in enumerate(zip(rows, others, strict=True)):
                for column in row:
                    _value(found, f"{table}.{column} {unit} row {i}", row[column], another.get(column))
    return found


def _value(found: Compared, where: str, one: Any, other: Any) -> None:
    found.n += 1
    if isinstance(one, float) and isinstance(other, float):
        found.n_numbers += 1
        found.n_same_bits += one == other or (math.isnan(one) and math.isnan(other))
        off = abs(one - other)
        if math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            relative = off / max(abs(one), abs(other)) if off > ABSOLUTE else 0.0
            if relative > found.furthest:
                found.furthest, found.where = relative, where
        elif not (math.isnan(one) and math.isnan(other)):
            found.other.append(f"{where}: {one!r}, {other!r}")
    elif isinstance(one, str) and isinstance(other, str) and one != other:
        read = _json(one), _json(other)
        if None not in read:
            _inside(found, where, *read)
        elif not (HEX.search(one) and HEX.sub("", one) == HEX.sub("", other)):
            found.other.append(f"{where}: {one[:120]!r}, {other[:120]!r}")
    elif one != other:
        found.other.append(f"{where}: {one!r}, {other!r}")


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in "[{" else None
    except ValueError:
        return None


def _inside(found: Compared, where: str, one: Any, other: Any) -> None:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            if not OF_BYTES.fullmatch(str(name)):
                _inside(found, f"{where}.{name}", one[name], other[name])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            _inside(found, f"{where}[{i}]", a, b)
    else:
        _value(found, where, one, other)
