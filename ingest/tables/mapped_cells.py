"""The cell of a field that a map names, of the first sheet that says something, and its number."""

from __future__ import annotations

from ingest.tables.maps import ClinicalMap
from ingest.tables.visits import Cell, Row
from tshdb.file_content import FileContent
from tshdb.text_files import number

Places = dict[str, list[tuple[str, str]]]  # mapped field -> (sheet, column), of each sheet that has it


def cell_of(row: Row, places: list[tuple[str, str]], map_: ClinicalMap, content: FileContent) -> Cell | None:
    """The cell of a mapped field, of the first sheet that says something; an error where another sheet says something else."""
    cells = [row[place] for place in places if place in row]
    filled = [c for c in cells if c.text not in map_.missing.tokens]
    for other in filled[1:]:
        if other.text != filled[0].text and (
            number(other.text) is None or number(other.text) != number(filled[0].text)
        ):
            content.error(
                other.line, other.column, other.text, "clinical.rows-disagree",
                f"another sheet says '{filled[0].text}' (line {filled[0].line}); name the sheet that holds: [table] sheet",
            )  # fmt: skip
            break
    return filled[0] if filled else next(iter(cells), None)


def number_of(text: str, map_: ClinicalMap) -> float | None:
    """The number of a cell, with a decimal comma where the map says so; a point is none then, but a mark of thousands."""
    if not map_.table.decimal_comma:
        return number(text)
    return None if "." in text and "," not in text else number(text.replace(".", "").replace(",", "."))
