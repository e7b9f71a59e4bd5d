"""Files of the archives without one patient: lines and columns left out, everything else byte by byte as it was."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ingest.expression.series_matrix import is_series_matrix
from tshdb.text_files import csv_reader, top_of
from tshdb.withdrawal.places import Places
from tshdb.written import encoding_of

DELIMITED = {".csv", ".tsv", ".txt", ".tab"}
PROSE = {".sql", ".toml", ".md"}


@dataclass(frozen=True)
class Redacted:
    """The content that remains, and the lines and columns that were left out, counted from 1."""

    content: bytes
    lines: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()


def redact(path: Path, pattern: re.Pattern[str], alias: str, places: Places | None = None) -> Redacted | None:
    """A file without what the pattern finds. None for a format that cannot be written again without harm.

    places: the lines and columns of the file from which the study has the patient's rows, and what its cells call the patient.

    Delimited text loses the columns whose header names the patient, then the lines that do. JSON loses the elements of
    lists that do. SQL, TOML and Markdown name the alias instead. Packed files are packed again.
    """
    is_packed = path.suffix == ".gz"
    kind = Path(path.stem).suffix if is_packed else path.suffix
    if kind not in DELIMITED | PROSE | {".json"}:
        return None
    raw = gzip.decompress(path.read_bytes()) if is_packed else path.read_bytes()
    encoding = encoding_of(raw[:512])
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding  # its mark stays a character
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "latin-1"
    if kind in DELIMITED and is_series_matrix(text[:100]):
        return None  # what its lines say of samples stands in the order of its columns
    lines: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    if kind in DELIMITED:
        text, lines, columns = _delimited(text, pattern, places or Places())
    elif places is not None and not pattern.search(text):
        return None  # it speaks of the patient, and not by a name that can be looked for
    elif kind == ".json":
        text = json.dumps(_pruned(json.loads(text), pattern), indent=2, ensure_ascii=False) + "\n"
    else:
        text = pattern.sub(alias, text)
    content = text.encode(encoding)
    if is_packed:
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
            file.write(content)
        content = buffer.getvalue()
    return Redacted(content, lines, columns)


def _delimited(text: str, pattern: re.Pattern[str], places: Places) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    lines = list(io.StringIO(text, newline=""))
    if not lines:
        return text, (), ()
    top = top_of(lines)
    delimiter, header = top.delimiter, _cells(top.header, top.delimiter)
    dropped = {i for i, cell in enumerate(header) if pattern.search(cell)} | {column - 1 for column in places.columns}
    if len(dropped) == len(header):
        dropped = set()
    kept, removed = [], []
    named = _named_lines(lines, top.line, delimiter, places)
    for number, line in enumerate(lines, 1):
        if number in named:
            removed.append(number)
            continue
        if number < top.line and not pattern.search(line):
            kept.append(line)
            continue
        line_without = _without(line, dropped, delimiter) if dropped else line
        if pattern.search(line_without):
            removed.append(number)
        else:
            kept.append(line_without)
    return "".join(kept), tuple(removed), tuple(sorted(i + 1 for i in dropped))


def _named_lines(lines: list[str], top: int, delimiter: str, places: Places) -> set[int]:
    """The lines of the places, and those that call the patient as these do, in the column that names their patients."""
    named = {number for number in places.lines if top < number <= len(lines)}
    rows = [[cell.strip() for cell in _cells(lines[number - 1], delimiter)] for number in sorted(named)]
    calling = [{i for i, cell in enumerate(row) if cell in places.names} for row in rows]
    if columns := set.intersection(*calling) if calling else set():
        at = min(columns)
        calls = {row[at] for row in rows}
        for number, line in enumerate(lines[top:], top + 1):
            cells = _cells(line, delimiter) if number not in named and any(c in line for c in calls) else []
            if cells[at : at + 1] and cells[at].strip() in calls:
                named.add(number)
    return named


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv_reader([line.rstrip("\r\n")], delimiter), [])


def _without(line: str, dropped: set[int], delimiter: str) -> str:
    """The line without some of its cells, with its own line ending; its other cells as they were where nothing is quoted."""
    bare = line.rstrip("\r\n")
    ending = line[len(bare) :]
    if '"' not in bare or delimiter == "\t":
        return delimiter.join(c for i, c in enumerate(bare.split(delimiter)) if i not in dropped) + ending
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="")
    writer.writerow([c for i, c in enumerate(_cells(line, delimiter)) if i not in dropped])
    return buffer.getvalue() + ending


def _pruned(value, pattern: re.Pattern[str]):
    """Lists lose the elements that name the patient; what stands in an object outside any list is emptied."""
    if isinstance(value, list):
        return [v for v in value if not pattern.search(json.dumps(v, ensure_ascii=False))]
    if isinstance(value, dict):
        return {k: _pruned(v, pattern) for k, v in value.items() if not pattern.search(k)}
    return None if isinstance(value, str) and pattern.search(value) else value
