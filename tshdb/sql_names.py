"""What was meant by a table or a column of a query that there is not: DuckDB knows only the tables that the query names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tshdb.near import did_you_mean

_TABLE = re.compile(r"Table with name (?P<name>[^\s!]+) does not exist")
_COLUMN = re.compile(r'Referenced column "(?P<name>[^"]+)" not found|does not have a column named "(?P<other>[^"]+)"')
REFERENCE = "See: tshdb schema"


def explained(error: Exception, tables: Iterable[str], columns: Iterable[str]) -> tuple[str, str]:
    """(what DuckDB found wrong, what helps).

    tables: all that can be asked for; columns: those of the tables that the query names.
    """
    lines = [line for line in str(error).splitlines() if line.strip()]
    if match := _TABLE.search(lines[0]):
        return lines[0].rstrip("!"), did_you_mean(match["name"], tables, REFERENCE)
    if match := _COLUMN.search(lines[0]):
        name = match["name"] or match["other"]
        if question := did_you_mean(name, columns):
            return lines[0].rstrip("!"), f"{question} {REFERENCE}"
    if "STRING_LITERAL" in lines[0]:
        return lines[0], "A parameter (-p) is text: give it a type, as NAME:int=5, or cast it in the query"
    hint = next((line for line in lines[1:] if "Candidate" in line or "Did you mean" in line), "")
    return f"{lines[0]} {hint}".strip(), REFERENCE
